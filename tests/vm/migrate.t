#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A stock guest that migrates from one port of a switch to another, and back:
#
#	server eth0 ── port b ═╗
#	                       ╠═ switch of ringpaced
#	mover eth0 ── port a ══╣
#	   └─ migrates ─ port c ═╝
#
# It pings the server and fetches files from it all the time. Pages that the
# daemon writes and does not mark in the dirty log would be missing at the target:
# frames, files or the rings would be broken.
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=tests/vm/stock.sh
. "$top/tests/vm/stock.sh"
stock_initrd "$top/tests/vm/packets_init"
memory=$memory_migrates
words="rp.role=mover rp.mtu=1500"

# How often NAME's guest has said TEXT.
times() { grep -c "$2" "$scratch/$1.log"; }
more_than() { [ "$(times "$1" "$2")" -gt "$3" ]; }

# move FROM TO PORT: the guest of VM FROM goes to a new one, TO, at PORT.
move() {
	local from=$1 to=$2
	stock_move "$from" "$to" "$3" 2 "$words"
	told "$from to $to: its ping goes on" more_than "$to" "seq=" 20
	told "$from to $to: files arrive whole" more_than "$to" "file whole" 2
	check "$from to $to: none came broken" [ "$(times "$from" "file broken")" -eq 0 ]
	echo "# pings, 5 a second: the last answered before is $(grep -o 'seq=[0-9]*' \
		"$scratch/$from.log" | tail -1), the first after it $(grep -o 'seq=[0-9]*' \
		"$scratch/$to.log" | head -1)"
}

start_daemon() {
	"$top/build/ringpaced" --port "a,socket=$scratch/a.sock" --port "b,socket=$scratch/b.sock" \
		--port "c,socket=$scratch/c.sock" --switch s,ports=a+b+c 2>>"$scratch/daemon" &
	daemon=$!
	wait_for 60 [ -S "$scratch/c.sock" ]
}

start_daemon
stock_boot server b 1 "rp.role=server rp.mtu=1500"
stock_boot first a 2 "$words"
told "the guest has its network" more_than first "file whole" 0
move first second c
move second third a
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null
rm "$scratch"/[abc].sock
replies=$(times third "seq=")
files=$(times third "file whole")
start_daemon
told "a daemon that was killed: ping goes on with the next" more_than third "seq=" $((replies + 5))
told "a daemon that was killed: a file in flight arrives whole" more_than third "file whole" "$files"
check "nothing came broken in the end" [ "$(times third "file broken")" -eq 0 ]
check "ringpaced has no complaint" [ "$(grep -c 'closed:\|given up\|error' "$scratch/daemon")" -eq 0 ]
stock_end server third
kill "$daemon"
wait "$daemon"
check "ringpaced ends well" [ $? -eq 0 ]
finish
