#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rp-dataplane as a firewall with NAT, and as a forwarder, between the hosts of dp_hosts.sh.
. "$(dirname "$0")/dp_tap.sh"
. "$(dirname "$0")/dp_hosts.sh"

datagram() {
	in_ns "$outside" timeout 60 socat UDP-LISTEN:5002 EXEC:cat 2>"$scratch/err" &
	local i answer
	for i in $(seq 30); do
		answer=$(echo "$i" | in_ns "$inside" timeout 10 socat -t 1 - UDP:198.51.100.2:5002)
		[ "$answer" = "$i" ] && return 0
	done
	return 1
}

# The inside does not answer who has not been asked, though the route is there.
closed() {
	in_ns "$outside" ip route add 192.168.7.0/24 via 198.51.100.1
	! in_ns "$outside" timeout 2 socat -u OPEN:/dev/null TCP:192.168.7.2:22 2>/dev/null &&
		! in_ns "$outside" timeout 2 socat -u OPEN:/dev/null TCP:198.51.100.1:22 2>/dev/null
}

moved() { ask status | json_is ".moves.done >= $1"; }
settled() { ask status | json_is '.moves.under_way == 0'; }
# transfer PORT while groups move, until so many have.
under_moves() {
	local port=6000
	"$top/tests/native/tcp_peer.py" move 10.99.0.2 "$scratch/dp.ctl" 1000000000 \
		2>/dev/null </dev/null >/dev/null &
	mover=$!
	until moved 2000; do
		transfer $((port++)) && kill -0 $mover || return 1
	done
}

# Leaves the status in $scratch/status.
check_moves() {
	check '2000 moves under connections, which stay whole' under_moves
	kill $mover 2>/dev/null
	check 'no group is left on its way' wait_for 60 settled
	ask status >"$scratch/status"
	check 'no packet was dropped' json_of "$scratch/status" '.moves.done >= 2000 and .moves.dropped == 0'
}

check 'two hosts and a bridge' topology
start_in_bridge nat --address 198.51.100.1/24 --inside 192.168.7.1/24
ok $? 'nat: starts'
check 'ping gets out, and its replies in' pings
check 'a connection whose other end sees one address' seen_as
check 'bytes of a connection, whole' transfer 5000
check 'datagrams and their answers' datagram
check 'nobody comes in' closed
check_moves
check 'ends' stop

# Straight through.
write_routes
start_in_bridge forward --address 192.168.7.1/24 --routes "$scratch/routes"
ok $? 'forward: starts'
check 'its MAC is found by ARP' learn_mac
check 'bytes of a connection, whole' transfer 5010
check 'ends' stop

# Each host at a card of its own.
check 'the hosts are parted' part_hosts
start_cards nat --address 198.51.100.1/24 --inside 192.168.7.1/24 --dmax-ns 20000
ok $? 'nat at two cards: starts'
in_ns "$inside" ip neigh flush dev eth0
in_ns "$outside" ip neigh flush dev eth0 nud all
check 'ping gets out, and its replies in' pings
check 'a connection whose other end sees one address' seen_as
check 'bytes of a connection, whole' transfer 5020
check 'nobody comes in' closed
check_moves
check 'all that was sent was in order, as far as cards can tell' \
	json_of "$scratch/status" '.moves.ordered and .moves.overtaken == 0'
# Both cards' tables say the same.
tables() {
	for port in b c; do
		printf '{"v":1,"cmd":"rss","device":"%s"}\n' $port |
			socat -t 10 - "UNIX-CONNECT:$scratch/ctl" | jq -c '.result.table'
	done | uniq | wc -l
}
check 'both cards steer alike' eval '[ "$(tables)" = 1 ]'
check 'an idle thread waits for both' json_of "$scratch/status" '.wait == "interrupt"'
check 'ends' stop

printf '192.168.7.0/24 %s 1\n198.51.100.0/24 %s\n' $mac_in $mac_out >"$scratch/routes"
in_ns "$outside" ip neigh flush dev eth0 nud all
in_ns "$inside" ip neigh flush dev eth0
start_cards forward --address 198.51.100.1/24 --also 192.168.7.1/24 --routes "$scratch/routes"
ok $? 'forward at two cards: starts'
check 'bytes of a connection, whole' transfer 5030
check 'ping' pings
check 'ends' stop

# wrong_options SAYS OPTIONS
wrong_options() {
	"$dataplane" --control "$scratch/x" "${@:2}" >/dev/null 2>"$scratch/err"
	[ $? = 2 ] && grep -q -e "$1" "$scratch/err"
}
two=(--device net_null0 --device net_null1)
check 'cards: several are for some' wrong_options 'several cards' "${two[@]}" --app echo --address 10.0.0.1/24
check 'cards: an address for each' wrong_options '--also' "${two[@]}" --app forward --routes x --address 10.0.0.1/24
check 'cards: three of NAT' wrong_options 'at most two' "${two[@]}" --device net_null2 --app nat \
	--address 10.0.0.1/24 --inside 10.1.0.1/24
check 'cards: five' wrong_options '4 cards' "${two[@]}" "${two[@]}" --device net_null4
check 'cards: of two kinds' wrong_options 'not together' --device 0000:01:00.0 --device net_null0 \
	--app nat --address 10.0.0.1/24 --inside 10.1.0.1/24
check 'cards: steering comes behind' wrong_options '--steer: behind' --steer a,b "${two[@]}"

# wrong_routes TEXT SAYS
wrong_routes() {
	printf '%s\n' "$1" >"$scratch/routes"
	timeout 60 "$dataplane" --device net_null0 --control "$scratch/x" --app forward \
		--address 10.0.0.1/24 --routes "$scratch/routes" >/dev/null 2>"$scratch/err"
	[ $? = 1 ] && grep -q "$2" "$scratch/err"
}
good=10.0.0.0/24' 02:00:00:00:00:01'
check 'routes: bits behind the prefix' wrong_routes '10.0.0.1/24 02:00:00:00:00:01' ':1: .*24'
check 'routes: no MAC, in the second line' wrong_routes "$good"$'\n10.1.0.0/16 02:00' ':2: '
check 'routes: a prefix that cannot be' wrong_routes '10.0.0.0/33 02:00:00:00:00:01' ':1: '
check 'routes: a MAC of many' wrong_routes '10.0.0.0/24 03:00:00:00:00:01' "no station's MAC"
check 'routes: twice' wrong_routes "$good"$'\n'"$good" ':2: .*already'
check 'routes: twice for all else' \
	wrong_routes $'0.0.0.0/0 02:00:00:00:00:01\n0.0.0.0/0 02:00:00:00:00:01' ':2: .*already'
check 'routes: more than there are words for' wrong_routes "$good x" ':1: '
check 'routes: a card that there is not' wrong_routes "$good 1" ':1: card 1 is none'
check 'routes: none' wrong_routes '# nothing' 'no route'
finish
