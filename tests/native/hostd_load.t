#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two real tenants on two CPUs: rp-dataplane behind a port of ringpaced, under load patterns of
# `ringpace load`, and a batch job that makes SHA-1 sums; another one never gets a core, as its
# priority is lower. Functional: each step waits for what the controller does, however long that
# takes; nothing is measured.
. "$(dirname "$0")/lib.sh"
hostd=$top/build/ringpace-hostd
host=$scratch/hostd/control dp=$scratch/dp

cpus=$(python3 -c 'import os; print(",".join(map(str, sorted(os.sched_getaffinity(0))[:2])))')
if [ "${cpus#*,}" = "$cpus" ]; then
	echo '1..0 # SKIP two CPUs are needed'
	exit 0
fi

sha1sum </dev/zero >/dev/null 2>&1 &
job=$!
echo $job >"$scratch/job"
sleep infinity >/dev/null 2>&1 &
low=$!
echo $low >"$scratch/low"
"$ringpace" dataplane start --dir "$dp" --threads 2 --app udp-echo >"$scratch/out" 2>"$scratch/err"
ok $? 'a dataplane'
pgrep -f -- "--control $dp/dataplane.ctl" >"$scratch/web"
cat >"$scratch/hostd.yaml" <<END
run-dir: $scratch/hostd
cpus: $cpus
clocks: no
rapl: no
ringpaced: $dp/ringpaced.ctl
# A busy machine is slow, and no reason to do anything.
stale-ns: 5000000000
blind-ns: 60000000000
timeout-ns: 30000000000
tenants:
  # Its threads sleep 50 us when they are idle: under any load something waits as long.
  - {name: web, class: latency, pidfile: $scratch/web, ports: [b], bound-ns: 50000,
     threads-per-core: 1, policy: consolidate}
  - {name: low, class: batch, pidfile: $scratch/low, priority: 1}
  - {name: job, class: batch, pidfile: $scratch/job, priority: 2}
END

load() {	# shape
	"$ringpace" load --proto udp-echo --transport port --socket "$dp/a.sock" --shape "$1" \
		--rate-rps 20000 --connections 8 --period-s 10 --duration-s 3600 10.0.0.2:7 >"$scratch/load" 2>&1 &
	generator=$!
}
unload() { kill $generator && wait $generator 2>/dev/null; }
cpus_of() { taskset -pc "$1" | sed 's/.*: //' | tr ',-' '\n\n' | wc -l; }
stands() { [ "$(cut -d' ' -f3 "/proc/$1/stat")" = T ]; }
is_webs() { stands $job && stands $low && [ "$(cpus_of "$(cat "$scratch/web")")" = 2 ]; }
is_shared() { ! stands $job && stands $low && [ "$(cpus_of $job)" = 1 ] && [ "$(cpus_of "$(cat "$scratch/web")")" = 1 ]; }
status_is() { "$ringpace" host status --socket "$host" --json >"$scratch/status" 2>"$scratch/err" && json_of "$scratch/status" "$1"; }

"$hostd" --config "$scratch/hostd.yaml" 2>"$scratch/hostd.log" &
hd=$!
check 'a controller' wait_for 60 status_is '.acting and (.tenants | length == 3)'
load slope
check 'by the backlog of the port it learns what a core carries' \
	wait_for 60 status_is '.tenants[0] | .sensor == "ringpaced" and .capacity_pps > 0'
unload
check 'without load the job has a core' wait_for 120 is_shared
load step
check 'under stairs the cores are the tenant'"'"'s, and the job stands' wait_for 120 is_webs
unload
check 'after them the job has one again' wait_for 120 is_shared
"$ringpace" host explain web --socket "$host" >"$scratch/explain" 2>"$scratch/err"
check 'the reasons are told' grep -q 'add_\(delay\|load\|danger\), step 0 to 1' "$scratch/explain"
check 'and the table of steps' grep -q 'web: its steps, as refined:' "$scratch/explain"
kill $hd && wait $hd
check 'a clean end' test $? -eq 0
check 'gives all back' test "$(cpus_of $job)" = 2
check 'and lets all run' eval '! stands $low'
"$ringpace" dataplane stop --dir "$dp" >/dev/null 2>"$scratch/err"
ok $? 'nothing is left'
kill $job $low && wait $job $low 2>/dev/null
finish
