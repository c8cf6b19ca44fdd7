#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP of rp-dataplane against that of Linux, in a network namespace of our own:
#
#	Linux 10.99.0.1 ── tap rpt0, ringpaced, port b (rss=128, 4 pairs) ── rp-dataplane 10.99.0.2
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/lib.sh"
dataplane=${ringpace%/*}/rp-dataplane
if [ ! -x "$dataplane" ]; then
	echo '1..0 # SKIP rp-dataplane was not built: DPDK is missing'
	exit 0
fi

peer() { timeout 120 "$top/tests/native/tcp_peer.py" "$1" 10.99.0.2 "${@:2}" 2>"$scratch/err"; }

# ask CMD [ARGUMENTS]: an order to rp-dataplane; its result.
ask() {
	printf '{"v":1,"cmd":"%s"%s}\n' "$1" "${2:+,$2}" |
		socat -t 10 - "UNIX-CONNECT:$scratch/dp.ctl" | jq -e .result
}

start() {
	"${ringpace}d" --control "$scratch/ctl" --port t,tap=rpt0,pairs=4 \
		--port "b,socket=$scratch/b.sock,pairs=4,rss=128" --link t,b 2>"$scratch/err" &
	daemon=$!
	wait_for 30 test -S "$scratch/ctl" && wait_for 10 test -S "$scratch/b.sock" || return 1
	ip addr add 10.99.0.1/24 dev rpt0 && ip link set rpt0 up || return 1
	"$dataplane" --socket "$scratch/b.sock" --steer "$scratch/ctl,b" --threads 4 \
		--control "$scratch/dp.ctl" --app "$1" --address 10.99.0.2/24 --stall-ms 60000 \
		>"$scratch/dp.out" 2>"$scratch/err" &
	program=$!
	wait_for 60 grep -q . "$scratch/dp.out"
}

stop() {
	kill $program && wait $program && kill $daemon && wait $daemon
}

start echo
ok $? 'echo: starts'
check 'answers ping, and is found by ARP' "$top/tests/native/tap_host.py" ping 10.99.0.2 20
check 'bytes come back, of any length' peer small
check 'as many as the wire takes' peer bulk
check 'of 100 connections at once' peer many
check 'a half-closed connection gets the rest, and its end' peer half_close
check 'resets harm nobody else' peer reset
check 'a window that closes, and opens again' peer zero_window
check 'a port that nobody listens to refuses' peer refused

check '5000 moves of flow groups: all streams live, and are whole' peer moving "$scratch/dp.ctl" 5000
ask status >"$scratch/status"
check 'no packet was dropped or late' json_of "$scratch/status" \
	'.moves.done >= 5000 and .moves.dropped == 0 and all(.threads[]; .late == 0) and .moves.turned_back == 0'
check 'ends' stop
finish
