# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What tests with a libvirtd of their own share. To be sourced behind stock.sh.
#
# It is a daemon of a session: all it has is in the scratch directory, and this host's is
# neither used nor disturbed. libvirtd makes that of its user, so it runs in a user namespace
# where we are nobody: nothing but a name, files are still ours.
as_nobody=(env "HOME=$scratch/home" "XDG_CONFIG_HOME=$scratch/home" "XDG_CACHE_HOME=$scratch/home"
	unshare -U --map-user=65534 --map-group=65534)
# Of a domain, for create(): what stands before its memory, its CPU, more of its card, more
# devices, and more words for its kernel; memory is in MiB.
before_memory=
domain_cpu="<cpu mode='maximum'/>"
driver=
devices=
words=

skip=
command -v libvirtd >/dev/null || skip='no libvirtd in PATH'
[ -n "$skip" ] || unshare -U --map-user=65534 --map-group=65534 true 2>/dev/null ||
	skip='no user namespaces for us'
if [ -n "$skip" ]; then
	echo "1..0 # SKIP $skip"
	exit 0
fi

uri="qemu:///session?mode=legacy&socket=$XDG_RUNTIME_DIR/libvirt/libvirt-sock"
virsh() { "${as_nobody[@]}" virsh -q -c "$uri" "$@" 2>>"$scratch/virsh"; }

is_there() { virsh version >/dev/null; }
start_libvirtd() {
	mkdir -p "$scratch/home/libvirt"
	# No virtlogd, which would be one more daemon.
	echo 'stdio_handler = "file"' >"$scratch/home/libvirt/qemu.conf"
	"${as_nobody[@]}" libvirtd >>"$scratch/libvirtd" 2>&1 &
	libvirtd=$!
	wait_for 60 is_there
}

# VMs are no children of ours: is it still the one?
runs() { grep -qs -- "$scratch" "/proc/${vms[$1]}/cmdline"; }
is_gone() { ! runs "$1"; }
kill_vms() {
	local name
	for name in "${!vms[@]}"; do ! runs "$name" || kill -KILL "${vms[$name]}"; done
}
trap 'kill_vms; stop_serving; clean_up' EXIT

# Ports a and b, whose wire they are.
start_daemon() {
	"$top/build/ringpaced" --control "$scratch/ctl" \
		--port "a,socket=$scratch/a.sock,full-ms=3600000" \
		--port "b,socket=$scratch/b.sock,full-ms=3600000" --link a,b 2>"$scratch/daemon" &
	daemon=$!
	wait_for 60 [ -S "$scratch/ctl" ]
}

# domain NAME STATION
domain() {
	cat <<-END
	<domain type='qemu'>
	  <name>$1</name>
	  $before_memory
	  <memory unit='MiB'>$memory</memory>
	  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>
	  <vcpu>$pairs</vcpu>
	  <os>
	    <type arch='x86_64' machine='q35'>hvm</type>
	    <kernel>$vmlinuz</kernel>
	    <initrd>$scratch/initrd</initrd>
	    <cmdline>$kernel ipv6.disable=1 $words</cmdline>
	  </os>
	  <features><acpi/><apic/></features>
	  $domain_cpu
	  <devices>
	    <emulator>$qemu</emulator>
	    <controller type='usb' model='none'/>
	    <serial type='pipe'><source path='$scratch/$1'/></serial>
	    <interface type='vhostuser'>
	      <mac address='52:54:00:00:00:0$2'/>
	      <source type='unix' path='$scratch/$1.sock' mode='client'>
	        <reconnect enabled='yes' timeout='1'/>
	      </source>
	      <model type='virtio'/>
	      $driver
	    </interface>
	    $devices
	    <memballoon model='none'/>
	  </devices>
	</domain>
	END
}

# create NAME STATION: the VM, without a definition that would stay.
create() {
	stock_console "$1"
	domain "$1" "$2" >"$scratch/$1.xml"
	virsh create "$scratch/$1.xml" || return 1
	vms[$1]=$(cat "$XDG_RUNTIME_DIR/libvirt/qemu/run/$1.pid")
}

is_running() { [ "$(virsh domstate "$1")" = running ]; }
