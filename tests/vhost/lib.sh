# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# A VM whose kernel runs vhost_pc.ko, for the tests beside this file. The
# initramfs is the test guest's and a second archive on top: modules, a program
# rp-test, and what that needs. Sourced, with $here set to this directory.
#
#   QEMU (TCG): [ rp-test ]--/dev/vhost-pc--[ vhost_pc.ko ]
#       first port: console            second port: TAP, printed here

root=$(cd "$here/../.." && pwd)
build=$root/build
qemu=${RP_QEMU:-$build/qemu-system-x86_64}
vmlinuz=$build/guest/vmlinuz

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$tmp/root/sbin" "$tmp/root/lib/modules"
: > "$tmp/root/lib/modules/test-order"

bail() { echo "Bail out! $*"; exit 1; }

# add_module NAME: from the package of the guest's kernel; loaded in this order.
add_module() {
	local path
	path=$(find "$(cd "$root" && images/guest/kernel)/lib/modules/" -name "$1.ko*" | head -n 1)
	case $path in
	*.ko) cp "$path" "$tmp/root/lib/modules" ;;
	*.ko.xz) xz -dc "$path" > "$tmp/root/lib/modules/$1.ko" ;;
	*.ko.zst) zstd -qdc "$path" > "$tmp/root/lib/modules/$1.ko" ;;
	*) bail "the guest's kernel has no module $1" ;;
	esac
	echo "$1" >> "$tmp/root/lib/modules/test-order"
}

# add_built FILE.ko: of our own.
add_built() {
	local name
	name=$(basename "$1" .ko)
	strip --strip-debug -o "$tmp/root/lib/modules/$name.ko" "$1"
	echo "$name" >> "$tmp/root/lib/modules/test-order"
}

add_vhost_pc() {
	add_module vhost_iotlb
	add_module vhost
	add_built "$build/vhost_pc.ko"
}

# add_to_initrd: $tmp/initrd, the test guest's with $tmp/root on top.
add_to_initrd() {
	cp "$build/guest/initrd" "$tmp/initrd"
	# The kernel takes archives one after the other, each at a multiple of
	# 4. Not compressed: a guest under TCG is slow at that.
	truncate -s %4 "$tmp/initrd"
	(cd "$tmp/root" && find . | cpio --quiet --create --format=newc --owner=0:0) \
		>> "$tmp/initrd"
}

# run_vm MEM_MB LIMIT_S [WORD...]: runs rp-test in the VM; what it says is in
# $tmp/tap, the kernel's messages in $tmp/console. WORDs go to the kernel's
# command line. The limit is for a busy host.
run_vm() {
	local mem_mb=$1 limit_s=$2
	shift 2
	install -m 755 "$here/init" "$tmp/root/sbin/rp-init"
	add_to_initrd

	# In the harness's process group, so that its signal reaches it, too.
	timeout --foreground "$limit_s" "$qemu" -accel tcg,thread=multi -cpu max -machine q35 \
		-smp 2 -m "$mem_mb" \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "$vmlinuz" -initrd "$tmp/initrd" \
		-append "console=ttyS0 quiet tsc=reliable no_timer_check panic=-1 oops=panic rdinit=/sbin/rp-init $*" \
		-serial "file:$tmp/console" -serial "file:$tmp/tap" < /dev/null || true
}

rp_test_ended() { grep -q '^init: rp-test exited' "$tmp/console"; }
rp_test_passed() { grep -q '^init: rp-test exited with 0' "$tmp/console"; }

# boot MEM_MB LIMIT_S [WORD...]: runs rp-test in the VM and prints its TAP.
boot() {
	run_vm "$@"
	tell
}

# What the VM's last run printed, as this script's result.
tell() {
	cat "$tmp/tap"
	if ! rp_test_passed; then
		sed 's/^/# console: /' "$tmp/console" | tail -n 60
		grep -Eq '^(1\.\.|Bail out)' "$tmp/tap" || bail "the VM did not come to its end"
		exit 1
	fi
}
