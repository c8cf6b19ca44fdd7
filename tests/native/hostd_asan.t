#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ringpace-hostd itself under AddressSanitizer and UBSan, leaks included: tenants that are
# processes, dataplanes that answer anything, hostile clients, files that are bad and good,
# tenants that die and come again, its own death and end; and twenty tenants by all sensors.
. "$(dirname "$0")/lib.sh"
cpus=$(python3 -c 'import os; print(",".join(map(str, sorted(os.sched_getaffinity(0))[:2])))')
[ "${cpus#*,}" != "$cpus" ] || { echo '1..0 # SKIP two CPUs are needed'; exit 0; }
make -C "$top" --no-print-directory SAN=asan all-native >"$scratch/err" 2>&1
check 'the asan tree builds' [ $? -eq 0 ]
ringpace=$top/build/asan/ringpace hostd=$top/build/asan/ringpace-hostd
check 'the daemon is instrumented' grep -qa __asan_init "$hostd"
export ASAN_OPTIONS="log_path=$scratch/report exitcode=66 detect_leaks=1"
export UBSAN_OPTIONS="log_path=$scratch/report print_stacktrace=1"
host=$scratch/hostd/control

declare -A proc odd
start_process() {	# tenant
	sleep infinity >/dev/null 2>&1 &
	proc[$1]=$!
	echo ${proc[$1]} >"$scratch/$1.pid"
}
start_odd() {	# kind
	rm -f "$scratch/$1"
	python3 "$top/tests/native/dp_odd.py" "$1" "$scratch/$1" >"$scratch/$1.out" 2>"$scratch/$1.err" &
	odd[$1]=$!
	wait_for 60 grep -q ready "$scratch/$1.out"
}
end() { kill -KILL "$@" 2>/dev/null; wait "$@" 2>/dev/null; }
latency() { echo "  - {name: $1, class: latency, pidfile: $scratch/$1.pid, dataplane: $scratch/$1, bound-ns: 2000000000}"; }
batch() { echo "  - {name: $1, class: batch, pidfile: $scratch/$1.pid}"; }
write_config() {	# tenants, more
	cat >"$scratch/hostd.yaml" <<END
run-dir: $scratch/hostd
cpus: $cpus
clocks: no
rapl: no
metrics: unix:$scratch/metrics
$2
# A busy machine is slow, and no reason to do anything.
blind-ns: 60000000000
timeout-ns: 30000000000
tenants:
$1
END
}
start_hostd() {
	"$hostd" --config "$scratch/hostd.yaml" 2>>"$scratch/hostd.log" &
	hd=$!
	wait_for 60 status_is '.acting'
}
status_is() { "$ringpace" host status --socket "$host" --json >"$scratch/status" 2>"$scratch/err" && json_of "$scratch/status" "$1"; }
sensor_is() { status_is ".tenants[] | select(.tenant == \"$1\") | .sensors[0] | $2"; }
reload() { "$ringpace" host reload --socket "$host" >"$scratch/out" 2>"$scratch/err"; }
cpus_of() { taskset -pc "$1" | sed 's/.*: //' | tr -d ' '; }
has_one() { [[ $(cpus_of ${proc[$1]}) != *[,-]* ]]; }
stands() { [ "$(cut -d' ' -f3 "/proc/${proc[$1]}/stat")" = T ]; }
no_report() { ! cat "$scratch"/report.* 2>/dev/null >"$scratch/err"; }

# ---- Tenants ----

for tenant in wild torn job; do start_process $tenant; done
for kind in wild torn; do
	check "a dataplane that is $kind" start_odd $kind
done
write_config "$(latency wild; latency torn; batch job)"
"$hostd" --check --config "$scratch/hostd.yaml"
ok $? 'a file is good'
check 'a controller' start_hostd
check 'it has met all that is no answer' wait_for 120 grep -q all "$scratch/wild.out"
check 'and goes on' status_is '.acting and (.tenants | length == 3)'
check 'one that stands amid its sample is stale' wait_for 60 sensor_is torn '.by == "page" and .state == "stale"'
check 'a job without a core stands' wait_for 60 stands job

# ---- Clients ----

python3 "$top/tests/native/control_clients.py" "$host" 16 2>"$scratch/err"
ok $? 'hostile clients'
scrape() { curl -s --max-time 20 --unix-socket "$scratch/metrics" "$@" http://x/metrics >"$scratch/out" 2>"$scratch/err"; }
told() { scrape && grep -q '^ringpace_host' "$scratch/out"; }
check 'metrics' wait_for 60 told
scrape -H "X: $(printf '%030000d' 0)"
scrape -X POST -d hello
check 'also after what is no request' wait_for 60 told
for order in explain plan "explain torn"; do
	"$ringpace" host $order --socket "$host" >"$scratch/out" 2>"$scratch/err"
	ok $? "$order"
done
off_and_on() { "$ringpace" host apply --off --socket "$host" && status_is '.acting | not' && "$ringpace" host apply --socket "$host" && status_is .acting; }
check 'it stops acting, and acts again' off_and_on

# ---- Reloads ----

for bad in 'nonsense: 1' 'libvirt: test:///default' "cpus: 9999" 'metric-ns: -1' 'cpus: [' 'tenants: {' "$(printf '\t')"; do
	write_config "$(latency wild; batch job)" "$bad"
	reload
	check "a bad file is refused: $bad" [ $? -ne 0 ]
done
check 'nothing was changed by them' status_is '.tenants | length == 3'
check 'an older dataplane' start_odd old
start_process old
write_config "$(latency old; batch job)"
check 'a good file' reload
check 'who came is seen' wait_for 60 sensor_is old '.by == "orders" and .state == "fresh"'
check 'who left has all CPUs again' [ "$(cpus_of ${proc[torn]})" = "$(cpus_of $$)" ]
kill -HUP $hd
check 'by a signal, too' wait_for 60 status_is '.reloads == 2'

# ---- Who dies ----

end ${odd[old]}
check 'a dataplane dies' wait_for 60 sensor_is old '.why == "it cannot be reached" or .state != "fresh"'
check 'and comes again' start_odd old
check 'and is seen' wait_for 60 sensor_is old '.state == "fresh"'
end ${proc[job]}
start_process job
check 'a process dies, the next one has its place' wait_for 60 eval 'stands job || has_one job'
end $hd
check 'the controller dies, and comes again' start_hostd
kill $hd && wait $hd
check 'a clean end' [ $? -eq 0 ]
as_before() { ! stands job && [ "$(cpus_of ${proc[job]})" = "$(cpus_of $$)" ] && [ ! -e "$scratch/hostd/state" ]; }
check 'gives all back' as_before
check 'again' start_hostd
end $hd
"$hostd" --config "$scratch/hostd.yaml" --restore 2>>"$scratch/hostd.log"
ok $? '--restore'
check 'gives all back, too' as_before
check 'no report' no_report
rm -f "$scratch"/report.*

# ---- Twenty ----

timeout 300 "$ringpace" bench host --controller --seconds 2 --json >"$scratch/bench" 2>"$scratch/err"
ok $? 'twenty tenants by pages, by ports, by orders'
check 'they are seen' json_of "$scratch/bench" '[.controller[]] | length == 3 and all(.turns > 0)'
check 'no report' no_report
end "${proc[@]}" "${odd[@]}"
finish
