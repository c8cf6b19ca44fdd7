#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace chainstudy`: what the notifications of a chain's second hop hide of the first,
# by counts per packet; the JSON's form, wrong use, being stopped.
. "$(dirname "$0")/lib.sh"

out=$scratch/out
keys='["lane","rate_pps","nf_ns","nf_kick_ns","duration_ns","rounds","by_strategy","runs","machine","date","load_1min"]'
row='["strategy","pps","hop2_kicks_per_packet","vm_utilisation","vm_ring_fill","hop1_calls_per_packet","lost","exposes_hop1"]'

study() {
	timeout 120 "$ringpace" chainstudy "$@" >"$out" 2>"$scratch/err" </dev/null
}

json() { json_of "$out" "$1"; }

same() { [ "$(jq -c "$1" "$out")" = "$2" ]; }

# Kicks that cost the VM three times the time between two packets.
study --rounds 5 --duration-s 0.5 --json
ok $? 'notify, sleep and adaptive at hop 2'
check 'form of the JSON' eval 'same keys_unsorted "$keys" && same ".by_strategy[0] | keys_unsorted" "$row"'
check 'each in each round' json '(.by_strategy | map(.strategy) == ["notify", "sleep", "adaptive"]) and
	.rounds == 5 and (.runs | length == 15) and
	all(.runs[]; .vms == 1 and .hops[0].strategy == "notify" and .hops[1].strategy == .strategy)'
check 'nothing lost' json 'all(.by_strategy[]; .lost == 0)'
check 'notify: VM 1 has to kick hop 2' json '.by_strategy[0] | .hop2_kicks_per_packet > 0.1 and
	.exposes_hop1 == null'
check 'sleep: never' json 'all(.runs[] | select(.strategy == "sleep"); .hops[1].tx_kicks_per_packet == 0)'
check 'adaptive: less than half as often' json '.by_strategy[2].hop2_kicks_per_packet <
	.by_strategy[0].hop2_kicks_per_packet / 2'
check 'both show what hop 1 hid: its calls' json 'all(.by_strategy[1:][]; .exposes_hop1 == true) and
	all(.by_strategy[1:][].hop1_calls_per_packet; . > 0)'

# A kick that costs nothing slows nobody.
study --rounds 1 --duration-s 0.5 --rate-pps 1000 --nf-ns 0 --nf-kick-ns 0 --strategy notify,busy
ok $? 'a table for people'
check 'with a line each, and the first compared with nobody' eval 'grep -Eq "^notify .* -$" "$out" &&
	grep -Eq "^busy .* (yes|no)$" "$out" && grep -q "hop 1 has notify" "$out"'
check 'nothing is left behind' nothing_left

# Wrong use: exit code 2, one line that names the option, nothing on stdout.
wrong() {
	local named=$1
	shift
	study "$@"
	[ $? -eq 2 ] && [ ! -s "$out" ] && grep -q -- "$named" "$scratch/err"
}
check 'unknown strategy' wrong 'hope' --strategy notify,hope
check 'nothing to compare with' wrong 'two at least' --strategy notify
check 'a strategy twice' wrong 'named twice' --strategy notify,notify
check 'no rate' wrong '--rate-pps 0' --rate-pps 0
check 'too much work' wrong '--nf-ns' --nf-ns 10000001
check 'too long a kick' wrong '--nf-kick-ns' --nf-kick-ns 10000001
check 'no time' wrong '--duration-s 0' --duration-s 0
check 'an argument too many' wrong 'surplus' surplus
check 'help with units and an example' eval '"$ringpace" chainstudy --help | grep -q "Example" &&
	"$ringpace" chainstudy --help | grep -q "packets per second"'

start_command chainstudy --duration-s 60
kill -INT $pid
wait $pid
check 'SIGINT ends it with 130' [ $? -eq 130 ]
check 'and nothing is left' wait_for 10 nothing_left
finish
