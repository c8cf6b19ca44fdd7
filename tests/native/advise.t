#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace advise`: the papers' two case studies, requests that cannot be met, rates that do
# not tell, every place that rates may come from, and files that are none.
. "$(dirname "$0")/lib.sh"

export XDG_STATE_HOME=$scratch/state
out=$scratch/out
table4=(--np-ns 1100 --nc-ns 580 --sp-ns 28000 --sc-ns 420 --ye-ns 2500)
fast_c=(--wp-ns 300 --wc-ns 200 --queue-len 512 "${table4[@]}")
fast_p=(--wp-ns 200 --wc-ns 300 --queue-len 512 "${table4[@]}")

# advises NAME FILTER ARG...: exit code 0, and the JSON is so.
advises() {
	local name=$1 filter=$2
	shift 2
	timeout 20 "$ringpace" advise --json "$@" >"$out" 2>"$scratch/err" &&
		json_of "$out" "$filter"
	ok $? "$name"
}

# cannot NAME FILTER ARG...: exit code 1, a reason on stderr, and the JSON is so.
cannot() {
	local name=$1 filter=$2
	shift 2
	timeout 20 "$ringpace" advise --json "$@" >"$out" 2>"$scratch/err"
	[ $? -eq 1 ] && [ -s "$scratch/err" ] && json_of "$out" "$filter"
	ok $? "$name"
}

refuses() {	# TEXT ARG...
	local text=$1
	shift
	timeout 20 "$ringpace" advise "$@" >"$out" 2>"$scratch/err" </dev/null
	[ $? -eq 2 ] && [ ! -s "$out" ] && grep -q -e "$text" "$scratch/err"
	ok $? "refuses $*"
}

# ---- The papers' cases (004, sec. 8) ----

advises 'the keys' 'keys_unsorted == ["regime","regime_from","faster","w_ns","w_is_bound",
	"w_from","wp_ns","wc_ns","rates","dmax_ns","y_max_ns","met","recommend","why","choices",
	"notes"] and (.choices | map(.strategy)) == ["notify","sleep","busy"] and
	(.choices | all(keys_unsorted == ["strategy","regime","queue_len","kp","kc","y_ns",
	"y_nominal_ns","t_ns","e_ns","d_ns","met","why"]))' "${fast_c[@]}" --dmax-ns 10000
advises '8.1, fast consumer: sleep, as long as D_MAX allows' '.met and .faster == "C" and
	(.recommend | .strategy == "sleep" and .y_ns == 4700 and .regime == "sFC" and
	.t_ns == 300 and .d_ns <= 10000)' "${fast_c[@]}" --dmax-ns 10000
advises '8.1 from its rates alone' '.regime == "nFC" and .w_from == "throughput less notifications"
	and .w_ns >= 343 and .w_ns <= 345 and .wc_ns == null and (.recommend | .strategy == "sleep" and
	.y_ns > 4600 and .y_ns < 4700 and .e_ns == null)' \
	--items-per-s 1810000 --kicks-per-s 343000 --calls-per-s 0 "${table4[@]}" --dmax-ns 10000
advises '8.2, fast producer: notify with 3/4 L' '.met and .faster == "P" and
	(.recommend | .strategy == "notify" and .queue_len == 512 and .kc == 384 and
	.regime == "nFP" and .t_ns < 301 and .d_ns < 200000)' "${fast_p[@]}" --dmax-ns 200000
advises '8.2 from its rates alone' '.regime == "nFP" and .w_ns >= 300 and .w_ns <= 302 and
	.recommend.strategy == "notify"' \
	--items-per-s 3320000 --kicks-per-s 0 --calls-per-s 2243 "${table4[@]}" --dmax-ns 200000
advises 'from the other side, kicks and calls change places' '.regime == "nFP"' --dir rev \
	--items-per-s 3320000 --kicks-per-s 2243 --calls-per-s 0 "${table4[@]}" --dmax-ns 200000

# ---- What D_MAX allows ----

advises 'Y_MAX below Y_E: busy waiting, and why' '.recommend.strategy == "busy" and
	(.why | test("Y_MAX = .* 2200 ns .*2500")) and .choices[1].met == false' \
	"${fast_c[@]}" --dmax-ns 5000
cannot 'less than the work itself: cannot be met' '.met == false and .recommend == null and
	(.why | test("cannot be met"))' "${fast_c[@]}" --dmax-ns 500
