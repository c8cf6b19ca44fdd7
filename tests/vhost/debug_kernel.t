#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tests of vhost_pc.ko once more, in a kernel with KASAN, lockdep, kmemleak
# and the like, which must find nothing; with four times as many random ioctls.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/debug.sh"

add_built "$debug/vhost_pc.ko"
add_scripts
cp "$build/rp-vhost-test" "$tmp/root/sbin/rp-test"
run_vm 1024 800 "$debug_words" RP_RANDOM_IOCTLS=20000
tap_of "$tmp/tap"
check_console
finish
