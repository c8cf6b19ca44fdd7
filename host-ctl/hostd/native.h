/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tenants that are processes of this host: by a pidfile, or all of a cgroup. */
#ifndef HOSTD_NATIVE_H
#define HOSTD_NATIVE_H

#include <sched.h>
#include <time.h>

#include "../control.h"
#include "conf.h"
#include "undo.h"

#define NATIVE_TASKS_MAX	1024u

struct native {
	const struct conf_tenant *conf;
	struct undo *undo;
	cpu_set_t cpus;		/* that it was last confined to */
	bool confined, stopped;
	/* Its processes as they were at .pids_ns, and their time: at present, and of all time */
	u32 pids;
	pid_t pid[NATIVE_TASKS_MAX];
	clockid_t clock[NATIVE_TASKS_MAX];	/* of each */
	u64 pids_ns, cpu_sum, cpu_ns;
};

/* All threads; new ones of confined processes are confined by the kernel itself. */
enum hc_enforced native_confine(struct native *n, const cpu_set_t *cpus);
/* Also threads that were made meanwhile by processes that came into the tenant later. */
void native_again(struct native *n);
/* Of one thread, which is @owner's; 0 or -errno, -ESRCH: it is gone. */
int native_confine_thread(struct undo *undo, const char *owner, pid_t tid, const cpu_set_t *cpus);
/* Notes of @owner's threads that have ended go. */
void native_forget_gone(struct undo *undo, const char *owner);
/* By the cgroup's freezer where there is one, else by signals. */
enum hc_enforced native_stop(struct native *n, bool stop);
/*
 * Processor time of all of its processes since the first call; false: there is none. Who came
 * or went is seen once a second.
 */
bool native_cpu_ns(struct native *n, u64 now, u64 *ns);

extern const struct undo_kind native_affinity_kind, native_signal_kind, native_freezer_kind;

#endif /* HOSTD_NATIVE_H */
