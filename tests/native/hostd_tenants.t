#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two real tenants with a bound, on two CPUs, each a dataplane in a cgroup of its own under load,
# and a batch job that makes SHA-1 sums. There is a CPU for each of the two, one has a clock
# emulated by a quota, the other wants a second CPU and gets it when it is there. Each step
# waits for what the controller does, however long that takes; nothing is measured.
. "$(dirname "$0")/lib.sh"
hostd=$top/build/ringpace-hostd
host=$scratch/hostd/control

cpus=$(python3 -c 'import os; print(",".join(map(str, sorted(os.sched_getaffinity(0))[:2])))')
[ "${cpus#*,}" != "$cpus" ] || { echo '1..0 # SKIP two CPUs are needed'; exit 0; }
ls /sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq >/dev/null 2>&1 &&
	{ echo '1..0 # SKIP this host has cpufreq: its clocks are not a test'\''s'; exit 0; }
groups=/sys/fs/cgroup
[ ! -d $groups/cpu ] || groups=$groups/cpu
web=$groups/ringpace-web.$$ kv=$groups/ringpace-kv.$$
clean_all() {
	clean_up
	wait_for 20 rmdir "$web" || true
	wait_for 20 rmdir "$kv" || true
}
if ! mkdir "$web" "$kv" 2>/dev/null || ! ls "$web"/cpu.max "$web"/cpu.cfs_quota_us 2>/dev/null | grep -q .; then
	rmdir "$web" "$kv" 2>/dev/null
	echo '1..0 # SKIP no cgroup of the cpu controller can be made'
	exit 0
fi
trap clean_all EXIT

sha1sum </dev/zero >/dev/null 2>&1 &
job=$!
echo $job >"$scratch/job"
start_dataplane() {	# name, cgroup, threads
	"$ringpace" dataplane start --dir "$scratch/$1" --threads "$3" --app udp-echo \
		>"$scratch/out" 2>"$scratch/err" &&
		pgrep -f "^[^ ]*rp-dataplane .*--control $scratch/$1/" >"$2/cgroup.procs"
}
start_dataplane web "$web" 2
ok $? 'a dataplane in a cgroup'
start_dataplane kv "$kv" 1
ok $? 'another one'

write_config() {	# more tenants
	cat >"$scratch/hostd.yaml" <<END
run-dir: $scratch/hostd
cpus: $cpus
clocks: quota
rapl: no
# A busy machine is slow, and no reason to do anything.
stale-ns: 5000000000
blind-ns: 60000000000
timeout-ns: 30000000000
tenants:
  # Any load is more than such a bound.
  - {name: web, class: latency, cgroup: $web, dataplane: $scratch/web/dataplane.ctl, bound-ns: 2000,
     threads-per-core: 1, policy: consolidate, priority: 10}
  - {name: job, class: batch, pidfile: $scratch/job}
$1
END
}
kv_too="  - {name: kv, class: latency, cgroup: $kv, dataplane: $scratch/kv/dataplane.ctl, bound-ns: 2000,
     threads-per-core: 1, max-cores: 1}"

quota_of() {
	if [ -e "$1/cpu.max" ]; then cat "$1/cpu.max"; else
		echo "$(cat "$1/cpu.cfs_quota_us") $(cat "$1/cpu.cfs_period_us")"
	fi | sed 's/^-1 /max /'
}
has_quota() { [ "$(quota_of "$1")" = "$2" ]; }
cpus_of() { taskset -pc "$1" | sed 's/.*: //'; }
own() { cpus_of "$(cat "$1/cgroup.procs")"; }
stands() { [ "$(cut -d' ' -f3 "/proc/$job/stat")" = T ]; }
load() {	# name
	"$ringpace" load --proto udp-echo --transport port --socket "$scratch/$1/a.sock" --shape step \
		--rate-rps 5000 --connections 8 --period-s 10 --duration-s 3600 10.0.0.2:7 >"$scratch/$1.load" 2>&1 &
	generators[$1]=$!
}
declare -A generators
unload() { kill "${generators[$1]}" && wait "${generators[$1]}" 2>/dev/null; }
status_is() { "$ringpace" host status --socket "$host" --json >"$scratch/status" 2>"$scratch/err" && json_of "$scratch/status" "$1"; }
reload() { "$ringpace" host reload --socket "$host" >/dev/null 2>"$scratch/err"; }
of() { echo "(.tenants[] | select(.tenant == \"$1\"))"; }
have_one_each() {
	[ "$(own "$web")" != "$(own "$kv")" ] && [[ $(own "$web")$(own "$kv") != *[,-]* ]] && stands
}

