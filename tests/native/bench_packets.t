#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace bench packets` in its shortest form: ringpaced alone, beside the peers that are
# installed, beside one that does not run. Form and counts, no speeds: a busy machine may
# give a peer no CPU at all. Wrong use; being stopped; nothing is left behind.
. "$(dirname "$0")/lib.sh"

out=$scratch/out
keys='["fwd64_vs_testpmd","fwd64_vs_ovs","fwd1500_vs_testpmd","fwd1500_vs_ovs","gso64k_vs_testpmd","cpu_per_packet_vs_ovs_sleep","cpu_per_packet_vs_testpmd","p99_by_dmax","dmax_ns","ovs_sleep_ns","queue_len","peak_pps","rounds","seconds","line_ns","far","peers","figures","samples","machine","date","load_1min"]'

packets() {
	timeout 150 "$ringpace" bench packets --rounds 1 --seconds 0.1 "$@" \
		>"$out" 2>"$scratch/err" </dev/null
}

json() { json_of "$out" "$1"; }

# Its files and those of its peers, which all lie in the run directory.
all_left() { nothing_left && ! pgrep -f -- "$XDG_RUNTIME_DIR/" >/dev/null; }

packets --peers none --json
ok $? 'ringpaced alone'
check 'one object on one line, with its keys' eval '[ "$(wc -l <"$out")" -eq 1 ] &&
	[ ! -s "$scratch/err" ] && [ "$(jq -c keys_unsorted "$out")" = "$keys" ]'
check 'all loads, of ringpaced' json '(.figures | keys_unsorted) == ["64/b1", "64/b8", "64/b32",
	"1500/b32", "65000/b32", "load1", "load10", "load30"] and
	all(.figures[]; .by_forwarder | keys_unsorted == ["ringpaced"]) and (.samples | length) == 8'
check 'none lost, none reordered, none bad' json 'all(.samples[]; .sent > 0 and .lost == 0 and
	.reordered == 0 and .bad == 0)'
check 'the peak is that of 64/b32' json '.peak_pps >= 0 and
	.figures["64/b32"].by_forwarder.ringpaced.pps == .peak_pps and all(.samples[]; .cpu >= 0)'
check 'latencies of the open-loop ones, and of no others' json 'all(.samples[];
	if .latency_p50_ns then (.load | startswith("load")) and .latency_p50_ns > 0 and
		.latency_p98_ns <= .latency_p99_ns and .latency_p99_ns <= .latency_max_ns
	else .latency_p99_ns == null end)'
check 'the rates are shares of the peak' json '. as $r | [1, 10, 30] |
	all(.[]; . as $p | $r.figures["load\($p)"].rate_pps - $r.peak_pps * $p / 100 |
		fabs <= 1)'
check 'what was not measured is null, with the reason' json '.fwd64_vs_testpmd.b1 == null and
	.fwd64_vs_ovs.b32 == null and .cpu_per_packet_vs_ovs_sleep.load10 == null and
	(.peers | map(.measured) == [false, false]) and
	all(.peers[]; .why_not | length > 0)'
