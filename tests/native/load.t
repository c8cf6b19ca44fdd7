#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace load` against servers that are good, or bad in one way each (load_server.py), and
# from a port of ringpaced against rp-dataplane. How fast anything is, is no part of it.
. "$(dirname "$0")/lib.sh"

out=$scratch/out
ports=$scratch/ports
kinds='echo counted pieces slow reset close stall deaf garbage memcached forgetful http http404 udp udplossy'
rp() { timeout 100 "$ringpace" load "$@" >"$out" 2>"$scratch/err" </dev/null; rc=$?; return $rc; }
port() { awk -v kind="$1" '$1 == kind { print "127.0.0.1:" $2 }' "$ports"; }
all_serve() { [ "$(wc -l <"$ports")" -eq "$(wc -w <<<"$kinds")" ]; }

# What holds for every run: each request is somewhere, once.
sums='.offered == .sent + .unsent and .sent == .done + .failed and .missed == .late + .unsent and
	.failed == ([.errors[]] | add)'
# On a machine that stands still for long, nothing is given up for it.
patient='--late-ns 1000000000 --timeout-ms 20000'
# run KIND EXPRESSION OPTION...: exit code 0, the sums, and the expression.
run() {
	local kind=$1 what=$2
	shift 2
	# shellcheck disable=SC2086
	rp --json --duration-s 0.3 --agent-rps 0 $patient "$@" "$(port "$kind")" &&
		json_of "$out" "$sums" && json_of "$out" "$what"
}

# shellcheck disable=SC2086
python3 "$(dirname "$0")/load_server.py" $kinds >"$ports" 2>"$scratch/servers" &
check 'the servers are there' wait_for 30 all_serve

# ---- Good servers ----

# What is offered follows from the seed; on a busy machine any of it may be late, or unsent.
well='.failed == 0 and .done > 0 and .offered > 200 and .offered < 400 and
	.latency_ns.p50 > 0 and .latency_ns.p99 >= .latency_ns.p50 and .latency_ns.max >= .latency_ns.p99'
check 'echo' run echo "$well and .connects == 16"
check 'echo of 20000 bytes' run echo '.failed == 0 and .done > 0' --bytes 20000 --rate-rps 100
check 'replies that come byte by byte' run pieces '.failed == 0 and .done > 0' --rate-rps 50
check 'datagrams' run udp "$well" --proto udp-echo --pipeline 4
check 'memcached: keys are set, then read' run memcached "$well" --proto memcached --keys 500 \
	--threads 3 --pipeline 4
check 'HTTP, chunked or not' run http "$well" --proto http --pipeline 2
check 'a thousand connections, two threads' run echo '.failed == 0 and .connects == 1000 and .threads == 2' \
	--connections 1000 --threads 2 --connect-rps 5000
check 'threads on a CPU, spinning' run echo '.done > 0' --spin --threads 2 --cpus \
	"$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')"
for shape in slope step sine; do
	check "shape $shape" run echo ".shape == \"$shape\" and .failed == 0 and \
		.offered > 200" --shape "$shape" --rate-rps 2000 --spacing even
done
check 'even spacing: as many as are due' run echo '.offered == 300 and .spacing == "even"' --spacing even
check 'a warm-up is not counted' run echo '.offered == 300 and .warmup_ns == 200000000' \
	--spacing even --warmup-s 0.2
# The same seed offers the same; another one does not.
offered() { run echo '.done > 0' "$@" && jq .offered "$out"; }
first=$(offered --seed 5)
check 'a seed' eval '[ -n "$first" ] && [ "$first" = "$(offered --seed 5)" ]'
# shellcheck disable=SC2086
rp --json --duration-s 0.3 --agent-rps 200 $patient "$(port echo)"
check 'the agent measures beside the load' json_of "$out" \
	".agent | $sums and .done > 0 and .offered > 20 and .connects == 1 and .latency_ns.p50 > 0"

# ---- Bad ones ----

check 'a server that is too slow: missed sends are told, and latency counts them' run slow \
	'.failed == 0 and .unsent > 100 and .latency_ns.p50 > 50e6 and .offered_latency_ns.p99 == null' \
	--late-ns 1000000
check 'datagrams are lost' run udplossy '.errors.timeout > 0 and .failed == .errors.timeout and .done > 0' \
	--proto udp-echo --timeout-ms 100 --pipeline 4
check 'connections are reset' run reset '.errors.reset > 0 and .connects > 16 and .done > 0' --duration-s 1
check 'connections are closed' run close \
	'.connection_errors.closed > 0 and .errors.closed + .errors.reset == .failed'
