#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace probe`: what it measures, the profile it stores, and what model and
# sim make of profiles, good and bad.
. "$(dirname "$0")/lib.sh"

export XDG_STATE_HOME=$scratch/state
profile=$XDG_STATE_HOME/ringpace/profile-native.json
out=$scratch/out

# rp ARG...: into $out and $scratch/err; its exit status.
rp() { timeout 120 "$ringpace" "$@" >"$out" 2>"$scratch/err" </dev/null; }
json() { json_of "$out" "$1"; }
stored() { json_of "$profile" "$1"; }

# refuses TEXT ARG...: exit code 2 and one line on stderr that says TEXT.
refuses() {
	local text=$1
	shift
	rp "$@"
	[ $? -eq 2 ] && [ ! -s "$out" ] && [ "$(wc -l <"$scratch/err")" -eq 1 ] &&
		grep -q -e "$text" "$scratch/err"
}

# ---- Without a profile ----

check 'a lane without a profile is told, and what to do' \
	refuses 'ringpace probe --lane native' model --profile native --wp-ns 3000
check 'so does sim' refuses 'ringpace probe --lane native' sim --profile native --wp-ns 3000
check 'a file that is not there' refuses "$scratch/none" \
	model --profile "$scratch/none" --wp-ns 3000
rp probe --lane nowhere
[ $? -eq 2 ]
ok $? 'a lane that is none is wrong use'

# ---- Measuring ----

rp probe --quick --json --no-save
ok $? 'probe runs'
check 'and stores nothing with --no-save' [ ! -e "$profile" ]
rp probe --quick --json
ok $? 'probe --json stores a profile'
check 'nothing on stderr, one line on stdout' eval \
	'[ ! -s "$scratch/err" ] && [ "$(wc -l <"$out")" -eq 1 ]'
check 'what it prints is what it stores' eval \
	'[ "$(jq -S . "$out")" = "$(jq -S . "$profile")" ]'
check 'nothing else lies beside it' eval \
	'[ "$(ls -A "$(dirname "$profile")")" = profile-native.json ]'
check 'keys, in their order' stored 'keys_unsorted == ["v","lane","accel","machine","date",
	"load_1min","quick","params","sleep_floor_ns","gaps","fast_consumer","fast_producer","sleep",
	"guest_sleep"]'
check 'says what it is' stored '.v == 1 and .lane == "native" and .accel == "none" and .quick and
	.guest_sleep == null and
	(.machine | length > 10) and (.date | test("^20..-..-..T..:..:..Z$"))'
check 'two CPUs were looked at for gaps' stored '.gaps | length == 2 and all(.observed_ns >= 2e7 and
	.lost_share >= 0 and .lost_share < 1 and .max_ns >= .delay_p99_ns and
	.delay_p99_ns >= .delay_p98_ns and .delay_p98_ns >= 0 and (.gaps > 0) == (.max_ns >= 1000))'
check 'every cost was measured' stored '.params | (keys_unsorted ==
	["np_ns","nc_ns","sp_ns","sc_ns","ye_ns"]) and
	.np_ns > 100 and .nc_ns > 100 and .sp_ns >= 0 and .sc_ns >= 0 and .ye_ns > 100'
for cost in fast_consumer.np fast_consumer.sc fast_producer.nc fast_producer.sp; do
	check "$cost: enough samples, and ordered figures" stored ".$cost |
		.samples >= 20 and .outliers < .samples and .min_ns <= .p50_ns and
		.p50_ns <= .p98_ns and .p98_ns <= .max_ns and .min_ns <= .robust_ns and
		.robust_ns <= .max_ns and .mean_ns <= .max_ns and .sd_ns >= 0"
done
check 'the parameters are the robust figures' stored '
	(.params.np_ns - .fast_consumer.np.robust_ns | fabs) < 1 and
	(.params.sp_ns - .fast_producer.sp.robust_ns | fabs) < 1'
check 'sleeps from 900 ns to 1 ms, ascending' stored '.sleep | length >= 5 and
	.[0].nominal_ns == 900 and .[-1].nominal_ns == 1000000 and
	([.[].nominal_ns] | . == sort)'
check 'no sleep was shorter than asked for, and each cost CPU time' stored '.sleep |
	all(.min_ns >= .nominal_ns and .cost_ns > 0 and .samples >= 20)'
