#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The metrics of ringpaced: their format, what may be asked, a real Prometheus that
# scrapes them, and the dashboard that shows them.
. "$(dirname "$0")/lib.sh"
ringpaced=${RINGPACED:-$top/build/ringpaced}
here=$top/tests/native
ctl=$scratch/ctl
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

status_of() {
	timeout 20 "$@" >"$scratch/out" 2>"$scratch/err"
	echo $?
}
usage_error() { [ "$(status_of "$ringpaced" --port "a,socket=$scratch/a" "$@")" = 2 ]; }

# ---- Where ----
check "another address than loopback needs a word" usage_error --metrics 0.0.0.0:9999
check "the message names it" grep -q metrics-public "$scratch/err"
check "of IPv6, too" usage_error --metrics '[::]:9999'
check "no port" usage_error --metrics 127.0.0.1
check "port 0" usage_error --metrics 127.0.0.1:0
check "names are not looked up" usage_error --metrics example.org:80
check "no path" usage_error --metrics unix:

start() {
	"$ringpaced" --device "pc0,socket=$scratch/pc0" --port "a,socket=$scratch/a" \
		--port "b,socket=$scratch/b" --link a,b --port "c,socket=$scratch/c" \
		--port "d,socket=$scratch/d" --switch s,ports=c+d --control "$ctl" \
		"$@" 2>"$scratch/log" &
	pid=$!
	wait_for 30 test -S "$ctl"
}
stop() { kill -TERM $pid && wait $pid; }

start --metrics "unix:$scratch/metrics"
get() { curl -s --max-time 20 --unix-socket "$scratch/metrics" "$@" >"$scratch/out" 2>"$scratch/err"; }
is_mode() { [ "$(stat -c %a "$scratch/metrics")" = 600 ]; }
wait_for 30 test -S "$scratch/metrics"
check "the socket is the owner's alone" is_mode

# ---- What is asked ----
answers() {
	local want=$1
	shift
	get -o /dev/null -w '%{http_code}\n' "$@" && [ "$(cat "$scratch/out")" = "$want" ]
}
check "GET /metrics" answers 200 http://x/metrics
check "HEAD /metrics" answers 200 -I http://x/metrics
check "another path" answers 404 http://x/metric
check "another method" answers 405 -X POST -d hello http://x/metrics
check "a head that is too long" answers 431 -H "X: $(printf '%030000d' 0)" http://x/metrics

# Sixteen who say nothing must not keep others away for long; the daemon goes on.
# All at once: they are late in the same millisecond.
silent() {
	python3 - "$scratch/metrics" <<-'END'
	import socket, sys
	clients = [socket.socket(socket.AF_UNIX) for _ in range(16)]
	for c in clients:
	    c.connect(sys.argv[1])
	for c in clients:
	    c.settimeout(60)
	    assert not c.recv(1)
	END
	wait_for 60 answers 200 http://x/metrics
}
check "silent clients are dropped" silent

