#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace ctl` against a ringpaced: its orders, what it prints, wrong uses.
. "$(dirname "$0")/lib.sh"

out=$scratch/out
socket=$scratch/ctl
"$top/build/ringpaced" --control "$socket" --device "a,socket=$scratch/a,pairs=2" \
	--port "p,socket=$scratch/p,vlan=7" --port "q,socket=$scratch/q,trunk=7+9-12,pairs=4,rss=16" \
	--switch s,ports=p+q,age-s=60 \
	>"$scratch/daemon.log" 2>&1 &
wait_for 30 test -S "$socket"

ctl() { timeout 60 "$ringpace" ctl "$@" >"$out" 2>"$scratch/err" </dev/null; }
to_daemon() { ctl "$@" --socket "$socket"; }

# gives NAME FILTER ARG...: exit code 0, and the JSON is so.
gives() {
	local name=$1 filter=$2
	shift 2
	to_daemon "$@" --json && json_of "$out" "$filter"
	ok $? "$name"
}

# refuses CODE TEXT ARG...: the exit code, one line with the text, no output.
refuses() {
	local code=$1 text=$2
	shift 2
	ctl "$@"
	[ $? -eq "$code" ] && grep -q -e "$text" "$scratch/err" && [ ! -s "$out" ]
	ok $? "refused: ctl $*"
}

gives "list" '.devices[0] | .device == "a" and (.queues | length) == 4 and
	.queues[1].dir == "rev" and .queues[1].ready == false' list
gives "set" '.strategy == "sleep" and .y_ns == 70000 and .k == 5 and .queue_len == 64 and
	.burst == 2 and .w_ns == 7 and .w_dist == "exp" and .trace' \
	set --queue 1 --strategy sleep --y-ns 70000 --k 5 --queue-len 64 --burst 2 --w-ns 7 --w-dist exp \
	--trace on
gives "what was set is listed" '.devices[0].queues | .[1].y_ns == 70000 and .[0].y_ns == 0' list
gives "stats" '.stats | .items == 0 and .next_seq == null and .duration_ns > 0' stats --queue 1
gives "trace" '.events == [] and .tsc_hz > 0' trace --queue 1 --max 5
gives "reset" '. == {}' reset --queue 1
gives "a switch" '.switches[0] | .switch == "s" and .age_ns == 60000000000 and
	.ports[0].vlan == 7 and .ports[1].trunk == "7+9-12"' list
gives "set of a port" '.device == "p" and (.pacing | .strategy == "adaptive" and
	.dmax_ns == 300000)' set --device p --strategy adaptive --dmax-ns 300000
gives "its addresses" '.switch == "s" and .macs == []' macs --switch s
gives "flush" '.flushed == 0' flush --switch s --device q --vlan 9
gives "rss of a port" '.enabled and .set_by == "host" and (.table | length) == 16 and .table[5] == 1' \
	rss --device q
gives "entries of its table" '.table[5] == 3 and .table[6] == 0 and .table[7] == 3' \
	rss --device q --entry 5=3+6=0
gives "another table, types, key" '.table == [3,2] and .types == ["ipv4","udpv6"] and .unclassified == 1 and
	(.key | startswith("0101"))' rss --device q --table 3+2 --types udpv6+ipv4 --unclassified 1 \
	--key "$(printf '01%.0s' {1..40})"
gives "on and off" '(.enabled | not) and .types == []' rss --device q --steer off --types none
gives "stop of what does not run" '. == {}' stop --queue 1 --device a

to_daemon list && grep -q "^a .* rev .* sleep .* 70000" "$out"
ok $? "a table for people"
grep -q "^q .* vhost-user .* s " "$out" && grep -q "^s .* 60000000000 " "$out"
ok $? "ports and switches, too"
to_daemon rss --device q && grep -Eq '^ +1 +2 +0$' "$out" && grep -Eq '^unclassified +1$' "$out"
ok $? "a port's table for people"
to_daemon stats && grep -Eq '^items +0$' "$out"
ok $? "statistics for people"
to_daemon reset && [ ! -s "$out" ]
ok $? "nothing is said where there is nothing to say"

refuses 1 "no driver has set it up" start --queue 1 --duration-ns 1000000 --socket "$socket"
refuses 1 "fwd queue" start --queue 0 --socket "$socket"
refuses 1 'no "b"' stats --device b --socket "$socket"
refuses 1 "600 is more than queue_len 64" set --queue 1 --k 600 --socket "$socket"
refuses 1 'a port has no "queue_len"' set --device p --queue-len 64 --socket "$socket"
refuses 1 "is the daemon running" list --socket "$scratch/none"
refuses 1 'no "t"' macs --switch t --socket "$socket"
refuses 1 "the switch has no such port" flush --switch s --device a --socket "$socket"
refuses 1 "entry: \"2\" is none of the table's, 0..1" rss --device q --entry 2=0 --socket "$socket"
refuses 1 "types: \"ipv5\" is none" rss --device q --types ipv5 --socket "$socket"
refuses 1 'no port "z"' rss --device z --socket "$socket"
refuses 2 "of which port" rss --socket "$socket"
refuses 2 "not ENTRY=PAIR" rss --device q --entry 5 --socket "$socket"
refuses 2 "not PAIR+PAIR" rss --device q --table 0+x --socket "$socket"
refuses 2 "table is for rss, not for macs" macs --switch s --table 0+1 --socket "$socket"
refuses 2 "of which switch" macs --socket "$socket"
refuses 2 "vlan is for flush, not for macs" macs --vlan 5 --switch s --socket "$socket"
refuses 2 "either --socket PATH or --vhost" list
refuses 2 "either --socket PATH or --vhost" list --vhost --socket "$socket"
refuses 2 "y-ns is for set, not for stats" stats --y-ns 5 --socket "$socket"
refuses 2 "set: what" set --socket "$socket"
refuses 2 "neither on nor off" set --trace maybe --socket "$socket"
refuses 2 "no such strategy" set --strategy lazy --socket "$socket"
refuses 2 "not one of const, exp" set --w-dist normal --socket "$socket"
refuses 2 "what to do" --socket "$socket"
refuses 2 "one argument too many" list list --socket "$socket"
if [ ! -e /dev/vhost-pc-control ]; then
	refuses 1 "vhost_pc is not loaded" list --vhost
fi

# A live one: the daemon of an experiment.
"$ringpace" run --duration-s 60 >"$scratch/run.log" 2>&1 &
run=$!
live() { socket=$(echo "$XDG_RUNTIME_DIR"/ringpace.*/control1.sock); to_daemon "$@" --json; }
flows() { live stats && json_of "$out" '.stats.items > 0'; }
wait_for 60 flows
ok $? "items flow in a run's daemon"
live list && json_of "$out" '.devices[0] | .connected and .queues[0].ready and .queues[0].size >= 512'
ok $? "it is connected and ready"
kill -TERM $run
wait $run
[ $? -eq 130 ]
ok $? "the run ends by a signal as ever"
finish
