#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rp-dataplane and Linux's IP: packets in pieces, UDP beside TCP, and a path that takes no long
# packets and says so:
#
#	far 10.98.0.2 ── MTU 1000 ── Linux, a router, 10.99.0.1 ── rpt0, MTU 600 ── rp-dataplane
. "$(dirname "$0")/dp_tap.sh"
if ! unshare -n ip link add v0 type veth peer name v1 2>/dev/null; then
	echo '1..0 # SKIP no veth in this kernel'
	exit 0
fi

ip_peer=("$top/tests/native/ip_peer.py")
udp() { timeout 120 "${ip_peer[@]}" "$1" 10.99.0.2 2>"$scratch/err"; }
in_far() { nsenter -t "$far" -n "$@"; }

# snmp PROTOCOL NAME: a counter of this namespace's kernel.
snmp() {
	awk -v proto="$1:" -v name="$2" '$1 == proto { if (!at) { for (i = 2; i <= NF; i++)
		if ($i == name) at = i } else print $at }' /proc/net/snmp
}

# It sends no more than fits, and says that it takes more.
start_far() {
	unshare -n sleep 1000 &
	far=$!
	wait_for 10 eval "[ \"\$(readlink /proc/$far/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]" &&
		ip link add far type veth peer name eth0 netns "$far" &&
		ip addr add 10.98.0.1/24 dev far && ip link set far mtu 1000 up &&
		in_far ip link set lo up && in_far ip link set eth0 up &&
		in_far ip addr add 10.98.0.2/24 dev eth0 &&
		in_far ip route add default via 10.98.0.1 mtu lock 1000 advmss 1460 &&
		ip link set rpt0 mtu 600 && echo 1 >/proc/sys/net/ipv4/ip_forward
}
from_far() { in_far timeout 120 "${ip_peer[@]}" "$1" 10.99.0.2 2>"$scratch/err"; }

start echo --gateway 10.99.0.1
ok $? 'echo: starts'
check 'ping of 4000 bytes' "$top/tests/native/tap_host.py" ping 10.99.0.2 5 4000
check 'and of as many as there may be' "$top/tests/native/tap_host.py" ping 10.99.0.2 5 65507
check 'UDP comes back, in one piece and in many' udp datagrams
check 'a port of UDP that nobody listens to refuses' udp refused
check 'TCP beside it' peer small

check 'a router and a host behind it' start_far
check 'TCP comes in pieces, and goes by a path that takes no long segments' from_far stream
check 'it came in pieces' test "$(snmp Ip FragCreates)" -gt 100
check 'and the router has said how long they may be' test "$(snmp Icmp OutDestUnreachs)" -gt 0
check 'UDP in pieces of pieces' from_far datagrams
kill $far
wait $far 2>/dev/null
check 'ends' stop
finish
