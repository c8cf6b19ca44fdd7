#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace capture`: packets of guests of our own, read back by tshark.
. "$(dirname "$0")/lib.sh"
ringpaced=${RINGPACED:-$top/build/ringpaced}
ctl=$scratch/ctl
file=$scratch/a.pcapng
"$ringpaced" --port "a,socket=$scratch/a" --port "b,socket=$scratch/b" --switch s,ports=a+b \
	--port "c,socket=$scratch/c" --port "d,socket=$scratch/d" --link c,d --pacers x2 \
	--control "$ctl" 2>"$scratch/log" &
pid=$!
wait_for 30 test -S "$ctl"

# In the background, as $capture, until it has begun. SIGINT is not ignored: see start_command().
start() {
	rm -f "$file"
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$ringpace" capture --socket "$ctl" \
		--write "$file" "$@" >"$scratch/summary" 2>"$scratch/err" </dev/null &
	capture=$!
	wait_for 30 test -s "$file"
}
stop() { kill -INT $capture; wait $capture; }
talk() { "$top/build/test-ports" "$scratch/$1" "$scratch/$2" "$3" "$4" >"$scratch/out" 2>"$scratch/talk"; }
read_back() { tshark -r "$file" "$@" >"$scratch/read" 2>"$scratch/err"; }
holds() { [ "$(wc -l <"$scratch/read")" -eq "$1" ]; }

refuses() {
	local code=$1 text=$2
	shift 2
	timeout 60 "$ringpace" capture "$@" >"$scratch/out" 2>"$scratch/err"
	[ $? -eq "$code" ] && grep -q -e "$text" "$scratch/err"
	ok $? "refused: capture $*"
}
refuses 2 "which port" --socket "$ctl" --write "$file"
refuses 2 "where to" --socket "$ctl" --port a
refuses 2 "of which daemon" --port a --write "$file"
refuses 2 "snaplen" --socket "$ctl" --port a --write "$file" --snaplen 0
refuses 1 "no such port" --socket "$ctl" --port x --write "$file"
refuses 1 "queue: not an integer in 0..1" --socket "$ctl" --port a --queue 2 --write "$file"
refuses 1 "cannot write" --socket "$ctl" --port a --write "$scratch/none/x"

# ---- Of a link: a port's both directions ----
start --port c --json
ok $? "it begins"
check "only the user may read the file" [ "$(stat -c %a "$file")" = 600 ]
refuses 1 "captured by another client" --socket "$ctl" --port c --queue 1 --write "$scratch/x"
talk c d 2000 64
ok $? "two guests talk"
# It holds packets back for a while, and writes all of them when it ends.
stop
ok $? "Ctrl-C ends it"
check "it lost nothing" json_of "$scratch/summary" '.packets == 3000 and .lost_packets == 0 and .port == "c"'
read_back -T fields -e frame.time_epoch -e frame.len -e eth.src -e frame.packet_flags_direction \
	-e frame.interface_name
ok $? "tshark reads it"
check "every packet is there" holds 3000
sent() { [ "$(awk '$2 == 64 && $3 ~ /:01$/ && $4 == "0x00000002" && $5 == "c/1"' "$scratch/read" | wc -l)" -eq 2000 ]; }
received() { [ "$(awk '$2 == 64 && $3 ~ /:02$/ && $4 == "0x00000001" && $5 == "c/0"' "$scratch/read" | wc -l)" -eq 1000 ]; }
check "what it sent, with size, address, direction" sent
check "what it was sent" received
monotone() { awk '$1 < last { exit 1 } { last = $1 }' "$scratch/read"; }
check "time does not go back" monotone
now=$(date +%s)
recent() { awk -v now="$now" '$1 < now - 600 || $1 > now + 600 { exit 1 }' "$scratch/read"; }
check "and it is that of the day" recent
statistics() { capinfos -M "$file" >"$scratch/read" 2>"$scratch/err" && grep -Eq 'Number of packets[^:]*: *3000' "$scratch/read"; }
check "capinfos counts them" statistics

# ---- Of a switch: one queue, the front only ----
start --port b --queue 0 --snaplen 60 --json
# Fewer than there are buffers: a switch drops what a receiver has no room for.
talk a b 40 1000
ok $? "two guests talk through a switch"
stop
ok $? "one RX queue in a switch"
read_back -T fields -e frame.len -e frame.cap_len -e frame.interface_name
fronts() { [ "$(awk '$1 == 1000 && $2 == 60 && $3 == "b/0"' "$scratch/read" | wc -l)" -eq "$(wc -l <"$scratch/read")" ]; }
check "the front of each" fronts
check "all that were sent" json_of "$scratch/summary" '.packets == 40'

# ---- Drops ----
start --port d --queue 1 --count 20
ok $? "with a count"
# d's peer has gone: what it sends arrives nowhere. The guest at d is the first of two.
"$top/build/test-ports" "$scratch/d" "$scratch/a" 20 64 >"$scratch/out" 2>&1 &
lonely=$!
wait $capture
ok $? "it ends by itself"
kill $lonely; wait $lonely 2>/dev/null
read_back -T fields -e frame.comment
check "exactly so many" holds 20
dropped() { ! grep -qv '^dropped: no_peer$' "$scratch/read"; }
check "each says why it did not arrive" dropped

# ---- A pipe, a time ----
"$ringpace" capture --socket "$ctl" --port a --duration-s 1 --write - 2>"$scratch/err" |
	tshark -r - >"$scratch/read" 2>/dev/null
check "an empty one into a pipe" holds 0

# ---- Who stalls or dies harms nobody ----
start --port c
kill -STOP $capture
talk c d 200000 1514
ok $? "packets flow past one who has stopped"
check "none is lost on its way" json_of "$scratch/out" '.ab.lost == 0 and .ba.lost == 0 and .ab.packets == 200000'
kill -CONT $capture
stop
ok $? "it goes on and ends"
told() { grep -Eq '^[0-9]+ packets captured, [1-9][0-9]* lost$' "$scratch/err"; }
check "it says how many it has lost" told
cp "$scratch/err" "$scratch/counts"
adds_up() { awk '{ exit $1 + $4 == 300000 ? 0 : 1 }' "$scratch/counts"; }
check "with those that it has they are all" adds_up
read_back -T fields -e frame.len
ok $? "the file is whole"
start --port c
kill -KILL $capture; wait $capture 2>/dev/null
again() { timeout 60 "$ringpace" capture --socket "$ctl" --port c --duration-s 1 --write "$file" 2>"$scratch/err"; }
wait_for 30 again
ok $? "after one who was killed another may"
talk c d 1000 64
ok $? "and packets flow"

start --port c
kill -TERM $pid; wait $pid
ok $? "the daemon ends while it is captured"
wait $capture
[ $? -eq 1 ] && grep -q "the daemon has gone" "$scratch/err"
ok $? "and the capture says so"
read_back
ok $? "with a whole file"
finish
