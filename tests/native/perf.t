#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace perf`: ringpaced's USDT probes fire as often as its counters say, in
# a run and on a live daemon; wrong use; nothing of ours is left in the kernel,
# whatever ends the command.
tracefs=/sys/kernel/tracing
skip() { echo "1..0 # SKIP $1"; exit 0; }
[ "$(id -u)" = 0 ] || skip 'uprobes need root'
command -v perf >/dev/null || skip 'perf is not installed'
# Where there is no tracefs, one that only this test and its children see.
if ! [ -w $tracefs/uprobe_events ]; then
	[ -n "${RP_OWN_MOUNTS:-}" ] || RP_OWN_MOUNTS=1 exec unshare --mount "$0" "$@"
	mount -t tracefs tracefs $tracefs 2>/dev/null
	[ -w $tracefs/uprobe_events ] || skip 'the kernel has no uprobes, or no tracefs can be mounted'
fi
. "$(dirname "$0")/lib.sh"
out=$scratch/out

perf() {
	timeout 180 "$ringpace" perf "$@" >"$out" 2>"$scratch/err" </dev/null
}

json() { json_of "$out" "$1"; }

# Events of process $1, or of any that has died.
events_of() { grep "rp_perf_$1/" $tracefs/uprobe_events; }
no_events() { ! events_of "$1"; }

# Counted from outside and by the device: the same number, above 0. $1 figure $2 source
same() {
	json "[.figures[] | select(.figure == \"$1\" and .source == \"$2\")] | length == 1 and
		(.[0] | .count > 0 and .count == .counter_least and .count == .counter_most and
		 .difference == 0 and .agrees)"
}

perf --strategy notify --wp-ns 20000 --duration-s 1 --json
ok $? 'a run that is watched'
check 'kicks: the probe and the counter are equal' same kicks_taken ringpaced:kick
check 'blocks: equal' same blocks ringpaced:block
check 'wake-ups: equal' same wake_ups 'ringpaced:wake + :sleep'
check 'items: both parties count the same' same items 'driver items'
check 'no sleep is seen where there is none' json '.figures[] |
	select(.figure == "sleeps") | .count == 0 and .agrees'
check 'nothing differs that must not' json '.agrees == true and .window_ns > 9e8'
check 'the run has its result' json '.run.lane == "native" and .run.lost == 0 and
	.run.clock_error_ns == 0'
check 'what there is not has a reason' json '.clock == null and
	.exits == null and ([.not_available[].source] |
	contains(["kvm'"'"'s exits", "vhost_pc'"'"'s tracepoints", "perf kvm stat"])) and
	([.not_available[].why | length > 10] | all)'

perf --strategy notify --wc-ns 20000 --queue-len 64 --duration-s 1 --json
ok $? 'a slow consumer'
check 'calls: at most what the device owed is more' json '.figures[] |
	select(.figure == "calls") | .counter_least > 0 and
	.count >= .counter_least and .count <= .counter_most + 2'
check 'what that leaves open is said to be' json '.figures[] | select(.figure == "calls") |
	.slack <= 2 and .agrees == (if .slack > 0.02 * .counter_most then null else true end)'

perf --strategy notify --dir rev --wc-ns 20000 --queue-len 64 --duration-s 1 --json
ok $? 'the device produces, and waits for a slow consumer'
check 'kicks: equal' same kicks_taken ringpaced:kick
check 'blocks: equal' same blocks ringpaced:block
check 'wake-ups: equal' same wake_ups 'ringpaced:wake + :sleep'
check 'nothing differs, nothing is lost' json '.agrees == true and .run.lost == 0 and
	.run.dir == "rev"'
perf --strategy notify --dir rev --wp-ns 20000 --duration-s 1 --json
ok $? 'the device produces for a fast consumer'
check 'calls: at most what the device owed is more' json '.figures[] |
	select(.figure == "calls") | .counter_least > 0 and
	.count >= .counter_least and .count <= .counter_most + 2'
perf --strategy sleep --dir rev --wc-ns 2000 --duration-s 1 --json
ok $? 'the device produces and sleeps'
check 'sleeps: equal' same sleeps ringpaced:sleep
perf --strategy sleep --wp-ns 2000 --duration-s 1 --json
ok $? 'the device consumes and sleeps'
check 'sleeps: equal' same sleeps ringpaced:sleep

perf --strategy notify --wp-ns 20000
ok $? 'a table for people'
check 'it has the figures' grep -Eq '^kicks_taken +ringpaced:kick +[0-9]+ ' "$out"
check 'nothing is left behind' nothing_left

# On what runs already.
"$ringpace" run --strategy notify --wp-ns 50000 --duration-s 600 >/dev/null 2>&1 </dev/null &
pid=$!
socket() { compgen -G "$XDG_RUNTIME_DIR/ringpace.$pid.*/control1.sock"; }
check 'a daemon runs' wait_for 60 eval 'socket >/dev/null'
perf --attach "$(socket)" --duration-s 2 --json
ok $? 'a live daemon is watched'
check 'kicks: as many as the counters allow' json '.run == null and (.figures[] |
	select(.source == "ringpaced:kick") | .count > 0 and .difference == 0)'
kill -INT $pid
wait $pid
perf --attach "$XDG_RUNTIME_DIR/no.sock"
check 'no such socket is wrong use' [ $? -eq 2 ]
perf --attach no-such-domain
rc=$?
check 'no such domain fails' eval '[ $rc -eq 1 ] && grep -q no-such-domain "$scratch/err"'
perf --lane nested --attach some-domain
rc=$?
check 'from here nobody looks into the nested host' eval '[ $rc -eq 2 ] &&
	grep -q "nested exec" "$scratch/err"'
perf --lane moon
check 'unknown lane' [ $? -eq 2 ]
PATH=/nowhere "$ringpace" perf >"$out" 2>"$scratch/err"
rc=$?
check 'without perf it says what to install' eval '[ $rc -eq 1 ] &&
	grep -q linux-perf "$scratch/err" && [ "$(wc -l <"$scratch/err")" -eq 1 ]'
check 'help with units and an example' eval '"$ringpace" perf --help | grep -q Example'

# Ends. The shell starts background jobs with SIGINT ignored; perl undoes it.
start() {
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$ringpace" perf --wp-ns 20000 --duration-s 600 \
		>/dev/null 2>"$scratch/err" </dev/null &
	pid=$!
	wait_for 60 events_of $pid >/dev/null
}

start
ok $? 'events are made'
kill -INT $pid
wait $pid
check 'Ctrl-C ends it with 130' [ $? -eq 130 ]
check 'its events are deleted' no_events $pid
check 'nothing else is left' nothing_left

start
kill -KILL $pid
wait $pid 2>/dev/null
perf --strategy notify --wp-ns 20000 --duration-s 0.2
ok $? 'after one that was killed'
check 'its events are deleted, too' no_events $pid
finish
