#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vhost_pc.ko in a small VM of its own, with a program that is VMM and driver
# at once: no nested guest.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

add_vhost_pc
cp "$build/rp-vhost-test" "$tmp/root/sbin/rp-test"
boot 256 800
