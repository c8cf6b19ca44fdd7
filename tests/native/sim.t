#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace sim` from the outside: JSON, agreement with `ringpace model`, options, exit codes.
cd "$(dirname "$0")/../.." || exit 1
ringpace=build/ringpace
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
costs="--np-ns 1100 --nc-ns 580 --sp-ns 28000 --sc-ns 420"

report() {	# status, name
	n=$((n + 1))
	[ "$1" -eq 0 ] && echo "ok $n - $2" || echo "not ok $n - $2"
}

gives() {	# jq filter, name, options...
	local filter=$1 name=$2
	shift 2
	# shellcheck disable=SC2086
	$ringpace sim --json $costs "$@" 2>"$dir/err" | jq -en "input | ($filter)" >/dev/null
	report $? "$name"
}

refuses() {	# text in the error, options...
	local text=$1 rc
	shift
	$ringpace sim "$@" >/dev/null 2>"$dir/err"
	rc=$?
	[ $rc -eq 2 ] && grep -q -e "$text" "$dir/err"
	report $? "refuses $*"
}

same() {	# name, then two files
	cmp -s "$2" "$3"
	report $? "$1"
}

echo 1..32
gives '([keys_unsorted[] | select(. != "d_ns")] | .[0:21] | join(" ")) ==
	"lane strategy dir accel backend queue_len items items_per_s t_ns e_ns cpu_p cpu_c kicks_per_s spurious_kicks_per_s calls_per_s sleeps_p_per_s sleeps_c_per_s batch latency_ns clock_error_ns params"' \
	"the keys of ringpace run" --wp-ns 300 --wc-ns 200
gives '.t_ns == 520 and .batch == 5 and .kicks_per_item == 0.2 and .calls_per_item == 0 and
	.params.nc_ns == null and .lost == 0' 'nFC' --wp-ns 300 --wc-ns 200
gives '.calls_per_item > 0 and .kicks_per_item == 0' 'nFP' --wp-ns 200 --wc-ns 300
gives '.sleeps_c_per_item == 0.02 and .sleeps_p_per_item == 0 and .e_ns == 550' 'sFC' \
	--mode sleep --wp-ns 300 --wc-ns 200 --yc-ns 5000 --ye-ns 2500
gives '.t_ns == 300 and .e_ns == 600 and .batch == null' 'BW' --mode busy --wp-ns 300 --wc-ns 200
gives '.strategy == "notify/sleep"' 'two strategies' --mode-c sleep --wp-ns 300 --wc-ns 200
gives '.t_ns > 700 and (.stages | length) == 3 and (.queues | length) == 2' 'a chain' \
	--w-ns 300,700,200
gives '.stages | length == 5' '--stages' --wp-ns 300 --wc-ns 200 --stages 5
gives '.params.wc_ns > 195 and .params.wc_ns < 205 and .latency_ns.p50 < .latency_ns.max' \
	'distributions' --wp-ns 300 --wc-ns 200 --wc-dist exp --wp-dist normal:5%
gives '.spurious_kicks_per_s > 0' 'spurious notifications' --wp-ns 2105 --wc-ns 2000 \
	--window-ns 300 --wp-dist normal:0.01
gives '.queue_len == 16 and .items == 1000000' 'batches of 32' --wp-ns 300 --wc-ns 200 \
	--app-batch 32
gives '.params.wp_ns == 300 and .params.wc_ns == 200 and .t_ns > 300' \
	'W per item, not per box' --wp-ns 300 --wc-ns 200 --app-batch 32
gives '.params.wc_ns == 150' 'boxes whose work falls' --mode busy --wp-ns 300 --wc-ns 200 \
	--app-batch 32 --wc-fall 100:1000000 --warmup 0
gives '.params.wc_ns < 150' 'work that falls' --mode sleep --wp-ns 300 --wc-ns 200 \
	--wc-fall 100:10
printf '# W, ns\n100\n300\n\n500\n' >"$dir/trace"
gives '.params.wp_ns == 300' 'a trace' --wp-ns 1 --wc-ns 10 --wp-dist "trace:$dir/trace" \
	--items 300000 --warmup 0
for i in 1 2 3; do
	$ringpace sim --json --wp-ns 300 --wc-ns 200 --wp-dist exp --seed $((i / 3)) >"$dir/$i"
done
same 'the same for the same seed' "$dir/1" "$dir/2"
! cmp -s "$dir/2" "$dir/3"
report $? 'another seed, another result'
$ringpace sim --json --wp-ns 300 --wc-ns 200 >"$dir/1"
$ringpace sim --json --wp-ns 300 --wc-ns 200 --plain >"$dir/2"
same 'the same without short cuts' "$dir/1" "$dir/2"
gives '[.stages[].w_ns] == [0, 100, 0] and .t_ns == 100' 'a chain whose ends cost nothing' \
	--w-ns 0,100,0 --mode busy
gives '.stages | length == 3' 'two counts that agree' --stages 3 --w-ns 300,250,200
refuses '--stages 5, but --w-ns names 2' --w-ns 300,250 --stages 5
refuses '--stages 5, but --w-ns names 2' --stages 5 --w-ns 300,250
refuses '--w-ns: all 0' --w-ns 0,0,0
refuses --app-batch --wp-ns 300 --app-batch 2 --wp-dist "trace:$dir/trace"
refuses --wp-ns
refuses --stages --wp-ns 300 --stages 1
refuses --wp-dist --wp-ns 300 --wp-dist pareto
refuses --wp-dist --wp-ns 300 --wp-dist trace:/dev/null
refuses --app-batch --wp-ns 300 --queue-len 8 --app-batch 9
refuses --kc --wp-ns 300 --queue-len 8 --kc 9
printf '0\n0\n' >"$dir/zeros"
refuses --yc-ns --mode sleep --wp-ns 300 --wc-ns 200 --yc-dist "trace:$dir/zeros"
refuses --seed --wp-ns 300 --seed 18446744073709551615
