/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tenants that are processes of this host: by a pidfile, or all of a cgroup. */
#ifndef HOSTD_NATIVE_H
#define HOSTD_NATIVE_H

#include <sched.h>
#include <time.h>

#include "../control.h"
#include "conf.h"
#include "pids.h"
#include "undo.h"

#define NATIVE_TASKS_MAX	1024u
#define NATIVE_AGAIN_NS		10000000000ULL

struct native {
	const struct conf_tenant *conf;
	struct undo *undo;
	cpu_set_t cpus;		/* that it was last confined to */
	bool confined, stopped;
	struct pids pids;
	bool others;		/* than when native_again() last looked at each thread, */
	u64 threads;		/* which were so many */
	u64 again_ns;		/* when it does so next, whoever there is */
	/* Their time: at present, and of all time */
	u32 clocks;
	clockid_t clock[PIDS_MAX];
	u64 looked_ns, cpu_sum, cpu_ns;
};

/* All threads; new ones of confined processes are confined by the kernel itself. */
enum hc_enforced native_confine(struct native *n, const cpu_set_t *cpus);
/*
 * Once a second: also processes that came into the tenant later, and their threads. All threads
 * are looked at a second after native_confine(), as some may have been made meanwhile, when
 * there are others or more or fewer of them, and every NATIVE_AGAIN_NS.
 */
void native_again(struct native *n, u64 now);
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
