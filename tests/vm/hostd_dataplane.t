#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ringpace-hostd with rp-dataplane in an emulated VM with two vCPUs, on two CPUs: without load
# the second thread gives its flow groups away, and then its vCPU goes off line by the guest's
# agent; under load the vCPU comes, and then the thread with its groups.
#
#	ringpace load ── a, ringpaced, b ── rp-dataplane, qemu-ga ── virtio-serial ── hostd
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=tests/vm/stock.sh
. "$top/tests/vm/stock.sh"
# shellcheck source=tests/vm/session.sh
. "$top/tests/vm/session.sh"
# shellcheck source=tests/vm/hostd.sh
. "$top/tests/vm/hostd.sh"
memory=304
driver="<driver queues='2' rx_queue_size='256' tx_queue_size='256' rss='on'/>"
words="hugepages=24 -- --threads 2 --groups 128 --cpus 0-1 --app udp-echo --stall-ms 60000 --dmax-ns 2000000"
devices="$(channel org.qemu.guest_agent.0) $(channel org.ringpace.dataplane.0 "$scratch/dp.ctl")
	$(channel org.ringpace.dataplane.1 "$scratch/hostd.ctl")"

# The VM's own image, and what is new over it.
make_initrd() {
	initrd_root "$scratch/root" "$top/tests/vm/dataplane_agent_init"
	initrd_program "$scratch/root" "$agent"
	cp "$top/images/dataplane/init" "$scratch/root/sbin/dataplane_init"
	initrd_archive "$scratch/root" "$scratch/more"
	cat "$top/build/dataplane/initrd" "$scratch/more" >"$scratch/initrd"
}
# dp CONDITION: of the dataplane's status, by one connection: its port takes one at a time.
dp() {
	local line
	echo '{"v":1,"id":1,"cmd":"status"}' >&"${orders_to[1]}" &&
		read -r -t 120 line <&"${orders_to[0]}" && json_is ".result | $1" <<<"$line"
}
qga() { virsh qemu-agent-command b "$1"; }
# in_guest COMMAND: what it prints, by the agent.
in_guest() {
	local pid
	pid=$(jq -nc --arg c "$1" '{execute: "guest-exec", arguments: {path: "/bin/sh", arg: ["-c", $c],
		"capture-output": true}}') && pid=$(qga "$pid" | jq .return.pid) &&
		wait_for "$patience" eval "qga '{\"execute\":\"guest-exec-status\",\"arguments\":{\"pid\":$pid}}' |
			tee $scratch/exec | jq -e .return.exited" >/dev/null && jq -r '.return["out-data"]' "$scratch/exec" | base64 -d
}
vcpu1() { [ "$(in_guest 'cat /sys/devices/system/cpu/cpu1/online')" = "$1" ]; }
# Where its two threads may run.
threads_at() {
	in_guest 'for t in /proc/$(pidof rp-dataplane)/task/*; do grep Cpus_allowed_list $t/status; done' |
		awk '{ print $2 }' | sort | uniq -c | grep -cE ' [01]$'
}

cat >"$scratch/hostd.yaml" <<END
$conf
stale-ns: 10000000000
blind-ns: 60000000000
timeout-ns: 60000000000
# What was added stays for a minute.
hold-ns: 60000000000
tenants:
  # Any load is more than such a bound.
  - {name: web, class: latency, domain: b, dataplane: $scratch/hostd.ctl, bound-ns: 2000,
     threads-per-core: 1, policy: consolidate, vcpus: agent}
END
settled() {
	status_is ".tenants[0] | .cores == $1 and (.pending | not) and .vcpus.online == $1 and .vcpus.state == \"enforced\" and
		.actions.place == \"enforced\" and .actions.threads == \"enforced\""
}
load() {
	exec "$ringpace" load --proto udp-echo --transport port --socket "$scratch/a.sock" \
		--connections 16 --timeout-ms 60000 "$@" --json 10.0.0.2:7 >"$scratch/load" 2>"$scratch/err"
}

make_initrd
check "a libvirtd of a session" start_libvirtd
start_wire
check "it makes a VM" create b 2
coproc orders_to { exec socat - "UNIX-CONNECT:$scratch/dp.ctl"; }
becomes "its dataplane has two threads" dp '[.threads[].groups] == [64, 64]'
# vfio is there, too, and cannot have it.
check "uio has the card of a VM without an IOMMU: idle threads sleep" dp '.wait == "sleep"'
becomes "its agent answers" vcpu1 1
check "a thread for each vCPU" eval '[ "$(threads_at)" = 2 ]'
check "a controller" start_hostd 1
becomes "without load it has a CPU" settled 1
check "the second thread has no groups, and is parked" dp '[.threads[].groups] == [128, 0] and .threads[1].parked'
check "its vCPU is off line" vcpu1 0
load --rate-rps 2000 --duration-s 3600 &
loader=$!
becomes "under load it has both" settled 2
check "the vCPU is on line" vcpu1 1
check "both threads have groups" dp '[.threads[].groups] == [64, 64] and (.threads[1].parked | not)'
check "and each has its vCPU" eval '[ "$(threads_at)" = 2 ]'
kill $loader
wait $loader 2>/dev/null
check "what is asked is answered" eval "( load --rate-rps 200 --duration-s 2 )"
check "all of it" json_of "$scratch/load" '.done > 0 and .failed == 0'
check "no packet was dropped or late" dp '.moves.dropped == 0 and all(.threads[]; .late == 0)'
kill $hostd && wait $hostd
check "a clean end" [ $? -eq 0 ]
check "it ends the VM" virsh destroy b
told "its QEMU is gone" is_gone b
stock_end b
kill "$libvirtd" && wait "$libvirtd"
check "libvirtd ends well" [ $? -eq 0 ]
kill "$daemon" && wait "$daemon"
check "ringpaced ends well" [ $? -eq 0 ]
finish
