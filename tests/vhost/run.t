#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vhost_pc.ko in a small VM of its own, with a program that is VMM and driver
# at once: no nested guest. The initramfs is the test guest's, and a second
# archive on top with the module, the vhost core and the program.
#
#   QEMU (TCG): [ rp-vhost-test ]--ioctl, eventfd, rings--[ vhost_pc.ko ]
#       first port: console            second port: TAP, printed here
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
build=$root/build
qemu=${RP_QEMU:-$build/qemu-system-x86_64}
limit_s=400		# under TCG, beside a busy host

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

bail() { echo "Bail out! $*"; exit 1; }

# Modules are found in the package of the guest's kernel.
add_module() {
	local path
	path=$(find "$(cd "$root" && images/guest/kernel)/lib/modules/" -name "$1.ko*" | head -n 1)
	case $path in
	*.ko) cp "$path" "$2" ;;
	*.ko.xz) xz -dc "$path" > "$2/$1.ko" ;;
	*.ko.zst) zstd -qdc "$path" > "$2/$1.ko" ;;
	*) bail "the guest's kernel has no module $1" ;;
	esac
}

mkdir -p "$tmp/root/sbin" "$tmp/root/lib/modules"
add_module vhost_iotlb "$tmp/root/lib/modules"
add_module vhost "$tmp/root/lib/modules"
strip --strip-debug -o "$tmp/root/lib/modules/vhost_pc.ko" "$build/vhost_pc.ko"
cp "$build/rp-vhost-test" "$tmp/root/sbin"
install -m 755 "$here/init" "$tmp/root/sbin/rp-init"
cp "$build/guest/initrd" "$tmp/initrd"
# The kernel takes archives one after the other, each at a multiple of 4.
truncate -s %4 "$tmp/initrd"
(cd "$tmp/root" && find . | cpio --quiet --create --format=newc --owner=0:0) |
	gzip >> "$tmp/initrd"

# In the foreground, so that a signal for the group reaches it, too.
timeout "$limit_s" "$qemu" -accel tcg,thread=multi -cpu max -machine q35 -smp 2 -m 256 \
	-nodefaults -no-user-config -display none -no-reboot \
	-kernel "$build/guest/vmlinuz" -initrd "$tmp/initrd" \
	-append "console=ttyS0 quiet tsc=reliable panic=-1 oops=panic rdinit=/sbin/rp-init" \
	-serial "file:$tmp/console" -serial "file:$tmp/tap" < /dev/null || true

cat "$tmp/tap"
if ! grep -q '^init: rp-vhost-test exited with 0' "$tmp/console"; then
	sed 's/^/# console: /' "$tmp/console" | tail -n 60
	grep -Eq '^(1\.\.|Bail out)' "$tmp/tap" || bail "the VM did not come to its end"
	exit 1
fi
