#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The key-value server of rp-dataplane, as clients of memcached on Linux see it.
. "$(dirname "$0")/dp_tap.sh"
peer() { timeout 240 "$top/tests/native/kv_peer.py" "$1" 10.99.0.2 "${@:2}" 2>"$scratch/err"; }

# Debian's name for memcapable.
capable() { timeout 240 memccapable -h 10.99.0.2 -p 11211 -t 60 "$1" >"$scratch/err" 2>&1; }

# The generator's mix, with 200 connections, while all flow groups move all the time.
load_moving() {
	local mover
	peer only_moves "$scratch/dp.ctl" 8000 &
	mover=$!
	timeout 240 "$ringpace" load --json --proto memcached --keys 5000 --connections 200 \
		--pipeline 4 --threads 2 --rate-rps 2000 --duration-s 3 --timeout-ms 60000 --get-percent 90 \
		10.99.0.2:11211 >"$scratch/load" 2>"$scratch/err" && wait $mover
}

start kv --kv-memory-bytes 16777216
ok $? 'kv: starts'
check "libmemcached's memcapable: text" capable -a
check "libmemcached's memcapable: binary" capable -b
check 'values of any size, byte by byte' peer values
check 'the same in binary, pipelined and quiet' peer binary_values
check '10 000 requests before the first answer is read' peer pipelined
check '1000 connections' peer many
check 'the same port, over and over' peer same_port
check 'who does not read is held up, and nobody else' peer slow_reader
check 'more than there is room for' peer evicts
check 'values that never end take memory, not the server' peer out_of_memory
check '5000 moves of flow groups while values change' peer moving "$scratch/dp.ctl" 5000
check 'the load generator, while they move' load_moving
check 'each request had its answer, and the right one' json_of "$scratch/load" \
	'.failed == 0 and .done > 1000'
ask status >"$scratch/status"
check 'no packet was dropped or late' json_of "$scratch/status" \
	'.moves.done >= 8000 and .moves.dropped == 0 and all(.threads[]; .late == 0) and .moves.turned_back == 0'
check 'ends' stop
finish
