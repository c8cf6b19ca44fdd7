#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ringpaced by a file: start, --check, reloads, the service manager's messages, a user
# with fewer rights, units. What a reload does under traffic: reload.t.
. "$(dirname "$0")/lib.sh"
ringpaced=${RINGPACED:-$top/build/ringpaced}
ctl=$scratch/ctl
file=$scratch/ringpaced.yaml

# The file's text, from stdin; @ is the scratch directory.
write() { sed "s|@|$scratch|g" >"$file"; }

start() {
	"$ringpaced" --control "$ctl" --config "$file" "$@" 2>"$scratch/log" &
	pid=$!
	wait_for 30 says hello '.program == "ringpaced"'
}

stop() {
	kill -TERM $pid
	wait $pid
}

status_of() {
	timeout 20 "$@" >"$scratch/out" 2>"$scratch/err"
	echo $?
}

ask() { printf '{"v":1,"cmd":"%s"}\n' "$1" | timeout 20 socat -t 10 - UNIX-CONNECT:"$ctl"; }
# says COMMAND EXPRESSION: is it true of the result? refuses: of the message?
says() { ask "$1" >"$scratch/reply" 2>"$scratch/err" && json_of "$scratch/reply" ".result | $2"; }
refuses() { ask "$1" >"$scratch/reply" 2>"$scratch/err" && json_of "$scratch/reply" ".error.message | $2"; }

ports() { says list "[.ports[].device] == $1"; }

# ---- Files ----
write <<'END'
devices: [{name: pc0, socket: @/pc0}]
ports:
  - {name: a, socket: @/a, pairs: 2, dmax-ns: 50000}
  - {name: b, socket: @/b}
links: [[a, b]]
END
cp "$file" "$scratch/good"
check 'a good file is good' [ "$(status_of "$ringpaced" --check --config "$file")" = 0 ]
check 'of which nothing is left' [ ! -e "$scratch/a" ]
echo 'ports: [{name: a}]' >"$file"
check 'a bad one is wrong use' [ "$(status_of "$ringpaced" --check --config "$file")" = 2 ]
check 'with its line' grep -q "^ringpaced: $file:1: ports: a: socket=PATH, tap=NAME or nic=NAME is missing" "$scratch/err"
check 'also to start with' [ "$(status_of "$ringpaced" --config "$file")" = 2 ]
check 'ports on the command line are not' \
	[ "$(status_of "$ringpaced" --config "$scratch/good" --port c,socket=x)" = 2 ]
check 'no file is wrong use' [ "$(status_of "$ringpaced" --config "$scratch/none")" = 2 ]
check '--check of a command line' [ "$(status_of "$ringpaced" --check --device a,socket=x)" = 0 ]
check 'the example is good' \
	[ "$(status_of "$ringpaced" --check --config "$top/vhost/daemon/ringpaced.yaml")" = 0 ]

# ---- Reload ----
cp "$scratch/good" "$file"
start
check 'it starts by file' ports '["a","b"]'
check 'with its parameters' says list '.ports[0].pacing.dmax_ns == 50000 and .ports[0].peer == "b"'
write <<'END'
ports:
  - {name: b, socket: @/b, strategy: busy}
  - {name: c, socket: @/c}
  - {name: a, socket: @/a, pairs: 4}
links: [[b, c]]
END
check 'a reload by order' says reload '.added == 2 and .removed == 2 and .changed == 1'
check 'new ports are there' ports '["b","c","a"]'
check 'parameters are new' says list '.ports[0].pacing.strategy == "busy" and .devices == []'
check 'other pairs, another peer' \
	says list '(.ports[2].queues | length == 8) and .ports[1].peer == "b" and .ports[2].peer == null'
