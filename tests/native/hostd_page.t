#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ringpace-hostd and what it may find behind a dataplane's control socket: an rp-dataplane with
# its telemetry page, the same where no memory can be passed, and such as are older or hostile
# (dp_odd.py). It only looks. Each step waits for what it sees, however long that takes.
. "$(dirname "$0")/lib.sh"
hostd=$top/build/ringpace-hostd
host=$scratch/hostd/control dp=$scratch/dp
odd=()

start_odd() {	# kind, arguments
	python3 "$top/tests/native/dp_odd.py" "$@" >"$scratch/$1.out" 2>"$scratch/$1.err" &
	odd+=($!)
	wait_for 60 grep -q ready "$scratch/$1.out"
}
start_dataplane() { "$ringpace" dataplane start --dir "$dp" --threads 2 >"$scratch/out" 2>"$scratch/err"; }
sensor_is() {	# tenant, jq's condition of its sensor
	"$ringpace" host status --socket "$host" --json >"$scratch/status" 2>"$scratch/err" &&
		json_of "$scratch/status" ".tenants[] | select(.tenant == \"$1\") | .sensors[0] | $2"
}
maps() { grep -c ringpace-telemetry "/proc/$hd/maps"; }
maps_are() { [ "$(maps)" = "$1" ]; }
fds() { find "/proc/$hd/fd" -lname '*memfd*' 2>/dev/null | wc -l; }

start_dataplane
ok $? 'a dataplane'
check 'a way to it through which no memory passes' start_odd relay "$scratch/relay" "$dp/dataplane.ctl"
for kind in old bad torn; do
	check "one that is $kind" start_odd $kind "$scratch/$kind"
done
# A core for each, if only in files: nothing is done on them.
mkdir -p "$scratch/sys/devices/system/cpu/cpu"{0..7}
echo 0-7 >"$scratch/sys/devices/system/cpu/online"
{
	printf 'run-dir: %s/hostd\nsysfs: %s/sys\ncpus: 0-7\nclocks: no\nrapl: no\n' "$scratch" "$scratch"
	# A busy machine is slow, and no reason to do anything.
	printf 'stale-ns: 5000000000\nblind-ns: 60000000000\ntimeout-ns: 30000000000\ntenants:\n'
	for kind in relay old bad torn dp/dataplane.ctl; do
		name=${kind%%/*}
		printf '  - {name: %s, class: latency, pidfile: %s/%s.pid, dataplane: %s/%s, ' "$name" "$scratch" "$name" "$scratch" "$kind"
		printf 'bound-ns: 2000000000, policy: consolidate}\n'
	done
} >"$scratch/hostd.yaml"
"$hostd" --config "$scratch/hostd.yaml" --dry-run 2>"$scratch/hostd.log" &
hd=$!
check 'its page is read' wait_for 60 sensor_is dp '.by == "page" and .state == "fresh"'
check 'through the relay it is asked by orders' wait_for 60 sensor_is relay '.by == "orders" and .state == "fresh"'
check 'so is an older one, without arguments' wait_for 60 sensor_is old '.by == "orders" and .state == "fresh"'
check 'so is one with a page that could be cut short' wait_for 60 sensor_is bad '.by == "orders" and .state == "fresh"'
check 'and the log says why' grep -q 'bad: its telemetry page cannot be used: it is not sealed' "$scratch/hostd.log"
check 'of one that stands amid its sample there is no new one' wait_for 60 sensor_is torn \
	'.by == "page" and .state == "stale" and .why == "a thread is amid its sample"'
check 'one map of a page, and no descriptor is kept' test "$(maps) $(fds)" = '1 0'

"$ringpace" host reload --socket "$host" >"$scratch/out" 2>"$scratch/err"
check 'after a reload it is read again' wait_for 60 sensor_is dp '.by == "page" and .state == "fresh"'
check 'by one map' test "$(maps) $(fds)" = '1 0'

kill -9 $(pgrep -f -- "--control $dp/dataplane.ctl")
check 'one that is killed is gone, and its page with it' wait_for 60 sensor_is dp '.by == "orders"'
check 'no map is left' wait_for 60 maps_are 0
"$ringpace" dataplane stop --dir "$dp" >/dev/null 2>&1
start_dataplane
ok $? 'it is started again'
check 'and its page is read' wait_for 60 sensor_is dp '.by == "page" and .state == "fresh"'
check 'by one map again' test "$(maps) $(fds)" = '1 0'

kill $hd && wait $hd
check 'a clean end' test $? -eq 0
"$ringpace" dataplane stop --dir "$dp" >/dev/null 2>"$scratch/err"
ok $? 'nothing is left'
kill "${odd[@]}" 2>/dev/null
wait "${odd[@]}" 2>/dev/null
finish
