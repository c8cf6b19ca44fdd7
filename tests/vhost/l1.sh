# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The VM of lib.sh as a KVM host, L1, with QEMU and tests in Python, which it
# has from this machine. Sourced, with $here set to this directory.
#
#   L0: QEMU (TCG)  L1: [ l1_main.py, QEMU ]--[ kvm, vhost_pc.ko ]
#                   L2: [ rp-agent ]--[ virtio_pc.ko ]

. "$here/lib.sh"

python=$(readlink -f /usr/bin/python3)
l1=$tmp/root

# with_libraries FILE...: what the dynamic linker will look for.
with_libraries() {
	ldd "$@" 2>/dev/null | grep -o '/[^ ]*' | grep -v ':$' | sort -u |
		while read -r library; do
			[ -e "$l1$library" ] || install -D -m 755 "$(readlink -f "$library")" "$l1$library"
		done
}

add_module irqbypass
add_module kvm
add_module ccp
add_module kvm-amd
add_vhost_pc

install -D -m 755 "$python" "$l1$python"
mkdir -p "$l1/usr/lib" "$l1/usr/share/qemu" "$l1/usr/share/seabios" "$l1/test/vm" \
	"$l1/test/vhost" "$l1/build/guest"
cp -r "/usr/lib/${python##*/}" "$l1/usr/lib/"
rm -rf "$l1/usr/lib/${python##*/}"/{test,idlelib,lib2to3,config-*,ensurepip,pydoc_data}
find "$l1/usr/lib" -name __pycache__ -prune -exec rm -rf {} +
cp "$root"/tests/vm/{guest_vm,qtest_guest}.py "$l1/test/vm"
cp "$here"/{l1,l1_qtest,l1_kvm,l1_main,vhost_pc}.py "$root/vhost/kernel/uapi/vhost_pc.h" \
	"$root/guest-driver/module/uapi/virtio_pc.h" "$l1/test/vhost"
strip -o "$l1/build/qemu-system-x86_64" "$(readlink -f "$qemu")"
cp "$build/guest/vmlinuz" "$build/guest/initrd" "$l1/build/guest"
cp /usr/share/seabios/bios-256k.bin "$l1/usr/share/seabios"
cp /usr/share/qemu/{kvmvapic,linuxboot_dma}.bin "$l1/usr/share/qemu"
with_libraries "$python" "$l1/build/qemu-system-x86_64" \
	"/usr/lib/${python##*/}"/lib-dynload/*.so

# Did a guest stand still or start anew, or L1 stand still? docs/nested.md: with emulated
# SVM they do at times. A trace of the kernel's with a module of ours in it is no such case.
stood_still() {
	! grep -Eq '\+0x[0-9a-f]+/0x[0-9a-f]+ \[(vhost|vhost_pc|virtio_pc)\]' "$tmp/console" &&
		{ grep -Eq ' in vain$| started anew by itself$' "$tmp/tap" || ! rp_test_ended; }
}

# run_in_l1 MODULE: runs the tests of a Python module beside this file, and once
# more in a new L1 if in the first one something stood still or started anew.
run_in_l1() {
	printf '#!/bin/sh\nexec %s -B /test/vhost/l1_main.py %s\n' "$python" "$1" \
		> "$l1/sbin/rp-test"
	chmod 755 "$l1/sbin/rp-test"
	run_vm 2048 580 apparmor=0 mitigations=off audit=0
	if ! rp_test_passed && stood_still; then
		sed 's/^/# first run: /' "$tmp/tap"
		sed 's/^/# first run, console: /' "$tmp/console" | tail -n 60
		run_vm 2048 580 apparmor=0 mitigations=off audit=0
	fi
	tell
}