check 'the floor is the shortest median' stored '.sleep_floor_ns as $floor |
	(([.sleep[].p50_ns] | min) - $floor | fabs) < 1'

# ---- Using it ----

ye() { jq '.params.ye_ns' "$profile"; }
same_as_typed() {
	local cmd=$1 typed
	shift
	rp "$cmd" --json "$@" $(jq -r '.params | "--np-ns \(.np_ns) --nc-ns \(.nc_ns) --sp-ns \(
		.sp_ns) --sc-ns \(.sc_ns) --ye-ns \(.ye_ns)"' "$profile") || return 1
	typed=$(cat "$out")
	rp "$cmd" --json --profile native "$@" && [ "$(cat "$out")" = "$typed" ]
}
check 'model --profile is as typing it in' same_as_typed model --wp-ns 3000 --wc-ns 2000
check 'a fast producer, too' same_as_typed model --wp-ns 500 --wc-ns 2000
check 'and sleeping' same_as_typed model --mode sleep --wp-ns 500 --wc-ns 2000 --yp-ns 90000
check 'sim --profile is as typing it in' same_as_typed sim --wp-ns 3000 --wc-ns 2000
wins() {
	local typed
	rp model --json --wp-ns 3000 --wc-ns 2000 --np-ns 0 --sc-ns 0 || return 1
	typed=$(cat "$out")
	# Before and after the profile: the order does not matter.
	rp model --json --np-ns 0 --profile native --sc-ns 0 --wp-ns 3000 --wc-ns 2000 &&
		[ "$(jq -c '[.t_ns, .batch]' "$out")" = "$(jq -c '[.t_ns, .batch]' <<<"$typed")" ]
}
check 'a flag on the command line wins' wins
cp "$profile" "$scratch/mine.json"
rp model --profile "$scratch/mine.json" --wp-ns 3000
ok $? 'a profile is a file like any other'

# ---- Bad ones ----

bad() {	# TEXT, jq filter that spoils the profile
	jq "$2" "$profile" >"$scratch/bad.json"
	refuses "$1" model --profile "$scratch/bad.json" --wp-ns 3000 &&
		grep -q "$scratch/bad.json" "$scratch/err"
}
check 'of another version' bad 'version 2' '.v = 2'
check 'without a version' bad 'no profile' 'del(.v)'
check 'not an object' bad 'no profile' '[1]'
check 'without a cost' bad params.sc_ns 'del(.params.sc_ns)'
check 'with a cost below 0' bad params.np_ns '.params.np_ns = -1'
check 'with a cost over 1 s' bad params.ye_ns '.params.ye_ns = 1e10'
check 'with a cost in words' bad params.nc_ns '.params.nc_ns = "low"'
check 'with sleeps out of order' bad 'sleep\[1\]' '.sleep |= (.[1].nominal_ns = 1)'
head -c 100 "$profile" >"$scratch/cut.json"
check 'cut short' refuses 'not JSON: line' model --profile "$scratch/cut.json" --wp-ns 3000
check 'a directory' refuses "$scratch" model --profile "$scratch" --wp-ns 3000

# ---- Where it goes ----

XDG_STATE_HOME=relative HOME=$scratch/home rp probe --quick
ok $? 'a table for people'
check 'it names the file, in ~/.local/state' grep -q \
	"stored in $scratch/home/.local/state/ringpace/profile-native.json" "$out"
check 'with all four costs and Y_E' eval \
	'[ "$(grep -cE "^(N_P|N_C|S_P|S_C|Y_E) " "$out")" -eq 5 ]'
touch "$scratch/file"
XDG_STATE_HOME=$scratch/file rp probe --quick
[ $? -eq 1 ] && grep -q "cannot make the directory $scratch/file" "$scratch/err"
ok $? 'a profile that cannot be written: exit code 1, and why'
timeout 60 "$ringpace" probe >"$out" 2>"$scratch/err" &
probe=$!
wait_for 20 has_daemon
check 'probe is at its experiments' has_daemon
kill -INT $probe
wait $probe
[ $? -eq 130 ]
ok $? 'Ctrl-C ends it with 130'
check 'and leaves nothing behind' nothing_left
finish
