#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A NIC in software, whose wire is a tap in a network namespace of our own (nic.c): tenants
# share its line by weights; and what its options and orders refuse.
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/lib.sh"
ringpaced=${RINGPACED:-$top/build/ringpaced}
ctl=$scratch/ctl

"$top/build/test-nic" >"$scratch/out" 2>"$scratch/err"
ok $? 'tenants, flows, a line'
grep '^not ok' "$scratch/out" | sed 's/^/# /'

start() {
	cat >"$scratch/nic.yaml"
	"$ringpaced" --control "$ctl" --config "$scratch/nic.yaml" \
		--metrics "unix:$scratch/metrics" 2>"$scratch/err" &
	pid=$!
	wait_for 30 test -S "$ctl"
}
weight() { "$ringpace" ctl weight --socket "$ctl" --device up "$@" --json >"$scratch/out" 2>"$scratch/err"; }
start <<END
ports:
  - {name: up, nic: rpt0, pairs: 4, weights: [4, 2], link-bps: 1000000000, classes: source}
  - {name: a, socket: $scratch/a, nic-queue: 3}
  - {name: b, socket: $scratch/b}
switches: [{name: s, ports: [up, a, b]}]
pacers: x2
END
ok $? 'a NIC by a file'
shows() { weight && json_of "$scratch/out" "$1"; }
check 'it tells what is in force' shows '[.queues[].weight] == [4, 2, 1, 1] and
	.link_bps == 1000000000 and .classes == "source" and .queue_bytes == 262144'
lists() {
	"$ringpace" ctl list --socket "$ctl" --json >"$scratch/out" 2>"$scratch/err" &&
		json_of "$scratch/out" '.ports[0] | .backend == "nic" and .nic == "rpt0" and .connected'
}
check 'list has it' lists
for_people() {
	"$ringpace" ctl weight --socket "$ctl" --device up >"$scratch/out" 2>"$scratch/err" &&
		grep -q 'waiting_bytes' "$scratch/out" && grep -q '^link_bps' "$scratch/out"
}
check 'and a table for people' for_people
check 'others, live' weight --weight 0=1+3=9 --link-bps 0
check 'they are in force' json_of "$scratch/out" '[.queues[].weight] == [1, 2, 1, 9] and .link_bps == 0'
refused() {
	local status=$1 word=$2
	shift 2
	weight "$@"
	[ $? -eq "$status" ] && grep -q -- "$word" "$scratch/err"
}
check 'a weight of 0 is refused' refused 1 '1..10000' --weight 2=0
check 'one of 10001' refused 1 '1..10000' --weight 2=10001
check 'a queue that is not there' refused 1 'no queue' --weight 4=1
check 'one good, one bad: neither is set' refused 1 '1..10000' --weight 1=5+2=0
check 'as is seen' shows '[.queues[].weight] == [1, 2, 1, 9]'
check 'no numbers' refused 2 'weight' --weight x=y
other_port() {
	! "$ringpace" ctl weight --socket "$ctl" --device a 2>"$scratch/err" && grep -q 'nic=NAME' "$scratch/err"
}
check 'a port that is no NIC' other_port
move() { "$ringpace" ctl move --socket "$ctl" "$@" --json >"$scratch/out" 2>"$scratch/err"; }
check 'its egress moves' move --device up --egress on --pacer 1
check 'which is told' shows '.pacer == 1'
not_there() { ! move --device a --egress on --pacer 1 && grep -q 'nic=NAME' "$scratch/err"; }
check 'a port without one' not_there
scrape() {
	curl -sf --unix-socket "$scratch/metrics" http://x/metrics >"$scratch/out" 2>"$scratch/err" &&
		grep -q '^ringpace_egress_weight{device="up",queue="6"} 9' "$scratch/out"
}
check 'metrics have it' scrape

reload() { "$ringpace" ctl reload --socket "$ctl" --json >"$scratch/out" 2>"$scratch/err"; }
sed -i 's/weights: .4, 2./weights: [8]/; s/link-bps: [0-9]*/link-bps: 5000000/' "$scratch/nic.yaml"
check 'a reload' reload
check 'changes weights and rate' json_of "$scratch/out" '.changed == 1 and .added == 0 and .removed == 0'
check 'which are in force' shows '[.queues[].weight] == [8, 1, 1, 1] and .link_bps == 5000000'
sed -i 's/nic-queue: 3/nic-queue: 4/' "$scratch/nic.yaml"
bad_file() { ! reload && grep -q "$1" "$scratch/err"; }
check 'a queue that the NIC does not have is refused' bad_file 'nic-queue'
sed -i 's/nic-queue: 4/nic-queue: 2/; s/classes: source/classes: flow/' "$scratch/nic.yaml"
check 'one of a NIC that does not go by it' bad_file 'classes=source'
sed -i 's/, nic-queue: 2//' "$scratch/nic.yaml"
check 'other classes are taken' reload
check 'and in force' shows '.classes == "flow"'
gone() { ! ip link show rpt0 2>/dev/null; }
ip link set rpt0 up && ip link del rpt0
connected() {
	"$ringpace" ctl list --socket "$ctl" --json >"$scratch/out" 2>"$scratch/err" &&
		json_of "$scratch/out" ".ports[0].connected == $1"
}
check 'its interface is deleted, which is noticed' wait_for 30 connected false
check 'a reload makes it again' reload
check 'and it is there' connected true
kill $pid && wait $pid
ok $? 'the daemon ends'
check 'the interface that it made has gone' wait_for 10 gone

wrong() {
	! "$ringpaced" --port "$1" 2>"$scratch/err" && grep -q -- "$2" "$scratch/err"
}
check 'weights: 0' wrong up,nic=rpt0,weights=0 'weights'
check 'weights: more than queues' wrong up,nic=rpt0,weights=1+1 'weights'
check 'weights without a NIC' wrong "a,socket=$scratch/a,weights=1" 'nic=NAME'
check 'queue-bytes' wrong up,nic=rpt0,queue-bytes=200000 'power of two'
check 'classes' wrong up,nic=rpt0,classes=colour 'classes'
check 'nic-queue without a switch' wrong "a,socket=$scratch/a,nic-queue=0" 'switch'
finish
