#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `ringpace chain --lane vm`: stock guests as libvirt's domains, a bridge, a firewall, a
# router and a forwarder on DPDK.
# Nothing is lost or reordered, hops fit together, a host that sleeps is not kicked; the
# VMs stay from run to run; ended by a signal, nothing is left.
. "$(dirname "$0")/../native/lib.sh"
out=$scratch/out

chain() {
	timeout 500 "$ringpace" chain --lane vm --warmup-s 0.5 --full-ms 60000 "$@" \
		>"$out" 2>"$scratch/err" </dev/null
}

json() { json_of "$out" "$1"; }

qemus() { pgrep -f -- "-name guest=ringpace-chain-$1-" >/dev/null; }

clean='.lost == 0 and .reordered == 0 and .duplicates == 0 and .bad == 0 and .received == .sent and
	.sent > 0 and all(.hops[]; .lost == 0 and all(.dropped[]; . == 0)) and
	all(.hops[:-1][]; .stage.lost == 0)'
fits='(. as $r | all(range(1; .hops | length); $r.hops[. - 1].received == $r.hops[.].sent))'
# What only a look into the guest would tell.
unseen='all(.hops[:-1][]; .reordered == null and .bad == null and .stage.waits_per_s == null)'

# Slowly enough for emulated guests on a machine that has other things to do.
chain --vms 2 --nf firewall --rate-pps 200 --duration-s 2 --strategy notify,sleep,y-ns=100000 \
	--rounds 1 --json
ok $? 'two firewalls, two strategies'
check 'nothing lost, nothing reordered' json "all(.runs[]; $clean)"
check 'hops fit together' json "all(.runs[]; $fits)"
check 'says what it is' json 'all(.runs[]; .lane == "vm" and .nf == "firewall" and .vms == 2)'
check 'CPU time and notifications of VMs are known' json 'all(.runs[].hops[:-1][];
	.stage.cpu > 0 and .rx_calls_per_packet > 0) and
	all(.runs[].hops[]; .tx_kicks_per_packet != null and .rx_kicks_per_packet != null)'
check 'what is not known is null' json "all(.runs[]; $unseen)"
check 'VMs kick a host that blocks' json 'all(.runs[0].hops[1:][]; .tx_kicks_per_packet > 0)'
check 'and do not kick one that sleeps' json 'all(.runs[1].hops[]; .tx_kicks_per_packet == 0)'
check 'no directory is left' [ -z "$(ls -A "$XDG_RUNTIME_DIR")" ]

chain --vms 1 --nf bridge --rate-pps 200 --frame-bytes 1514 --flows 8 --strategy adaptive --json
ok $? 'a bridge, long frames'
check 'nothing lost, nothing reordered' json "$clean and $fits"

chain --vms 2 --nf route --rate-pps 200 --flows 4 --strategy adaptive --json
ok $? 'two routers'
check 'nothing lost, nothing reordered, each by both' json "$clean and $fits"
check 'the least frame that has all heads' json '.nf == "route" and .frame_bytes == 78'

# Of the guest that polls: it is never called, and what it counted is what passed.
polls='all(.hops[:-1][]; .rx_calls_per_packet == 0) and (.hops | length == 2) and
	.hops[0].stage.guest.received == [.received, 0] and
	.hops[0].stage.guest.sent == [0, .received] and .hops[1].stage.guest == null'
chain --vms 1 --nf l2fwd --flows 4 --rate-pps 200 --duration-s 2 \
	--strategy notify,sleep,y-ns=100000 --rounds 1 --json
ok $? 'a forwarder on DPDK, two strategies'
check 'nothing lost, nothing reordered' json "all(.runs[]; $clean and $fits)"
check 'says what it is' json 'all(.runs[]; .nf == "l2fwd" and .nf_wait == "sleep" and
	.nf_macs == false)'
check 'its counters are those of each run' json "all(.runs[]; $polls)"
check 'it sleeps while nothing comes' json 'all(.runs[]; .hops[0].stage.guest.sleeps > 0)'
check 'it kicks a host that blocks' json '.runs[0].hops[1].tx_kicks_per_packet > 0'
check 'and does not kick one that sleeps' json 'all(.runs[1].hops[]; .tx_kicks_per_packet == 0)'

chain --vms 1 --nf l2fwd --nf-macs --nf-wait spin --rate-pps 200 --frame-bytes 1514 \
	--strategy adaptive --json
ok $? 'one that spins and rewrites addresses'
check 'nothing lost, nothing reordered' json "$clean and $fits"
check 'says what it is' json '.nf_wait == "spin" and .nf_macs == true'
check 'never sleeps' json "$polls and .hops[0].stage.guest.sleeps == 0"

perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$ringpace" chain --lane vm --vms 1 --duration-s 60 \
	>"$out" 2>"$scratch/err" </dev/null &
pid=$!
wait_for 60 qemus $pid
kill -INT $pid
wait $pid
check 'SIGINT ends it while VMs boot, with 130' [ $? -eq 130 ]
check 'no VM is left' wait_for 20 eval '! qemus $pid'
check 'no directory is left' wait_for 20 eval '[ -z "$(ls -A "$XDG_RUNTIME_DIR")" ]'
finish