check 'what has gone left no socket' [ ! -e "$scratch/pc0" -a -S "$scratch/c" ]
check 'ringpace ctl reload' [ "$(status_of "$ringpace" ctl reload --socket "$ctl" --json)" = 0 ]
check 'nothing to change' json_of "$scratch/out" '.added == 0 and .removed == 0 and .changed == 0'
echo 'ports: [{name: a, socket: x, pears: 1}]' >"$file"
check 'a bad file is refused' refuses reload "contains(\"$file:1: ports: a:\") and contains(\"nothing was changed\")"
check 'and changes nothing' ports '["b","c","a"]'
check 'which is logged, too' grep -q "error: $file:1: " "$scratch/log"
sed "s|@|$scratch|g" >"$file" <<'END'
ports: [{name: d, socket: @/d}, {name: e, socket: @/none/e}]
devices: [{name: f, socket: @/f}]
END
check 'a port that cannot be opened' refuses reload 'contains("e: cannot listen on")'
check 'changes nothing' ports '["b","c","a"]'
check 'and leaves nothing' [ ! -e "$scratch/d" -a ! -e "$scratch/f" ]
echo 'pacers: x3' >"$file"
check 'pacers stay' refuses reload 'contains("pacers: cannot be changed")'
rm "$file"
check 'a file that has gone' refuses reload 'contains("cannot be read")'
cp "$scratch/good" "$file"
kill -HUP $pid
check 'SIGHUP' wait_for 20 ports '["b","a"]'
echo 'log-level: error' >"$file"
check 'a file without ports' says reload '.removed == 3'
check 'its log level is in effect' eval '! grep -q "reload: 0 added, 3 removed" "$scratch/log"'
check 'and with some again' eval 'cp "$scratch/good" "$file" && says reload ".added == 3"'
stop
check 'its end' [ $? -eq 0 ]
check 'no socket is left' [ ! -e "$scratch/a" -a ! -e "$scratch/pc0" ]
"$ringpaced" --control "$ctl" --device pc0,socket="$scratch/pc0" 2>"$scratch/log" &
pid=$!
wait_for 30 says hello '.program == "ringpaced"'
check 'without a file there is no reload' refuses reload 'contains("--config")'
hang_up() { kill -HUP $pid; wait $pid; }
hang_up 2>/dev/null
check 'and SIGHUP ends it' [ $? -eq $((128 + 1)) ]
rm -f "$ctl" "$scratch/pc0"

# The first pacers of a daemon that has given its rights up already.
all_threads() { [ -d /proc/$pid ] && ! grep -LE "^$1:[[:space:]]*$2" /proc/$pid/task/*/status | grep -q .; }
echo 'pacers: x2' >"$file"
start
check 'a file of nothing' says list '.ports == [] and .devices == [] and .pacers == []'
(cat "$scratch/good"; echo 'pacers: x2') >"$file"
check 'its first ports' eval 'says reload ".added == 3" && says list ".pacers | length == 2"'
check 'served by threads with few system calls' all_threads Seccomp 2
check 'that are there' [ "$(cat /proc/$pid/task/*/comm | sort | tr '\n' ' ')" = "pacer0 pacer1 ringpaced " ]
stop

# ---- The service manager ----
cat >"$scratch/manager" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)
END
python3 "$scratch/manager" "$scratch/notify" >"$scratch/told" &
manager=$!
wait_for 20 test -S "$scratch/notify"
told() { wait_for 30 grep -q "$1" "$scratch/told"; }
export NOTIFY_SOCKET=$scratch/notify WATCHDOG_USEC=200000
start
unset NOTIFY_SOCKET WATCHDOG_USEC
check 'the manager is told: ready' told '^READY=1 STATUS=Serving 1 devices and 2 ports'
check 'alive' told '^WATCHDOG=1'
says reload '.added == 0'
check 'reloading' told '^RELOADING=1 MONOTONIC_USEC=[0-9]'
stop
check 'stopping' told '^STOPPING=1'
kill $manager && wait $manager 2>/dev/null

