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
#define KVM_PROBE_CPU_S	10	/* CPU time with which a guest boots anywhere */

struct kvm_verdict {
	bool usable;
	bool judged;		/* false: there was nothing to boot in it */
	char why[200];		/* what the probe saw */
	char todo[120];		/* what the user can do; "" if nothing */
	u32 boot_ms;		/* until the guest answered; 0 unknown */
};

/*
 * Boots a guest. Always an answer; -1 only when stopped(). The verdict is
 * remembered in the cache until the host boots, or until the next probe; not
 * that of a guest that a busy host gave no time to.
 */
int kvm_probe(struct kvm_verdict *v);

/*
 * @want: "kvm", "tcg", "auto", or NULL for the environment's, then "auto".
 * "auto" takes the remembered verdict, or probes. -1 after fail().
 */
int accel_choose(const char *want, bool *kvm);

/*
 * To be called before libvirt is opened in this process. libvirt does not trust
 * what it found out about an emulator if that had no KVM and /dev/kvm now
 * looks accessible: it probes QEMU again at every step, which makes seconds of
 * milliseconds. So a device that was found not to work is covered, in a mount
 * namespace of this process alone, by a file that nobody can write. Needs
 * root; without it things are merely slow.
 */
void accel_hide_broken_kvm(void);

#endif /* TESTBED_VM_ACCEL_H */