advises 'queueing delay above D_MAX: a shorter L' '.recommend | .strategy == "notify" and
	.queue_len < 340 and .queue_len > 300 and .d_ns <= 100000 and (.why | test("L W_C"))' \
	"${fast_p[@]}" --dmax-ns 100000
advises 'k_C leaves P the time to start' '.recommend | .kc < 0.75 * .queue_len - 1 and
	(.queue_len - .kc) * 300 >= 28000 + 200' "${fast_p[@]}" --dmax-ns 100000
advises 'no queue that P could serve in time: sleep' '.recommend.strategy == "sleep" and
	(.choices[0].why | test("S_P"))' "${fast_p[@]}" --dmax-ns 20000
cannot 'two slots that take too long' '.met == false and (.why | test("two slots"))' \
	"${fast_p[@]}" --dmax-ns 800
advises 'D_MAX beyond long sleeps: the longest that are not' '.recommend |
	.strategy == "sleep" and .y_ns == 511 * 300 - 200 - 500 and .regime == "sFC"' \
	"${fast_c[@]}" --dmax-ns 10000000
advises 'a queue too short for any sleep is lengthened' '.recommend |
	.strategy == "sleep" and .queue_len == 16' "${fast_c[@]}" --queue-len 8 --dmax-ns 10000
advises 'every predicted D that is met is at most D_MAX' \
	'.choices | all(.met != true or .d_ns <= 50000)' "${fast_p[@]}" --dmax-ns 50000

# ---- What rates do not tell ----

cannot 'both notified alike: a short queue, nobody known to be faster' \
	'(.regime | test("nSS")) and .faster == null and .met == null and .w_is_bound' \
	--items-per-s 1000000 --kicks-per-s 2000 --calls-per-s 2000 --dmax-ns 100000
cannot 'both asleep: sLS' '.regime == "sLS" and .faster == null' --items-per-s 1000000 \
	--kicks-per-s 0 --calls-per-s 0 --sleeps-p-per-s 500 --sleeps-c-per-s 800 --dmax-ns 100000
advises 'the same, with W known' '.regime == "sLS" and .faster == "C"' "${fast_c[@]}" \
	--items-per-s 1000000 --sleeps-p-per-s 500 --sleeps-c-per-s 800 --dmax-ns 100000
cannot 'nobody waits' '.regime == null and (.notes | any(test("do not tell")))' \
	--items-per-s 1000000 --kicks-per-s 0 --calls-per-s 0 --dmax-ns 100000
cannot 'less than an item a second' '.w_ns == null and (.notes | any(test("too slow")))' \
	--items-per-s 0.5 --kicks-per-s 1 --calls-per-s 0 --dmax-ns 1000000000
advises 'sleeping: W is the throughput, W_C from the batch' '.regime == "sFC" and .w_ns == 1000 and
	.wc_ns == 500' --items-per-s 1000000 --sleeps-p-per-s 0 --sleeps-c-per-s 50000 \
	--yc-ns 10000 "${table4[@]}" --dmax-ns 100000
advises 'costs unknown: no D invented' '.choices[0] | .d_ns == null and .met == null' \
	--wp-ns 300 --wc-ns 200 --dmax-ns 10000
advises 'N unknown: W is only bounded' '.w_is_bound and .w_ns == 1000' \
	--items-per-s 1000000 --kicks-per-s 500000 --calls-per-s 0 --dmax-ns 100000
advises 'L unknown is said' '.notes | any(test("L is not known"))' \
	--wp-ns 300 --wc-ns 200 --dmax-ns 10000
"$ringpace" advise "${fast_c[@]}" --dmax-ns 10000 >"$out" 2>"$scratch/err"
check 'for people' grep -q '^recommended: sleep, L 512, Y_P = Y_C = 4700 ns' "$out"

# ---- Against model and simulator ----

