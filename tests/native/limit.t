#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Limits of what a port of ringpaced sends: guests of our own are held up, and lose nothing.
. "$(dirname "$0")/lib.sh"
ringpaced=${RINGPACED:-$top/build/ringpaced}
ctl=$scratch/ctl
"$ringpaced" --port "a,socket=$scratch/a,rate-pps=2000,burst-packets=100" \
	--port "b,socket=$scratch/b" --link a,b --control "$ctl" 2>"$scratch/log" &
pid=$!
wait_for 30 test -S "$ctl"

# talk FRAMES BYTES: a to b, and half as many back.
talk() { "$top/build/test-ports" "$scratch/a" "$scratch/b" "$1" "$2" >"$scratch/out" 2>"$scratch/err"; }
whole() { json_of "$scratch/out" ".$1 | .packets == $2 and .lost == 0 and .bad == 0 and .reordered == 0"; }
# No sooner than the rate allows, which is what a limit is for; and not many times later.
took() { json_of "$scratch/out" ".$1.took_ns | . >= $2 and . <= $3"; }
set_port() { "$ringpace" ctl set --socket "$ctl" --device a "$@" --json >"$scratch/set" 2>"$scratch/err"; }

talk 6100 64
ok $? "2000 packets a second"
check "nothing is lost" whole ab 6100
check "6100 with a burst of 100 take 3 s" took ab 2990000000 12000000000
check "the other way nothing is, either" whole ba 3050
held() {
	"$ringpace" ctl list --socket "$ctl" --json >"$scratch/list" 2>"$scratch/err" &&
		json_of "$scratch/list" '.ports | .[0].limit.rate_pps == 2000 and
			.[0].limit.waits > 10 and .[1].limit.waits == 0'
}
check "it tells so, and the other way is not limited" held

check "another one, live" set_port --rate-pps 0 --burst-packets 0 --rate-bps 8000000 --burst-bytes 100000
talk 2000 1514
ok $? "8 Mbit a second"
check "nothing is lost" whole ab 2000
# 3028000 bytes, of which 100000 and one packet go at once.
check "3 MB take 3 s" took ab 2900000000 12000000000

check "none" set_port --rate-bps 0 --burst-bytes 0
waits=$(jq .limit.waits "$scratch/set")
talk 2000 1514
ok $? "without a limit"
not_held() { set_port --rate-pps 0 && json_of "$scratch/set" ".limit.waits == $waits"; }
check "it is not held up" not_held

busy() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }
check "one packet a second" set_port --rate-pps 1 --burst-packets 1
before=$(busy)
talk 4 64
ok $? "four packets"
after=$(busy)
check "one by one" took ab 1900000000 20000000000
# In ticks of 10 ms; the guests took two seconds at least.
check "and the daemon sleeps meanwhile" [ $((after - before)) -lt 100 ]
refused() { ! set_port "$@" && grep -q "$word" "$scratch/err"; }
word=burst-bytes check "a burst without a rate" refused --burst-bytes 5000
kill -TERM $pid && wait $pid
ok $? "the daemon ends"
finish
