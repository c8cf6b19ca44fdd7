#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# QEMU's virtio-pc device on vhost_pc.ko, with an L2 guest under KVM, on emulated
# SVM: its driver moves items, and is stopped, unplugged, reset, migrated, killed.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/l1.sh"
run_in_l1 l1_kvm
