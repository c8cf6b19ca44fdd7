#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP of rp-dataplane against that of Linux.
. "$(dirname "$0")/dp_tap.sh"

start echo
ok $? 'echo: starts'
check 'answers ping, and is found by ARP' "$top/tests/native/tap_host.py" ping 10.99.0.2 20
check 'bytes come back, of any length' peer small
# More bytes than so many frames of 1514 bytes can have: bulk data came in longer ones.
long_frames() {
	sed -n 's/.*rpt0: *//p' /proc/net/dev >"$scratch/dev"
	awk '{ exit !($1 > 1514 * $2) }' "$scratch/dev"
}
check 'as many as the wire takes' peer bulk
check 'in frames that the port cuts' long_frames
check 'of 100 connections at once' peer many
check 'a half-closed connection gets the rest, and its end' peer half_close
check 'resets harm nobody else' peer reset
check 'a window that closes, and opens again' peer zero_window
check 'keepalive is answered' peer keepalive
check 'a port that nobody listens to refuses' peer refused

check '5000 moves of flow groups: all streams live, and are whole' peer moving "$scratch/dp.ctl" 5000
ask status >"$scratch/status"
check 'no packet was dropped or late' json_of "$scratch/status" \
	'.moves.done >= 5000 and .moves.dropped == 0 and all(.threads[]; .late == 0) and .moves.turned_back == 0'
check 'ends' stop

# The same by one command.
dp() { timeout 100 "$ringpace" dataplane "$@" --dir "$scratch/dp" >"$scratch/out" 2>"$scratch/err"; }
check 'ringpace dataplane start' dp start --app echo --address 10.99.0.2/24 --tap rpt0 --json
check 'tells of the tap' json_of "$scratch/out" '.lane == "native" and .tap == "rpt0"'
ip addr add 10.99.0.1/24 dev rpt0 && ip link set rpt0 up
check 'bytes come back' peer small
check 'stop' dp stop
finish
