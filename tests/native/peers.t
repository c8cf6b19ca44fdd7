#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The peers' policies on a real ring, both directions, either side the faster.
. "$(dirname "$0")/lib.sh"

out=$scratch/out

# run STRATEGY ARG...: into $out and $scratch/err; its exit status.
run() {
	timeout 60 "$ringpace" run --lane native --duration-s 0.2 --warmup-s 0.1 --json \
		--strategy "$@" >"$out" 2>"$scratch/err" </dev/null
}

json() { json_of "$out" "$1"; }

for strategy in vhost-busyloop kvm-halt-poll ovs-sleep qemu-poll napi metronome; do
	for dir in fwd rev; do
		for w in '--wp-ns 3000 --wc-ns 1000' '--wp-ns 1000 --wc-ns 3000'; do
			# shellcheck disable=SC2086
			run $strategy --dir $dir $w
			ok $? "$strategy $dir $w runs"
			check "$strategy $dir $w: items, none lost" json ".strategy == \"$strategy\" and
				.items > 0 and .lost == 0 and .reordered == 0"
		done
	done
done

# What a policy never does, however slow the machine.
run ovs-sleep --wp-ns 3000 --wc-ns 1000
check 'ovs-sleep sleeps and asks for no notification' json '.sleeps_c_per_s > 0 and
	.kicks_per_s == 0 and .calls_per_s == 0'
run metronome --wp-ns 3000 --wc-ns 1000
check 'so does metronome' json '.sleeps_c_per_s > 0 and .kicks_per_s == 0 and .calls_per_s == 0'
run ovs-sleep --yp-ns 0 --yc-ns 0 --wp-ns 3000 --wc-ns 1000
check 'ovs-sleep without a maximum only polls' json '.sleeps_c_per_s == 0 and
	.sleeps_p_per_s == 0 and .kicks_per_s == 0'
run vhost-busyloop --yp-ns 0 --yc-ns 0 --wp-ns 6000 --wc-ns 1000
check 'vhost-busyloop without a timeout blocks' json '.kicks_per_s > 0 and .sleeps_c_per_s == 0'
run napi --yp-ns 0 --yc-ns 0 --wp-ns 6000 --wc-ns 1000
check 'napi without a timer blocks' json '.kicks_per_s > 0 and .sleeps_c_per_s == 0'
check 'nothing is left' nothing_left
finish