# Rates of a simulated run, without its W, must lead back to the regime and to W.
leads_back() {	# REGIME W OPTION...
	local regime=$1 w=$2
	shift 2
	"$ringpace" sim --json --items 100000 "$@" | jq 'del(.params.wp_ns, .params.wc_ns, .cpu_p)' \
		>"$scratch/sim.json" &&
	"$ringpace" advise --json "$scratch/sim.json" --dmax-ns 1000000 >"$out" 2>"$scratch/err"
	json_of "$out" "(.regime | test(\"$regime\")) and .w_ns >= $w * 0.99 and
		(.w_is_bound or .w_ns <= $w * 1.01 + 1)"
	ok $? "$regime, from simulated rates"
}
leads_back nFC 300 --wp-ns 300 --wc-ns 200 "${table4[@]}"
leads_back nFP 300 --wp-ns 200 --wc-ns 300 "${table4[@]}"
leads_back nSCS 300 --wp-ns 300 --wc-ns 250 --queue-len 8 --kc 2 --sc-ns 2000
leads_back nSPS 300 --wp-ns 250 --wc-ns 300 --queue-len 8 --kp 2 --kc 1 --sp-ns 2000
leads_back nSS 100 --wp-ns 100 --wc-ns 100 --queue-len 4 --sp-ns 9000 --sc-ns 9000
leads_back sFC 300 --mode sleep --wp-ns 300 --wc-ns 200 --yc-ns 5000
leads_back sFP 300 --mode sleep --wp-ns 200 --wc-ns 300 --yp-ns 5000
leads_back sLS 300 --mode sleep --wp-ns 300 --wc-ns 200 --yc-ns 500000

