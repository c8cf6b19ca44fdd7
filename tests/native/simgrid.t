#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace bench grid --lane sim`: how good the adaptive strategy is, without a
# machine's noise. The figures of a seed are always the same, so that a law that
# has become worse is seen by it; the bounds are those that the law is made for.
. "$(dirname "$0")/lib.sh"

out=$scratch/out

rp() { timeout 300 "$ringpace" bench grid --lane sim "$@" --json >"$out" 2>"$scratch/err" </dev/null; }

json() { json_of "$out" "$1"; }

# As json(), with the figures as a comment when it is not true.
figures() {
	json "$1" || { jq -c 'del(.by_strategy)' "$out" >"$scratch/err"; return 1; }
}

# ---- What adaptive has to do ----

rp --points 4 --strategies adaptive,busy,sleep-20us,sleep-100us,sleep-250us \
	--csv "$scratch/grid.csv" --raw "$scratch/raw.csv"
ok $? 'a grid of 4 x 4, three L, three D_MAX, both kinds of work'
check 'every cell is judged' json '.cells + .infeasible == 288 and .complete and .subject == "adaptive"'
check 'somebody keeps D_MAX in most of them' figures '.cells >= 240'
check 'adaptive is within in 98 % of the cells' figures '.within >= 0.98 * .cells'
check 'its p98 is above D_MAX in at most 1 %' figures '.dmax_missed <= 0.01 * .cells'
check 'it is never far from the best throughput' figures '.worst_x_regret <= 1.11'
check 'nor from the least energy' figures '.worst_e_regret <= 1.15'
check 'in every regime' figures 'all(.by_regime[]; .within >= 0.9 * .cells)'
check 'no strategy beside it is within as often' figures '.within as $n |
	all(.by_strategy | del(.adaptive)[]; .within < $n)'
check 'its costs are told' json '.lane == "sim" and .costs.np_ns == 5000 and .costs.yo_ns == 50000'

# Costs ten times as low, and others: nothing may be tuned to one host.
rp --points 4 --strategies adaptive,busy,sleep-20us,sleep-100us,sleep-250us --queue-len 64,1024 \
	--np-ns 500 --nc-ns 600 --sp-ns 600 --sc-ns 700 --ye-ns 1000 --yo-ns 5000 \
	--raw "$scratch/raw2.csv"
ok $? 'costs ten times as low'
check 'adaptive is within there, too' figures '.within >= 0.95 * .cells and .dmax_missed <= 0.01 * .cells'
check 'and never far from the best throughput' figures '.worst_x_regret <= 1.11'

# ---- The command ----

check 'a row a cell and strategy' [ "$(sed 1d "$scratch/grid.csv" | wc -l)" -eq $((288 * 5)) ]
check 'what heeds no D_MAX is simulated once a point' \
	[ "$(sed 1d "$scratch/raw.csv" | wc -l)" -eq $((96 * 7)) ]

quick() {	# OUTPUT ARG...
	local to=$1
	shift
	rp --quick --strategies adaptive,notify,sleep-50us --raw "$to" "$@"
}
quick "$scratch/a"
ok $? 'the quick form'
quick "$scratch/b"
check 'for the same seed the same figures' cmp -s "$scratch/a" "$scratch/b"
quick "$scratch/b" --seed 2
check 'for another one others' eval '! cmp -s "$scratch/a" "$scratch/b"'
quick "$scratch/b" --rounds 2
check 'every round has its own' eval '[ "$(sed 1d "$scratch/b" | cut -d, -f1 | sort -u | wc -l)" -eq 2 ] &&
	json ".rounds == 2 and .x_spread > 0"'
quick "$scratch/b" --np-ns 50000
check 'a notification that costs more makes notify slower' [ \
	"$(awk -F, '$7 == "notify" { n += $8 } END { printf "%d", n }' "$scratch/b")" -lt \
	"$(awk -F, '$7 == "notify" { n += $8 } END { printf "%d", n }' "$scratch/a")" ]

# The costs of a profile, where none are given.
mkdir -p "$scratch/state/ringpace"
cat >"$scratch/state/ringpace/profile-native.json" <<'END'
{"v":1,"lane":"native","date":"2026-01-01T00:00:00Z",
 "params":{"np_ns":1000,"nc_ns":2000,"sp_ns":3000,"sc_ns":4000,"ye_ns":6000},
 "sleep":[{"nominal_ns":1000,"robust_ns":31000},{"nominal_ns":200000,"robust_ns":240000}]}
END
export XDG_STATE_HOME=$scratch/state
quick "$scratch/b" --profile native --sp-ns 77
check "a profile's costs, but for those given" json '.costs ==
	{"np_ns":1000,"nc_ns":2000,"sp_ns":77,"sc_ns":4000,"ye_ns":6000,"yo_ns":34975}'

refuses() {	# TEXT ARG...
	local text=$1
	shift
	"$ringpace" bench grid "$@" >"$out" 2>"$scratch/err" </dev/null
	[ $? -eq 2 ] && [ ! -s "$out" ] && grep -q -e "$text" "$scratch/err"
}
check 'no such lane' refuses '--lane moon' --lane moon
check 'costs of a real ring' refuses 'costs are for --lane sim' --quick --np-ns 1
check 'sleeps of nothing' refuses 'no sleep' --lane sim --quick --ye-ns 0 --yo-ns 0
check 'a profile that is not there' refuses '--profile' --lane sim --quick --profile "$scratch/none"
finish
