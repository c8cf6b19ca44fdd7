#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# QEMU's virtio-pc device on vhost_pc.ko: properties, rings, migration. No guest
# code is run; the tests drive the device through qtest.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/l1.sh"
run_in_l1 l1_qtest
