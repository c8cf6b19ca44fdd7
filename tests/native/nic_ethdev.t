#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# NICs whose wire is a device of DPDK, in a network namespace of our own: a tap of DPDK's that
# tenants share (nic.c) and whose other end is Linux; a ring; a port of another ringpaced, by
# virtio-user, which has interrupts; and what is refused.
#
#	here                                                            another namespace
#	rpd0 10.99.0.1 ── net_tap0, NIC "up" ── link ── tap rpt1, "t" ── rpt1 10.99.0.2
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/lib.sh"
ringpaced=${RINGPACED:-$top/build/ringpaced}
ctl=$scratch/ctl
host="$top/tests/native/tap_host.py"
plugin=${ringpaced%/*}/ringpaced-ethdev.so
if [ ! -e "$plugin" ]; then
	echo '1..0 # SKIP the plug-in for DPDK was not built: DPDK is missing'
	exit 0
fi

for wire in 'dpdk:net_tap0;iface=rptap0' 'loop dpdk:net_ring0'; do
	# shellcheck disable=SC2086
	timeout 300 "$top/build/test-nic" $wire >"$scratch/out" 2>"$scratch/err"
	ok $? "guests and ${wire#loop }"
	grep '^not ok' "$scratch/out" | sed 's/^/# /'
done

unshare -n sleep infinity &
other=$!
there() { nsenter -t $other -n "$@"; }
is_apart() { [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }
wait_for 10 is_apart
there sh -c "$quiet" 2>/dev/null

cat >"$scratch/nic.yaml" <<'END'
ports:
  - {name: up, nic: dpdk:net_tap0;iface=rpd0, pairs: 2, weights: [2, 1], full-ms: 60000}
  - {name: t, tap: rpt1}
links: [[up, t]]
pacers: x2
END
check 'a file with it is good' "$ringpaced" --check --config "$scratch/nic.yaml"
"$ringpaced" --control "$ctl" --config "$scratch/nic.yaml" 2>"$scratch/log" &
pid=$!
wait_for 30 test -S "$ctl"
ok $? 'a NIC by a file'
ip addr add 10.99.0.1/24 dev rpd0 && ip link set rpd0 up && ip link set rpt1 netns $other &&
	there ip addr add 10.99.0.2/24 dev rpt1 && there ip link set rpt1 up
ok $? 'both ends are up'

ask() { "$ringpace" ctl "$@" --socket "$ctl" --json >"$scratch/out" 2>"$scratch/err"; }
connected() { ask list && json_of "$scratch/out" ".ports[0].connected == $1"; }
check 'it is connected' wait_for 30 connected true
check 'and told as it was said' json_of "$scratch/out" \
	'.ports[0] | .backend == "nic" and .nic == "dpdk:net_tap0;iface=rpd0" and .broken == null'
check 'they ping' timeout 120 "$host" ping 10.99.0.2 20
check 'and the other way' timeout 120 nsenter -t $other -n "$host" ping 10.99.0.1 20

# The side in the other namespace leaves checksums and segments to others.
tcp() {
	local from=$1 to=$2 address=$3 connected=1 server
	timeout 120 $to "$host" serve 7000 >"$scratch/served" 2>"$scratch/err" &
	server=$!
	for _ in $(seq 200); do
		timeout 120 $from "$host" send "$address" 7000 5000000 >"$scratch/sent" 2>>"$scratch/err" &&
			connected=0 && break
		kill -0 $server 2>/dev/null || break
		sleep 0.1
	done
	wait $server && [ $connected = 0 ] && cmp "$scratch/sent" "$scratch/served" 2>>"$scratch/err"
}
far="nsenter -t $other -n"
check 'TCP, 5 MB from the wire' tcp '' "$far" 10.99.0.2
check 'TCP, 5 MB to the wire' tcp "$far" '' 10.99.0.1
line() { ask weight --device up && json_of "$scratch/out" "$1"; }
check 'its queues count what they have sent' line \
	'[.queues[].weight] == [2, 1] and ([.queues[].bytes] | add) > 5000000'
large() {
	local n=0 queue
	for queue in 0 2; do
		ask stats --device up --queue $queue && n=$((n + $(jq .stats.gso "$scratch/out")))
	done
	[ $n -gt 0 ]
}
check 'large ones of TCP among them' large
none_lost() { ask stats --device t --queue 1 && json_of "$scratch/out" '[.stats.dropped[]] | add == 0'; }
check 'none was dropped' none_lost
not_lost() { line '[.queues[].lost] | add == 0'; }
check 'nor by the wire' not_lost
from_wire() { ask stats --device up --queue 1 && json_of "$scratch/out" '.stats.bytes > 5000000'; }
check 'and what came by the wire is counted' from_wire

# Who waits for a device with interrupts does nothing else.
at_rest() {
	local waits
	ask list && waits=$(jq -c '[.pacers[].waits]' "$scratch/out") && sleep 0.5 &&
		ask list && [ "$waits" = "$(jq -c '[.pacers[].waits]' "$scratch/out")" ]
}
check 'without traffic nothing wakes the pacers' wait_for 60 at_rest

shout() {
	there python3 -c 'import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("rpt1", 0))
s.send(b"\xff" * 6 + b"\x02\x00\x00\x00\x00\x05\x88\xb5" + bytes(46))'
}
lost() { shout && line '([.queues[].lost] | add) > 0'; }
ip link set rpd0 down
check 'its link goes down, which is noticed' wait_for 30 connected false
check 'frames are lost meanwhile' wait_for 30 lost
check 'and counted' json_of <("$ringpace" ctl stats --socket "$ctl" --device t --queue 1 --json) \
	'.stats.packets > 0'
ip link set rpd0 up
check 'it comes up again' wait_for 30 connected true
check 'and they ping' timeout 120 "$host" ping 10.99.0.2 5

# A daemon that makes few system calls by now.
reload() { ask reload; }
bad_file() { ! reload && grep -q -- "$1" "$scratch/err"; }
sed -i 's/pairs: 2, weights: .2, 1./pairs: 3/' "$scratch/nic.yaml"
check 'a reload gives it more queues' reload
check 'on the same device' connected true
ip link set rpd0 up
check 'and they ping' timeout 120 "$host" ping 10.99.0.2 5
sed -i '/name: t,/a\  - {name: new, nic: dpdk:net_ring7}' "$scratch/nic.yaml"
check 'another device would need a restart' bad_file 'net_ring7: .*restart'
sed -i '/name: new/d; s/pairs: 3/pairs: 3, mtu: 1400/' "$scratch/nic.yaml"
reload
check 'as would another MTU' grep -q 'another MTU: restart' "$scratch/log"
check 'the daemon goes on' ask list
kill $pid && wait $pid
ok $? 'and ends'
gone() { ! ip link show rpd0 2>/dev/null; }
check 'the interface that it made has gone' wait_for 10 gone

# joined A B: another ringpaced's port by virtio-user, which has interrupts, as the wire of a NIC;
# with A and B at the two.
joined() {
	"$ringpaced" --control "$scratch/ctl1" --port "a,$1,full-ms=60000" \
		--port "v,socket=$scratch/v,full-ms=60000" --link a,v 2>"$scratch/log1" &
	pid=$!
	wait_for 30 test -S "$scratch/ctl1" || return 1
	"$ringpaced" --control "$ctl" --port "b,$2,full-ms=60000" \
		--port "up,nic=dpdk:net_virtio_user0;path=$scratch/v,full-ms=60000" --link b,up 2>"$scratch/err" &
	second=$!
	wait_for 30 test -S "$ctl"
}
end_both() { kill $second $pid && wait $second && wait $pid; }

# A device that makes segments itself: they pass whole.
joined tap=rpd0 tap=rpt1
ok $? 'two hosts by virtio-user'
ip addr add 10.99.0.1/24 dev rpd0 && ip link set rpd0 up && ip link set rpt1 netns $other &&
	there ip addr add 10.99.0.2/24 dev rpt1 && there ip link set rpt1 up
check 'they ping' timeout 120 "$host" ping 10.99.0.2 5
check 'TCP, 5 MB from the wire' tcp '' "$far" 10.99.0.2
check 'TCP, 5 MB to the wire' tcp "$far" '' 10.99.0.1
whole_there() {
	"$ringpace" ctl stats --socket "$scratch/ctl1" --device v --queue 1 --json >"$scratch/out" 2>"$scratch/err" &&
		json_of "$scratch/out" '.stats | .gso > 0 and ([.dropped[]] | add == 0)'
}
check 'large ones passed whole' whole_there
end_both
ok $? 'both end'
kill $other && wait $other 2>/dev/null

joined "socket=$scratch/a" "socket=$scratch/b"
ok $? 'two guests by virtio-user'
timeout 300 "$top/build/test-ports" "$scratch/a" "$scratch/b" 6000 1514 >"$scratch/out" 2>"$scratch/err"
ok $? 'guests of two daemons'
whole() { json_of "$scratch/out" ".$1 | .packets == $2 and .lost == 0 and .bad == 0 and .reordered == 0"; }
check 'one hears all of the other' whole ab 6000
check 'and the other way' whole ba 3000
check 'then nothing wakes the pacer' wait_for 60 at_rest
end_both
ok $? 'both end'

# fails STATUS WORD ARGUMENTS...: with a line that has the word.
fails() {
	local status=$1 word=$2
	shift 2
	timeout 60 "$@" >/dev/null 2>"$scratch/err"
	[ $? -eq "$status" ] && grep -q -- "$word" "$scratch/err"
}
check 'no address' fails 2 'PCI address' "$ringpaced" --port up,nic=dpdk:03:00.0
check 'no such driver' fails 1 'net_nothing0: DPDK cannot use it' "$ringpaced" --port up,nic=dpdk:net_nothing0
check 'an argument that means nothing to it' fails 1 'net_ring0: DPDK cannot use it' \
	"$ringpaced" --port 'up,nic=dpdk:net_ring0;nodeaction=x'
check 'an MTU that it does not have' fails 1 'net_ring0: it cannot have that MTU' "$ringpaced" --port up,nic=dpdk:net_ring0,mtu=9000
check 'two ports with one device' fails 1 'another port has it' \
	"$ringpaced" --port up,nic=dpdk:net_ring0 --port down,nic=dpdk:net_ring0
check 'a card that is not there' fails 1 'DPDK' "$ringpaced" --port up,nic=dpdk:0000:ff:1f.7
cp "$ringpaced" "$scratch/ringpaced"
check 'no plug-in' fails 1 'install libdpdk-dev' "$scratch/ringpaced" --port up,nic=dpdk:net_ring0
echo 'const unsigned int ringpaced_ethdev[32] = { 99 };' >"$scratch/old.c"
cc -shared -o "$scratch/ringpaced-ethdev.so" "$scratch/old.c"
check "another ringpaced's plug-in" fails 1 'version 99' "$scratch/ringpaced" --port up,nic=dpdk:net_ring0
make -C "$top" --no-print-directory install-ethdev DESTDIR="$scratch/root" PREFIX=/opt >"$scratch/err" 2>&1
ok $? 'make install has it'
mkdir -p "$scratch/root/opt/bin" && cp "$ringpaced" "$scratch/root/opt/bin/"
check 'where an installed ringpaced finds it' fails 1 'net_nothing0: DPDK cannot use it' \
	"$scratch/root/opt/bin/ringpaced" --port up,nic=dpdk:net_nothing0
finish
