/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events count which figure, for the scene at hand. */
#ifndef PERF_SOURCES_H
#define PERF_SOURCES_H

#include "perf/scene.h"
#include "perf/stat.h"
#include "perf/watch.h"

#define USES_MAX	24
#define USE_EVENTS_MAX	(2 * USDT_PLACES_MAX)

/* Calls that no counter counts, at most: each start of a queue owes the driver one. */
#define UNCOUNTED_CALLS	2

/* A figure as the sum of some events of one perf. */
struct use {
	enum figure figure;
	const char *source, *note;
	int may;
	const struct perf_stat *stat;
	u32 at[USE_EVENTS_MAX], n;
	double extra, missing;
};

struct sources {
	struct usdt usdt;
	struct perf_stat daemon;	/* USDT, of ringpaced's process */
	struct perf_stat vm;		/* KVM's exits, of QEMU's process */
	struct perf_stat host;		/* everything else, filtered */
	struct perf_stat exits;		/* all of QEMU's process, by reason */
	struct use use[USES_MAX];
	u32 uses;
	struct scene_threads threads;
	pid_t vm_pid;
	/*
	 * Counters before and after perf was switched on, and off. A run of our own
	 * begins at 0, since the lane resets them when we are ready.
	 */
	struct counters on[2], off[2];
	double interrupts;		/* of the guest, at the begin; UNKNOWN */
	u64 begin_ns;
};

/* Fills in ->use and the perfs; what cannot be had becomes an absent. 0, or -1 after fail(). */
int sources_choose(struct perf_watch *w, const struct run_scene *s);

void watch_absent(struct perf_watch *w, const char *source, const char *why);

#endif /* PERF_SOURCES_H */
