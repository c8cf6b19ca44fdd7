#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace validate --quick`: the form of its results, that nothing is lost, that
# errors are numbers and are what they say, and what must hold on any machine,
# however busy: how close the predictions are is not tested here.
. "$(dirname "$0")/lib.sh"

export XDG_STATE_HOME=$scratch/state
out=$scratch/out
dir=$scratch/results

rp() { timeout 180 "$ringpace" "$@" >"$out" 2>"$scratch/err" </dev/null; }
sleep_is() { json_of "$dir/sleep.json" "$1"; }
notify_is() { json_of "$dir/notify.json" "$1"; }

# ---- Without a profile ----

rp validate --quick --json --out "$dir"
ok $? 'both sweeps run'
check 'nothing on stderr, one line on stdout' eval \
	'[ ! -s "$scratch/err" ] && [ "$(wc -l <"$out")" -eq 1 ]'
check 'stdout has both' json_of "$out" 'keys_unsorted == ["sleep","notify"]'
check 'JSON and CSV of each' eval '[ "$(ls "$dir" | tr "\n" " ")" = \
	"notify.csv notify.json sleep.csv sleep.json " ]'
check 'the files are what was printed' eval \
	'[ "$(jq -S .sleep "$out")" = "$(jq -S . "$dir/sleep.json")" ] &&
	[ "$(jq -S .notify "$out")" = "$(jq -S . "$dir/notify.json")" ]'

for sweep in sleep notify; do
	file=$dir/$sweep.json
	check "$sweep: keys" json_of "$file" 'keys_unsorted == ["sweep","lane","machine","date",
		"load_1min","quick","queue_len","profile_date","median_abs_error","bounded_points","within_bounds",
		"steps","points"]'
	check "$sweep: says what it is" json_of "$file" ".sweep == \"$sweep\" and
		.lane == \"native\" and .quick and .queue_len == 512 and .profile_date == null"
	check "$sweep: keys of a point" json_of "$file" '.points | length >= 4 and
		all(keys_unsorted[1:] == ["wp_ns","wc_ns","np_ns","nc_ns","sp_ns","sc_ns","yp_ns",
		"yc_ns","window_ns","items","lost","measured","model","sim","sim_dist",
		"before_model","before_sim"])'
	check "$sweep: nothing lost" json_of "$file" '.points | all(.items > 0 and .lost == 0)'
	check "$sweep: W is at least what was asked for" json_of "$file" \
		'.points | all(.wc_ns >= 1000 and .wp_ns >= 200)'
	check "$sweep: the simulator has an error for every point" json_of "$file" '.points |
		all(.sim.t_error_pct, .sim_dist.t_error_pct |
		type == "number" and . > -100 and . < 1e6)'
	check "$sweep: errors are predicted minus measured" json_of "$file" '.points | all(
		(100 * (.sim.t_ns - .measured.t_ns) / .measured.t_ns - .sim.t_error_pct | fabs) < 0.01)'
	check "$sweep: errors of b, kicks and calls too, where there is something to compare" \
		json_of "$file" 'def err(p; m): if m > 0 and p != null then 100 * (p - m) / m else null end;
		def same(a; b): if a == null or b == null then a == b else
			(a - b | fabs) < 0.2 + 0.01 * (b | fabs) end;
		.points | all(.measured as $m | .model, .sim, .sim_dist | . as $p |
		($p | has("kicks_error_pct") and has("calls_error_pct")) and
		same($p.batch_error_pct; err($p.batch; $m.batch)) and
		($m.kicks_per_item < 0.001 or
			same($p.kicks_error_pct; err($p.kicks_per_item; $m.kicks_per_item))) and
		($m.calls_per_item < 0.001 or
			same($p.calls_error_pct; err($p.calls_per_item; $m.calls_per_item))))'
	check "$sweep: the median is that of their sizes" json_of "$file" '
		([.points[].sim.t_error_pct | fabs] | sort | (.[(length - 1) / 2 | floor] +
		.[length / 2 | floor]) / 2) as $m | (.median_abs_error.sim.t_pct - $m | fabs) < 0.002'
	check "$sweep: without a profile nothing was known before" json_of "$file" '
		.median_abs_error.before_model.t_pct == null and
		.median_abs_error.before_sim.t_pct == null and
		(.points | all(.before_sim.t_ns == null))'
	check "$sweep: a CSV row per point, under a heading" eval \
		'[ "$(wc -l <"$dir/$sweep.csv")" -eq $(($(jq ".points | length" "$file") + 1)) ] &&
		head -1 "$dir/$sweep.csv" | grep -q ",measured_t_ns,.*,sim_t_error_pct," &&
		[ "$(awk -F, "{ print NF }" "$dir/$sweep.csv" | sort -u | wc -l)" -eq 1 ]'
