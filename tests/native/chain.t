#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace chain` in the native lane: nothing is lost below saturation, hops' counts
# fit together, a slow VM is found, what is dropped is told; the JSON's form, wrong
# use, being stopped; nothing is left behind.
. "$(dirname "$0")/lib.sh"

keys='["lane","strategy","vms","rate_pps","duration_ns","warmup_ns","frame_bytes","flows","queue_len","nf","nf_wait","nf_macs","nf_ns","nf_kick_ns","slow_hop","slow_ns","nf_burst","generator_wait","pinned","pacing","offered","unsent","sent","received","lost","reordered","duplicates","bad","pps","latency_ns","behind_ns","cpu_ns_per_packet","kicks_per_packet","calls_per_packet","generator","hops","bottleneck_hop","bottleneck","busiest","machine","date","load_1min"]'
hop_keys='["hop","from","to","strategy","pps","sent","received","lost","dropped","bad","reordered","duplicates","tx_kicks_per_packet","tx_calls_per_packet","rx_calls_per_packet","rx_kicks_per_packet","tx_fill","rx_fill","latency_ns","regime","pacer","stage"]'
quantiles='["p50","p90","p98","p99","p999","max"]'
out=$scratch/out

# A busy machine may stop a thread of ours for long: that is no reason to drop.
chain() {
	timeout 120 "$ringpace" chain --duration-s 0.5 --warmup-s 0.1 --full-ms 60000 "$@" \
		>"$out" 2>"$scratch/err" </dev/null
}

json() { json_of "$out" "$1"; }

same() { [ "$(jq -c "$1" "$out")" = "$2" ]; }

form_is_right() {
	[ "$(wc -l <"$out")" -eq 1 ] && [ ! -s "$scratch/err" ] && same keys_unsorted "$keys" &&
	same '.hops[0] | keys_unsorted' "$hop_keys" &&
	same '.latency_ns | keys_unsorted' "$quantiles" &&
	same '.hops[-1].latency_ns | keys_unsorted' "$quantiles"
}

# What left a hop has arrived at the next one.
fits_together='.hops[0].sent == .sent and .hops[-1].received == .received and
	(. as $r | all(range(1; .hops | length); $r.hops[. - 1].received == $r.hops[.].sent)) and
	all(.hops[]; .received == .sent - .lost)'
clean='.lost == 0 and .reordered == 0 and .duplicates == 0 and .bad == 0 and .received == .sent and
	all(.hops[]; .lost == 0 and .reordered == 0 and .bad == 0 and all(.dropped[]; . == 0))'

acts_as_notify() {
	json 'all(.hops[]; .tx_kicks_per_packet > 0 and .pacer.sleeps_per_s == 0 and
		.pacer.blocks_per_s > 0)'
}

# It never asks for a kick.
acts_as_sleep() {
	json 'all(.hops[]; .tx_kicks_per_packet == 0 and .rx_kicks_per_packet == 0 and
		.pacer.sleeps_per_s > 0 and .pacer.blocks_per_s == 0)'
}

acts_as_adaptive() { json 'all(.hops[]; .regime.tx | type == "string")'; }

for vms in 1 3; do
	for strategy in notify sleep adaptive; do
		name="$vms VMs, $strategy"
		chain --vms $vms --rate-pps 1500 --flows 4 --strategy $strategy --json
		ok $? "$name: runs"
		check "$name: form of the JSON" form_is_right
		check "$name: says what it is" json ".lane == \"native\" and .vms == $vms and
			.strategy == \"$strategy\" and (.hops | length == $vms + 1) and
			.offered == 900 and .sent > 0"
		check "$name: none lost, none reordered" json "$clean"
		check "$name: hops fit together" json "$fits_together"
		check "$name: times and rates" json '.pps > 0 and .latency_ns.p50 > 0 and
			.latency_ns.p50 <= .latency_ns.p99 and .latency_ns.p999 <= .latency_ns.max and
			.behind_ns.p50 >= 0 and .cpu_ns_per_packet > 0 and .generator.cpu > 0 and
			(.latency_ns.max as $all | all(.hops[].latency_ns; .p50 > 0 and
			.p50 <= .p98 and .p98 <= .p99 and .max <= $all)) and
			all(.hops[]; .pps > 0 and .pacer.cpu > 0 and .stage.cpu > 0 and
			.tx_fill >= 0 and .tx_fill <= 1 and .rx_fill >= 0 and .rx_fill <= 1)'
		check "$name: notifications and sleeps" acts_as_$strategy
	done
