/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VM of an experiment: domain, guest, agent and the device's backend. Booting
 * costs seconds, so one machine serves all runs of a process that fit its ring;
 * it ends with the process, however that ends.
 */
#ifndef TESTBED_VM_MACHINE_H
#define TESTBED_VM_MACHINE_H

#include <libvirt/libvirt.h>

#include "native/backend.h"

#define VM_LOG_DIR_ENV	"RINGPACE_LOG_DIR"

struct machine {
	virConnectPtr conn;
	virDomainPtr dom;
	struct backend backend;
	struct ctl agent;
	u32 queue_len;		/* of its rings */
	bool kvm;
	bool up;
};

/*
 * Boots it, or takes the one that runs if its rings have @queue_len slots and
 * the same serve its device.
 * NULL after fail(), or silently when stopped().
 */
struct machine *machine_up(u32 queue_len, enum run_backend_id backend, bool progress);
/*
 * Ends the VM and the daemon, if they are up. Their logs go to
 * $RINGPACE_LOG_DIR, if that is set, else they are lost with the run directory.
 */
void machine_down(void);
/* 0, or -1 after fail() when the VM or the daemon have ended. */
int machine_check(struct machine *m);

#endif /* TESTBED_VM_MACHINE_H */