check 'how far the CPUs were apart is told of each' json '(.line_ns // 1) as $least | $least > 0 and
	.far >= 0 and .far <= 8 and all(.samples[]; (.line_before_ns // 1e9) >= $least and
	(.line_after_ns // 1e9) >= $least)'
check 'nothing is left' all_left

# peer NAME WHO PACKAGE COMMAND: what the command finds is what it measures.
peer() {
	local name=$1 package=$2
	packets --peers "$name" --loads 64/b32,load10 --json
	rc=$?
	if ! [ -x "$3" ]; then
		check "$name, which is not installed, fails with 1" [ $rc -eq 1 ]
		check "and it says what to install" grep -q "apt install $package" "$scratch/err"
		return
	fi
	ok $rc "$name beside it"
	check "$name: frames come through, in order, whole" json "(.samples | length) == 4 and
		all(.samples[] | select(.forwarder == \"$name\"); .sent > 0 and .reordered == 0 and
		.bad == 0)"
	check "$name: ringpaced loses none beside it" json 'all(.samples[] |
		select(.forwarder == "ringpaced"); .sent > 0 and .lost == 0)'
	check "$name: is measured, and the ratio is of medians of one state" json ".peers.$name.measured and
		(.figures[\"64/b32\"] as \$l | \$l.by_forwarder as \$f |
		if \$l.state == \"mixed\" then .fwd64_vs_$name.b32 == null and \$l.rounds == 0 and
			\$f.$name.pps == null
		elif \$f.$name.pps == 0 then true else \$l.rounds == 1 and
		(\$f.ringpaced.pps / \$f.$name.pps) as \$x |
		(.fwd64_vs_$name.b32 - \$x | fabs) <= 0.001 + \$x / 100 end)"
	check "$name: nothing is left" all_left
}
peer testpmd dpdk-dev "$(command -v dpdk-testpmd)"
peer ovs openvswitch-switch-dpdk /usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk

# Installed or not, it cannot run.
mkdir "$scratch/bin"
printf '#!/bin/sh\necho "no database today" >&2\nexit 1\n' >"$scratch/bin/ovsdb-tool"
printf '#!/bin/sh\necho "no testpmd today" >&2\nexit 1\n' >"$scratch/bin/dpdk-testpmd"
chmod +x "$scratch/bin/"*
PATH=$scratch/bin:$PATH packets --peers ovs --loads 64/b1
check 'a peer that was named and does not run fails with 1' [ $? -eq 1 ]
PATH=$scratch/bin:$PATH packets --loads 64/b1
check 'one that ends at its start does, too' [ $? -eq 1 ]
check 'with its own words' grep -q 'testpmd does not start: no testpmd today' "$scratch/err"
check 'and nothing is left' all_left

packets --peers none --loads 64/b8,load1 --peak-pps 100000
check 'tables for people' eval 'grep -Eq "^ *64/b8 +[0-9.]+ +- +-" "$out" &&
	grep -Eq "^load1 +0.001 +ringpaced " "$out" && grep -q "^ovs was not measured: " "$out"'
packets --peers none --loads load1 --peak-pps 100000 --queue-len 64 --json
check 'shorter rings' json '.queue_len == 64 and .samples[0].sent > 0 and .samples[0].lost == 0'
packets --peers none --loads load1 --peak-pps 100000 --markdown
check 'tables for documents' eval 'grep -q "^| load1 | 0.001 | ringpaced | " "$out" &&
	[ "$(grep -c "^|---" "$out")" -eq 1 ]'

wrong() {
	local named=$1
	shift
	packets "$@"
	[ $? -eq 2 ] && [ ! -s "$out" ] && grep -q -- "$named" "$scratch/err"
}
check 'unknown peer' wrong '--peers moon' --peers moon
check 'unknown load' wrong '--loads 65' --loads 65
check 'a share of nothing' wrong '64/b32' --loads load10
check 'no round' wrong '--rounds 0' --rounds 0
check 'rings of no such length' wrong '--queue-len' --queue-len 300
check 'no time' wrong '--seconds 0' --seconds 0
check 'a sleep that is too long' wrong '--ovs-sleep-us' --ovs-sleep-us 10001
check 'an argument too many' wrong 'surplus' surplus
check 'help with units and an example' eval '"$ringpace" bench packets --help |
	grep -q Example && "$ringpace" bench packets --help | grep -q "seconds (0.2)"'

start_command bench packets --seconds 60
kill -INT $pid
wait $pid
check 'SIGINT ends it with 130' [ $? -eq 130 ]
check 'and nothing is left, of peers neither' wait_for 20 all_left
start_command bench packets --seconds 60
kill -KILL $pid
wait $pid 2>/dev/null
check 'SIGKILL takes all along' wait_for 20 eval '! pgrep -f -- "$XDG_RUNTIME_DIR/"'
packets --peers none --loads 64/b1
check 'the next run removes what it left' all_left
finish
