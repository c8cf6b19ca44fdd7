#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ringpaced as a program: command line, sockets, control clients, its end.
. "$(dirname "$0")/lib.sh"
ringpaced=${RINGPACED:-$top/build/ringpaced}
ctl=$scratch/ctl
dev=$scratch/pc0.sock

start() {
	"$ringpaced" --device pc0,socket="$dev" --control "$ctl" "$@" 2>"$scratch/log" &
	pid=$!
	wait_for 20 [ -S "$ctl" ]
}

# stop SIGNAL: its exit status.
stop() {
	kill -"$1" $pid
	wait $pid
}

# ask LINE...: the replies, for at most 10 s.
ask() { printf '%s\n' "$@" | timeout 10 socat -t 5 - UNIX-CONNECT:"$ctl" 2>>"$scratch/err"; }

says_hello() { ask '{"v":1,"cmd":"hello"}' | json_is '.ok and .result.program == "ringpaced"'; }

status_of() {
	timeout 10 "$@" >"$scratch/out" 2>"$scratch/err"
	echo $?
}

usage_error() { [ "$(status_of "$ringpaced" "$@")" = 2 ]; }

# ---- Command line ----
check "--help" [ "$(status_of "$ringpaced" --help)" = 0 ]
check "--help has units and an example" grep -Eqz 'bytes.*nanoseconds.*Example' "$scratch/out"
check "--version" [ "$(status_of "$ringpaced" --version)" = 0 ]
check "no device is wrong use" usage_error
check "a bad device is wrong use" usage_error --device pc0,pairs=2
check "the message names it" grep -q 'socket=PATH is missing' "$scratch/err"
check "a name twice is wrong use" usage_error --device a,socket=x --device a,socket=y
check "a bad level is wrong use" usage_error --log-level loud --device a,socket=x
check "a stray argument is wrong use" usage_error --device a,socket=x stray
check "an unknown group is wrong use" usage_error --device a,socket=x --group no-such-group

has_probes() {
	[ "$(readelf -n "$ringpaced" | grep -A1 'Provider: ringpaced' | sed -n 's/.*Name: //p' |
		sort -u | tr '\n' ' ')" = "armed block call double_check kick sleep wake " ]
}
check "its USDT probes are there" has_probes

# Of so few descriptors a client or two can be served, and none is waited for.
few_descriptors() {
	# Descriptors that whoever runs this left open would count as the daemon's.
	(for fd in {3..11}; do exec {fd}>&-; done
	ulimit -n 12; exec "$ringpaced" --device pc0,socket="$dev" --control "$ctl" 2>"$scratch/log") &
	pid=$!
	wait_for 20 [ -S "$ctl" ] || return 1
	local i clients=
	for i in 1 2 3 4 5 6; do
		sleep 60 | socat -u - UNIX-CONNECT:"$ctl" 2>/dev/null &
		clients="$clients $!"
	done
	wait_for 20 grep -q 'no file descriptor is left' "$scratch/log" || return 1
	kill $clients
	wait_for 20 says_hello || return 1
	stop TERM
}
check "without descriptors clients are turned away" few_descriptors

# Who connects and leaves all the time has its share of the log, and no more.
flood() {
	start --log-rate 1 --device pc1,socket="$scratch/pc1.sock" || return 1
	for socket in $(yes "$dev" | head -n 150) "$scratch/pc1.sock"; do
		socat -u /dev/null UNIX-CONNECT:"$socket" || return 1
	done
	wait_for 20 grep -q 'pc1: frontend disconnected' "$scratch/log" || return 1
	[ "$(grep -c 'pc0: ' "$scratch/log")" -le 200 ] || return 1
	# The next line that may be told says how many were not.
	wait_for 20 flood_told || return 1
	stop TERM
}
flood_told() {
	socat -u /dev/null UNIX-CONNECT:"$dev"
	grep -Eq 'pc0: [0-9]+ lines were not told' "$scratch/log"
}
check "a flood of lines does not fill the log, nor hide others" flood
json_log() {
	start --log-format json || return 1
	socat -u /dev/null UNIX-CONNECT:"$dev" || return 1
	wait_for 20 grep -q '"about":"pc0"' "$scratch/log" || return 1
	stop TERM || return 1
	jq -es 'length >= 2 and all(.[]; (.time | endswith("Z")) and .mono_ns > 0 and .level == "info" and
		(.message | length) > 0)' "$scratch/log" >/dev/null && [ "$(wc -l <"$scratch/log")" -ge 2 ]
}
check "a log of JSON objects" json_log
check "a bad format is wrong use" usage_error --log-format xml --device a,socket=x
check "a bad rate is wrong use" usage_error --log-rate -1 --device a,socket=x

# ---- Sockets ----
start
check "it starts and answers" says_hello
check "control socket: mode 0600" [ "$(stat -c %a "$ctl")" = 600 ]
check "device socket: mode 0600" [ "$(stat -c %a "$dev")" = 600 ]
check "a second daemon on the device's socket fails" \
	[ "$(status_of "$ringpaced" --device b,socket="$dev")" = 1 ]
