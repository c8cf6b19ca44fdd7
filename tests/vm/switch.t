#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two stock guests and this host's own stack at a learning switch:
#
#	eth0 10.9.0.1 guest a ── port a ═╗
#	                                 ╠═ switch ═ port up ── tap rpt0 10.9.0.100, the host
#	eth0 10.9.0.2 guest b ── port b ═╝
#
# Ping and TCP between all three, with short and long frames, with and without TSO, with one
# pair of queues and two. Receivers may be as slow as they like, so the switch drops nothing.
. "$(dirname "$0")/../native/netns.sh"
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=tests/vm/stock.sh
. "$top/tests/vm/stock.sh"
host=10.9.0.100
file_bytes=2000000
tool=$top/build/rp-guest-rss

start_daemon() {
	local slow=pairs=2,full-ms=3600000
	"$top/build/ringpaced" --control "$scratch/ctl" --port "a,socket=$scratch/a.sock,$slow" \
		--port "b,socket=$scratch/b.sock,$slow" --port "up,tap=rpt0,$slow" \
		--switch s,ports=a+b+up 2>"$scratch/daemon" &
	daemon=$!
	wait_for 60 [ -S "$scratch/ctl" ]
}

start_host() {
	ip addr add $host/24 dev rpt0 && ip link set rpt0 up
	mkdir "$scratch/srv"
	head -c $file_bytes /dev/urandom >"$scratch/srv/file"
	md5sum <"$scratch/srv/file" >"$scratch/srv/sum"
	serve_host $host "$scratch/srv"
}

host_pings() { $busybox ping -c "$2" -W 20 ${3:+-s "$3"} "$1" >"$scratch/ping"; }

# both COMMAND: for the guests, at once.
both() {
	begin a "$1"
	begin b "$1"
	end a && end b
}

# Packets on both ways of port a, its two pairs together.
packets_of_a() {
	local queue
	for queue in 0 1 2 3; do count a $queue .packets; done | awk '{ n += $1 } END { print n }'
}

second_pairs() { echo "$(count a 2 .packets) $(count b 2 .packets)"; }

# Pings with replies in one frame each, though they are longer than 1500 bytes.
few_frames() {
	local before
	before=$(packets_of_a)
	order a 'ping -c 10 -s 8000 -W 20 10.9.0.2 >/dev/null' || return 1
	[ $(($(packets_of_a) - before)) -lt 40 ]
}

# scene NAME MTU TSO
scene() {
	check "$1: set up" both "ip link set eth0 mtu $2 && rp-guest-rss eth0 tso $3"
	ip link set rpt0 mtu "$2"
	"$tool" rpt0 tso "$3" 2>"$scratch/err"
	ok $? "$1: the host, too"
	check "$1: guest to guest, 10 pings" order a 'ping -c 10 -i 0.05 -W 20 10.9.0.2 >/dev/null'
	check "$1: guest to host, 5 long pings" \
		order b "ping -c 5 -s 6000 -i 0.05 -W 20 $host >/dev/null"
	check "$1: host to guest, 3 pings" host_pings 10.9.0.1 3
	check "$1: a file from guest to guest" order a 'fetch 10.9.0.2'
	check "$1: a file from host to guest" order b "fetch $host"
	check "$1: a file from guest to host" host_fetches 10.9.0.1
}

stock_initrd "$top/tests/vm/orders_init" "$tool"
start_daemon
check "a switch with a tap" start_host
pairs=2
card=,mq=on,vectors=6
stock_boot a a 1 ipv6.disable=1
stock_boot b b 2 ipv6.disable=1
told "guest a is up" is_up a
told "guest b is up" is_up b
order a "ip addr add 10.9.0.1/24 dev eth0; serve $file_bytes"
order b "ip addr add 10.9.0.2/24 dev eth0; serve $file_bytes"
# All are known to each other now, and nothing is flooded any more.
check "they know each other" order a "ping -c 2 -W 20 10.9.0.2 && ping -c 2 -W 20 $host"
check "all of them" order b "ping -c 2 -W 20 $host"
before=$(dropped 4 a b up)

check "one pair of queues" both 'rp-guest-rss eth0 channels 1'
until_then=$(second_pairs)
scene "1500 bytes, TSO" 1500 on
scene "1500 bytes, no TSO" 1500 off
scene "9000 bytes, TSO" 9000 on
scene "9000 bytes, no TSO" 9000 off
check "9000 bytes: frames are as long" few_frames
check "nothing came by the second pair" [ "$(second_pairs)" = "$until_then" ]

check "two pairs of queues" both 'rp-guest-rss eth0 channels 2'
scene "two pairs" 1500 on
check "two pairs: six files at once, guest to guest" order a 'fetch_many 10.9.0.2 6'
check "two pairs: six files at once, host to guest" order b "fetch_many $host 6"
read -r a2 b2 <<<"$(second_pairs)"
check "both of a guest are used" [ "$a2" -gt "${until_then% *}" -a "$b2" -gt "${until_then#* }" ]

after=$(dropped 4 a b up)
echo "# frames dropped: $before while they came up, $((after - before)) since"
check "the switch has dropped nothing since they came up" [ "$after" = "$before" ]
"$ringpace" ctl macs --socket "$scratch/ctl" --switch s --json >"$scratch/out"
check "and knows the three stations" json_of "$scratch/out" \
	'[.macs[].port] | sort == ["a", "b", "up"]'
stock_end a b
stop_serving
kill "$daemon"
wait "$daemon"
check "ringpaced ends well" [ $? -eq 0 ]
check "it had no complaint" [ "$(grep -c 'warning\|error\|given up' "$scratch/daemon")" -eq 0 ]
finish
