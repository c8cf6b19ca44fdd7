#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# iperf3 and ping between two stock guests, by a link and by a switch of ringpaced:
#
#	10.8.0.1 eth0 ── port al ══ link ═══ port bl ── eth0 10.8.0.2
#	  guest a                                          guest b
#	10.9.0.1 eth1 ── port as ══ switch ═ port bs ── eth1 10.9.0.2
#
# With MTU 1500 and 9000, with TSO and without, with one pair of queues and two. What one
# guest has sent the other has got, to the byte, by the counters of ringpaced and of the
# guests; nothing is dropped; with TSO large frames pass whole, without it there are none.
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=tests/vm/stock.sh
. "$top/tests/vm/stock.sh"
pairs=2
queues=$((2 * pairs))
card=,mq=on,vectors=6
stream_bytes=4000000
# What the two sockets of a stream may hold: iperf3 does not await that when it ends.
window_bytes=262144
in_flight=$((4 * window_bytes))

start_daemon() {
	# Receivers may be as slow as they like: nothing is dropped for that.
	local slow=pairs=$pairs,full-ms=3600000
	"$top/build/ringpaced" --control "$scratch/ctl" --port "al,socket=$scratch/al.sock,$slow" \
		--port "bl,socket=$scratch/bl.sock,$slow" --link al,bl \
		--port "as,socket=$scratch/as.sock,$slow" \
		--port "bs,socket=$scratch/bs.sock,$slow" --switch s,ports=as+bs \
		2>"$scratch/daemon" &
	daemon=$!
	wait_for 60 [ -S "$scratch/ctl" ]
}

# boot NAME STATION: with a card at port NAMEl and one at NAMEs.
boot() {
	stock_boot "$1" "$1l" "$2" ipv6.disable=1 \
		-chardev "socket,id=net1,path=$scratch/$1s.sock,reconnect=1" \
		-netdev "vhost-user,id=net1,chardev=net1,queues=$pairs" \
		-device "virtio-net-pci,netdev=net1,mac=52:54:00:00:01:0$2$card"
}

# both COMMAND: for the guests, at once.
both() {
	begin a "$1"
	begin b "$1"
	end a && end b
}

# load ADDRESS STREAMS: iperf3 from a, a client on each CPU; their reports are in $scratch/iperf.
load() {
	order a "for i in 0 1; do
		taskset \$((1 << i)) iperf3 -c $1 -p 520\$i -n $((stream_bytes * $2)) -P $2 \
			-w $window_bytes -i 0 -J >/tmp/iperf\$i &
		pids=\"\$pids \$!\";
	done; rc=0; for pid in \$pids; do wait \$pid || rc=1; done; cat /tmp/iperf?; exit \$rc"
	set -- $?
	said a >"$scratch/iperf"
	return "$1"
}

# iperf3's two ends have counted the same, but for what sockets hold.
reports_agree() {
	jq -es "length == 2 and all(.[].end; .sum_sent.bytes >= $((stream_bytes * $1)) and
		.sum_received.bytes <= .sum_sent.bytes and
		.sum_sent.bytes - .sum_received.bytes <= $(($1 * in_flight)))" \
		"$scratch/iperf" >/dev/null
}
received() { jq -s 'map(.end.sum_received.bytes) | add' "$scratch/iperf"; }

# sums PORT tx|rx: packets, bytes and large packets of a port, all pairs together.
sums() {
	local queue=0
	[ "$2" = rx ] || queue=1
	for (( ; queue < queues; queue += 2)); do
		count "$1" $queue '.packets, .bytes, .gso' | paste -s
	done | awk '{ p += $1; b += $2; g += $3 } END { print p, b, g }'
}

# guest_counts NAME CARD tx|rx SUMS: these packets and bytes.
guest_counts() {
	order "$1" "cd /sys/class/net/$2/statistics && echo \$(cat $3_packets $3_bytes)" &&
		[ "$(said "$1")" = "${4% *}" ]
}

# way FROM TO KIND CARD: what FROM has sent is what TO has got.
way() {
	local tx rx
	tx=$(sums "$1$3" tx)
	rx=$(sums "$2$3" rx)
	echo "# $1 to $2: $tx and $rx packets, bytes and large ones" >"$scratch/way$1"
	[ "${tx% *}" = "${rx% *}" ] && guest_counts "$1" "$4" tx "$tx" &&
		guest_counts "$2" "$4" rx "$rx"
}
# Once nothing is on its way any more.
all_agree() { way a b "$1" "$2" && way b a "$1" "$2"; }

