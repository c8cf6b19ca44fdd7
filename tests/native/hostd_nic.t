#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The host controller's weights: at a NIC of ringpaced, and at classes of the kernel's htb,
# by which two senders share a line. Each step waits for what the controller does.
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/lib.sh"
hostd=$top/build/ringpace-hostd
ctl=$scratch/ctl host=$scratch/run/control

sleep 600 >/dev/null 2>&1 &
job=$!
cpu=$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
echo $job >"$scratch/pid"

# write_config FIRST-SHARE [MORE]: two tenants at NIC $nic with queues $q1, $q2.
write_config() {
	cat >"$scratch/hostd.yaml" <<END
run-dir: $scratch/run
cpus: $cpu
clocks: no
rapl: no
decide-ns: 20000000
ringpaced: $ctl
tenants:
  - {name: a, class: batch, pidfile: $scratch/pid, nic: $nic, nic-share: $1, nic-queues: [$q1]}
  - {name: b, class: batch, pidfile: $scratch/none, nic: $nic, nic-share: 2, nic-queues: [$q2]}
END
}
start_hostd() {
	"$hostd" --config "$scratch/hostd.yaml" "$@" 2>>"$scratch/hostd.log" &
	hd=$!
	wait_for 60 answers
}
answers() { "$ringpace" host status --socket "$host" --json >"$scratch/status" 2>"$scratch/err"; }
# Of the one NIC.
nic_is() { answers && json_of "$scratch/status" ".nics[0] | $1"; }
end_hostd() { kill -"${1:-TERM}" $hd && wait $hd 2>/dev/null; }
reload() { "$ringpace" host reload --socket "$host" >/dev/null 2>"$scratch/err"; }

# ---- A NIC of ringpaced ----

start_ringpaced() {
	"$top/build/ringpaced" --control "$ctl" --pacers x2 2>>"$scratch/rp.log" \
		--port "up,nic=rpt0,pairs=4,weights=4+2,link-bps=1000000000,classes=source" \
		--port "a,socket=$scratch/a,nic-queue=3" --port "b,socket=$scratch/b" \
		--switch "s,ports=up+a+b" &
	rp=$!
	wait_for 60 test -S "$ctl"
}
weights_are() {
	"$ringpace" ctl weight --socket "$ctl" --device up --json >"$scratch/out" 2>"$scratch/err" &&
		json_of "$scratch/out" "[.queues[].weight] == $1"
}
nic=up q1='0, 1' q2=3
start_ringpaced
ok $? 'a NIC of ringpaced'
write_config 3
start_hostd --dry-run
check 'a dry run looks' wait_for 60 nic_is '.by == "ringpaced" and .state == "dry_run" and .queues[0].has == 4'
check 'and changes nothing' weights_are '[4, 2, 1, 1]'
end_hostd
start_hostd
check 'shares are in force' wait_for 60 nic_is '.state == "enforced" and [.queues[].has] == [150, 150, 200]'
check 'at the NIC, and no other queue has changed' weights_are '[150, 150, 1, 200]'
# SYS_NICE, NET_ADMIN, KILL and DAC_OVERRIDE are all that it may have.
confined() {
	local status=/proc/$hd/status caps
	caps=$(sed -n 's/^CapEff:\t//p' $status)
	grep -q '^Seccomp:.2' $status && grep -q '^NoNewPrivs:.1' $status &&
		[ $((0x$caps & ~0x801022)) -eq 0 ] && [ -z "$(grep -L '^Seccomp:.2' /proc/$hd/task/*/status)" ]
}
check 'it has few rights, in all threads' confined
for_people() { "$ringpace" host status --socket "$host" | grep -q '^NIC up by ringpaced: enforced; a 0 150, a 1 150, b 3 200$'; }
check 'and for people' for_people
write_config 5
check 'another share' reload
check 'follows' wait_for 60 weights_are '[250, 250, 1, 200]'
"$ringpace" ctl weight --socket "$ctl" --device up --weight 3=9 >/dev/null
check 'what somebody else sets is set again' wait_for 60 weights_are '[250, 250, 1, 200]'
end_hostd KILL
check 'killed: all stays' weights_are '[250, 250, 1, 200]'
check '--restore gives back' "$hostd" --config "$scratch/hostd.yaml" --restore
check 'what was there before' weights_are '[4, 2, 1, 1]'
start_hostd
check 'again' wait_for 60 weights_are '[250, 250, 1, 200]'
kill $rp && wait $rp 2>/dev/null
check 'ringpaced is gone, which is told' wait_for 60 nic_is '.state == "nobody" and .why != null'
start_ringpaced
check 'another one is brought there' wait_for 60 weights_are '[250, 250, 1, 200]'
q2=7
write_config 5
reload
check 'a queue that is not there is told' wait_for 60 nic_is '.state == "failed" and (.why | test("no queue 7"))'
q2=3
write_config 5
reload
check 'and is no harm' wait_for 60 nic_is '.state == "enforced"'
check 'a clean end' end_hostd
check 'gives all back' weights_are '[4, 2, 1, 1]'

