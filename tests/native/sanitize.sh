# SPDX-License-Identifier: GPL-2.0-or-later
# The native lane under a sanitizer. To be sourced, with san=asan|tsan: each
# strategy both ways, a second each; a report of either process is a failure.
. "$(dirname "$0")/lib.sh"

make -C "$top" --no-print-directory SAN=$san all-native >"$scratch/err" 2>&1
check "the $san tree builds" [ $? -eq 0 ]
ringpace=$top/build/$san/ringpace
instrumented() { grep -qa "__${san}_init" "$ringpace" && grep -qa "__${san}_init" "${ringpace}d"; }
check 'both programs are instrumented' instrumented
# A report goes to a file of its own, so that nobody's stderr hides it.
export TSAN_OPTIONS="log_path=$scratch/report exitcode=66 history_size=4"
export ASAN_OPTIONS="log_path=$scratch/report exitcode=66 detect_leaks=1"
export UBSAN_OPTIONS="log_path=$scratch/report print_stacktrace=1"
unset RINGPACE_LONG

no_report() {
	! cat "$scratch"/report.* 2>/dev/null >"$scratch/err"
}

for strategy in notify sleep busy; do
	for dir in fwd rev; do
		timeout 120 "$ringpace" run --strategy $strategy --dir $dir --queue-len 64 \
			--wp-ns 2000 --wc-ns 2000 --burst 4 --duration-s 1 --json \
			>"$scratch/out" 2>"$scratch/err"
		ok $? "$strategy $dir runs"
		check "$strategy $dir: none lost, none reordered" json_of "$scratch/out" \
			'.items > 0 and .lost == 0 and .reordered == 0'
		check "$strategy $dir: no report" no_report
		rm -f "$scratch"/report.*
	done
done

# A rig that stays up: other strategies, other work, P without items.
timeout 240 "$ringpace" bench step --strategies notify,sleep --phase-ms 200 --rounds 1 --json \
	>"$scratch/out" 2>"$scratch/err"
ok $? 'a load in steps'
check 'bench step: no report' no_report
rm -f "$scratch"/report.*
timeout 240 "$ringpace" bench grid --wp-ns 2000 --wc-ns 2000 --queue-len 64 --dmax-ns 1000000 \
	--strategies notify,busy --rounds 1 --json >"$scratch/out" 2>"$scratch/err"
ok $? 'a grid'
check 'bench grid: no report' no_report

for load in '--rate-pps 500' '--rate-pps max --slow-hop 1 --slow-ns 1000000 --queue-len 16'; do
	timeout 240 "$ringpace" chain --vms 2 $load --flows 4 --duration-s 0.5 --full-ms 60000 \
		--strategy notify,sleep,busy,adaptive --json >"$scratch/out" 2>"$scratch/err"
	ok $? "a chain, $load"
	check "a chain, $load: none lost, none reordered" json_of "$scratch/out" \
		'.lost == 0 and .reordered == 0 and all(.runs[]; .received > 0 and .bad == 0)'
	check "a chain, $load: no report" no_report
	rm -f "$scratch"/report.*
done

python3 "$top/tests/native/load_server.py" memcached reset >"$scratch/ports" 2>/dev/null &
wait_for 60 eval '[ "$(wc -l <"$scratch/ports")" -eq 2 ]'
for load in 'memcached --proto memcached --keys 200 --pipeline 4' 'reset --proto echo'; do
	timeout 240 "$ringpace" load ${load#* } --threads 3 --duration-s 1 --json --timeout-ms 20000 \
		"127.0.0.1:$(awk -v kind="${load%% *}" '$1 == kind { print $2 }' "$scratch/ports")" \
		>"$scratch/out" 2>"$scratch/err"
	ok $? "an open-loop load, $load"
	check "an open-loop load, $load: it adds up" json_of "$scratch/out" \
		'.offered > 0 and .offered == .sent + .unsent and .sent == .done + .failed'
	check "an open-loop load, $load: no report" no_report
	rm -f "$scratch"/report.*
done

for test in hostd many packets reload soak steer switch tap; do
	# A tap is made in a network namespace of its own, where that can be.
	alone=
	if [ $test = tap ]; then
		unshare -rn test -w /dev/net/tun 2>/dev/null || continue
		alone='unshare -rn'
	fi
	timeout 400 $alone "$top/build/$san/test-$test" >"$scratch/out" 2>"$scratch/err"
	ok $? "ports: $test"
	check "ports: $test: no report" no_report
done
finish