write_config "$kv_too"
"$hostd" --config "$scratch/hostd.yaml" 2>"$scratch/hostd.log" &
hd=$!
check 'a controller' wait_for 60 status_is '.acting and .host.emulated and (.tenants | length == 3)'
check 'both have a CPU, and the job stands' wait_for 60 have_one_each
check 'without load one has the lowest clock' wait_for 120 has_quota "$kv" '5000 10000'
check 'which is told as emulated' wait_for 60 status_is \
	"$(of kv) | .khz == 500000 and .emulated and .actions.clock == \"emulated\""
check 'the other has no clock that is lower' has_quota "$web" 'max 100000'

load web
load kv
check 'under load it has all of its CPU' wait_for 120 has_quota "$kv" 'max 100000'
denied() { "$ringpace" host explain web --socket "$host" >"$scratch/explain" 2>"$scratch/err" && grep -q 'denied, step 0 to 0 (wanted 1)' "$scratch/explain"; }
check 'who goes first wants another CPU, which is the other one'\''s least' wait_for 120 denied
check 'and does not get it' have_one_each
"$ringpace" host plan --socket "$host" >"$scratch/plan" 2>"$scratch/err"
check 'a plan says what is emulated' grep -q '^kv: .*clock emulated' "$scratch/plan"
# Datagrams that a busy machine has no time for come late: none is lost.
served() {
	unload "$1"
	"$ringpace" load --proto udp-echo --transport port --socket "$scratch/$1/a.sock" --shape sine --rate-rps 500 \
		--connections 8 --timeout-ms 60000 --duration-s 2 --json 10.0.0.2:7 >"$scratch/served" 2>"$scratch/err" &&
		json_of "$scratch/served" '.done > 0 and .failed == 0 and .unsent == 0'
}
check 'both are served: one' served web
check 'and the other' served kv
load web
check 'without load the clock is low again' wait_for 120 has_quota "$kv" '5000 10000'

write_config ''
check 'a tenant leaves' reload
both_cpus() { [ "$(own "$web")" = "$(own "$kv")" ] && [[ $(own "$web") = *[,-]* ]] && stands; }
check 'who wanted its CPU has it' wait_for 120 both_cpus
unload web
shared() { ! stands && [[ $(own "$web") != *[,-]* ]] && [[ $(cpus_of $job) != *[,-]* ]]; }
check 'without load the job has a CPU' wait_for 120 shared
# It begins with all of its clock, and gives of it once it is known what that carries.
comes_again() {
	write_config "$kv_too"
	reload && wait_for 60 have_one_each && load kv && wait_for 60 status_is "$(of kv) | .capacity_pps > 0" &&
		unload kv && wait_for 120 has_quota "$kv" '5000 10000'
}
check 'it comes again, and has a CPU and its clock' comes_again
write_config ''
check 'it leaves without load' reload
check 'and has no quota any more' wait_for 60 has_quota "$kv" 'max 100000'
check 'a CPU that is free by that is the job'\''s, which goes on' wait_for 60 shared
check 'it comes again' comes_again
kill $hd && wait $hd
check 'a clean end' test $? -eq 0
as_before() {
	! stands && [ "$(cpus_of $job)" = "$(own "$web")" ] && [ "$(own "$kv")" = "$(own "$web")" ] &&
		[[ $(own "$web") = *[,-]* ]] && has_quota "$kv" 'max 100000' && [ ! -e "$scratch/hostd/state" ]
}
check 'gives all back' as_before
grep -q 'web: .*clock emulated by a quota' "$scratch/hostd.log"
ok $? 'the log says what is emulated'
for name in web kv; do
	"$ringpace" dataplane stop --dir "$scratch/$name" >/dev/null 2>"$scratch/err"
	ok $? "$name: nothing is left"
done
kill $job && wait $job 2>/dev/null
finish