done

for strategy in notify sleep adaptive; do
	chain --vms 3 --rate-pps max --slow-hop 2 --slow-ns 200000 --queue-len 64 \
		--strategy $strategy --json
	check "$strategy: the slow VM is the bottleneck" json '.bottleneck_hop == 2 and
		.bottleneck.party == "vm 2" and .hops[1].rx_fill >= 0.5 and .hops[2].tx_fill < 0.5'
	check "$strategy: nothing is lost in front of it" json "$clean and $fits_together"
done

chain --vms 2 --rate-pps 100000 --nf-ns 200000 --queue-len 64 --strategy notify --json
ok $? 'more than the chain can take'
check 'the load falls behind, and says so' json '.unsent > 0 and .behind_ns.p50 > 1000000 and
	.offered == 60000 and .lost == 0 and .latency_ns.p50 >= .behind_ns.p50 / 2'

# Its receive ring is full for longer than a hop holds packets.
chain --rate-pps max --nf-ns 10000000 --queue-len 8 --full-ms 1 --strategy busy --json
ok $? 'a VM that is too slow for --full-ms'
check 'what is lost is told, with the reason' json '.lost > 0 and
	.hops[0].dropped.full == .lost and .hops[0].lost == .lost and .hops[1].lost == 0 and
	.reordered == 0'
check 'and hops still fit together' json "$fits_together"

chain --rate-pps 1500 --frame-bytes 1514 --flows 1024 --nf-burst 32 --generator-wait spin --json
check 'long frames, many flows, bursts' json "$clean and .generator_wait == \"spin\""
chain --rate-pps 1500 --frame-bytes 60 --queue-len 8 --strategy busy --json
check 'short frames, short rings' json "$clean and .hops[0].regime.tx == \"BW\""

chain --rate-pps 1500 --strategy notify,sleep,y-ns=100000 --strategy adaptive,dmax-ns=300000 \
	--rounds 2 --json
ok $? 'three strategies, two rounds'
check 'each has its runs and its medians' json '.rounds == 2 and .lost == 0 and .reordered == 0 and
	(.runs | map(.strategy) | sort | group_by(.) | map(length) == [2, 2, 2]) and
	(.by_strategy | map(.strategy) == ["notify", "sleep,y-ns=100000", "adaptive,dmax-ns=300000"]) and
	all(.by_strategy[]; .pps > 0 and .latency_ns.p50 > 0 and .lost == 0)'
check 'with its options' json 'all(.runs[] | select(.strategy == "sleep,y-ns=100000");
	.pacing.y_ns == 100000)'

