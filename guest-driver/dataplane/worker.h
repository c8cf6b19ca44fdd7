/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads of rp-dataplane: each takes turns while it has flow groups, paced by
 * lib/pacing, and stands still, without any wake-up, while it is parked.
 *
 * Which threads may have groups is one mask, the control thread's to change: those
 * outside of it park once their groups have moved. A thread that has ended does not
 * answer any more, but what it had is whole between two of its turns: the control
 * thread takes these turns from then on (workers_tend()), so that the groups move
 * away from it by the same steps as from any other.
 */
#ifndef DP_WORKER_H
#define DP_WORKER_H

#include <pthread.h>

#include "aside.h"
#include "dataplane.h"
#include "pacing/party.h"

struct workers;

struct worker {
	struct workers *all;
	u32 id;
	int wake_fd;
	int irq_fd;			/* of its queue; -1: it has none */
	pthread_t thread;
	bool started;
	bool tended;			/* the control thread's: it takes its turns */
	_Atomic int tid;
	_Atomic u32 napping;		/* a futex: 1 while it sleeps for a moment */
	_Atomic bool parked;		/* it stands; for others to read */
	_Atomic bool ended;		/* release: after its last turn */
	_Atomic u64 wakes;		/* from being parked */
	_Atomic u64 interrupts;		/* that ended a block */
	struct rp_aside aside;		/* while it sees a move through */
	struct rp_spin spin;		/* while it finds nothing */
	struct rp_party party;
};

struct workers {
	struct dp *dp;
	u32 count;
	_Atomic u64 active;		/* those that may have groups */
	_Atomic bool stop;
	enum rp_strategy_id idle;	/* RP_BUSY, RP_SLEEP, RP_ADAPTIVE */
	u32 slots;			/* L, of the strategies: what a receive queue holds */
	u64 sleep_ns;			/* of RP_SLEEP */
	u64 dmax_ns;			/* of RP_ADAPTIVE */
	const int *cpus;		/* of each thread, or NULL: not pinned */
	int event_fd;			/* readable: a thread has ended */
	/* By each thread, when it begins; -1: it cannot. */
	int (*begin)(void);
	/* The same when it ends. May be NULL. */
	void (*end)(void);
	struct worker worker[DP_THREADS_MAX];
};

/* Before the dataplane is made, whose wake function workers_wake() is, with @ws. 0 or -1. */
int workers_init(struct workers *ws, u32 count, u64 tsc_hz);
void workers_fini(struct workers *ws);
void workers_wake(void *ws, u32 thread);
/* 0, or -1 after a line on stderr; workers_stop() undoes it, in both cases. */
int workers_start(struct workers *ws);
void workers_stop(struct workers *ws);
/* What an idle thread does at most: "spin", "sleep" or, until packets interrupt it, "interrupt". */
const char *workers_wait(const struct workers *ws);
/*
 * Which threads may have groups (0 always, as what has no group comes there); groups
 * are moved accordingly, those that come to life are woken. How many groups move.
 */
u32 workers_set_active(struct workers *ws, u64 active, enum dp_cause cause);
/* Takes the turns of those that have ended; how many of them still have something. */
u32 workers_tend(struct workers *ws);

#endif /* DP_WORKER_H */
