#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# rp-dataplane in a VM that is started as docs/dataplane.md has it for QEMU: with a vector for
# each thread and one more, idle threads wait for interrupts; with fewer they sleep. Both answer,
# also when ringpaced was away.
#
#	ringpace load ── a, ringpaced, b ── virtio-net, vfio ── rp-dataplane
. "$(dirname "$0")/../native/lib.sh"
# shellcheck source=tests/vm/stock.sh
. "$top/tests/vm/stock.sh"
memory=304M
pairs=2
cp "$top/build/dataplane/initrd" "$scratch/initrd"

# boot NAME VECTORS
boot() {
	card=,mq=on,rss=on,vectors=$2
	stock_boot "$1" b 2 'hugepages=24 -- --threads 2 --groups 128 --app udp-echo --dmax-ns 2000000' \
		-machine kernel_irqchip=split -device intel-iommu,intremap=on -device virtio-serial-pci \
		-chardev "socket,id=c0,path=$scratch/$1.ctl,server=on,wait=off" \
		-device virtserialport,chardev=c0,name=org.ringpace.dataplane.0 \
		-chardev "socket,id=c1,path=$scratch/$1.ctl2,server=on,wait=off" \
		-device virtserialport,chardev=c1,name=org.ringpace.dataplane.1
	wait_for 60 [ -S "$scratch/$1.ctl" ]
}
# waits NAME HOW: an order that is early waits in the port until rp-dataplane opens it.
waits() {
	local line rc
	coproc orders { exec socat - "UNIX-CONNECT:$scratch/$1.ctl"; }
	echo '{"v":1,"cmd":"status"}' >&"${orders[1]}" && read -r -t "$patience" line <&"${orders[0]}"
	json_is ".result.wait == \"$2\"" <<<"$line"
	rc=$?
	kill "$orders_PID" && wait "$orders_PID" 2>/dev/null
	return $rc
}
answers() {
	timeout 120 "$ringpace" load --proto udp-echo --transport port --socket "$scratch/a.sock" \
		--connections 16 --timeout-ms 60000 --rate-rps 100 --duration-s 1 --json 10.0.0.2:7 \
		>"$scratch/load" 2>"$scratch/err" && json_of "$scratch/load" '.done > 0 and .failed == 0'
}

start_wire
for vectors in 3 2; do
	how=$([ $vectors = 3 ] && echo interrupt || echo sleep)
	check "a VM whose card has $vectors vectors" boot "vm$vectors" $vectors
	check "wait: $how" waits "vm$vectors" "$how"
	check 'it answers' answers
	kill -KILL "$daemon" && wait "$daemon" 2>/dev/null
	rm -f "$scratch/ctl"
	start_wire
	check 'ringpaced dies, another one is there' wait_for 60 \
		grep -q 'b: its guest has set RSS' "$scratch/daemon"
	check 'it answers' answers
	stock_end "vm$vectors"
done
kill "$daemon" && wait "$daemon"
check 'ringpaced ends well' [ $? -eq 0 ]
finish