check 'no answers any more' run stall '.errors.timeout > 0 and .errors.timeout == .failed' --timeout-ms 100
check 'nor reads' run deaf '.errors.timeout > 0 and .errors.timeout == .failed' --timeout-ms 100 \
	--bytes 60000
check 'garbage' run garbage '.errors.garbage > 0 and .errors.garbage == .failed'
check 'keys are lost' run forgetful '.errors.miss > 0 and .errors.miss == .failed' --proto memcached \
	--keys 20
check 'the page is gone' run http404 '.errors.rejected > 0 and .errors.rejected == .failed' --proto http

fails() {	# TEXT OPTION...
	local text=$1
	shift
	rp --duration-s 0.2 "$@"
	[ $? -eq 1 ] && [ ! -s "$out" ] && [ "$(wc -l <"$scratch/err")" -eq 1 ] &&
		grep -q -e "$text" "$scratch/err"
}
check 'nobody listens' fails 'cannot connect to 127.0.0.1:1: Connection refused' 127.0.0.1:1
check 'nobody listens to datagrams' fails 'Connection refused' --proto udp-echo 127.0.0.1:1
check 'another protocol' fails 'before the load: garbage; is it a server for memcached' \
	--proto memcached "$(port echo)"
check 'a server that says nothing' fails 'before the load: timeout' --proto http --timeout-ms 100 \
	"$(port slow)"
(ulimit -n 200; fails '300 connections need .* open files' --connections 300 "$(port echo)")
ok $? 'too many connections for the limit of open files'

# ---- Output ----

