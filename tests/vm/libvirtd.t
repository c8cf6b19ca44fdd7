#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libvirtd is killed under load, and the VMs that it has started do not notice:
#
#	libvirtd ─┬─ guest a eth0 ── port a ═ ringpaced ═ port b ── eth0 guest b ─┐
#	          └───────────────────────────────────────────────────────────────┘
#
# They ping each other and fetch files from each other all the time; one of them gets more
# memory meanwhile, and its packets lie there. Then another libvirtd finds them again, and ends them.
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=tests/vm/stock.sh
. "$top/tests/vm/stock.sh"
# shellcheck source=tests/vm/session.sh
. "$top/tests/vm/session.sh"
memory=192
# MiB that a gets while it runs: one block of x86's memory hotplug.
dimm=128
before_memory="<maxMemory slots='1' unit='MiB'>$((memory + dimm))</maxMemory>"
domain_cpu="<cpu mode='maximum'><numa><cell id='0' cpus='0' memory='$memory' unit='MiB'/></numa></cpu>"
words=memhp_default_state=online_kernel

# plug NAME: more memory, as <memory> of a domain.
plug() {
	cat >"$scratch/dimm.xml" <<-END
	<memory model='dimm' access='shared'>
	  <target><size unit='MiB'>$dimm</size><node>0</node></target>
	</memory>
	END
	virsh attach-device "$1" "$scratch/dimm.xml" --live
}

# Pieces of guests' memory that ringpaced has.
pieces() { grep -c 'memfd:' "/proc/$daemon/maps"; }
has_pieces() { [ "$(pieces)" -ge "$1" ]; }

losses() { count a 1 '.dropped | add'; count b 1 '.dropped | add'; }

stock_initrd "$top/tests/vm/orders_init"
check "a libvirtd of a session" start_libvirtd
start_daemon
check "it makes a VM" create a 1
check "and another one" create b 2
told "guest a is up" is_up a
told "guest b is up" is_up b
order a "ip addr add 10.9.0.1/24 dev eth0; serve 1000000"
order b "ip addr add 10.9.0.2/24 dev eth0; serve 1000000"
check "they know each other" order a 'ping -c 2 -W 20 10.9.0.2'
before=$(losses)
keep_on a 10.9.0.2
keep_on b 10.9.0.1
told "a pings and fetches" goes_on a 1
told "b pings and fetches" goes_on b 1

had=$(pieces)
check "a gets $dimm MiB more" plug a
told "ringpaced has that, too" has_pieces $((had + 1))
told "a goes on, with more memory" goes_on a 2
told "b goes on" goes_on b 2
# What is beyond 4 GiB is zone Normal, which the kernel takes first; before, a had none.
order a "awk '/zone/ { z = \$4 } z == \"Normal\" && /nr_free_pages|managed/ { print \$1, \$2 }' /proc/zoneinfo"
said a >"$scratch/zone"
used=$(awk '$1 == "managed" { m = $2 } $1 == "nr_free_pages" { f = $2 } END { print m - f }' "$scratch/zone")
echo "# $used pages of it are in use"
check "its packets have come to lie there" [ "$used" -gt 256 ]

kill -KILL "$libvirtd"
wait "$libvirtd" 2>/dev/null
check "libvirtd is killed" [ -z "$(virsh list)" ]
told "a goes on" goes_on a 3
told "b goes on" goes_on b 3
check "another libvirtd" start_libvirtd
told "it finds a" is_running a
told "and b" is_running b
told "a goes on under it" goes_on a 2
told "b goes on under it" goes_on b 2
check "all pings were answered, all files arrived whole" all_went a b
check "nothing was dropped" [ "$(losses)" = "$before" ]
check "ringpaced saw no frontend go" [ "$(grep -c 'disconnected' "$scratch/daemon")" -eq 0 ]
echo "# a: ${pinged[a]} times 5 pings and ${fetched[a]} files; b: ${pinged[b]} and ${fetched[b]}"
check "it ends a" virsh destroy a
check "it ends b" virsh destroy b
told "their QEMUs are gone" is_gone a
told "both" is_gone b
stock_end a b
kill "$libvirtd"
wait "$libvirtd"
check "libvirtd ends well" [ $? -eq 0 ]
kill "$daemon"
wait "$daemon"
check "ringpaced ends well" [ $? -eq 0 ]
finish
