#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace bench dataplane` in short: its keys, and whether its figures fit together. How fast
# anything is, is no part of it.
. "$(dirname "$0")/lib.sh"

if ! [ -x "${ringpace%/*}/rp-dataplane" ]; then
	echo '1..0 # SKIP rp-dataplane was not built: DPDK is missing'
	exit 0
fi
out=$scratch/out
bench() {
	timeout 300 "$@" "$ringpace" bench dataplane --moves 300 --rounds 1 --seconds 1 \
		--connections 200 --json >"$out" 2>"$scratch/err" </dev/null
}
# Without the right to make a network namespace, be it as root.
unable=()
[ "$(id -u)" -ne 0 ] || unable=(setpriv --bounding-set -sys_admin --inh-caps -sys_admin)
# And with it: in a user namespace where we are root, as the other tests with taps.
able=(unshare -rn)

by_port='.echo_ns_per_request > 0 and .echo_turn_ns_per_packet > 0 and
	all(.figures.echo_port, .figures.kv_port; .["rp-dataplane"].done_rps > 0 and
		.["rp-dataplane"].failed == 0)'
echo_there='.figures.echo_peak["rp-dataplane"].done_rps > 0 and
	.memory_per_idle_connection_bytes > 100 and .memory_per_idle_connection_bytes <= 1024 and
	.not_measured.sockets == null'
no_kv='all(.kv_vs_memcached, .kv_p99_vs_memcached, .kv_peak_vs_memcached,
		.kv_port_vs_memcached, .kv_port_p99_vs_memcached, .kv_port_peak_vs_memcached; . == null) and
	(.not_measured.kv | length) > 10'

bench "${unable[@]}"
ok $? 'without the right to make a network'
check 'has its figures of echo from a port' json_of "$out" "$by_port"
check 'and those without TCP' json_of "$out" \
	'.udp_echo_ns_per_request > 0 and .moves >= 300 and .dropped == 0 and .reordered == 0 and
	 .bad == 0 and .parked_cpu == 0 and .parked_wakeups == 0 and ([.migrate_add_us, .migrate_remove_us] | all(.avg > 0 and .avg <= .max and
	 .p95 <= .max))'
check 'and says why there are no others' json_of "$out" \
	".memory_per_idle_connection_bytes == null and (.not_measured.sockets | test(\"root\")) and $no_kv"

# Sums of one measurement; and the ratios are those of the figures.
# shellcheck disable=SC2016
sums='def near($a; $b): $a > 0 and ($a - $b | fabs) < 0.02 * $b + 0.002;
	(.samples | length) == 8 and
	all(.samples[]; .failed == 0 and .done_rps > 0 and .generator_cpu > 0 and .generator_cpu < 1.1 and
		.cpu > 0 and .cpu < 2.2 and
		near(.cpu; (.cpu_ns_per_request + (.ringpaced_cpu_ns_per_request // 0)) * .done_rps / 1e9) and
		(.server == "memcached") == (.ringpaced_cpu_ns_per_request == null)) and
	all(.samples[] | select(.load | endswith("half"));
		(.p99_ns == null and .unsent > 0) or (.p50_ns > 0 and .p99_ns >= .p50_ns)) and'
# shellcheck disable=SC2016
ratios='.figures.kv_peak as $peak | .figures.kv_half as $half |
	near(.kv_vs_memcached;
	     $peak.memcached.cpu_ns_per_request / $peak["rp-dataplane"].cpu_ns_per_request) and
	(if any($half[]; .p99_ns == null) then .kv_p99_vs_memcached == null else
	 near(.kv_p99_vs_memcached; $half["rp-dataplane"].p99_ns / $half.memcached.p99_ns) end) and
	near(.kv_half_rps; ([$peak[].done_rps] | min) / 2) and
	near(.kv_port_peak_vs_memcached;
	     .figures.kv_port["rp-dataplane"].done_rps / $peak.memcached.done_rps) and
	.kv_with_ringpaced_vs_memcached < .kv_vs_memcached and .kv_peak_vs_memcached > 0 and
	.not_measured == {}'

if ! unshare -rn ip tuntap add rpt0 mode tap 2>/dev/null; then
	ok 0 'over TCP # SKIP no network namespaces or taps for us'
else
	mkdir "$scratch/empty"
	if ! command -v memcached >/dev/null; then
		XDG_CACHE_HOME=$scratch/empty bench "${able[@]}"
		ok $? 'without memcached'
		check 'echo is measured, and the rest is told' json_of "$out" "$echo_there and $no_kv"
	fi
	if "$top/scripts/unpacked" memcached >/dev/null 2>&1; then
		bench "${able[@]}"
		ok $? 'beside memcached'
		check 'echo is measured' json_of "$out" "$echo_there"
		check 'figures and ratios fit together' json_of "$out" "$sums $ratios"
		kept=$top/build/bench/dataplane-$(jq -r .date "$out").json
		check 'raw data are kept' json_of "$kept" '(.samples | length) == 8'
	else
		ok 0 'beside memcached # SKIP there is none: run make setup'
	fi
fi
check 'nothing is left' nothing_left
# Of ours: another checkout may be at it, too.
no_memcached() {
	local p
	for p in $(pgrep -x memcached); do
		! grep -qsa "$scratch" "/proc/$p/environ" || return 1
	done
}
check 'no memcached, either' no_memcached
for wrong in '--rounds 0' '--seconds 0' '--connections 0' '--dmax-ns x' '--peak-dmax-ns 0' '--moves 0' 'more'; do
	# shellcheck disable=SC2086
	"$ringpace" bench dataplane $wrong >/dev/null 2>"$scratch/err"
	check "wrong use: $wrong" [ $? = 2 ]
done
finish