chain --vms 2 --rate-pps 1500 --strategy notify --hop-strategy 2:sleep,y-ns=70000 --json
check 'a hop with a strategy of its own' json "$clean and
	(.hops | map(.strategy) == [\"notify\", \"sleep,y-ns=70000\", \"notify\"]) and
	(.hops | map(.pacer.sleeps_per_s > 0) == [false, true, false]) and
	(.hops | map(.tx_kicks_per_packet > 0) == [true, false, true])"

chain --vms 2 --rate-pps max --slow-hop 1 --slow-ns 200000 --queue-len 64 --strategy notify
ok $? 'a table for people'
check 'the table has the hops' grep -Eq '^ *1  generator > vm 1 ' "$out"
check 'the bottleneck is named' grep -q '^bottleneck: vm 1 (hop 1): ' "$out"
chain --strategy notify,sleep --rate-pps 1500
check 'a table of both' eval 'grep -q "^notify " "$out" && grep -q "^sleep, last round:" "$out"'
check 'nothing is left behind' nothing_left

# Wrong use: exit code 2, one line that names the option, nothing on stdout.
wrong() {
	local named=$1
	shift
	chain "$@"
	[ $? -eq 2 ] && [ ! -s "$out" ] && grep -q -- "$named" "$scratch/err"
}
check 'unknown lane' wrong '--lane moon' --lane moon
check 'no VM' wrong '--vms 0' --vms 0
check 'too many VMs' wrong '--vms 32' --vms 32
check 'unknown strategy' wrong 'hope' --strategy hope
check 'unknown option of a strategy' wrong 'x: no such option' --strategy notify,x=1
check 'a strategy twice' wrong 'named twice' --strategy notify,notify
check 'two strategies of a hop' wrong 'one strategy' --hop-strategy 1:notify,sleep
check 'a strategy of no hop' wrong '--hop-strategy notify' --hop-strategy notify
check 'a strategy of a hop that is not there' wrong '--hop-strategy 3' --hop-strategy 3:notify
check 'a rate that is no number' wrong '--rate-pps 5k' --rate-pps 5k
check 'no rate' wrong '--rate-pps 0' --rate-pps 0
check 'frame too short' wrong '--frame-bytes 59' --frame-bytes 59
check 'frame too long' wrong '--frame-bytes 1515' --frame-bytes 1515
check 'no flow' wrong '--flows 0' --flows 0
check 'ring of no power of two' wrong '--queue-len 100' --queue-len 100
check 'slow VM that is not there' wrong '--slow-hop 2' --vms 1 --slow-hop 2 --slow-ns 1
check 'slow VM without a time' wrong '--slow-ns' --slow-hop 1
check 'too much work' wrong '--nf-ns 10000001' --nf-ns 10000001
check 'no time' wrong '--duration-s 0' --duration-s 0
check 'an argument too many' wrong 'surplus' surplus
check 'a function that no VM has' wrong '--nf moon: the vm lane has bridge, firewall, route, l2fwd' \
	--lane vm --nf moon
check 'a function of the other lane' wrong '--nf bridge: the native lane has thread' --nf bridge
check 'a ring that no VM has' wrong '--queue-len' --lane vm --queue-len 64
check 'work for VMs that work' wrong '--nf-ns' --lane vm --nf-ns 100
check 'kicks of VMs that kick' wrong '--nf-kick-ns' --lane vm --nf-kick-ns 100
check 'how a bridge waits' wrong '--nf-wait: --nf bridge' --lane vm --nf-wait spin
check 'addresses of the native lane' wrong '--nf-macs: --nf thread' --nf-macs
check 'a wait that is none' wrong '--nf-wait hope' --lane vm --nf l2fwd --nf-wait hope
check 'help with units and an example' eval '"$ringpace" chain --help | grep -q "Example" &&
	"$ringpace" chain --help | grep -q "packets per second"'

start() {
	start_command chain --duration-s 60 "$@"
}

for sig in INT TERM; do
	start --vms 2 --strategy notify --rate-pps 1000
	kill -$sig $pid
	wait $pid
	check "SIG$sig ends a run with 130" [ $? -eq 130 ]
	check "SIG$sig leaves nothing" wait_for 10 nothing_left
done

# The generator waits for room, the forwarder works: both must hear of it.
start --rate-pps max --nf-ns 10000000 --strategy busy
kill -INT $pid
wait $pid
check 'SIGINT ends one that is held up' [ $? -eq 130 ]
check 'and nothing is left' wait_for 10 nothing_left

start --vms 2 --strategy sleep
kill -KILL $pid
wait $pid 2>/dev/null
check 'SIGKILL takes the daemon along' wait_for 10 eval '! has_daemon'
chain --rate-pps 1500
check 'the next run removes what a killed one left' nothing_left

start --vms 2 --strategy notify
check 'the ports have their sockets' wait_for 30 eval 'test -S "$XDG_RUNTIME_DIR"/ringpace.*/tx3.sock'
kill -KILL $(pgrep -f -- "--control $scratch/")
wait $pid
check 'a daemon that dies ends the run with 1' [ $? -eq 1 ]
check 'and it says so' grep -q ringpaced "$scratch/err"
check 'and nothing is left' nothing_left
finish
