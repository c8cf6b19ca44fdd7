#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pairs of a link's ports move between pacers while frames are on their way.
. "$(dirname "$0")/lib.sh"
ringpaced=${RINGPACED:-$top/build/ringpaced}
ctl=$scratch/ctl
"$ringpaced" --port "a,socket=$scratch/a,pacer=1" --port "b,socket=$scratch/b,pacer=1" --link a,b \
	--pacers x2 --control "$ctl" 2>"$scratch/log" &
pid=$!
wait_for 30 test -S "$ctl"
move() { "$ringpace" ctl move --socket "$ctl" "$@" >"$scratch/out" 2>"$scratch/err"; }
refused() {
	local status=$1 word=$2
	shift 2
	move "$@"
	[ $? -eq "$status" ] && grep -q -- "$word" "$scratch/err"
}

# The guests send until they are told to stop: neither of the two waits for the other to be slow.
stop=$scratch/stop
"$top/build/test-ports" "$scratch/a" "$scratch/b" 10000 200 "$stop" >"$scratch/talk" 2>"$scratch/said" &
guests=$!
sent() {
	"$ringpace" ctl stats --socket "$ctl" --device a --queue 1 --json >"$scratch/out" 2>"$scratch/err" &&
		jq '.stats.packets' "$scratch/out"
}
flowing() { [ "$(sent)" -gt "${1:-0}" ]; }
check 'frames flow' wait_for 30 flowing
before=$(sent)
# a's pair goes to the other pacer each time, b's every other time.
move_all() {
	local i
	for i in {0..49}; do
		move --device a --pair 0 --pacer $((i % 2)) --json &&
			move --device b --pair 0 --pacer $((i / 2 % 2)) --json || return 1
	done
}
check 'pairs move 100 times' move_all
check 'frames flow on' wait_for 30 flowing "$before"
touch "$stop"
wait $guests
ok $? 'the guests end well'
whole() { json_of "$scratch/talk" ".$1 | .packets >= $2 and .lost == 0 and .bad == 0 and .reordered == 0"; }
check 'no frame is lost, changed or reordered' whole ab 10000
check 'nor the other way' whole ba 5000

check 'without a pacer it is wrong use' refused 2 'whereto' --device a --pair 0
check 'without a port, too' refused 2 'of which port' --pair 0 --pacer 0
check 'a pacer that is not there' refused 1 'pacer' --device a --pair 0 --pacer 2
check 'a pair that is not there' refused 1 'pair' --device a --pair 1 --pacer 0
check 'a port that is not there' refused 1 'no such port' --device c --pair 0 --pacer 0
kill -TERM $pid && wait $pid
ok $? 'the daemon ends'

# Pinned where they are told to be: the kernel's word for it.
cpus=$(python3 -c 'import os; print(*sorted(os.sched_getaffinity(0))[:2], sep=",")')
"$ringpaced" --port "a,socket=$scratch/a" --pacers "$cpus" --control "$ctl" 2>"$scratch/log" &
pid=$!
wait_for 30 test -S "$ctl"
allowed() {
	local task
	for task in /proc/$pid/task/*; do
		[ "$(cat "$task/comm")" = "pacer$1" ] || continue
		awk '/^Cpus_allowed_list/ { print $2 }' "$task/status"
	done
}
pinned() {
	local n=0 cpu
	for cpu in ${cpus//,/ }; do
		[ "$(allowed $n)" = "$cpu" ] || return 1
		n=$((n + 1))
	done
	"$ringpace" ctl list --socket "$ctl" --json >"$scratch/out" 2>"$scratch/err" &&
		json_of "$scratch/out" "[.pacers[].cpu] == [$cpus]"
}
check "pacers run on CPUs $cpus, each on its own" wait_for 30 pinned
kill -TERM $pid && wait $pid
ok $? 'and end'
refused_cpu() {
	! "$ringpaced" --port "a,socket=$scratch/a" --pacers 4095 2>"$scratch/err" &&
		grep -q 'CPUs that the daemon may use' "$scratch/err"
}
check 'a CPU that the daemon may not use is refused' refused_cpu
finish
