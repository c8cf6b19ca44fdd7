#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace dataplane --lane vm`: rp-dataplane in a VM with two CPUs, with TCP from this host,
# whose flow groups move by the RSS of the guest's card, ordered by virtio-serial; then its
# other applications, of which network functions are between the hosts of dp_hosts.sh.
#
#	Linux 10.99.0.1 ── tap rpt0, ringpaced, port b ── virtio-net, RSS ── rp-dataplane 10.99.0.2
#
# In a network namespace of its own. Not in one of users: there libvirt starts no QEMU.
if [ -z "$RP_TAP_ALONE" ]; then
	if [ "$(id -u)" != 0 ] || ! unshare -n ip tuntap add rpt0 mode tap 2>/dev/null; then
		echo '1..0 # SKIP a tap in a network namespace needs root'
		exit 0
	fi
	RP_TAP_ALONE=1 exec unshare -n "$0"
fi
. "$(dirname "$0")/../native/netns.sh"
. "$(dirname "$0")/../native/lib.sh"
. "$(dirname "$0")/../native/http_files.sh"
. "$(dirname "$0")/../native/dp_hosts.sh"
command -v curl >/dev/null || { echo '1..0 # SKIP no curl in PATH'; exit 0; }
dir=$XDG_RUNTIME_DIR/ringpace-dataplane
out=$scratch/out
trap '"$ringpace" dataplane stop >/dev/null 2>&1; clean_up' EXIT

dp() { timeout 400 "$ringpace" dataplane "$@" >"$out" 2>"$scratch/err" </dev/null; }
# start OPTION...: and this host is at the tap.
start() {
	dp start --lane vm --threads 2 --address 10.99.0.2/24 --tap rpt0 --stall-ms 60000 "$@" &&
		ip addr add 10.99.0.1/24 dev rpt0 && ip link set rpt0 up
}
json() { json_of "$out" "$1"; }
status() { dp status --json && json "$1"; }
peer() {
	timeout 400 "$top/tests/native/tcp_peer.py" "$1" 10.99.0.2 "${@:2}" 2>"$scratch/err"
}
# The table that ringpaced steers by is what the guest has set, and that is who has which group.
steers() {
	dp status --json && "$ringpace" ctl rss --socket "$dir/ringpaced.ctl" --device b --json |
		jq -e --slurpfile s "$out" '.set_by == "guest" and .table == $s[0].status.owners' \
		>/dev/null 2>"$scratch/err"
}
# Who keeps the second port, as the host's controller does: what it is told of the load.
hears() {
	local line
	echo '{"v":1,"id":3,"cmd":"telemetry"}' >&"${hostd[1]}" && read -r -t 120 line <&"${hostd[0]}" &&
		jq -e '.id == 3 and .ok and .result.version == 1 and .result.all.taken_ns > 0' \
			<<<"$line" >/dev/null 2>"$scratch/err"
}
# still SECONDS: for so long no thread has a turn.
still() {
	local turns='[.status.threads[].turns]' before
	dp status --json && before=$(jq -c "$turns" "$out") && sleep "$1" &&
		status "$turns == $before"
}
vms() { pgrep -f "guest=ringpace-dataplane.*$dir/" >"$scratch/qemu"; }
# total KEY PORT QUEUE...: of ringpaced's statistics of these queues.
total() {
	local queue
	for queue in "${@:3}"; do
		"$ringpace" ctl stats --socket "$dir/ringpaced.ctl" --device "$2" --queue "$queue" --json
	done | jq -es --arg key "$1" 'map(.stats[$key]) | add'
}
# The guest's card cuts: what it gives to ringpaced, and this host gets, is longer than frames are.
long_frames() {
	local sent bytes packets
	sent=$(total gso b 1 3) && bytes=$(total bytes b 1 3) && packets=$(total packets b 1 3) || return 1
	echo "$sent long frames of $packets, $bytes bytes; $(total gso a 0 2) came whole" >"$scratch/err"
	[ "$sent" -gt 0 ] && [ "$(total gso a 0 2)" -gt 0 ] && [ "$bytes" -gt $((3000 * packets)) ]
}
# transfer PORT while all groups move from thread to thread and back, at least twice.
under_moves() {
	local to=0 i=0 running
	transfer "$1" &
	running=$!
	while kill -0 $running 2>/dev/null || [ $i -lt 2 ]; do
		to=$((1 - to)) i=$((i + 1))
		dp migrate --groups 0-127 --to $to || return 1
	done
	wait $running
}
# Packets that came late: by a move, or as answers to NAT's pings, which others receive.
late() { dp status --json && jq '[.status.threads[].late] | add' "$out"; }
# none_dropped LATE: since so many were late.
none_dropped() {
	status ".status.moves.done >= 128 and .status.moves.dropped == 0 and
		.status.moves.turned_back == 0 and ([.status.threads[].late] | add) == $1"
}
# Another command would take away what one before it has left, so the files are looked at first.
nothing() {
	nothing_left && ! vms &&
		"$ringpace" vm list --json | jq -e --arg dir "$dir" 'all(.[]; .dir != $dir)' >/dev/null
}