# ---- What is told ----
"$top/build/test-ports" "$scratch/a" "$scratch/b" 20000 64 >"$scratch/ports" 2>"$scratch/err"
ok $? "two guests talk"
open() { get -H 'Accept: application/openmetrics-text;version=1.0.0' http://x/metrics; }
strict() { open && "$here/openmetrics.py" <"$scratch/out" >"$scratch/names" 2>"$scratch/err"; }
check "OpenMetrics, strictly" strict
has() { open && grep -qxE -- "$1" "$scratch/out"; }
check "packets that were sent" has \
	'ringpace_packets_total\{device="a",queue="1",dir="tx",backend="vhost-user"\} 20000'
check "packets that were received" has \
	'ringpace_packets_total\{device="a",queue="0",dir="rx",backend="vhost-user"\} 10000'
check "bytes" has \
	'ringpace_bytes_total\{device="b",queue="0",dir="rx",backend="vhost-user"\} 1280000'
check "drops by reason" has \
	'ringpace_dropped_packets_total\{device="b",queue="1",dir="tx",.*,reason="full"\} 0'
check "D_MAX in seconds" has 'ringpace_dmax_seconds\{device="a",queue="1",.*\} 0.0001'
check "the strategy" has 'ringpace_pacing_info\{device="a",.*,strategy="adaptive",regime=".*"\} 1'
check "addresses of a switch" has 'ringpace_switch_addresses_limit\{switch="s",device="c"\} 1024'
check "the guest has gone" has 'ringpace_device_up\{device="a",backend="vhost-user"\} 0'
no_pc_queue() { open && ! grep -q 'device="pc0",queue' "$scratch/out"; }
check "a queue that nobody uses is not told" no_pc_queue

# Every metric that a panel asks for is one that some queue, pacer or switch has told.
dashboard() {
	local f=$top/docs/grafana/ringpace.json name
	jq -e '.panels | length > 10' "$f" >/dev/null || return 1
	for name in $(jq -r '.. | .expr? // .definition? // empty' "$f" |
		grep -oE 'ringpace_[a-z0-9_]+' | sort -u); do
		grep -qx "# TYPE ${name%_total} counter" "$scratch/out" ||
			grep -qx "# TYPE ${name%_info} info" "$scratch/out" ||
			grep -qxE "# TYPE $name (gauge|stateset)" "$scratch/out" ||
			{ echo "there is no $name" >"$scratch/err"; return 1; }
	done
	[ -n "$name" ]
}
check "the dashboard's metrics are there" dashboard
documented() {
	local name
	for name in $(sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' "$scratch/out"); do
		grep -q "\`$name" "$top/docs/metrics.md" ||
			{ echo "docs/metrics.md has no $name" >"$scratch/err"; return 1; }
	done
}
check "they are documented" documented
stop
ok $? "the daemon ends"
gone() { [ ! -e "$scratch/metrics" ]; }
check "its socket is gone" gone

# ---- A real Prometheus ----
if ! bin=$("$top/scripts/unpacked" prometheus 2>/dev/null); then
	ok 0 "a Prometheus scrapes it # SKIP there is none: make setup fetches it"
	finish
fi
start --metrics "127.0.0.1:$port"
url=http://127.0.0.1:$port/metrics
lint() {
	curl -s --max-time 20 "$url" | "$bin/promtool" check metrics >"$scratch/err" 2>&1
}
wait_for 30 curl -s -o /dev/null "$url"
check "promtool finds nothing to say" lint
"$top/build/test-ports" "$scratch/a" "$scratch/b" 1000 64 >"$scratch/ports" 2>"$scratch/err"
ok $? "two guests talk again"

api=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$scratch/prometheus.yml" <<END
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: ringpace
    static_configs:
      - targets: ["127.0.0.1:$port"]
END
"$bin/prometheus" --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/tsdb" \
	--web.listen-address="127.0.0.1:$api" --log.level=warn >"$scratch/prometheus.log" 2>&1 &
prometheus=$!
ask() { curl -s --max-time 20 "http://127.0.0.1:$api/api/v1/$1" "${@:2}" >"$scratch/out"; }
is_up() { ask targets && jq -e '.data.activeTargets[0].health == "up"' "$scratch/out" >/dev/null; }
wait_for 120 is_up
ok $? "Prometheus has it up"
counts() {
	ask query --data-urlencode "query=$1" &&
		jq -e ".data.result | length == 1 and .[0].value[1] == \"$2\"" "$scratch/out" >/dev/null
}
wait_for 60 counts 'ringpace_packets_total{device="b",queue="0"}' 1000
ok $? "it knows how many packets came"
# Each of the dashboard's queries is one that Prometheus understands.
queries() {
	local n
	jq -r '.. | .expr? // empty' "$top/docs/grafana/ringpace.json" |
		sed 's/\$__rate_interval/1m/g; s/\$instance/.*/g; s/\$device/.*/g' >"$scratch/queries"
	n=$(wc -l <"$scratch/queries")
	while read -r query; do
		ask query --data-urlencode "query=$query"
		jq -e '.status == "success"' "$scratch/out" >/dev/null ||
			{ cp "$scratch/out" "$scratch/err"; return 1; }
	done <"$scratch/queries"
	[ "$n" -gt 10 ]
}
check "and it answers the dashboard's queries" queries
kill -TERM $prometheus && wait $prometheus
stop
ok $? "all ends"
finish
