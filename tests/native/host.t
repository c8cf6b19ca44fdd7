#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace pareto` and `ringpace bench host` from the outside: keys, the frontier, wrong use.
. "$(dirname "$0")/lib.sh"

refuses() {	# text in the error, command, options...
	local text=$1 rc
	shift
	"$ringpace" "$@" >/dev/null 2>"$scratch/err"
	rc=$?
	[ $rc -eq 2 ] && grep -q -e "$text" "$scratch/err"
}

"$ringpace" pareto --goal consolidate --json >"$scratch/pareto" 2>"$scratch/err"
check "pareto ends well" test $? -eq 0
check "all configurations are swept" json_of "$scratch/pareto" '.configurations == 224'
check "the consolidation policy comes out" json_of "$scratch/pareto" \
	'[.frontier[] | [.cores, .threads, .ghz]] ==
	 [range(1; 9) | [., 2, 2.4]] + [[8, 2, 2.8]]'
check "stronger steps carry more" json_of "$scratch/pareto" \
	'[.frontier[].max_pps] | . == sort and .[-1] > 6200000'

"$ringpace" bench host --json --seconds 0 --decisions "$scratch/decisions" >"$scratch/bench" 2>"$scratch/err"
check "bench host ends well" test $? -eq 0
check "its keys" json_of "$scratch/bench" \
	'(.energy_vs_pareto, .background_vs_pareto | keys) == ["sine", "slope", "step"] and
	 (.slo_violations | type) == "number" and .simulated'
check "no gain beyond the Pareto bound" json_of "$scratch/bench" \
	'[.energy_vs_pareto[], .background_vs_pareto[]] | all(. > 0.85 and . <= 1.01)'
check "fewer violations than the paper" json_of "$scratch/bench" '.slo_violations < 25'
check "and how soon it answers steps of the load" json_of "$scratch/bench" \
	'.reaction_ms | .load_steps >= 6 and .decision_p95 <= .decision_max and
	 .in_place_p95 <= .in_place_max and .decision_max <= 100'
check "shares of 2 to 64 queues, within 2 %" json_of "$scratch/bench" \
	'[.weights[].queues] == [2, 4, 8, 16, 32, 64] and ([.weights[].error] | max) == .weight_error and
	 .weight_error > 0 and .weight_error < 0.02'
check "moves of a change at the same time" json_of "$scratch/bench" '.moves == "parallel"'
check "decisions tell what was done" json_of "$scratch/decisions" \
	'.why and .actuators and .basis == "fresh"'

check "no controller was run" json_of "$scratch/bench" '.controller_cpu == null and .controller == {}'

# The real one, with tenants that are played: functional here, short.
"$ringpace" bench host --controller --seconds 2 --json >"$scratch/cost" 2>"$scratch/err"
check "the controller itself is run" test $? -eq 0
check "by pages, by ports and by orders" json_of "$scratch/cost" \
	'(.controller | keys) == ["dataplanes", "orders", "ports"] and .controller_tenants == 20 and
	 ([.controller[] | .turns, .cpu, .orders_per_turn, .answer_bytes_per_turn, .late_p99_ns] | all(. > 0))'
check "its cost is the greater one's of the first two" json_of "$scratch/cost" \
	'([.controller | .dataplanes.cpu, .ports.cpu] | max) - .controller_cpu | . < 1e-5 and . > -1e-5'
# Not one for each tenant: what is calm is asked five times less often.
check "orders are few" json_of "$scratch/cost" \
	'.controller.ports.orders_per_turn <= 1.1 and .controller.orders.orders_per_turn < 22'
check "and where there is a page it is not asked for samples" json_of "$scratch/cost" \
	'.controller.dataplanes | .orders_per_turn * .turns <= 40 * (.seconds + 1) + 6 * .changes'
check "refuses --seconds" refuses "--seconds" bench host --seconds 3601

check "refuses --goal" refuses "--goal" pareto --goal speed
check "refuses --seed" refuses "--seed" pareto --seed -1
check "refuses an argument" refuses surplus pareto surplus
check "refuses --seed of the benchmark" refuses "--seed" bench host --seed x
check "refuses --moves" refuses "--moves" bench host --moves twice
"$ringpace" bench host --decisions /nonexistent/x >/dev/null 2>"$scratch/err"
check "a file that cannot be written is an error" test $? -eq 1
finish