rp --duration-s 0.3 --csv "$scratch/load.csv" --interval-ms 50 --agent-rps 200 "$(port echo)"
check 'a table' eval '[ $rc -eq 0 ] && grep -q "p99.9 us" "$out" && grep -q "^agent" "$out"'
check 'progress is for terminals only' test ! -s "$scratch/err"
check 'intervals' eval 'head -1 "$scratch/load.csv" | grep -qx \
	"t_ns,offered,sent,done,missed,failed,p50_ns,p99_ns,agent_p50_ns" &&
	[ "$(wc -l <"$scratch/load.csv")" -eq 7 ] && [ "$(sed -n "3s/,.*//p" "$scratch/load.csv")" = 50000000 ]'
timeout 60 "$ringpace" plot load --csv "$scratch/load.csv" --out "$scratch/plot" >"$out" 2>"$scratch/err"
rc=$?
check 'their plot' eval '[ $rc -eq 0 ] && grep -q "latency, µs" "$scratch/plot/load.svg" &&
	[ -s "$scratch/plot/load.png" ]'
rp --duration-s 0.2 --csv "$scratch/no/such" "$(port echo)"
check 'a CSV that cannot be written' eval '[ $rc -eq 1 ] && grep -q "no/such" "$scratch/err"'

# ---- The highest rate ----

# shellcheck disable=SC2086
rp --json --slo-p99-ns 10000000000 --slo-repeats 1 --rate-rps 500 --duration-s 0.2 --agent-rps 0 \
	$patient "$(port echo)"
check 'a bound that always holds: the highest rate' json_of "$out" \
	'.rate_rps == 500 and .open and (.trials | length == 2)'
rp --json --slo-p99-ns 1 --slo-repeats 1 --rate-rps 2000 --duration-s 0.2 --agent-rps 0 "$(port echo)"
check 'one that never holds: none' json_of "$out" '.rate_rps == 0 and .p99_ns == null and (.open | not)'

# ---- Ctrl-C ----

perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$ringpace" load --json --duration-s 600 --agent-rps 0 \
	"$(port counted)" >"$out" 2>"$scratch/err" </dev/null &
pid=$!
check 'a long load is under way' wait_for 30 grep -q '^served-100 ' "$ports"
kill -INT "$pid"
wait "$pid"
check 'Ctrl-C: exit code 0' test $? -eq 0
check 'and what was measured until then' json_of "$out" \
	".stopped and .measured_ns < 600e9 and .done >= 99 and $sums"
rp --json --duration-s 0.3 "$(port echo)"
check 'other runs were not stopped' json_of "$out" '.stopped | not'

# ---- Wrong use ----

refuses() {	# TEXT OPTION...
	local text=$1
	shift
	rp "$@"
	[ $? -eq 2 ] && [ ! -s "$out" ] && grep -q -e "$text" "$scratch/err"
}
check 'no server' refuses 'HOST:PORT'
check 'no port' refuses 'not HOST:PORT' localhost
check 'two servers' refuses 'one server' localhost:1 localhost:2
check 'a rate' refuses '--rate-rps -1' --rate-rps -1 localhost:1
check 'a protocol' refuses '--proto smtp' --proto smtp localhost:1
check 'a shape' refuses '--shape cube' --shape cube localhost:1
check 'a pipeline' refuses '--pipeline 5' --pipeline 5 localhost:1
check 'a CPU' refuses 'may not run on CPU 1023' --cpus 1023 localhost:1
check 'a path' refuses '--path x' --proto http --path x localhost:1
check 'a datagram' refuses '--bytes 4' --proto udp-echo --bytes 4 localhost:1
check 'more threads than connections' refuses 'fewer than' --threads 4 --connections 2 localhost:1
check 'a port for TCP without socket' refuses 'one needs the other' --transport port 127.0.0.1:1
check 'a port and IPv6' refuses 'a port speaks IPv4 only' --transport port --socket x '[::1]:1'
check 'a port without socket' refuses 'one needs the other' --transport port --proto udp-echo 127.0.0.1:1
check 'a port and threads' refuses 'not available for more than one' --transport port --proto udp-echo \
	--socket x --threads 2 127.0.0.1:1

# ---- From a port of ringpaced, against rp-dataplane ----

dataplane=$top/build/rp-dataplane
if [ -x "$dataplane" ]; then
	"$(dirname "$ringpace")/ringpaced" --control "$scratch/ctl" --pacers x1 \
		--port "a,socket=$scratch/a.sock,pairs=1" \
		--port "b,socket=$scratch/b.sock,pairs=2,rss=128" --link a,b >"$scratch/daemon" 2>&1 &
	wait_for 30 test -S "$scratch/b.sock"
	# serve OPTIONS...: an rp-dataplane, $serving
	serve() {
		"$dataplane" --socket "$scratch/b.sock" --steer "$scratch/ctl,b" \
			--control "$scratch/dp.ctl" "$@" >"$scratch/dp" 2>&1 &
		serving=$!
		wait_for 30 test -S "$scratch/dp.ctl"
	}
	serve --threads 2 --app udp-echo
	# shellcheck disable=SC2086
	rp --json --duration-s 0.3 --proto udp-echo --transport port --socket "$scratch/a.sock" \
		--connections 100 $patient 10.0.0.2:7
	rc=$?
	check 'datagrams from a port of its own' eval '[ $rc -eq 0 ] && json_of "$out" "$sums and $well"'
	rp --duration-s 0.2 --proto udp-echo --transport port --socket "$scratch/none" 10.0.0.2:7
	check 'no such port' eval '[ $rc -eq 1 ] && grep -q "$scratch/none" "$scratch/err"'
	kill $serving
	wait $serving

	for app in echo kv; do
		serve --threads 1 --app $app --address 10.0.0.2/24 --listen 70
		proto=${app/kv/memcached}
		# shellcheck disable=SC2086
		rp --json --duration-s 0.3 --proto "$proto" --transport port --socket "$scratch/a.sock" \
			--connections 300 --pipeline 2 --bytes 3000 $patient 10.0.0.2:70
		rc=$?
		check "TCP from a port of its own: $proto" eval '[ $rc -eq 0 ] &&
			json_of "$out" "$sums and $well and .connects == 300"'
		if [ $app = echo ]; then
			rp --duration-s 0.2 --transport port --socket "$scratch/a.sock" 10.0.0.2:71
			check 'a server that is not there refuses' eval '[ $rc -eq 1 ] &&
				grep -q "cannot connect to 10.0.0.2:71: Connection refused" "$scratch/err"'
			# shellcheck disable=SC2086
			rp --json --duration-s 0.5 --transport port --socket "$scratch/a.sock" \
				--rate-rps 5000000 --bytes 20000 $patient 10.0.0.2:70 --timeout-ms 60000
			check 'more than it can take' json_of "$out" "$sums and .failed == 0 and .done > 0"
			rp --duration-s 0.2 --transport port --socket "$scratch/a.sock" 10.0.0.9:70
			check 'a host that is not there' grep -q 'nobody answers ARP' "$scratch/err"
		fi
		kill $serving
		wait $serving
	done
else
	count=$((count + 1))
	echo "ok $count - from a port # SKIP rp-dataplane was not built: DPDK is missing"
fi
check 'nothing is left in the run directory' eval '[ -z "$(ls -A "$XDG_RUNTIME_DIR")" ]'
finish
