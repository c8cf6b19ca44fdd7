/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's agent (docs/control.md), behind QEMU's socket of its port. */
#ifndef TESTBED_VM_AGENT_H
#define TESTBED_VM_AGENT_H

#include <libvirt/libvirt.h>

#include "ctl.h"

/* Generous: a loaded host that emulates the guest boots it slowly. */
#define VM_BOOT_MS	300000
#define VM_BOOT_KVM_MS	120000

/*
 * Connects to the channel of @dom and waits until the agent answers. @dir has
 * its socket and serial log. -1 after fail(), or silently when stopped().
 */
int agent_open(struct ctl *c, virDomainPtr dom, const char *dir, u32 timeout_ms);

#endif /* TESTBED_VM_AGENT_H */
