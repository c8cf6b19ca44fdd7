#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ringpace-hostd with a domain whose vCPUs the guest's own agent takes off line and puts on
# line, seen from inside of the guest, on two CPUs:
#
#	hostd ─┬─ libvirtd ─┬─ web: guest a, qemu-ga, two vCPUs, at port a of ringpaced
#	       │            └─ vm: boots nothing; an agent's channel that nobody is at
#	       └─ job: a process
#
# It has a vCPU as nothing comes, and both when ringpaced stands still and nothing is known. Its
# agent is stopped, then silent, while the others go on; it ends while it is asked.
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=tests/vm/stock.sh
. "$top/tests/vm/stock.sh"
# shellcheck source=tests/vm/session.sh
. "$top/tests/vm/session.sh"
# shellcheck source=tests/vm/hostd.sh
. "$top/tests/vm/hostd.sh"
memory=192
modules="virtio_pci virtio_net virtio_console"
devices=$(channel org.qemu.guest_agent.0)

# ---- The guests ----

# shellcheck disable=SC2016
port='/dev/$(basename $(dirname $(grep -lx org.qemu.guest_agent.0 /sys/class/virtio-ports/*/name)))'
start_agent() {
	order a "mkdir -p /run; until [ -c $port ]; do sleep 0.1; done" &&
		order a "qemu-ga -m virtio-serial -p $port -t /run -f /run/lock >/run/log 2>&1 &
			echo \$! >/run/pid"
}
answers() { virsh qemu-agent-command "$1" '{"execute":"guest-ping"}' >/dev/null; }
signal_agent() { order a "kill -$1 \$(cat /run/pid)"; }
be_silent() {
	order a "kill \$(cat /run/pid); wait; rm -f /run/lock; touch /run/asked" &&
		order a "until silent_agent $port /run/asked; do sleep 0.1; done &"
}
asked() { order a 'wc -l </run/asked' && [ "$(said a)" -eq "$1" ]; }
asked_again() { ! asked 1; }
# Inside of it.
has_vcpu1() { order a 'cat /sys/devices/system/cpu/cpu1/online' && [ "$(said a)" = "$1" ]; }
# shows STATUS ONLINE: what the guest has while hostd says STATUS, before it and after it: on a
# machine that is busy for seconds it may be another one in between.
shows() {
	local end=$((SECONDS + patience))
	until status_is "$1" && order a 'cat /sys/devices/system/cpu/cpu1/online' &&
		seen=$(said a) && status_is "$1"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
	[ "$seen" = "$2" ]
}
# From outside: the CPUs of all of its vCPUs.
pinned() {
	local task
	for task in "/proc/${vms[$1]}"/task/*; do
		[[ $(cat "$task/comm") != CPU* ]] || taskset -pc "${task##*/}"
	done | sed 's/.*: //' | sort -u
}

create_vm() {
	cat >"$scratch/vm.xml" <<-END
	<domain type='qemu'>
	  <name>vm</name>
	  <memory unit='MiB'>64</memory>
	  <vcpu>2</vcpu>
	  <os><type arch='x86_64' machine='q35'>hvm</type></os>
	  <features><acpi/><apic/></features>
	  <devices>
	    <emulator>$qemu</emulator>
	    <controller type='usb' model='none'/>
	    $devices
	    <memballoon model='none'/>
	  </devices>
	</domain>
	END
	virsh create "$scratch/vm.xml" || return 1
	vms[vm]=$(cat "$XDG_RUNTIME_DIR/libvirt/qemu/run/vm.pid")
}

start_job() {
	sleep infinity >/dev/null 2>&1 &
	job=$!
	echo $job >"$scratch/job"
}
cpus_of() { taskset -pc "$1" | sed 's/.*: //'; }

# ---- The controller ----

cat >"$scratch/hostd.yaml" <<END
$conf
ringpaced: $scratch/ctl
stale-ns: 4000000000
blind-ns: 8000000000
timeout-ns: 30000000000
tenants:
  - {name: web, class: latency, domain: a, ports: [a], bound-ns: 1000000000, policy: consolidate,
     threads-per-core: 1, vcpus: agent}
  - {name: vm, class: batch, domain: vm, vcpus: agent}
  - {name: job, class: batch, pidfile: $scratch/job}
END

web='.tenants[0]' vm='.tenants[1]'
ticks() { "$ringpace" host status --socket "$control" --json | jq .loop.ticks; }
parked="$web | .cores == 1 and (.pending | not) and .vcpus.state == \"enforced\" and .vcpus.online == 1 and
	.actions.place == \"enforced\""