# ---- Rights ----
is() { grep -Eq "^$1:[[:space:]]*$2" /proc/$pid/status; }
cp "$scratch/good" "$file"
start
check 'no new rights' is NoNewPrivs 1
check 'few system calls, in every thread' all_threads Seccomp 2
stop
start --seccomp off
check '--seccomp off' is Seccomp 0
stop
if [ "$(id -u)" -eq 0 ] && getent passwd nobody >/dev/null; then
	uid=$(id -u nobody)
	chmod 711 "$scratch"
	start --user nobody
	check '--user: it answers' says hello '.pid > 0'
	check '--user: in every thread' all_threads Uid "$uid[[:space:]]+$uid[[:space:]]+$uid"
	check '--user: no capabilities' all_threads 'Cap(Prm|Eff|Bnd|Amb)' '0+$'
	check '--user: no groups of root' is Groups "$(id -G nobody) *$"
	check '--user: its sockets' [ "$(stat -c %U "$scratch/a" "$ctl" | sort -u)" = nobody ]
	write <<'END'
ports: [{name: a, socket: @/a, pairs: 2, dmax-ns: 70000}, {name: z, socket: @/z}]
END
	check '--user: what needs rights is refused' \
		refuses reload 'contains("z: cannot listen on") and contains("Permission denied")'
	write <<'END'
ports: [{name: a, socket: @/a, pairs: 2, dmax-ns: 70000}]
END
	check '--user: a reload within its rights' says reload '.removed == 2 and .changed == 1'
	mkdir "$scratch/own" && chown nobody "$scratch/own"
	write <<'END'
ports: [{name: a, socket: @/a, pairs: 2, dmax-ns: 70000}, {name: z, socket: @/own/z}]
END
	check '--user: sockets in a directory of its own' says reload '.added == 1'
	stop
	check '--user: its end' [ $? -eq 0 -a ! -e "$scratch/own/z" ]
	rm -f "$ctl" "$scratch/a" "$scratch/b" "$scratch/pc0"
	start --user nobody --group root
	check '--user and --group' is Groups "$(id -G nobody) 0 *$|^Groups:[[:space:]]*0 $(id -G nobody) *$"
	stop
	rm -f "$ctl" "$scratch/a" "$scratch/b" "$scratch/pc0"
else
	ok 0 '--user # SKIP only root can become another user'
fi
# ---- The service ----
# The unit names the programs where they are, so that they are found.
make -C "$top" --no-print-directory install PREFIX="$scratch/usr" SYSCONFDIR="$scratch/etc" \
	>"$scratch/err" 2>&1
check 'make install' [ $? -eq 0 ]
check 'the program is there' [ -x "$scratch/usr/bin/ringpaced" ]
unit=$scratch/usr/lib/systemd/system/ringpaced.service
check 'nothing is left to fill in' eval '[ -s "$unit" ] && ! grep -q "@[A-Z]*@" "$unit"'
if command -v systemd-analyze >/dev/null; then
	systemd-analyze verify --man=no "$unit" >"$scratch/err" 2>&1
	check 'systemd-analyze verify' [ $? -eq 0 -a ! -s "$scratch/err" ]
else
	ok 0 'systemd-analyze verify # SKIP no systemd-analyze in PATH'
fi
make -C "$top" --no-print-directory install DESTDIR="$scratch/root" >"$scratch/err" 2>&1
check 'make install DESTDIR' [ -x "$scratch/root/usr/local/bin/ringpaced" ]
check 'without it in the unit' \
	grep -q '^ExecStart=/usr/local/bin/ringpaced ' "$scratch/root/usr/local/lib/systemd/system/ringpaced.service"
check 'an unknown user is wrong use' \
	[ "$(status_of "$ringpaced" --config "$file" --user no-such-user)" = 2 ]
# What the manual says of a domain is what domains have that are booted in tests.
xml_of() { sed -n "/<$1/,/<\/${1%% *}>/p" "$2" | sed 's/^ *//; s/@[A-Z_0-9]*@/X/g; s/path=.[^ ]*/path=X/; s/\(_size=.\)[0-9X]*/\1X/g'; }
same_xml() {
	local block
	for block in memoryBacking "interface type='vhostuser'"; do
		xml_of "$block" "$top/docs/operations.md" >"$scratch/said"
		xml_of "$block" "$top/testbed/chain/domain.xml.in" | head -n "$(wc -l <"$scratch/said")" >"$scratch/is"
		[ -s "$scratch/said" ] && diff "$scratch/said" "$scratch/is" >"$scratch/err" || return 1
	done
}
check 'the domain in the manual is that of the tests' same_xml
finish