# One that steers by flows knows which groups live: none, as nobody sends; then it is even.
kill $rp && wait $rp 2>/dev/null
"$top/build/ringpaced" --control "$ctl" --port "up,nic=rpt0,pairs=2,classes=flow,rss=64" \
	--port "b,socket=$scratch/b" --link "up,b" 2>>"$scratch/rp.log" &
rp=$!
wait_for 60 test -S "$ctl"
q2=1 q1=0
write_config 4
start_hostd
check 'a NIC that steers: flows are known' wait_for 60 nic_is '.state == "enforced" and [.queues[].flows] == [0, 0]'
end_hostd

# ---- Classes of the kernel ----

nic=rpv0 q1='"1:10"' q2='"1:20"'
ip link add rpv0 type veth peer name rpv1 && ip link set rpv0 up && ip link set rpv1 up &&
	ip addr add 10.9.0.1/24 dev rpv0 &&
	ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:02 dev rpv0 &&
	tc qdisc add dev rpv0 root handle 1: htb default 30 2>"$scratch/err" &&
	tc class add dev rpv0 parent 1: classid 1:1 htb rate 32mbit &&
	for c in 10 20 30; do
		tc class add dev rpv0 parent 1:1 classid 1:$c htb rate 8kbit ceil 32mbit quantum 60000
	done
ok $? 'a veth with three classes'
quanta_are() {
	[ "$(tc -d class show dev rpv0 | sed -n 's/.* 1:\(.0\) .*quantum \([0-9]*\).*/\1=\2/p' |
		sort | xargs)" = "$1" ]
}
check 'at first' quanta_are '10=60000 20=60000 30=60000'
write_config 6
start_hostd
check 'shares are in force' wait_for 60 nic_is '.by == "tc" and .state == "enforced"'
check 'as quanta, of those two' quanta_are '10=196608 20=65536 30=60000'

# Two senders that always have something in their class; bytes by its counter.
for c in 10 20; do
	python3 - $c >/dev/null 2>&1 <<'END' &
import select, socket, sys
# Four have enough under way that the class is never empty while this one waits for a CPU.
sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
for s in sockets:
    s.setsockopt(socket.SOL_SOCKET, 7, 1 << 20)		# SO_SNDBUF, as far as the host lets us
    s.setsockopt(socket.SOL_SOCKET, 12, 0x10000 + int(sys.argv[1], 16))	# SO_PRIORITY: the class
    s.setblocking(False)
while True:
    for s in select.select([], sockets, [])[1]:
        try:
            s.sendto(bytes(1400), ("10.9.0.2", 9))
        except BlockingIOError:
            pass
END
	senders+=" $!"
done
bytes() { answers && jq -r '.nics[0].queues | map(.bytes) | @tsv' "$scratch/status"; }
both() { read -r a b < <(bytes) && [ "$a" -gt "$((a0 + $1))" ] && [ "$b" -gt "$((b0 + $1))" ]; }
# share NUMERATOR DENOMINATOR: of what goes out by both from now on, within 2 %.
share() {
	read -r a0 b0 < <(bytes)
	# So much that a quantum more or less of either is below that.
	wait_for 60 both 3000000 || return 1
	echo "# $((a - a0)) and $((b - b0)) bytes"
	[ $((100 * (a - a0) * $2)) -gt $((98 * $1 * (a - a0 + b - b0))) ] &&
		[ $((100 * (a - a0) * $2)) -lt $((102 * $1 * (a - a0 + b - b0))) ]
}
# A machine that keeps a sender from its CPU for long is measured again.
has_share() { share "$@" || share "$@" || share "$@" || share "$@"; }
a0=0 b0=0
check 'both send' wait_for 60 both 100000
check 'the line is shared three to one' has_share 3 4
write_config 2
reload
check 'equal shares' wait_for 60 quanta_are '10=65536 20=65536 30=60000'
check 'one to one' has_share 1 2
kill $senders
wait $senders 2>/dev/null
senders=
tc class del dev rpv0 classid 1:20
check 'a class that goes is told' wait_for 60 nic_is '.state == "failed" and (.why | test("1:20"))'
check 'the end' end_hostd
check 'gives back what is still there' quanta_are '10=60000 30=60000'
gone() { [ ! -e "$scratch/run/state" ]; }
check 'and nothing else is left' gone

q1=0 q2=1
write_config 2
start_hostd
check 'hardware queues: why they cannot be weighed' wait_for 60 \
	nic_is '.state == "failed" and (.why | test("devlink-rate.*net-shaper"))'
end_hostd
nic=rpx
write_config 2
start_hostd
check 'no such NIC' wait_for 60 nic_is '.state == "failed" and (.why | test("no NIC"))'
end_hostd
kill $rp && wait $rp 2>/dev/null
finish
