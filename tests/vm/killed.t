#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A stock VM is killed under load, and two others at the same switch, which two pacers have,
# do not notice:
#
#	guest a ── port a ═╗
#	guest b ── port b ═╬═ switch ═ port up ── tap rpt0, this host
#	guest c ── port c ═╝
#
# a and b ping each other and fetch files from each other all the time; c has the host send
# it files and sends it bytes, until it is killed. Then another VM comes to its port.
. "$(dirname "$0")/../native/netns.sh"
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=tests/vm/stock.sh
. "$top/tests/vm/stock.sh"
host=10.9.0.100
words=ipv6.disable=1

start_daemon() {
	local slow=full-ms=3600000
	"$top/build/ringpaced" --control "$scratch/ctl" --port "a,socket=$scratch/a.sock,$slow" \
		--port "b,socket=$scratch/b.sock,$slow" --port "c,socket=$scratch/c.sock" \
		--port up,tap=rpt0 --pacers x2 --switch s,ports=a+b+c+up,pacer=0+1 2>"$scratch/daemon" &
	daemon=$!
	wait_for 60 [ -S "$scratch/ctl" ]
}

start_host() {
	ip addr add $host/24 dev rpt0 && ip link set rpt0 up
	mkdir "$scratch/srv"
	head -c 4000000 /dev/urandom >"$scratch/srv/file"
	serve_host $host "$scratch/srv"
	$busybox nc -l -p 7000 >/dev/null &
	sink=$!
}

load_host() {
	order c "while :; do wget -q -O /dev/null http://$host/file; done &"
	order c "nc $host 7000 </dev/zero &"
}

is_loaded() { [ "$(count c 0 .packets)" -gt 200 ] && [ "$(count c 1 .packets)" -gt 200 ]; }

connected() {
	"$ringpace" ctl list --socket "$scratch/ctl" --json |
		json_is "any(.ports[]; .device == \"$1\" and .connected == $2)"
}

stock_initrd "$top/tests/vm/orders_init"
start_daemon
check "a switch with a tap" start_host
stock_boot a a 1 $words
stock_boot b b 2 $words
stock_boot c c 3 $words
for name in a b c; do told "guest $name is up" is_up $name; done
order a "ip addr add 10.9.0.1/24 dev eth0; serve 1000000"
order b "ip addr add 10.9.0.2/24 dev eth0; serve 1000000"
order c "ip addr add 10.9.0.3/24 dev eth0"
check "a and b know each other" order a 'ping -c 2 -W 20 10.9.0.2'
check "c knows the host" order c "ping -c 2 -W 20 $host"
before="$(count a 1 '.dropped | add') $(count b 1 '.dropped | add')"
keep_on a 10.9.0.2
keep_on b 10.9.0.1
load_host
told "a pings and fetches" goes_on a 1
told "b pings and fetches" goes_on b 1
told "c has its load, both ways" is_loaded

signal=KILL stock_end c
told "c is killed, and its port is free" connected c false
echo "# then c had received $(count c 0 .packets) packets and sent $(count c 1 .packets)"
told "a goes on" goes_on a 2
told "b goes on" goes_on b 2
stock_boot d c 4 $words
told "another guest at that port is up" is_up d
check "and has its network" order d "ip addr add 10.9.0.4/24 dev eth0; ping -c 3 -W 20 $host"
told "a goes on beside it" goes_on a 1
told "b goes on beside it" goes_on b 1

check "all pings were answered, all files arrived whole" all_went a b
check "nothing that a and b sent was dropped" \
	[ "$(count a 1 '.dropped | add') $(count b 1 '.dropped | add')" = "$before" ]
echo "# a: ${pinged[a]} times 5 pings and ${fetched[a]} files; b: ${pinged[b]} and ${fetched[b]}"
stock_end a b d
stop_serving
kill "$sink" 2>/dev/null
wait "$sink" 2>/dev/null
kill "$daemon"
wait "$daemon"
check "ringpaced ends well" [ $? -eq 0 ]
finish
