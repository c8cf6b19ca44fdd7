# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Two hosts, network namespaces of their own, on a bridge with rp-dataplane's tap rpt0, for
# tests of its network functions. Sourced behind what has start(); skips without bridges.
#
#	inside 192.168.7.2 ─┐
#	                    br0 ── tap rpt0, ringpaced, port b ── rp-dataplane 192.168.7.1, 198.51.100.1
#	outside 198.51.100.2 ─┘
#
# Or, from start_cards() on, with a card, a bridge and a tap for each of them:
#
#	outside ── br0 ── tap rpt0, ringpaced, port b ── rp-dataplane ── port c, tap rpt1 ── br1 ── inside
if ! unshare -n sh -c 'ip link add br0 type bridge && ip link add v0 type veth peer name v1' \
	2>/dev/null; then
	echo '1..0 # SKIP no bridges or veth in this kernel'
	exit 0
fi

mac_in=02:00:00:00:07:02
mac_out=02:00:00:00:64:02
bytes=3000000
tap_host=$top/tests/native/tap_host.py

# host NAME MAC ADDRESS/BITS: its namespace lives as long as the process NAME.
host() {
	unshare -n sleep 1000 &
	printf -v "$1" %s $!
	local pid=${!1}
	wait_for 10 eval "[ \"\$(readlink /proc/$pid/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]" &&
		ip link add "$1" type veth peer name eth0 netns "$pid" &&
		ip link set "$1" master br0 up && in_ns "$pid" ip link set lo up &&
		in_ns "$pid" ip link set eth0 address "$2" && in_ns "$pid" ip link set eth0 up &&
		in_ns "$pid" ip addr add "$3" dev eth0
}
in_ns() { nsenter -t "$1" -n "${@:2}"; }

topology() {
	ip link add br0 type bridge && ip link set br0 up &&
		host inside $mac_in 192.168.7.2/24 && host outside $mac_out 198.51.100.2/24 &&
		in_ns "$inside" ip route add default via 192.168.7.1
}

# The first ones are dropped until the neighbours have answered.
pings() {
	wait_for 60 in_ns "$inside" timeout 5 "$tap_host" ping 198.51.100.2 1 2>/dev/null &&
		in_ns "$inside" timeout 60 "$tap_host" ping 198.51.100.2 10
}

# Bytes from the inside to a server outside, whole.
transfer() {
	in_ns "$outside" "$tap_host" serve "$1" >"$scratch/served" 2>"$scratch/err" &
	local server=$!
	wait_for 30 listens "$1" || return 1
	in_ns "$inside" timeout 120 "$tap_host" send 198.51.100.2 "$1" $bytes \
		>"$scratch/sent" 2>"$scratch/err" && wait $server && cmp "$scratch/sent" "$scratch/served"
}
listens() { in_ns "$outside" grep -q "$(printf ':%04X 00000000:0000 0A' "$1")" /proc/net/tcp; }

# The server's side: from whom the connection came.
seen_as() {
	# It reads to the end, lest the other side finds nobody to write to.
	in_ns "$outside" timeout 60 socat -u TCP-LISTEN:5001 \
		SYSTEM:'cat >/dev/null; echo $SOCAT_PEERADDR' \
		>"$scratch/seen" 2>"$scratch/err" &
	local server=$!
	wait_for 30 listens 5001 && in_ns "$inside" sh -c 'echo x | socat -u - TCP:198.51.100.2:5001' &&
		wait $server && [ "$(cat "$scratch/seen")" = 198.51.100.1 ]
}

# The forwarder's: the same hosts, each with a route by way of it.
write_routes() {
	cat >"$scratch/routes" <<-END
		# the hosts, and what is behind them
		192.168.7.0/24   $mac_in
		198.51.100.0/24  $mac_out	# outside
		198.51.0.0/16    $mac_in
	END
}

# The forwarder's, of which the inside finds out; the other side is told.
learn_mac() {
	local mac
	# That of before is another: devices without one of their own have any.
	in_ns "$inside" ip neigh flush dev eth0
	in_ns "$inside" sh -c 'echo x | socat -u - UDP:192.168.7.1:9' &&
		wait_for 30 known_mac >/dev/null || return 1
	mac=$(known_mac)
	in_ns "$outside" ip neigh replace 198.51.100.1 lladdr "$mac" dev eth0 nud permanent &&
		in_ns "$outside" ip route replace 192.168.7.0/24 via 198.51.100.1
}
known_mac() { in_ns "$inside" ip neigh show 192.168.7.1 | grep -Eo '([0-9a-f]{2}:){5}[0-9a-f]{2}'; }

start_in_bridge() {
	start "$@" && ip addr flush dev rpt0 && ip link set rpt0 master br0
}

# start_cards APP [OPTIONS]: the outside at its first card, the inside at the second.
start_cards() {
	"${ringpace}d" --control "$scratch/ctl" --port t,tap=rpt0,pairs=4 --port u,tap=rpt1,pairs=4 \
		--port "b,socket=$scratch/b.sock,pairs=4,rss=128" \
		--port "c,socket=$scratch/c.sock,pairs=4,rss=128" --link t,b --link u,c 2>"$scratch/err" &
	daemon=$!
	wait_for 30 test -S "$scratch/ctl" && wait_for 10 test -S "$scratch/c.sock" &&
		ip link set rpt0 master br0 up && ip link set rpt1 master br1 up || return 1
	"$dataplane" --socket "$scratch/b.sock" --steer "$scratch/ctl,b" \
		--socket "$scratch/c.sock" --steer "$scratch/ctl,c" --threads 4 \
		--control "$scratch/dp.ctl" --app "$1" --stall-ms 60000 \
		"${@:2}" >"$scratch/dp.out" 2>"$scratch/err" &
	program=$!
	wait_for 60 grep -q . "$scratch/dp.out"
}
part_hosts() {
	ip link add br1 type bridge && ip link set br1 up && ip link set inside master br1
}
