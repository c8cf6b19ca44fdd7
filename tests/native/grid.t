#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace bench grid`, `step`, `idle` on tiny loads: every cell and key is there,
# files are written, wrong use is refused, a stop keeps what was measured. What the
# figures are is not looked at: other work may run.
. "$(dirname "$0")/lib.sh"

out=$scratch/out

rp() { timeout 300 "$ringpace" bench "$@" >"$out" 2>"$scratch/err" </dev/null; }

json() { json_of "$out" "$1"; }

tiny=(--wp-ns 500,4000 --wc-ns 500,4000 --queue-len 64 --duration-ms 100 --warmup-ms 5)
keys='["cells","within","worst_x_regret","worst_e_regret","dmax_missed","subject","infeasible","by_strategy","by_regime","rounds","complete","x_spread","duration_ns","machine","date"]'

# ---- The grid ----

rp grid "${tiny[@]}" --dmax-ns 1000000,999999999 --work const,exp \
	--strategies notify,sleep-30us,busy --rounds 2 --csv "$scratch/grid.csv" \
	--raw "$scratch/raw.csv" --plot "$scratch/figures" --json
ok $? 'a grid of 2 x 2, one L, two D_MAX, both kinds of work'
check 'the keys' eval 'jq -e --argjson k "$keys" "(\$k - keys) == []" "$out" >/dev/null'
check 'every cell is judged' json '.cells + .infeasible == 16 and .complete and .rounds == 2 and
	(.infeasible_cells | length) == .infeasible'
check 'within one second somebody keeps D_MAX: half of the cells at least' json '.cells >= 8'
check 'every strategy in every cell' json '.cells as $n |
	(.by_strategy | keys == ["busy","notify","sleep-30us"]) and
	all(.by_strategy[]; .cells == $n and .within <= $n and .dmax_missed <= $n)'
check 'the top figures are those of the subject, the first where adaptive is none of them' json '
	.subject == "notify" and .within == .by_strategy.notify.within and
	.worst_x_regret == .by_strategy.notify.worst_x_regret'
check 'regimes add up' json '.cells == ([.by_regime[].cells] | add) and
	.infeasible == ([.by_regime[].infeasible] | add)'
check 'a row a cell and strategy' [ "$(sed 1d "$scratch/grid.csv" | wc -l)" -eq 48 ]
check 'all rows have all columns' [ "$(awk -F, '{ print NF }' "$scratch/grid.csv" | sort -u)" = 15 ]
check 'a row a measurement: what heeds no D_MAX is measured once a point' \
	[ "$(sed 1d "$scratch/raw.csv" | wc -l)" -eq 48 ]
