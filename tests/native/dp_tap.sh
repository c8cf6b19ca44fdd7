# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# rp-dataplane behind a tap, for tests with TCP: to be sourced first. In a network namespace of
# their own, or skipped:
#
#	Linux 10.99.0.1 ── tap rpt0, ringpaced, port b (rss=128, 4 pairs) ── rp-dataplane 10.99.0.2
#
# With the array bad_wire set, to bad_wire.py's words, that is between them, as $wire:
#
#	Linux 10.99.0.1 ── tap rpt1, bad_wire.py ── rpt0, ringpaced, port b ── rp-dataplane
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/lib.sh"
dataplane=${ringpace%/*}/rp-dataplane
if [ ! -x "$dataplane" ]; then
	echo '1..0 # SKIP rp-dataplane was not built: DPDK is missing'
	exit 0
fi

bad_wire=()

peer() { timeout 120 "$top/tests/native/tcp_peer.py" "$1" 10.99.0.2 "${@:2}" 2>"$scratch/err"; }

# ask CMD [ARGUMENTS]: an order to rp-dataplane; its result.
ask() {
	printf '{"v":1,"cmd":"%s"%s}\n' "$1" "${2:+,$2}" |
		socat -t 10 - "UNIX-CONNECT:$scratch/dp.ctl" | jq -en 'input | .result'
}

# Linux's own stack has nothing to say at rpt0 then, not even by ARP.
start_wire() {
	ip link set rpt0 arp off promisc on up || return 1
	"$top/tests/native/bad_wire.py" rpt1 rpt0 "${bad_wire[@]}" >"$scratch/wire" 2>"$scratch/err" &
	wire=$!
	wait_for 30 grep -q . "$scratch/wire" &&
		ip addr add 10.99.0.1/24 dev rpt1 && ip link set rpt1 up
}

# start APP [OPTIONS]: ringpaced as $daemon, rp-dataplane as $program.
start() {
	"${ringpace}d" --control "$scratch/ctl" --port t,tap=rpt0,pairs=4 \
		--port "b,socket=$scratch/b.sock,pairs=4,rss=128" --link t,b 2>"$scratch/err" &
	daemon=$!
	wait_for 30 test -S "$scratch/ctl" && wait_for 10 test -S "$scratch/b.sock" || return 1
	if [ ${#bad_wire[@]} -gt 0 ]; then
		start_wire || return 1
	else
		ip addr add 10.99.0.1/24 dev rpt0 && ip link set rpt0 up || return 1
	fi
	"$dataplane" --socket "$scratch/b.sock" --steer "$scratch/ctl,b" --threads 4 \
		--control "$scratch/dp.ctl" --app "$1" --address 10.99.0.2/24 --stall-ms 60000 \
		"${@:2}" >"$scratch/dp.out" 2>"$scratch/err" &
	program=$!
	wait_for 60 grep -q . "$scratch/dp.out"
}

stop() {
	if [ ${#bad_wire[@]} -gt 0 ]; then
		kill $wire && wait $wire || return 1
	fi
	kill $program && wait $program && kill $daemon && wait $daemon
}
