#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# DKMS builds and installs both modules from what `make dkms` gathers, passes over a
# kernel that vhost_pc is not for, and says so when a kernel's vhost.h is not to be had.
. "$(dirname "$0")/../native/lib.sh"

dkms=$(PATH=$PATH:/usr/sbin command -v dkms) || { echo "1..0 # SKIP no dkms: make setup"; exit 0; }
kernel=$(cd "$top" && images/guest/kernel --version) || exit 1
sources=$scratch/src
trees=$scratch/dkms
modules=$scratch/modules
out=$scratch/err
mkdir -p "$sources" "$trees" "$modules/$kernel"

# The first build ever makes a key to sign modules with: no more than we found.
key=/var/lib/dkms/mok.key
if [ ! -e $key ]; then
	trap 'rm -f $key ${key%key}pub; clean_up' EXIT
fi

with_dkms() {
	"$dkms" "$@" --dkmstree "$trees" --sourcetree "$sources" >"$out" 2>&1 </dev/null
}

# Of this machine nothing is changed: neither its modules nor what depmod knows of them.
installs() {	# PACKAGE MODULE
	local ko
	with_dkms install "$1/1" -k "$kernel" --installtree "$modules" --no-depmod
	ko=$(find "$modules/$kernel/updates/dkms" -name "$2.ko*" 2>>"$out")
	[ -n "$ko" ] && [ "$(modinfo -F vermagic "$ko" | cut -d' ' -f1)" = "$kernel" ] &&
		return 0
	cat "$trees/$1/1/build/make.log" >>"$out" 2>&1
	return 1
}

make --no-print-directory -C "$top" dkms >"$out" 2>&1 && cp -r "$top"/build/dkms/* "$sources"
ok $? "make dkms"
[ ! -e "$sources/ringpace-vhost-pc-1/vhost.h" ]
ok $? "the header of one kernel does not travel to another"
for package in virtio-pc vhost-pc; do
	check "ringpace-$package is installed for $kernel" installs "ringpace-$package" "${package/-/_}"
done

with_dkms build ringpace-vhost-pc/1 -k 5.10.0-0-amd64 --kernelsourcedir "/lib/modules/$kernel/build"
[ $? -ne 0 ] && grep -q BUILD_EXCLUSIVE "$out"
ok $? "another kernel is passed over, with the reason"
with_dkms build ringpace-vhost-pc/1 -k 6.1.0-0-none --kernelsourcedir "/lib/modules/$kernel/build"
[ $? -ne 0 ] && grep -q "vhost.h: linux-headers-6.1.0-0-none is not installed" "$out"
ok $? "a kernel of unknown source fails, and the line says what to install"
finish
