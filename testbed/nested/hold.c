// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * In L1: a VM that never runs, so that KVM's host always has one.
 *
 * With its first VM and after its last one KVM changes branches in the scheduler's
 * code (preempt_notifier_key), and with each vCPU whose APIC is switched on some of
 * its own (apic_sw_disabled). TCG translates code while another thread changes it:
 * a translation that was made between the writer's look for such ones and its store
 * keeps a breakpoint for ever, and the CPUs that run it hang (docs/nested.md). A vCPU
 * that never runs has its APIC off, so neither changes any more. The cpusets' branches
 * (cpusets_enabled_key) stay, too, as this is a service that has one.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "nested/nested.h"

static int create_vm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm;

	if (kvm < 0)
		return fail("cannot open /dev/kvm: %m");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	close(kvm);
	if (vm < 0 || ioctl(vm, KVM_CREATE_IRQCHIP, 0) < 0 || ioctl(vm, KVM_CREATE_VCPU, 0) < 0)
		return fail("cannot make a VM that is held: %m");
	return 0;
}

int nested_hold(void)
{
	pid_t child;

	if (!nested_inside())
		return fail("hold: only in an emulated KVM host, by up");
	if (create_vm())
		return -1;
	/* As a service of type forking: it is there when we end; the child has the VM. */
	child = fork();
	if (child)
		return child < 0 ? fail("fork: %m") : 0;
	/* Not to be taken for a command at work. */
	prctl(PR_SET_NAME, "ringpace-hold");
	while (!stopped())
		pause();
	_exit(0);
}
