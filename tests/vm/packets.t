#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two stock guests, Debian's kernel with its own virtio_net, on a link of ringpaced:
#
#	server eth0 ── port a ═ ringpaced ═ port b ── eth0 client
#
# Ping, small and in fragments, and files by TCP; with all offloads and without,
# with jumbo frames, with two pairs of queues.
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=images/lib.sh
. "$top/images/lib.sh"
qemu=$top/build/qemu-system-x86_64
patience=240

die() { echo "Bail out! $*"; exit 1; }

release=$("$top/images/guest/kernel" --version)
tree=$("$top/images/guest/kernel")
moddir=${tree%/}/lib/modules/$release
initrd_root "$scratch/root" "$top/tests/vm/packets_init"
initrd_modules "$scratch/root" virtio_pci virtio_net
initrd_archive "$scratch/root" "$scratch/initrd"

# boot ROLE PORT MTU OPTIONS: a VM in the background, with a CPU per pair; its pid in $vm.
boot() {
	"$qemu" -accel tcg,thread=multi -cpu max -machine q35,memory-backend=ram -m 192 -smp "$pairs" \
		-object memory-backend-memfd,id=ram,size=192M,share=on \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "${tree%/}/boot/vmlinuz-$release" -initrd "$scratch/initrd" \
		-append "console=ttyS0 quiet tsc=reliable panic=-1 oops=panic rp.role=$1 rp.mtu=$3" \
		-serial "file:$scratch/$1.log" \
		-chardev "socket,id=net,path=$scratch/$2.sock,reconnect=1" \
		-netdev "vhost-user,id=net0,chardev=net,queues=$pairs" \
		-device "virtio-net-pci,netdev=net0,mac=52:54:00:00:00:0${#1}$4" \
		>"$scratch/$1.qemu" 2>&1 &
	vm=$!
}

said() { grep -q "RESULT $1" "$scratch/$2.log"; }

ctl() { printf '%s\n' "$1" | timeout 20 socat -t 10 - "UNIX-CONNECT:$scratch/ctl"; }

# moved PORT QUEUE: packets of that queue.
packets() { ctl "{\"v\":1,\"cmd\":\"stats\",\"device\":\"$1\",\"queue\":$2}" | jq .result.stats.packets; }

# scene NAME MTU SERVER_OPTIONS CLIENT_OPTIONS
scene() {
	local name=$1 server client daemon
	rm -f "$scratch"/*.log "$scratch"/*.sock
	"$top/build/ringpaced" --control "$scratch/ctl" \
		--port "a,socket=$scratch/a.sock,pairs=$pairs" \
		--port "b,socket=$scratch/b.sock,pairs=$pairs" --link a,b 2>"$scratch/daemon" &
	daemon=$!
	wait_for 60 [ -S "$scratch/ctl" ]
	boot server a "$2" "$3"
	server=$vm
	boot client b "$2" "$4"
	client=$vm
	wait_for $patience said "done" client
	ok $? "$name: the client is done"
	cat "$scratch"/*.qemu "$scratch/daemon" "$scratch"/*.log >"$scratch/err" 2>/dev/null
	check "$name: 20 pings, none lost" said "20 20 packets received, 0% packet loss" client
	check "$name: large pings, none lost" said "5b 5 packets received, 0% packet loss" client
	check "$name: three files arrive whole" said "file 3 whole" client
	check "$name: the mtu is $2" said "server up, mtu $2" server
	check "$name: both directions are counted" \
		[ "$(packets a 1)" -gt 20 -a "$(packets b 1)" -gt 20 ]
	kill "$server" "$client" 2>/dev/null
	wait "$server" "$client" 2>/dev/null
	kill "$daemon"
	wait "$daemon"
	check "$name: ringpaced ends well" [ $? -eq 0 ]
}

off=,csum=off,guest_csum=off,gso=off,guest_tso4=off,guest_tso6=off,guest_ecn=off
off=$off,host_tso4=off,host_tso6=off,host_ecn=off,mrg_rxbuf=off

pairs=1
scene "all offloads" 1500
scene "no offloads" 1500 $off $off
scene "a client that wants whole checksums" 1500 ,host_tso4=off,host_tso6=off,host_ecn=off $off
pairs=2
scene "jumbo frames, two pairs" 9000 ,mq=on,vectors=6 ,mq=on,vectors=6
finish