check 'of all rounds' [ "$(sed 1d "$scratch/raw.csv" | cut -d, -f1 | sort | uniq -c | tr -s ' ')" = " 24 1
 24 2" ]
check 'work is at least what was asked for' eval \
	'awk -F, "NR > 1 && \$5 == \"const\" && (\$13 < \$2 - 1 || \$14 < \$3 - 1) { bad = 1 }
	END { exit bad }" "$scratch/raw.csv"'
for f in throughput energy; do
	for w in const exp; do
		check "heat map of $f, $w" eval \
			'grep -q "</svg>" "$scratch/figures/grid-$f-$w.svg" &&
			[ -s "$scratch/figures/grid-$f-$w.png" ]'
	done
done
check 'and what they were drawn from' cmp -s "$scratch/figures/grid.csv" "$scratch/grid.csv"
check 'nothing is left behind' nothing_left

rp grid --quick --strategies sleep,busy --rounds 1 --duration-ms 5 --warmup-ms 1 --raw "$scratch/raw.csv"
ok $? 'quick, for people'
check 'two tables and what they say' eval 'grep -q "^sleep-50us" "$out" &&
	grep -q "^fast consumer" "$out" && grep -q "within 3 %" "$out"'
first=$(cut -d, -f2-6 "$scratch/raw.csv" | sort | md5sum)
rp grid --quick --strategies sleep,busy --rounds 1 --duration-ms 5 --warmup-ms 1 --raw "$scratch/raw.csv"
check 'the same seed draws the same cells' [ "$(cut -d, -f2-6 "$scratch/raw.csv" | sort | md5sum)" = "$first" ]
rp grid --quick --seed 2 --strategies sleep,busy --rounds 1 --duration-ms 5 --warmup-ms 1 --raw "$scratch/raw.csv"
check 'another one draws others' [ "$(cut -d, -f2-6 "$scratch/raw.csv" | sort | md5sum)" != "$first" ]

# Stopped after some measurements.
perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$ringpace" bench grid "${tiny[@]}" --rounds 99 \
	--strategies notify,busy --raw "$scratch/raw2.csv" --csv "$scratch/cut.csv" --json \
	>"$out" 2>"$scratch/err" </dev/null &
pid=$!
check 'measurements come one by one' wait_for 60 eval '[ "$(wc -l <"$scratch/raw2.csv")" -gt 8 ]'
kill -INT $pid
wait $pid
check 'Ctrl-C ends it with 130' [ $? -eq 130 ]
check 'and reports what there is' json '.complete == false and .cells + .infeasible >= 1'
check 'in the CSV, too' eval '[ "$(wc -l <"$scratch/cut.csv")" -gt 1 ]'
check 'and leaves nothing' wait_for 30 nothing_left

# ---- Step and idle ----

rp step --strategies notify,sleep --phase-ms 500 --rounds 1 --plot "$scratch/steps" --json
ok $? 'a load in steps'
check 'all phases of all strategies' json '(.by_strategy | keys == ["notify","sleep-50us"]) and
	all(.by_strategy[].phases; map(.phase) ==
	["idle","fast consumer","fast producer","bursts","idle again"])'
check 'nothing comes in idle phases, something in the others' json '
	all(.by_strategy[].phases; .[0].final_per_s == 0 and .[1].final_per_s > 0 and
	.[2].final_per_s > 0 and .[3].final_per_s > 0)'
check 'and its keys' json '.by_strategy.notify.phases[1] | has("settle_ns") and has("settle_items") and has("like_end_ns") and
	has("violations") and has("mode_changes") and has("odd_mode_changes") and has("odd_share") and
	has("last_change_ns") and has("late_share")'
check 'samples of all phases, in the order of time' eval 'awk -F, "NR > 1 && NF != 13 { bad = 1 }
	\$1 == \"notify\" { bad += \$4 <= last; last = \$4; seen[\$3] = 1 }
	END { exit bad || length(seen) != 5 }" "$scratch/steps/steps.csv"'
for s in notify sleep-50us; do
	check "what $s did over the time, drawn" eval 'grep -q "</svg>" "$scratch/steps/steps-$s.svg" &&
		[ -s "$scratch/steps/steps-$s.png" ]'
done

rp idle --strategies sleep-1000us --idle-ms 300 --items 3 --rounds 1 --json
ok $? 'an idle ring'
check 'notify is there to compare with, and idles without wake-ups' json '
	.by_strategy.notify.wakeups_p_per_s == 0 and .by_strategy.notify.wakeups_c_per_s == 0 and
	.by_strategy.notify.first_item_ratio == 1'
check 'a consumer that sleeps wakes up' json '.by_strategy["sleep-1000us"].wakeups_c_per_s > 0 and
	.by_strategy["sleep-1000us"].first_item_ns > 0'
check 'nothing is left behind by them' nothing_left

rp studies --rounds 2 --duration-ms 200 --warmup-ms 20 --json
ok $? 'case studies'
check 'each case has its strategies, in both rounds' json '(.cases | keys) ==
	["fast_consumer","fast_producer","no_work"] and
	(.cases.fast_consumer.by_strategy | keys) == ["adaptive","busy","notify","sleep"] and
	(.cases.no_work.by_strategy | keys) == ["adaptive","busy"] and
	all(.cases[].by_strategy[]; (.rounds_t_ns | length) == 2 and .t_ns > 0 and .e_ns > 0)'
check 'ratios are of the medians' json 'all(.cases[];
	.base as $b | (.by_strategy[$b].t_ns / .by_strategy.adaptive.t_ns - .throughput_ratio | fabs) < 0.01 and
	(.by_strategy.adaptive.e_ns / .by_strategy[$b].e_ns - .energy_ratio | fabs) < 0.01)'
check 'without work there is no limit but the ring' json '.cases.no_work.of_limit == null and
	.cases.fast_consumer.of_limit > 0'
check 'nothing is left behind by them, either' nothing_left

# ---- Wrong use ----

refuses() {	# TEXT ARG...
	local text=$1
	shift
	rp "$@"
	[ $? -eq 2 ] && [ ! -s "$out" ] && grep -q -e "$text" "$scratch/err"
}
check 'no such strategy' refuses 'hope' grid --strategies notify,hope
check 'a strategy twice' refuses 'twice' grid --strategies sleep,sleep-50us
check 'no such work' refuses '--work normal' grid --work normal
check 'a value twice' refuses 'twice' grid --wp-ns 500,500
check 'no queue' refuses '--queue-len 1' grid --queue-len 1
check 'too many points' refuses '--points 17' grid --points 17
check 'no rounds' refuses '--rounds 0' grid --rounds 0
check 'a phase that is too short to settle' refuses '--phase-ms 10' step --phase-ms 10
check 'an argument too many' refuses 'surplus' idle surplus
check 'a case study of no length' refuses '--duration-ms 0' studies --duration-ms 0
check 'no such benchmark' refuses 'fly' fly
rp grid "${tiny[@]}" --raw "$scratch/no/such"
[ $? -eq 1 ] && grep -q "$scratch/no/such" "$scratch/err"
ok $? 'raw data that cannot be written: exit code 1'
for b in grid step idle studies; do
	check "$b: help with units and an example" eval \
		'"$ringpace" bench $b --help | grep -q "Example" &&
		"$ringpace" bench $b --help | grep -q "ns"'
done
finish
