#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Taps in a network namespace of our own: a guest at a tap (tap.c), and two hosts
# that reach each other through ringpaced.
#
#	namespace of this test                  another one
#	rpt0 10.99.0.1 ── switch (or link) ── rpt1 10.99.0.2
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/lib.sh"
host="$top/tests/native/tap_host.py"

unshare -n sleep infinity &
other=$!
there() { nsenter -t $other -n "$@"; }
is_apart() { [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
wait_for 10 is_apart
there sh -c "$quiet" 2>/dev/null

# start ARGUMENTS...: ringpaced, with both taps up and the second one there.
start() {
	"${ringpace}d" --control "$scratch/ctl" "$@" 2>"$scratch/err" &
	daemon=$!
	wait_for 30 test -S "$scratch/ctl" || return 1
	ip addr add 10.99.0.1/24 dev rpt0 && ip link set rpt0 up &&
		ip link set rpt1 netns $other &&
		there ip addr add 10.99.0.2/24 dev rpt1 && there ip link set rpt1 up
}

stop() {
	kill $daemon && wait $daemon
	wait_for 10 sh -c '! ip link show rpt0' || :
}

# TCP with what the taps do themselves: large segments, checksums.
tcp() {
	there "$host" serve 7000 >"$scratch/served" 2>"$scratch/err" &
	local server=$! connected=1
	for _ in $(seq 200); do
		"$host" send 10.99.0.2 7000 "$1" >"$scratch/sent" 2>>"$scratch/err" &&
			connected=0 && break
		kill -0 $server 2>/dev/null || break
		sleep 0.1
	done
	wait $server && [ $connected = 0 ] && cmp "$scratch/sent" "$scratch/served" 2>>"$scratch/err"
}

"$top/build/test-tap" >"$scratch/out" 2>"$scratch/err"
ok $? 'a guest and a tap'
grep '^not ok' "$scratch/out" | sed 's/^/# /'

start --port a,tap=rpt0 --port b,tap=rpt1 --switch s,ports=a+b
ok $? 'a switch with two taps'
check 'they ping' "$host" ping 10.99.0.2 20
check 'and the other way' there "$host" ping 10.99.0.1 20
check 'TCP, 20 MB' tcp 20000000
"$ringpace" ctl macs --socket "$scratch/ctl" --switch s --json >"$scratch/out" 2>"$scratch/err"
check 'both are learned' json_of "$scratch/out" '[.macs[].port] | sort == ["a", "b"]'
stop
check 'the daemon ends' [ $? -eq 0 ]
check 'the tap that it made has gone' sh -c '! ip link show rpt0 2>/dev/null'

start --port a,tap=rpt0,pairs=2,strategy=sleep,y-ns=50000 --port b,tap=rpt1,pairs=2 --link a,b
ok $? 'a link of two taps with two queues each'
check 'they ping' "$host" ping 10.99.0.2 20
check 'TCP, 5 MB' tcp 5000000
stop

# In different VLANs nobody hears; a tag that is pushed and popped in between is not seen.
start --port a,tap=rpt0,vlan=10 --port b,tap=rpt1,trunk=10 --switch s,ports=a+b
there sh -c 'ip addr flush dev rpt1 && ip link add link rpt1 name v10 type vlan id 10 &&
	ip addr add 10.99.0.2/24 dev v10 && ip link set v10 up' 2>"$scratch/err"
if [ $? -eq 0 ]; then
	check 'through a trunk they ping' "$host" ping 10.99.0.2 20
	check 'TCP through a trunk, 5 MB' tcp 5000000
else
	ok 0 'through a trunk # SKIP no VLAN interfaces in this kernel'
fi
stop

ip tuntap add rpt0 mode tap
"${ringpace}d" --control "$scratch/ctl" --port a,tap=rpt0 2>"$scratch/err" &
daemon=$!
wait_for 30 test -S "$scratch/ctl"
check 'a persistent tap of one queue is used' json_of \
	<("$ringpace" ctl list --socket "$scratch/ctl" --json) '.ports[0] | .connected and .tap == "rpt0"'
kill $daemon && wait $daemon
check 'and kept' sh -c 'ip link show rpt0 >/dev/null'
"${ringpace}d" --port a,tap=rpt0,pairs=2 >"$scratch/out" 2>&1
check 'not with two queues' [ $? -eq 1 ]
check 'which is said' grep -q 'cannot use tap rpt0: .*multi_queue' "$scratch/out"

# Taps that come and go with a configuration, in a daemon that makes few system calls by now.
ip link del rpt0
echo 'pacers: x1' >"$scratch/tap.yaml"
"${ringpace}d" --control "$scratch/ctl" --config "$scratch/tap.yaml" 2>"$scratch/err" &
daemon=$!
wait_for 30 test -S "$scratch/ctl"
echo 'ports: [{name: a, tap: rpt0, pairs: 2}]
pacers: x1' >"$scratch/tap.yaml"
reload() { "$ringpace" ctl reload --socket "$scratch/ctl" --json >"$scratch/out" 2>>"$scratch/err"; }
check 'a reload opens a tap' reload
check 'which is there' json_of \
	<("$ringpace" ctl list --socket "$scratch/ctl" --json) '.ports[0] | .connected and .tap == "rpt0"'
check 'for the host, too' sh -c 'ip link show rpt0 >/dev/null'
connected() {
	"$ringpace" ctl list --socket "$scratch/ctl" --json >"$scratch/out" 2>>"$scratch/err" &&
		json_of "$scratch/out" ".ports[0].connected == $1"
}
ip link set rpt0 up && ip link del rpt0
check 'it is deleted, which is noticed' wait_for 30 connected false
ip tuntap add rpt0 mode tap multi_queue
check 'it is made again, and a reload opens it' reload
check 'and it is there' connected true
ip link set rpt0 up
carrier() { grep -q 1 /sys/class/net/rpt0/carrier || ip link show rpt0 | grep -q LOWER_UP; }
check 'its interface has somebody behind it' wait_for 10 carrier
left_alone() { reload && json_of "$scratch/out" '.changed == 0' && connected true; }
check 'another reload leaves it alone' left_alone
ip link del rpt0
check 'it is deleted again' wait_for 30 connected false
check 'a reload makes one where there is none' reload
check 'which is there' connected true
echo 'pacers: x1' >"$scratch/tap.yaml"
check 'a reload closes it' reload
check 'and it has gone' wait_for 10 sh -c '! ip link show rpt0'
kill $daemon && wait $daemon
kill $other && wait $other 2>/dev/null
finish
