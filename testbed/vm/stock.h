/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMs with stock guests, which end with this process: what they say is in the log of
 * their consoles, a line that begins with their programs' name for each thing.
 */
#ifndef TESTBED_VM_STOCK_H
#define TESTBED_VM_STOCK_H

#include <libvirt/libvirt.h>

#include "vm/domain.h"

#define STOCK_VMS_MAX	31u
#define STOCK_BOOT_NS	(240 * NSEC_PER_SEC)	/* a busy host that emulates them all */

struct stock_vm {
	virDomainPtr dom;
	char dir[160], log[176];
};

struct stock_vms {
	const char *who;	/* begins names of domains, messages, and lines of consoles */
	virConnectPtr conn;
	bool kvm, up;
	u32 n;
	struct stock_vm vm[STOCK_VMS_MAX];
};

/*
 * Libvirt, and which accelerator there is; nothing where it is up. One at a time in a
 * process, and ended with it. 0, or -1 after fail().
 */
int stock_open(struct stock_vms *v, const char *who);
void stock_close(struct stock_vms *v);

/*
 * Starts one more of @c, whose ->name, ->dir and what follows from them are set here.
 * 0, or -1 after fail(); stock_end() undoes it in both cases.
 */
int stock_start(struct stock_vms *v, struct vm_config *c);
/* Pulls the plug of all. */
void stock_end(struct stock_vms *v);

/*
 * The first line of VM @i (from 0) that begins with "WHO: " and has @words in it, without
 * that beginning; static. NULL: none yet.
 */
const char *stock_said(const struct stock_vms *v, u32 i, const char *words);
/*
 * Waits for that, until @end (of now_ns()). NULL after fail(): it went off, it said that
 * something " failed", or the time is over; or when stopped().
 */
const char *stock_await(const struct stock_vms *v, u32 i, const char *words, u64 end);

#endif /* TESTBED_VM_STOCK_H */