check "and says why in one line" [ "$(grep -c 'in use by another process' "$scratch/err")" = 1 ]
check "a second daemon on the control socket fails" \
	[ "$(status_of "$ringpaced" --device b,socket="$scratch/b" --control "$ctl")" = 1 ]
check "and leaves nothing of its own" [ ! -e "$scratch/b" ]
check "the first one still serves" says_hello
check "its device socket is still there" [ -S "$dev" ]

# ---- Control clients ----
ask 'noise' '' '{"v":1,"id":1,"cmd":"hello"}' >"$scratch/out"
check "after a bad line the connection lives on" \
	[ "$(jq -r '.error.code // "ok"' "$scratch/out" | tr '\n' ' ')" = "bad-json bad-json ok " ]
# All of it is written before the reply is read, far more than the sockets hold.
long_line() {
	python3 - "$ctl" "$1" <<-'END'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.settimeout(60)
		s.connect(sys.argv[1])
		hello = b'{"v":1,"id":1,"cmd":"hello"}'
		s.sendall(b"x" * int(sys.argv[2]) + b"\n" + hello + b"\n" + hello.ljust(65536) + b"\n")
		lines = s.makefile()
		error, *good = (json.loads(lines.readline()) for _ in range(3))
		assert error["error"]["code"] == "bad-json" and "65536" in error["error"]["message"]
		assert all(g["ok"] and g["id"] == 1 for g in good)
	END
}
check "a line that is too long gets an error, and those behind it their replies" long_line 65537
check "one of 8 MB, too" long_line 8000000
check "or one that is just twice too long" long_line 131072
full_house() {
	python3 - "$ctl" "$ringpace" <<-'END'
		import socket, subprocess, sys
		held = [socket.socket(socket.AF_UNIX) for _ in range(64)]
		for s in held:
		    s.settimeout(60)
		    s.connect(sys.argv[1])
		    s.sendall(b'{"v":1,"cmd":"hello"}\n')
		    assert s.makefile().readline()
		r = subprocess.run([sys.argv[2], "ctl", "list", "--socket", sys.argv[1]], capture_output=True, text=True)
		assert r.returncode == 1 and "as many clients as there can be" in r.stderr, r
	END
}
check "one client too many is told so" full_house
yes '{"v":1,"cmd":"list"}' | timeout 60 socat -u - UNIX-CONNECT:"$ctl" 2>/dev/null &
deaf=$!
check "a client that never reads blocks nobody" says_hello
check "nor does it later" says_hello
kill $deaf 2>/dev/null
wait $deaf 2>/dev/null
timeout 60 socat -u PTY UNIX-CONNECT:"$ctl" 2>/dev/null &
mute=$!
check "a client that never writes blocks nobody" says_hello
kill $mute 2>/dev/null
wait $mute 2>/dev/null
head -c 100000 /dev/urandom | timeout 10 socat -t 5 - UNIX-CONNECT:"$ctl" >/dev/null 2>&1
head -c 100000 /dev/urandom | timeout 10 socat -t 5 - UNIX-CONNECT:"$dev" >/dev/null 2>&1
check "noise on both sockets hurts nobody" says_hello
check "the device tells why it closed" grep -q 'pc0: connection closed: ' "$scratch/log"

# ---- Its end ----
stop TERM
check "SIGTERM: exit status 0" [ $? -eq 0 ]
check "SIGTERM: no socket is left" [ ! -e "$ctl" -a ! -e "$dev" ]
start
stop INT
check "SIGINT: exit status 0" [ $? -eq 0 ]
check "SIGINT: no socket is left" [ ! -e "$ctl" -a ! -e "$dev" ]
start
stop KILL 2>/dev/null
check "SIGKILL leaves its sockets" [ -S "$ctl" -a -S "$dev" ]
start
check "stale sockets are replaced" wait_for 20 says_hello
stop TERM
echo precious >"$dev"
check "a file in the way is no socket" \
	[ "$(status_of "$ringpaced" --device pc0,socket="$dev")" = 1 ]
check "and stays" grep -q precious "$dev"
rm -f "$dev"
start --group root
check "--group: mode 0660" [ "$(stat -c %a "$ctl")$(stat -c %a "$dev")" = 660660 ]
stop TERM
echo '{"version":1,"queues":[],"checksum":"0"}' >"$scratch/state"
start --state "$scratch/state"
check "a bad state file is ignored" says_hello
check "with a warning that names it" grep -q "warn: state: $scratch/state is ignored" "$scratch/log"
stop TERM
check "nothing learned, nothing written" grep -q '"checksum":"0"' "$scratch/state"
check "every log line is one" [ -z "$(grep -v '^ringpaced: [a-z]*: ' "$scratch/log")" ]
finish
