#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace run` in the native lane: every strategy both ways, the JSON's form,
# wrong use, being stopped, a daemon that dies; nothing is left behind.
. "$(dirname "$0")/lib.sh"

keys='["lane","strategy","dir","accel","backend","queue_len","items","items_per_s","t_ns","e_ns","cpu_p","cpu_c","kicks_per_s","spurious_kicks_per_s","calls_per_s","sleeps_p_per_s","sleeps_c_per_s","batch","latency_ns","clock_error_ns","params","lost","reordered","dmax_ns","dmax_met","late","unmet","regime","predicted_t_ns","strategy_time","clock"]'
latency_keys='["p50","p98","p99","max"]'
params_keys='["wp_ns","wc_ns","np_ns","nc_ns","sp_ns","sc_ns","yp_ns","yc_ns"]'
out=$scratch/out

# run ARG...: into $out and $scratch/err; its exit status.
run() {
	timeout 60 "$ringpace" run --lane native --duration-s 0.3 --warmup-s 0.1 "$@" \
		>"$out" 2>"$scratch/err" </dev/null
}

json() { json_of "$out" "$1"; }

same() {
	[ "$(jq -c "$1" "$out")" = "$2" ]
}

form_is_right() {
	[ "$(wc -l <"$out")" -eq 1 ] && [ ! -s "$scratch/err" ] &&
	same keys_unsorted "$keys" &&
	same '.latency_ns | keys_unsorted' "$latency_keys" &&
	same '.params | keys_unsorted' "$params_keys"
}

# What a strategy does, and what it cannot have measured. $1 fwd|rev
acts_as_notify() {
	local sent='.kicks_per_s'
	[ "$1" = fwd ] || sent='.calls_per_s'
	json "$sent > 0 and .params.np_ns > 0 and .batch > 0 and .sleeps_p_per_s == 0 and
		.sleeps_c_per_s == 0 and .params.yp_ns == null and .params.yc_ns == null"
}

acts_as_sleep() {
	json '.sleeps_c_per_s > 0 and .params.yc_ns >= 50000 and .batch > 0 and
		.kicks_per_s == 0 and .calls_per_s == 0 and .params.np_ns == null and
		.params.sc_ns == null and .params.sp_ns == null'
}

acts_as_busy() {
	json '.kicks_per_s == 0 and .calls_per_s == 0 and .sleeps_p_per_s == 0 and
		.sleeps_c_per_s == 0 and .batch == null and .params.yc_ns == null'
}

for strategy in notify sleep busy; do
	for dir in fwd rev; do
		run --strategy $strategy --dir $dir --wp-ns 6000 --wc-ns 1000 --json
		ok $? "$strategy $dir runs"
		check "$strategy $dir: form of the JSON" form_is_right
		check "$strategy $dir: says what it is" json ".lane == \"native\" and
			.strategy == \"$strategy\" and .dir == \"$dir\" and .accel == \"none\" and
			.queue_len == 512"
		check "$strategy $dir: items, none lost, none reordered" json '.items > 0 and
			.items_per_s > 0 and .lost == 0 and .reordered == 0'
		check "$strategy $dir: W as measured, at least what was asked for" json '
			.params.wp_ns >= 5999 and .params.wc_ns >= 999 and .clock_error_ns == 0 and .latency_ns.p50 > 0 and
			.latency_ns.p50 <= .latency_ns.p98 and .latency_ns.p99 <= .latency_ns.max'
		check "$strategy $dir: notifications, sleeps, unknowns" acts_as_$strategy $dir
	done
done

run --strategy-p busy --strategy-c sleep --queue-len 100 --wp-ns 2000 --burst 7 --item-bytes 1000 --json
ok $? 'different strategies, L no power of two, bursts, long items'
check 'both strategies are named, P never slept' json '.strategy == "busy/sleep" and
	.sleeps_p_per_s == 0 and .sleeps_c_per_s > 0 and .lost == 0 and .reordered == 0'

check 'without a bound nothing is said of one' json '.dmax_ns == null and .dmax_met == null and
	.late == null and .unmet == null and .regime == null and .predicted_t_ns == null and
	.strategy_time == {"p": null, "c": null}'

