#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace dataplane` from start to stop.
. "$(dirname "$0")/lib.sh"

if ! [ -x "$top/build/rp-dataplane" ]; then
	echo '1..0 # SKIP rp-dataplane was not built: DPDK is missing'
	exit 0
fi
# A socket's path is short.
dir=$scratch/dp
dp() { timeout 100 "$ringpace" dataplane "$@" --dir "$dir" >"$scratch/out" 2>"$scratch/err"; }
refused() { ! dp "$@" && [ -s "$scratch/err" ]; }
wrong_use() {
	timeout 20 "$ringpace" dataplane "$@" >/dev/null 2>"$scratch/err"
	[ $? -eq 2 ]
}
# The two processes that run, of this directory.
pids() { jq -r '.[].pid' "$dir/state.json"; }
all_run() { local p; for p in $(pids); do kill -0 "$p" || return 1; done; [ -n "$(pids)" ]; }

check 'nothing runs at first' dp status --json
check 'and that is told' json_of "$scratch/out" '.running == false'
check 'stop is harmless then' dp stop
check 'orders are refused then' refused threads 1

check 'start' dp start --threads 3 --app udp-echo --dmax-ns 1000000 --json
check 'tells where the other end is' json_of "$scratch/out" \
	'.running and (.socket | endswith("/a.sock")) and .threads == 3'
check 'both run on' all_run
check 'the directory is closed to others' [ "$(stat -c %a "$dir")" = 700 ]
check 'sockets are closed to others' [ "$(stat -c %a "$dir/dataplane.ctl")" = 600 ]
check 'a second one is refused' refused start
check 'and harms the first one not' all_run
check 'threads 1' dp threads 1 --json
check 'moves the groups of the others' json_of "$scratch/out" \
	'.ordered == 85 and .moves.under_way == 0 and .moves.done == 85 and .moves.removed_ns.count == 85'
check 'status' dp status --json
check 'shows the threads' json_of "$scratch/out" \
	'.status.active == 1 and [.status.threads[].parked] == [false, true, true] and
	 .status.threads[0].groups == 128 and (.telemetry.threads | length) == 3 and
	 .telemetry.version == 1 and (.telemetry.group_packets | length) == 128'
check 'threads 2' dp threads 2
check 'migrate' dp migrate --groups 0-9,20 --to 0 --json
check 'moves' json_of "$scratch/out" '.moves.under_way == 0 and .ordered > 0'
check 'migrate to where they are' dp migrate --groups 0-9,20 --to 0 --json
check 'moves none' json_of "$scratch/out" '.ordered == 0'
check 'migrate to a parked thread is refused' refused migrate --groups 1 --to 2
check 'migrate of a group that is none is refused' refused migrate --groups 128 --to 1
check 'too many threads are refused' refused threads 4
check 'status for people' dp status
check 'has a row for each thread' [ "$(grep -Ec '^ *[0-2] +(runs|rests|parked) ' "$scratch/out")" = 3 ]
check 'and how idle ones wait' grep -q '; wait: interrupt; ' "$scratch/out"
check 'clients that mean no good' timeout 300 python3 "$top/tests/native/control_clients.py" "$dir/dataplane.ctl" 8

running=$(pids)
check 'stop' dp stop
# Whoever inherits them may not have reaped them yet.
gone() {
	local p
	for p in $running; do
		[ ! -e "/proc/$p" ] || grep -q '^State:.*Z' "/proc/$p/status" || return 1
	done
}
check 'ends both' gone
check 'and leaves nothing' [ ! -e "$dir" ]

# A pid in the state that is another process's by now.
mkdir -m 0700 "$dir"
sleep 1000 &
other=$!
printf '{"ringpaced":{"pid":%d,"start_ticks":1},"rp-dataplane":{"pid":%d,"start_ticks":1}}' \
	$other $other >"$dir/state.json"
check 'stop after others took the pids' dp stop
check 'harms them not' kill -0 $other
kill $other

check 'a start that fails' refused start --app none
check 'and one with rings of no such length' refused start --queue-len 300
check 'leaves nothing' [ ! -e "$dir" ]
# Rings of other lengths.
for slots in 64 4096; do
	check "rings of $slots slots" dp start --queue-len $slots --dmax-ns 1000000
	check 'stop' dp stop
done
# Files of the program's own.
mkdir "$scratch/www" && echo hello >"$scratch/www/index.html"
echo '10.0.0.0/24 02:00:00:00:00:01' >"$scratch/routes"
check 'a forwarder and its routes' dp start --app forward --address 10.0.0.1/24 \
	--routes "$scratch/routes"
check 'stop' dp stop
check 'a server of files' dp start --app http --address 10.0.0.1/24 --http-root "$scratch/www"
check 'is what runs' eval 'dp status --json && json_of "$scratch/out" ".status.app == \"http\""'
check 'stop' dp stop

# says TEXT ARGUMENT...: refused, with that in the reason.
says() { refused "${@:2}" && grep -q -e "$1" "$scratch/err"; }
check 'lane vm: a directory that is not there' says 'none: No such file' \
	start --lane vm --app http --http-root "$scratch/none"
check 'lane vm: a file where a directory should be' says 'routes: that is no directory' \
	start --lane vm --app http --http-root "$scratch/routes"
check 'lane vm: a directory where a file should be' says 'www: that is no file' \
	start --lane vm --app forward --routes "$scratch/www"
check 'lane vm: no table of that size' refused start --lane vm --groups 256
check 'nor a serial device' refused start --lane vm --serial /dev/null
check 'nor words that a shell would take apart' refused start --lane vm --app 'echo;x'
check 'what to do?' wrong_use
check 'threads without a number' wrong_use threads
check 'threads that are none' wrong_use threads x
check 'migrate without groups' wrong_use migrate --to 1
check 'migrate of a list that is none' wrong_use migrate --groups 5-2 --to 1
check 'options of start' wrong_use stop --app reflect

check 'nothing is left' nothing_left
finish
