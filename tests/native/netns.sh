# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced first by tests with taps: runs them again in a user and network namespace of their
# own, where they are root and nothing of this machine's network is seen; or skips them.
if [ -z "$RP_TAP_ALONE" ]; then
	skip=
	command -v ip >/dev/null || skip='no ip in PATH'
	[ -n "$skip" ] || unshare -rn true 2>/dev/null || skip='no network namespaces for us'
	[ -n "$skip" ] || unshare -rn sh -c 'ip tuntap add rpt0 mode tap' 2>/dev/null ||
		skip='no taps here: /dev/net/tun cannot be used'
	if [ -n "$skip" ]; then
		echo "1..0 # SKIP $skip"
		exit 0
	fi
	RP_TAP_ALONE=1 exec unshare -rn "$0"
fi
# No frames but ours.
quiet='for i in default all; do echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6; done'
sh -c "$quiet" 2>/dev/null
ip link set lo up
