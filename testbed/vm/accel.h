/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which accelerator a test VM gets. /dev/kvm may open and still not run a
 * guest (nested and emulated hosts), so that KVM is believed only after a
 * guest's user space has answered in it.
 */
#ifndef TESTBED_VM_ACCEL_H
#define TESTBED_VM_ACCEL_H

#include "util.h"

#define VM_ACCEL_ENV	"RINGPACE_ACCEL"	/* kvm, tcg, or auto */
#define KVM_PROBE_S	30

struct kvm_verdict {
	bool usable;
	char why[200];		/* what the probe saw */
	char todo[120];		/* what the user can do; "" if nothing */
	u32 boot_ms;		/* until the guest answered; 0 unknown */
};

/* Boots a guest. Always an answer; -1 only when stopped(). */
int kvm_probe(struct kvm_verdict *v);

/*
 * @want: "kvm", "tcg", "auto", or NULL for the environment's, then "auto".
 * For "auto" a verdict of this boot of the host is remembered in the cache.
 * -1 after fail().
 */
int accel_choose(const char *want, bool *kvm);

#endif /* TESTBED_VM_ACCEL_H */