done

check 'sleep: nobody notifies' sleep_is '.points |
	all(.measured.kicks_per_item == 0 and .measured.calls_per_item == 0)'
check 'sleep: somebody sleeps, and longer than asked for' sleep_is '.points |
	all(.measured.sleeps_per_item > 0 and ([.yp_ns, .yc_ns] | max) > .y_nominal_ns)'
check 'sleep: from 4 us to 3 ms' sleep_is '.points |
	.[0].y_nominal_ns == 4000 and .[-1].y_nominal_ns == 3000000'
# A stall of the machine lengthens short sleeps too; then the two do not differ.
check 'sleep: the batch grows with Y, where Y grew' sleep_is '.points |
	.[-1].yc_ns == null or .[0].yc_ns == null or .[-1].yc_ns <= 10 * .[0].yc_ns or
	.[-1].measured.batch > 2 * .[0].measured.batch'
check "sleep: the simulator is within the model's bounds" sleep_is '.points |
	all(.model.t_min_ns <= .sim.t_ns * 1.01 and .sim.t_ns <= .model.t_max_ns * 1.01)'
check 'sleep: bounds are for sLS, and counted' sleep_is '
	.bounded_points == ([.points[] | select(.model.regime == "sLS")] | length) and
	.within_bounds == ([.points[] | select(.model.regime == "sLS" and
	.measured.t_ns >= .model.t_min_ns and .measured.t_ns <= .model.t_max_ns)] | length)'
check 'sleep: steps ascend' sleep_is '.steps | [.[].predicted_y_ns] | . == sort'
check 'notify: nobody sleeps' notify_is '.points | all(.measured.sleeps_per_item == 0)'
check 'notify: notifications were sent' notify_is '.points |
	any(.measured.kicks_per_item > 0) and any(.measured.calls_per_item > 0)'
check 'notify: W_P from 200 to 2900 ns' notify_is '.points |
	.[0].wp_nominal_ns == 200 and .[-1].wp_nominal_ns == 2900'

# ---- With one ----

rp probe --quick
cp "$XDG_STATE_HOME/ringpace/profile-native.json" "$scratch/good"
rp validate --quick --sweep sleep --out "$dir"
ok $? 'one sweep, for people, with a profile'
check 'it shows points, steps and medians' eval \
	'grep -q "^Y nominal" "$out" && grep -q "^median error" "$out" &&
	grep -q "^simulator, from nominal W and the profile *[0-9]" "$out"'
check 'predictions from before the run have errors' sleep_is '
	(.profile_date | type) == "string" and .median_abs_error.before_sim.t_pct >= 0 and
	(.points | all((.before_sim.t_error_pct | type) == "number"))'

# ---- Wrong use ----

refuses() {	# TEXT ARG...
	local text=$1
	shift
	rp validate "$@"
	[ $? -eq 2 ] && [ ! -s "$out" ] && grep -q -e "$text" "$scratch/err"
}
check 'no such sweep' refuses '--sweep nap' --sweep nap
check 'no such lane' refuses '--lane nowhere' --lane nowhere
check 'no such profile' refuses "$scratch/none" --profile "$scratch/none"
echo '{}' >"$XDG_STATE_HOME/ringpace/profile-native.json"
check "the lane's own profile, damaged" refuses 'no profile' --quick
rm "$XDG_STATE_HOME/ringpace/profile-native.json"
jq '.lane = "vm"' "$scratch/good" >"$XDG_STATE_HOME/ringpace/profile-native.json"
check "the lane's own profile, of another lane" refuses 'of lane "vm", not native' --quick
rm "$XDG_STATE_HOME/ringpace/profile-native.json"
check 'a surplus argument' refuses surplus surplus
rp validate --quick --sweep notify --out "$scratch/no/such"
[ $? -eq 1 ] && grep -q "$scratch/no/such" "$scratch/err"
ok $? 'a directory that cannot be made: exit code 1, and why'
timeout 60 "$ringpace" validate --out "$scratch/stopped" >"$out" 2>"$scratch/err" &
validate=$!
wait_for 20 has_daemon
kill -INT $validate
wait $validate
[ $? -eq 130 ] && [ ! -s "$scratch/err" ]
ok $? 'Ctrl-C ends it with 130, silently'
check 'nothing is left behind' nothing_left
finish