run --strategy notify --wp-ns 2000 --dmax-ns 1000000000 --json
check 'a bound that is kept' json '.dmax_ns == 1000000000 and .dmax_met == true and .late >= 0'
run --strategy notify --wc-ns 2000 --queue-len 512 --dmax-ns 1000 --json
check 'a bound that is not' json '.dmax_met == false and .late > 0.02'

run --strategy notify --wc-ns 3000 --queue-len 8 --kc 6 --kp 3 --json
ok $? 'fast producer, thresholds'
check 'calls were sent and a start-up of P was seen' json '.calls_per_s > 0 and
	.params.sp_ns != null and .lost == 0 and .reordered == 0'

run --strategy sleep --w-dist exp --wp-ns 20000 --wc-ns 5000 --json
ok $? 'random work'
check 'nothing is lost by it' json '.items > 0 and .lost == 0 and .reordered == 0'

run --wp-ns 2000 --keep-trace "$scratch/trace"
ok $? 'a table for people'
check 'the table has the figures' grep -Eq '^items/s +[0-9]+$' "$out"
check 'both traces are kept' json_of "$scratch/trace" '(.p.events | length > 0) and
	(.c.events | length > 0) and .p.clock_offset_tsc == 0 and .p.tsc_hz > 0'
check 'nothing is left behind' nothing_left

# Wrong use: exit code 2, one line that names the option, nothing on stdout.
wrong() {
	local named=$1
	shift
	run "$@"
	[ $? -eq 2 ] && [ ! -s "$out" ] && grep -q -- "$named" "$scratch/err"
}
check 'unknown lane' wrong '--lane moon' --lane moon
check 'unknown strategy' wrong '--strategy hope' --strategy hope
check 'unknown direction' wrong '--dir up' --dir up
check 'kp above L' wrong --kp --queue-len 64 --kp 65
check 'kc above L' wrong --kc --queue-len 64 --kc 65
check 'burst above L' wrong --burst --queue-len 64 --burst 65
check 'unknown distribution' wrong '--w-dist normal' --w-dist normal
check 'negative work' wrong '--wp-ns -5' --wp-ns -5
check 'work that is no number' wrong '--wc-ns 5us' --wc-ns 5us
check 'no queue' wrong --queue-len --queue-len 1
check 'no time' wrong --duration-s --duration-s 0
check 'items too small' wrong --item-bytes --item-bytes 8
check 'an argument too many' wrong 'surplus' surplus
check 'a CPU that is not there' eval '! run --cpu-p 4095 && grep -q "CPU 4095" "$scratch/err"'
timeout 10 "$ringpace" fly >"$out" 2>"$scratch/err"
check 'unknown command' [ $? -eq 2 ]
check 'help with units and an example' eval '"$ringpace" run --help | grep -q "Example" &&
	"$ringpace" run --help | grep -q "slots"'

start() { start_command run --duration-s 60 "$@"; }

for sig in INT TERM; do
	start --strategy notify --wp-ns 1000
	kill -$sig $pid
	wait $pid
	check "SIG$sig ends a run with 130" [ $? -eq 130 ]
	check "SIG$sig leaves nothing" wait_for 10 nothing_left
done

start --strategy sleep --wp-ns 1000
kill -KILL $pid
wait $pid 2>/dev/null
check 'SIGKILL takes the daemon along' wait_for 10 eval '! has_daemon'
# As one that was shared with libvirt's QEMU, of a process number beyond the last.
mkdir -m 0770 "$XDG_RUNTIME_DIR/ringpace.4194304.shared"
run --wp-ns 1000
check 'the next run removes what a killed one left' nothing_left

# One burst of this would take 10 s.
run --strategy busy --wp-ns 20000000 --burst 512 --warmup-s 0 --json &
pid=$!
check 'a run ends within a burst' wait_for 8 eval '! kill -0 $pid'
wait $pid
check 'and has a result' json '.lost == 0 and .reordered == 0'

start --strategy busy --wp-ns 1000
# eval: the directory's name is not known before it is there.
check 'the device has its socket' wait_for 30 eval \
	'test -S "$XDG_RUNTIME_DIR"/ringpace.*/device1.sock'
kill -KILL $(pgrep -f -- "--control $scratch/")
wait $pid
check 'a daemon that dies ends the run with 1' [ $? -eq 1 ]
check 'and it says so' grep -q ringpaced "$scratch/err"
check 'and nothing is left' nothing_left
finish
