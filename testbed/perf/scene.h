/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who takes part in an experiment: processes, threads, interrupts, addresses,
 * clocks, as the host's and the guest's kernel show them. Files of /proc and
 * what a guest says are parsed as untrusted text.
 */
#ifndef PERF_SCENE_H
#define PERF_SCENE_H

#include <jansson.h>

#include "util.h"

/* ---- What the host and the guest know of a device ---- */

/* QEMU's process of the libvirt domain @name; 0: none is found. */
pid_t scene_vm_process(const char *name);
/* Does a process with arguments @args, each ended by a 0, run the domain @name? */
bool scene_is_vm(const char *args, size_t bytes, const char *name);

#define SCENE_THREADS_MAX	128	/* a thread for each queue of the most pairs */

/* Threads of the kernel that serve the queues of QEMU's process @vm. */
struct scene_threads {
	pid_t tid[SCENE_THREADS_MAX];
	u32 n;
	int device;		/* number of vhost_pc's device, else -1 */
};

void scene_kernel_threads(pid_t vm, struct scene_threads *t);
/* "pid==7||pid==9" for a perf filter of @field; "" without threads. Static. */
const char *scene_filter(const char *field, const struct scene_threads *t);

/* The notification addresses of the guest's device, [begin, end) in its memory. */
struct scene_notify {
	u64 begin, end;
};

/* From the agent's `pci`. NULL, or why not (static). */
const char *scene_notify_parse(const char *config_hex, const char *resource,
			       struct scene_notify *n);
/* The counts of a line of /proc/interrupts, of all CPUs together; UNKNOWN: no such line. */
double scene_interrupts_parse(const char *line);

/* ---- Clock ---- */

/* What KVM knows of the guest's counter: guest = host x ratio + offset. */
struct kvm_clock {
	s64 offset_tsc;
	double ratio;		/* of the guest's rate to the host's; 1 where KVM does not scale */
};

/* Is process @vm a VM of KVM's? */
bool kvm_runs(pid_t vm);
/* Of vCPU 0 of QEMU's process @vm. NULL, or why not (static). */
const char *kvm_clock_read(pid_t vm, struct kvm_clock *c);
/*
 * The exchange's result (STATS of the consumer) beside KVM's; @c NULL: there is
 * none, because of @why. New reference.
 */
json_t *clock_json(const json_t *stats, const struct kvm_clock *c, const char *why);

#endif /* PERF_SCENE_H */
