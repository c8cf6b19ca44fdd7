#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sparse finds nothing in either module: address spaces (what is the owner's memory),
# byte orders, locks. And it would: one store to the owner's memory is found.
. "$(dirname "$0")/../native/lib.sh"

command -v sparse >/dev/null || { echo "1..0 # SKIP no sparse: make setup"; exit 0; }
out=$scratch/err

for module in virtio_pc vhost_pc; do
	env -u MAKEFLAGS make --no-print-directory -C "$top" $module-check >"$out" 2>&1
	ok $? "$module: nothing"
done
cat >"$scratch/bad.c" <<'END'
#define __user __attribute__((noderef, address_space(__user)))
static int store(int __user *to)
{
	*to = 1;
	return 0;
}
END
sparse -Wsparse-error "$scratch/bad.c" >"$out" 2>&1
check 'a store without put_user() is an error' grep -q 'error:.*noderef' "$out"
finish