check 'start' start --app echo --dmax-ns 2000000 --json
check 'tells what it is' json '.running and .lane == "vm" and .tap == "rpt0" and .threads == 2'
check 'a second one is refused' eval '! dp start --lane vm'
check 'two threads, equally many groups' status \
	'.running and [.status.threads[].groups] == [64, 64] and .status.app == "echo"'
check 'vfio has the card: idle threads wait for its interrupts' status '.status.wait == "interrupt"'
check 'and have no wake-up in 5 s' wait_for 60 still 5
check 'bytes come back, of any length' peer small
check 'of 100 connections at once' peer many
check 'both threads were interrupted' status 'all(.status.threads[]; .interrupts > 0)'
check 'and have no wake-ups any more' wait_for 60 still 5
check 'until bytes come again' peer small
check 'telemetry by virtio-serial' status '.telemetry.version == 1 and
	(.telemetry.group_packets | length == 128 and add > 0) and
	all(.telemetry.threads[]; .taken_ns > 0 and .iterations > 0)'
check 'the card steers by the table of the guest' steers

all_answered() {
	local i
	for i in {1..40}; do dp status || return 1; done
}
check 'forty clients one after the other, all of them are answered' all_answered
coproc hostd { exec socat - "UNIX-CONNECT:$dir/hostd.ctl"; }
check 'and by a second port, for who stays there' hears
check 'groups move in five rounds: all streams live, and are whole' \
	peer moving "$dir/dataplane.ctl" 640
check 'no packet was dropped or late' status '.status.moves.done >= 640 and
	.status.moves.dropped == 0 and .status.moves.turned_back == 0 and
	.status.moves.port_errors == 0 and all(.status.threads[]; .late == 0)'
check 'the card steers by what has become of it' steers

check 'and the second port still tells' hears

check 'threads 1' dp threads 1 --json
check 'moves the groups of the other' json '.ordered == 64 and .moves.under_way == 0'
check 'which parks then' status '[.status.threads[].parked] == [false, true] and
	.status.threads[0].groups == 128'
check 'neither has a wake-up' wait_for 60 still 5
check 'and bytes come back' peer small
check 'threads 2' dp threads 2
check 'it is back' status '[.status.threads[].groups] == [64, 64] and
	[.status.threads[].parked] == [false, false]'
check 'and bytes come back' peer small
check 'migrate' dp migrate --groups 0-127 --to 1
check 'moves all' status '[.status.threads[].groups] == [0, 128]'
check 'the card has all of them in one queue' steers
check 'no thread has a wake-up' wait_for 60 still 5
check 'and bytes come back' peer small
check 'what cannot be is refused' eval '! dp threads 3 && ! dp migrate --groups 128 --to 0'
check 'stop' dp stop
check 'leaves nothing' nothing

# Another application, without interrupts; and a VM that dies.
set_and_get() {
	printf 'set k 0 0 5\r\nvalue\r\nget k\r\nquit\r\n' |
		timeout 60 socat -t 60 - TCP:10.99.0.2:11211 | tr -d '\r' >"$scratch/got"
	printf 'STORED\nVALUE k 0 5\nvalue\nEND\n' | cmp - "$scratch/got" 2>"$scratch/err"
}
check 'the key-value server' start --app kv
check 'its idle threads sleep' status '.status.wait == "sleep"'
check 'has what was given to it' set_and_get
vms && kill -KILL "$(cat "$scratch/qemu")"
# Its socket may be closed a moment after that it is no process any more.
check 'a VM that was killed runs no more' wait_for 60 status '.running == false'
check 'stop' dp stop
check 'leaves nothing' nothing

# With files of this host's. The answer to a request for a long one leaves in super-segments.
check 'a directory to serve' make_files
check 'the HTTP server' start --app http --http-root "$root"
check 'files of any length, byte by byte' fetch_all
check 'long frames leave the guest whole' long_frames
check 'a directory has its index' eval 'http "$url/sub%20dir/" | cmp - "$root/sub dir/index.html"'
check 'links are left out' code 404 "$url/link"
check 'stop' dp stop
check 'leaves nothing' nothing
check 'a directory that is not there' eval '! start --app http --http-root "$root/none"'
check 'is said so' grep -q 'none: No such file' "$scratch/err"

check 'two hosts and a bridge' topology
check 'nat' start_in_bridge --app nat --address 198.51.100.1/24 --inside 192.168.7.1/24
check 'ping gets out, and its replies in' pings
check 'a connection whose other end sees one address' seen_as
late=$(late)
check 'bytes of a connection, whole, while groups move' under_moves 5000
check 'no packet was dropped or late' none_dropped "$late"
check 'stop' dp stop
write_routes
check 'the forwarder' start_in_bridge --app forward --address 192.168.7.1/24 \
	--routes "$scratch/routes"
check 'its MAC is found by ARP' learn_mac
check 'bytes of a connection, whole, while groups move' under_moves 5010
check 'no packet was dropped or late' none_dropped 0
check 'stop' dp stop
check 'leaves nothing' nothing

check 'a start that fails in the guest' eval '! start --app http'
check 'tells why' grep -q 'does not start in the VM: .*--http-root' "$scratch/err"
check 'and leaves nothing' nothing
finish
