#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TCP of rp-dataplane against that of Linux over a wire that loses 1 % of all frames, and
# doubles and reorders others, both ways.
. "$(dirname "$0")/dp_tap.sh"
bad_wire=(lose=10 twice=10 overtake=30)

start echo
ok $? 'echo: starts, behind a bad wire'
check 'bytes come back, of any length' peer small
check 'as many as the wire takes' peer bulk
check 'of 100 connections at once' peer many
check 'a half-closed connection gets the rest, and its end' peer half_close
check 'resets harm nobody else' peer reset
check 'a window that closes, and opens again' peer zero_window
check 'a port that nobody listens to refuses' peer refused
check '500 moves of flow groups: all streams live, and are whole' peer moving "$scratch/dp.ctl" 500
check 'keepalive is answered' peer keepalive
check 'and finds out that the wire is cut' peer cut "$wire"
check 'ends' stop
tail -n 1 "$scratch/wire" >"$scratch/did"
sed 's/^/# /' "$scratch/did"
check 'frames were lost, doubled and held back, both ways' json_of "$scratch/did" \
	'all(.[]; .lost > 10 and .twice > 10 and .overtaken > 10)'
finish
