#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A stock guest, Debian's kernel with its own virtio_net, sets RSS of its card as ethtool
# does, and the port of ringpaced behind it has what was set: also after the daemon was killed
# and is there again, at another port when the guest has migrated there, and not after the
# guest was reset.
#
#	eth0 first ─── port a ═╗
#	  └─ migrates          ╠═ switch of ringpaced ═ port up ── tap rpt0, this host
#	eth0 second ── port c ═╝
. "$(dirname "$0")/../native/netns.sh"
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=tests/vm/stock.sh
. "$top/tests/vm/stock.sh"
stock_initrd "$top/tests/vm/orders_init" "$top/build/rp-guest-rss"
memory=$memory_migrates
pairs=2
card=,mq=on,rss=on,vectors=6

start_daemon() {
	rm -f "$scratch"/[ac].sock "$scratch/ctl"
	"$top/build/ringpaced" --control "$scratch/ctl" \
		--port "a,socket=$scratch/a.sock,pairs=2,rss=64" \
		--port "c,socket=$scratch/c.sock,pairs=2,rss=64" --port up,tap=rpt0 \
		--switch s,ports=a+c+up 2>>"$scratch/daemon" &
	daemon=$!
	wait_for 60 [ -S "$scratch/ctl" ] && ip addr add 10.9.0.100/24 dev rpt0 &&
		ip link set rpt0 up
}

kill_daemon() {
	kill -KILL "$daemon"
	wait "$daemon" 2>/dev/null
	start_daemon
}

rss() { "$ringpace" ctl rss --socket "$scratch/ctl" --device "$1" --json >"$scratch/rss"; }
# has PORT EXPRESSION
has() { rss "$1" && jq -en "input | ($2)" "$scratch/rss" >/dev/null; }
key_of() { rss "$1" && jq -r .key "$scratch/rss"; }

hosts='.set_by == "host" and .entries == 64'
# guests A B C D: the guest's table of 128 entries, these in turn.
guests() {
	echo ".set_by == \"guest\" and .table[0:4] == [$1,$2,$3,$4] and
		(.table | length) == 128 and .table[124:128] == [$1,$2,$3,$4]"
}

# TCP from the host to the guest at PORT comes by its second pair alone.
by_second_pair() {
	local first second
	host_fetches 10.9.0.1 || return 1
	first=$(count "$1" 0 .packets)
	second=$(count "$1" 2 .packets)
	host_fetches 10.9.0.1 && [ "$(count "$1" 2 .packets)" -gt "$second" ] &&
		[ $(($(count "$1" 0 .packets) - first)) -le 4 ]
}

start_daemon
check "the host's own table at first" has a "$hosts"
# A reset of the guest is no end of the VM.
words=ipv6.disable=1
stock_boot first a 1 "$words" -action reboot=reset
told "the guest is up" is_up first
# This driver tells its table when it is asked to change it, not before.
check "the host's table is still in force" has a "$hosts"
order first 'ip addr add 10.9.0.1/24 dev eth0; serve 300000'
check "two pairs" order first 'rp-guest-rss eth0 channels 2'
check "a table by ethtool's request" order first 'rp-guest-rss eth0 table 1 0 1 1'
check "is in force" has a "$(guests 1 0 1 1)"
key=$(key_of a)
check "with a key and all types" [ "$(jq '.types | length' "$scratch/rss")" -eq 6 -a -n "$key" ]

kill_daemon
told "it is told to a daemon that comes back" has a "$(guests 1 0 1 1)"
check "with its key" [ "$(key_of a)" = "$key" ]

check "a table that names the second pair only" order first 'rp-guest-rss eth0 table 1'
check "frames come by it" by_second_pair a
check "where the guest will go the host's table is in force" has c "$hosts"
stock_move first second c 1 "$words" -action reboot=reset
told "after migration the guest's table is in force there" has c "$(guests 1 1 1 1)"
check "with its key" [ "$(key_of c)" = "$key" ]
check "frames come by it" by_second_pair c
told "and not any more where it came from" has a "$hosts"
check "a table that is set after migration" order second 'rp-guest-rss eth0 table 0 0 0 1'
check "is in force" has c "$(guests 0 0 0 1)"

kill_daemon
told "which a daemon that comes back is told, too" has c "$(guests 0 0 0 1)"
check "and only of that port" has a "$hosts"

stock_move second third a 1 "$words" -action reboot=reset
told "back at the first port: the table that was set last" has a "$(guests 0 0 0 1)"
told "and the host's at the other one" has c "$hosts"

ups() { [ "$(grep -c '^RESULT 0 0' "$scratch/third.log")" -ge "$1" ] && alive third; }
qmp third '{"execute":"system_reset"}' >/dev/null
told "the guest is up after a reset" ups 1
check "and what it had set is not in force any more" has a "$hosts"
stock_end third
told "the host's table when it has gone" has a "$hosts"
kill "$daemon"
wait "$daemon"
check "ringpaced ends well" [ $? -eq 0 ]
finish