# Of the load: bytes a packet, those that were large, and those that arrived so.
declare -A tx rx
mark() {
	tx[$2]=$(sums "a$1" tx)
	rx[$2]=$(sums "b$1" rx)
}
since() {
	echo "${tx[0]} ${tx[1]} ${rx[0]} ${rx[1]}" |
		awk '{ print $5 - $2, ($5 - $2) / ($4 - $1), $6 - $3, $12 - $9 }'
}

# scene KIND CARD NETWORK MTU TSO PAIRS
scene() {
	local name bytes average large whole
	name="$([ "$1" = l ] && echo link || echo switch), mtu $4, tso $5, $6 pair(s)"
	check "$name: set up" both "ip link set $2 mtu $4 && rp-guest-rss $2 tso $5 &&
		rp-guest-rss $2 channels $6"
	check "$name: 10 pings" order a "ping -c 10 -i 0.02 -W 60 $3.2 | grep -q ' 0% packet loss'"
	check "$name: 3 long ones back" \
		order b "ping -c 3 -i 0.02 -s 8000 -W 60 $3.1 | grep -q ' 0% packet loss'"
	mark "$1" 0
	check "$name: iperf3 ends well" load "$3.2" 2
	mark "$1" 1
	check "$name: both of its ends have counted the same" reports_agree 2
	read -r bytes average large whole <<<"$(since)"
	echo "# $bytes bytes, $average a packet, $large large"
	check "$name: it went by this port" [ "$bytes" -gt "$(received)" ]
	check "$name: frames are as long as they may be" \
		awk "BEGIN { exit !($average > 0.7 * $4) }"
	if [ "$5" = on ]; then
		check "$name: large ones pass whole" [ "$large" -gt 0 -a "$whole" = "$large" ]
	else
		check "$name: none is larger" awk "BEGIN { exit !($average <= $4 + 14) }"
		check "$name: and none is to be segments" [ "$large $whole" = "0 0" ]
	fi
	told "$name: sent is received, to the byte, both ways" all_agree "$1" "$2"
	cat "$scratch"/way?
}

second_pair() { count "$1" 3 .packets; }

# scenes KIND CARD NETWORK
scenes() {
	local before
	scene "$@" 1500 on 1
	before=$(second_pair "a$1")
	scene "$@" 9000 off 1
	check "nothing came by the second pair" [ "$(second_pair "a$1")" = "$before" ]
	scene "$@" 1500 on 2
	scene "$@" 1500 off 2
	scene "$@" 9000 on 2
	scene "$@" 9000 off 2
	check "then it did" [ "$(second_pair "a$1")" -gt $((before + 100)) ]
}

stock_initrd "$top/tests/vm/orders_init" "$top/build/rp-guest-rss" "$(command -v iperf3)"
start_daemon
boot a 1
boot b 2
told "guest a is up" is_up a
told "guest b is up" is_up b
# up N: its addresses.
up() { echo "ip addr add 10.8.0.$1/24 dev eth0; ip addr add 10.9.0.$1/24 dev eth1; ip link set eth1 up"; }
check "a's addresses" order a "$(up 1)"
check "b's, and two servers" order b "$(up 2); iperf3 -s -D -p 5200; iperf3 -s -D -p 5201"
# Then each is known to the switch, and nothing is flooded any more.
check "they know each other" order a "ping -c 2 -W 60 10.8.0.2 && ping -c 2 -W 60 10.9.0.2"
check "the other way" order b "ping -c 2 -W 60 10.8.0.1 && ping -c 2 -W 60 10.9.0.1"
before=$(dropped $queues al bl as bs)
scenes l eth0 10.8.0
scenes s eth1 10.9.0
check "ringpaced has dropped nothing" [ "$(dropped $queues al bl as bs)" = "$before" ]
stock_end a b
kill "$daemon"
wait "$daemon"
check "ringpaced ends well" [ $? -eq 0 ]
check "it had no complaint" [ "$(grep -c 'warning\|error\|given up' "$scratch/daemon")" -eq 0 ]
finish
