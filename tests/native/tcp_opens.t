#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Connections that the dataplane's TCP opens to Linux, at a tap: tcp_opens.c.
. "$(dirname "$0")/netns.sh"
. "$(dirname "$0")/lib.sh"

set_up() {
	ip tuntap add rpt0 mode tap && ip link set rpt0 address 02:00:00:00:00:02 &&
		ip addr add 10.0.0.2/24 dev rpt0 && ip link set rpt0 up
}

check 'a tap' set_up
CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "${ringpace%/*}/test-tcp-opens" rpt0 >"$scratch/err" 2>&1
ok $? 'streams, bad wire, refused, reset and half-closed by either side, closed windows, keepalive'
finish
