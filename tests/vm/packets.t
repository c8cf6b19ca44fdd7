#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two stock guests, Debian's kernel with its own virtio_net, on a link of ringpaced:
#
#	server eth0 ── port a ═ ringpaced ═ port b ── eth0 client
#
# Ping, small and in fragments, and files by TCP; with all offloads and without,
# with jumbo frames, with two pairs of queues.
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=tests/vm/stock.sh
. "$top/tests/vm/stock.sh"
stock_initrd "$top/tests/vm/packets_init"

# boot ROLE PORT STATION MTU CARD
boot() {
	card=$5
	stock_boot "$1" "$2" "$3" "rp.role=$1 rp.mtu=$4"
}

said() { grep -q "RESULT $1" "$scratch/$2.log"; }

# scene NAME MTU SERVER_OPTIONS CLIENT_OPTIONS
scene() {
	local name=$1 daemon
	rm -f "$scratch"/*.log "$scratch"/*.sock
	"$top/build/ringpaced" --control "$scratch/ctl" \
		--port "a,socket=$scratch/a.sock,pairs=$pairs" \
		--port "b,socket=$scratch/b.sock,pairs=$pairs" --link a,b 2>"$scratch/daemon" &
	daemon=$!
	wait_for 60 [ -S "$scratch/ctl" ]
	boot server a 1 "$2" "$3"
	boot client b 2 "$2" "$4"
	wait_for $patience said "done" client
	ok $? "$name: the client is done"
	cat "$scratch"/*.qemu "$scratch/daemon" "$scratch"/*.log >"$scratch/err" 2>/dev/null
	check "$name: 20 pings, none lost" said "20 20 packets received, 0% packet loss" client
	check "$name: large pings, none lost" said "5b 5 packets received, 0% packet loss" client
	check "$name: three files arrive whole" said "file 3 whole" client
	check "$name: the mtu is $2" said "server up, mtu $2" server
	check "$name: both directions are counted" \
		[ "$(count a 1 .packets)" -gt 20 -a "$(count b 1 .packets)" -gt 20 ]
	check "$name: nothing is dropped for its offloads" \
		[ "$(count a 1 .dropped.offload) $(count b 1 .dropped.offload)" = "0 0" ]
	stock_end server client
	kill "$daemon"
	wait "$daemon"
	check "$name: ringpaced ends well" [ $? -eq 0 ]
}

off=,csum=off,guest_csum=off,gso=off,guest_tso4=off,guest_tso6=off,guest_ecn=off
off=$off,host_tso4=off,host_tso6=off,host_ecn=off,mrg_rxbuf=off

pairs=1
scene "all offloads" 1500
scene "no offloads" 1500 $off $off
scene "a client that wants whole checksums" 1500 ,host_tso4=off,host_tso6=off,host_ecn=off $off
# What the server sends in large packets arrives in segments.
scene "a client without TSO" 1500 "" ,guest_tso4=off,guest_tso6=off,guest_ecn=off
scene "a client without any offload" 1500 "" $off
pairs=2
scene "jumbo frames, two pairs" 9000 ,mq=on,vectors=6 ,mq=on,vectors=6
finish
