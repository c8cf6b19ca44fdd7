# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What tests of ringpace-hostd with a guest's agent share. To be sourced behind session.sh.
pairs=2
control=$scratch/hostd/control

# The host's, for hostd's file, and the agent's program.
cpus=$(python3 -c 'import os; print(",".join(map(str, sorted(os.sched_getaffinity(0))[:2])))')
[ "${cpus#*,}" != "$cpus" ] || { echo '1..0 # SKIP two CPUs are needed'; exit 0; }
agent=$("$top/scripts/unpacked" qemu-guest-agent 2>"$scratch/err")/qemu-ga
[ -x "$agent" ] || { echo "1..0 # SKIP $(tail -n 1 "$scratch/err")"; exit 0; }

# How hostd's file begins. Times follow: a busy machine is slow, and no reason to do anything.
conf="run-dir: $scratch/hostd
cpus: $cpus
clocks: no
rapl: no
libvirt: \"$uri\""

# channel NAME [PATH]: of virtio-serial; without a path libvirt's.
channel() {
	echo "<channel type='unix'>${2:+<source mode='bind' path='$2'/>}" \
		"<target type='virtio' name='$1'/></channel>"
}

# start_hostd TENANTS: by $scratch/hostd.yaml.
start_hostd() {
	"$top/build/ringpace-hostd" --config "$scratch/hostd.yaml" 2>"$scratch/hostd.log" &
	hostd=$!
	wait_for 60 status_is ".acting and (.tenants | length == $1)"
}

status_is() {
	"$ringpace" host status --socket "$control" --json >"$scratch/status" 2>"$scratch/err" &&
		json_of "$scratch/status" "$1"
}

# becomes TEXT CONDITION...: as told(); what has failed here makes all that follows fail.
becomes() {
	local text=$1
	shift
	if wait_for "$patience" "$@"; then
		ok 0 "$text"
		return
	fi
	{ cat "$scratch/status" && tail -n 20 "$scratch/hostd.log" "$scratch/virsh" "$scratch"/*.log \
		"$scratch/daemon"; } >"$scratch/err" 2>/dev/null
	ok 1 "$text"
	finish
}