# What is recommended must hold D_MAX in the simulator.
holds() {	# DMAX OPTION...
	local dmax=$1 with
	shift
	"$ringpace" advise --json "$@" --dmax-ns "$dmax" >"$out" 2>"$scratch/err"
	with=$(jq -r '.recommend | "--mode \(.strategy) --queue-len \(.queue_len) --kp \(.kp) " +
		"--kc \(.kc)" + (if .y_ns then " --yc-ns \(.y_ns)" else "" end)' "$out")
	# shellcheck disable=SC2086
	"$ringpace" sim --json --items 100000 "$@" $with >"$scratch/sim.json" 2>>"$scratch/err"
	json_of "$scratch/sim.json" ".d_ns <= $dmax"
	ok $? "$with holds $dmax ns"
}
for dmax in 1000 10000 100000; do
	holds $dmax "${fast_c[@]}"
	holds $dmax "${fast_p[@]}"
done

# ---- A profile ----

cat >"$scratch/profile.json" <<'JSON'
{"v":1,"lane":"native","date":"2026-01-01T00:00:00Z",
"params":{"np_ns":1100,"nc_ns":580,"sp_ns":28000,"sc_ns":420,"ye_ns":2500},
"sleep":[{"nominal_ns":900,"cost_ns":2500,"robust_ns":20000},
{"nominal_ns":100000,"cost_ns":3000,"robust_ns":120000}]}
JSON
advises 'a profile tells which sleep to ask for' '.recommend | .strategy == "sleep" and
	.y_ns == 49700 and .y_nominal_ns > 29000 and .y_nominal_ns < 31000' \
	--wp-ns 300 --wc-ns 200 --profile "$scratch/profile.json" --dmax-ns 100000
advises 'and that the host sleeps no shorter' '.recommend.strategy == "busy" and
	(.why | test("20000"))' \
	--wp-ns 300 --wc-ns 200 --profile "$scratch/profile.json" --dmax-ns 30000

# ---- Files ----

cat >"$scratch/run.json" <<'JSON'
{"lane":"native","strategy":"notify","dir":"fwd","queue_len":512,"items_per_s":1810000,
"kicks_per_s":343000,"spurious_kicks_per_s":0,"calls_per_s":0,"sleeps_p_per_s":0,"sleeps_c_per_s":0,
"cpu_p":1,"params":{"wp_ns":300,"wc_ns":200,"np_ns":1100,"nc_ns":null,"sp_ns":null,"sc_ns":420}}
JSON
advises "a run's file" '.regime == "nFC" and .recommend.strategy == "sleep" and
	.rates.p_to_c_per_s == 343000' "$scratch/run.json" --ye-ns 2500 --dmax-ns 10000
sed 's/"fwd"/"rev"/' "$scratch/run.json" >"$scratch/rev.json"
advises 'of the other direction' '.rates.c_to_p_per_s == 343000' "$scratch/rev.json" --dmax-ns 10000
echo "[$(cat "$scratch/run.json"),$(cat "$scratch/rev.json")]" >"$scratch/two.json"
advises 'one of several' '.rates.c_to_p_per_s == 343000' "$scratch/two.json" --run 1 --dmax-ns 10000
advises 'what is typed in wins' '.w_ns == 700' "$scratch/run.json" --wp-ns 700 --dmax-ns 10000
refuses 'say which with --run' "$scratch/two.json" --dmax-ns 10000
refuses '--run 2' "$scratch/two.json" --run 2 --dmax-ns 10000
refuses "$scratch/none" "$scratch/none" --dmax-ns 10000
echo '{"strategy"' >"$scratch/bad.json"
refuses 'not JSON' "$scratch/bad.json" --dmax-ns 10000
echo '[]' >"$scratch/bad.json"
refuses 'no run' "$scratch/bad.json" --dmax-ns 10000
echo '[7]' >"$scratch/bad.json"
refuses 'strategy' "$scratch/bad.json" --dmax-ns 10000
echo '{"strategy":"notify","items_per_s":"many"}' >"$scratch/bad.json"
refuses 'items_per_s' "$scratch/bad.json" --dmax-ns 10000
echo '{"strategy":"notify","queue_len":70000}' >"$scratch/bad.json"
refuses 'queue_len' "$scratch/bad.json" --dmax-ns 10000
echo '{"strategy":"notify","kicks_per_s":-1}' >"$scratch/bad.json"
refuses 'kicks_per_s' "$scratch/bad.json" --dmax-ns 10000
echo '{"strategy":"notify","items_per_s":1e300}' >"$scratch/bad.json"
refuses 'items_per_s' "$scratch/bad.json" --dmax-ns 10000

# ---- Wrong use ----

refuses '--dmax-ns' --wp-ns 300 --wc-ns 200
refuses 'nothing is known' --dmax-ns 10000
refuses '--dmax-ns' --dmax-ns soon
refuses '--calls-per-s' --calls-per-s -1 --dmax-ns 10000
refuses 'one slot' --wp-ns 300 --wc-ns 200 --queue-len 1 --dmax-ns 10000
refuses '--kc' --wp-ns 300 --wc-ns 200 --queue-len 8 --kc 9 --dmax-ns 10000
refuses '--device' --control "$scratch/none" --dmax-ns 10000
refuses 'not both' --control x --device pc0 "$scratch/run.json" --dmax-ns 10000

# ---- A live queue ----

"$ringpace" run --wp-ns 5000 --wc-ns 1000 --duration-s 300 >"$scratch/run.out" 2>&1 &
run=$!
control=
has_control() { control=$(find "$XDG_RUNTIME_DIR" -name 'control*.sock' | head -1); [ -n "$control" ]; }
moves() {
	"$ringpace" advise --json --control "$control" --device pc0 --interval-s 0.2 \
		--profile "$scratch/profile.json" --dmax-ns 100000000 >"$out" 2>"$scratch/err"
}
wait_for 20 has_control
wait_for 20 moves
ok $? 'a queue at work'
check 'it is a fast consumer, by the rates of both sides' json_of "$out" \
	'.regime == "nFC" and .faster == "C" and .rates.p_to_c_per_s > 0'
# Of spinning, for which advice changes no L on a fast consumer.
check 'L is what the daemon says' json_of "$out" \
	'.choices[] | select(.strategy == "busy") | .queue_len == 512'
check 'W is from the throughput: only the daemon'"'"'s own W is seen' json_of "$out" \
	'(.w_from | test("throughput")) and .w_ns >= 1000 and (.wc_ns >= 1000)'
"$ringpace" advise --control "$control" --device pc0 --queue 9 --dmax-ns 10000 >"$out" 2>"$scratch/err"
[ $? -eq 1 ] && grep -q 'no queue 9' "$scratch/err"
ok $? 'no such queue: exit code 1'
resets() {
	while sleep 0.2; do
		echo '{"v":1,"cmd":"reset","device":"pc0","queue":0}' |
			timeout 10 socat -t 5 - UNIX-CONNECT:"$control" >/dev/null 2>&1
	done
}
resets &
resetting=$!
"$ringpace" advise --control "$control" --device pc0 --interval-s 2 --dmax-ns 1000000 \
	>"$out" 2>"$scratch/err"
[ $? -eq 1 ] && grep -q 'were reset while' "$scratch/err"
ok $? 'statistics that are reset meanwhile: exit code 1'
kill $resetting
wait $resetting 2>/dev/null
kill -INT $run
wait $run
"$ringpace" advise --control "$scratch/none" --device pc0 --dmax-ns 10000 >"$out" 2>"$scratch/err"
[ $? -eq 1 ] && grep -q "$scratch/none" "$scratch/err"
ok $? 'no daemon: exit code 1'
check 'nothing is left behind' nothing_left
finish