unparked="$web | .cores == 2 and (.pending | not) and .vcpus.state == \"enforced\" and .vcpus.online == 2"

stock_initrd "$top/tests/vm/orders_init" "$agent" "$top/tests/vm/silent_agent"
check "a libvirtd of a session" start_libvirtd
start_daemon
check "it makes a VM" create a 1
check "and one that boots nothing" create_vm
start_job
told "guest a is up" is_up a
check "its agent begins" start_agent
told "and answers libvirt" answers a

check "a controller" start_hostd 3
becomes "nothing comes: it parks a vCPU, and the agent tells that it is so" status_is "$parked"
check "in the guest it is off line" shows "$parked" 0
one=$(pinned a)
check "both are pinned to one CPU" eval '[[ $one != *[,-]* ]]'
becomes "of who has no agent it says why it is not so" status_is \
	"$vm | .vcpus.state == \"failed\" and (.vcpus.why | test(\"agent is not connected\"))"
check "in one line of its log" eval \
	'[ "$(grep -c "vm: domain vm: its agent.*only pinned" "$scratch/hostd.log")" = 1 ]'
other=$(pinned vm)
check "and it is pinned" eval '[[ $other != *[,-]* && $other != "$one" ]]'
"$ringpace" host status --socket "$control" >"$scratch/out" 2>"$scratch/err"
check "and for people" grep -q '^vm: vCPUs by agent: failed: its agent' "$scratch/out"

kill -STOP $daemon
becomes "nothing is known: it gives both back" status_is "$unparked"
check "in the guest it is on line" shows "$unparked" 1
check "they have both CPUs" eval '[[ $(pinned a) = *[,-]* ]]'

check "the agent stands" signal_agent STOP
kill -CONT $daemon
becomes "it is told, and that pins hold" status_is "$web | .cores == 1 and (.pending | not) and
	.actions.place == \"enforced\" and .vcpus.state == \"failed\" and
	(.vcpus.why | test(\"^its agent does not tell.*agent not available\"))"
check "it is not parked" has_vcpu1 1
check "its vCPUs are pinned to one CPU" eval '[[ $(pinned a) != *[,-]* ]]'
check "the agent goes on" signal_agent CONT
becomes "and the vCPU is parked" status_is "$parked"
check "in the guest, too" shows "$parked" 0

kill -STOP $daemon
becomes "both are given back" status_is "$unparked"
# It answers that it is there, and no more: each call of libvirt is a long one.
check "another agent is silent" be_silent
kill -CONT $daemon
becomes "it is asked" asked 1
begin=$(ticks)
vcpus_wait="$web | .cores == 1 and .vcpus.state != \"enforced\""
becomes "the loop takes its turns" eval '[ "$(ticks)" -gt $((begin + 20)) ]'
gone=$job
start_job
kill $gone && wait $gone 2>/dev/null
becomes "a new process of another tenant has its place" eval '[ "$(cpus_of $job)" = "$other" ]'
check "another domain ends" virsh destroy vm
check "and comes again" create_vm
becomes "it has its place" eval '[ "$(pinned vm)" = "$other" ]'
check "all that while the same call is under way" eval 'asked 1 && status_is "$vcpus_wait"'
becomes "it ends after its time" status_is \
	"$web | .vcpus.state == \"failed\" and (.vcpus.why | test(\"not available|not answered in time\"))"
becomes "and it is asked again" asked_again

check "the domain ends meanwhile" virsh destroy a
becomes "it is nobody" status_is "$web | .vcpus.state == \"nobody\" and (.running | not)"
stock_end a
check "it comes again" create a 1
told "guest a is up" is_up a
check "its agent begins" start_agent
becomes "and its vCPU is parked" status_is "$parked"
check "in the guest, too" shows "$parked" 0

kill $hostd && wait $hostd
check "a clean end" [ $? -eq 0 ]
check "gives the vCPU back" has_vcpu1 1
check "and its CPUs" eval '[[ $(pinned a) = *[,-]* ]]'
check "nothing is noted any more" [ ! -e "$scratch/hostd/state" ]

check "it ends a" virsh destroy a
check "and the other one" virsh destroy vm
told "their QEMUs are gone" is_gone a
told "both" is_gone vm
stock_end a
check "their sockets, too" [ -z "$(find "$scratch" -name 'org.qemu.guest_agent.0')" ]
kill "$libvirtd" && wait "$libvirtd"
check "libvirtd ends well" [ $? -eq 0 ]
kill "$daemon" $job && wait "$daemon"
check "ringpaced ends well" [ $? -eq 0 ]
wait $job 2>/dev/null
finish
