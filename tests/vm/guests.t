#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace bench guests` in its shortest form: two stock guests on ringpaced, and beside it
# on DPDK's testpmd if that is installed. Form and counts, no speeds. Wrong use; being
# stopped; nothing is left.
. "$(dirname "$0")/../native/lib.sh"
out=$scratch/out

guests() {
	timeout 900 "$ringpace" bench guests --rounds 1 --files 2 --pings 20 "$@" \
		>"$out" 2>"$scratch/err" </dev/null
}

json() { json_of "$out" "$1"; }
qemus() { pgrep -f -- "-name guest=ringpace-guests-$1-" >/dev/null; }
all_left() { nothing_left && ! pgrep -f -- "$XDG_RUNTIME_DIR/" >/dev/null; }

guests --peers none --loads frames --json
ok $? 'two guests, without TSO'
check 'one object on one line' eval '[ "$(wc -l <"$out")" -eq 1 ] && [ ! -s "$scratch/err" ]'
check 'files came, and pings were answered' json '(.samples | length) == 1 and
	all(.samples[]; .stream_bits_per_s > 0 and .rtt_ns > 0 and .cpu >= 0)'
check 'it is the figure of ringpaced, and of no other' json '.figures | keys == ["frames"] and
	(.frames.by_forwarder | keys == ["ringpaced"])'
check 'what was not measured is null, with the reason' json '.stream_vs_testpmd.frames == null and
	.rtt_vs_ovs.frames == null and (.peers | map(.measured) == [false, false]) and
	all(.peers[]; .why_not | length > 0)'
check 'nothing is left' all_left

if command -v dpdk-testpmd >/dev/null; then
	guests --peers testpmd --loads tso --json
	ok $? 'large frames, and testpmd beside it'
	check 'both have come through' json '(.samples | map(.forwarder) | sort) ==
		["ringpaced", "testpmd"] and all(.samples[]; .stream_bits_per_s > 0 and .rtt_ns > 0)'
	check 'ratios are of the two' json '.figures.tso.by_forwarder as $f |
		(.stream_vs_testpmd.tso * $f.testpmd.stream_bits_per_s /
		 $f.ringpaced.stream_bits_per_s - 1 | fabs) < 0.01 and .rtt_vs_testpmd.tso > 0 and
		.cpu_vs_testpmd.tso >= 0 and .stream_vs_ovs.tso == null'
	check 'nothing is left' all_left
fi

guests --loads many
check 'an unknown load is wrong use' [ $? -eq 2 ]
check 'and it says so' grep -q -- '--loads many: there is no many' "$scratch/err"

"$ringpace" bench guests --peers none >"$out" 2>"$scratch/err" </dev/null &
pid=$!
check 'it boots' wait_for 60 qemus "$pid"
kill -INT "$pid"
wait "$pid"
check 'ended by a signal, it says so' [ $? -eq 130 ]
check 'its VMs are gone' eval "! qemus $pid"
check 'and nothing else is left' all_left
finish
