/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pacer: a thread, pinned or not, that serves many flows.
 *
 * Theory of operation. A flow runs, or it stands: pausing, sleeping, or blocked
 * on a notification. Those that run get one turn each, round and round; a turn
 * is bounded in packets and bytes, so that none starves another. When none
 * runs the thread waits in epoll, until the earliest deadline of any, or with no
 * time limit if there is none. Kicks are edges: every write to the eventfd is
 * one, so the descriptor, which is the peer's too, is never read and cannot
 * make the thread wait. While flows run, those that are blocked are looked at
 * every PACER_POLL_NS.
 *
 * The main thread gives flows and takes them away, one order at a time, and
 * waits until it was carried out; it changes neither flow nor queues in
 * between. So a flow moves between pacers without losing or reordering. A
 * call that the peer blocks (its eventfd is full) is interrupted by a signal:
 * when there are orders, or by the watchdog.
 */
#ifndef RINGPACED_PACER_H
#define RINGPACED_PACER_H

#include <pthread.h>

#include "aside.h"
#include "flow.h"
#include "watchdog.h"

#define PACER_POLL_NS	20000u

struct pacer_entry;

struct pacer {
	u32 index;
	int cpu;			/* -1: not pinned */
	struct rp_clock clock;
	u64 poll_tsc;			/* PACER_POLL_NS */
	pthread_t thread;
	bool has_thread;
	int epfd, wake_fd;
	struct rp_aside aside;		/* of the main thread, while it waits for this one */
	u32 flows;			/* the main thread's count */
	u64 turns_seen;			/* the main thread's, at its last check */
	u32 room;			/* for so many */
	/* The order: under ->lock */
	pthread_mutex_t lock;
	pthread_cond_t done;
	struct flow *give, *take;
	void (*call)(void *arg);
	void *arg;
	bool quit;
	int rc;				/* of it: 0 or -errno */
	u32 pending;			/* read relaxed: there is one */
	/* The thread's */
	struct pacer_entry *entry;	/* the first ->running of ->count run */
	u32 count, running, pausing, blocked;
	u64 next_tsc;			/* earliest deadline, ~0: none */
	u64 polled_tsc;
	struct batch batch;
	struct switch_turn turn;
	struct rp_spin spin;
	struct watchdog *watchdog;
	/* The thread's, read relaxed */
	u32 busy;			/* not in epoll, where there are no turns */
	u64 waits;			/* in epoll */
	u64 turns;
};

/* @room: most flows that it will have. 0 or -errno; pacer_end() undoes it in both cases. */
int pacer_start(struct pacer *w, u32 index, int cpu, u32 room, u64 hz, struct watchdog *d);
/* It has no flows any more. */
void pacer_end(struct pacer *w);
/* @f was begun (flow_begin()). 0 or -errno: it is still the caller's. */
int pacer_give(struct pacer *w, struct flow *f);
/* Afterwards the flow and its queues are the caller's. */
void pacer_take(struct pacer *w, struct flow *f);
/* Has @call run by the thread, between turns: it must be short. */
void pacer_call(struct pacer *w, void (*call)(void *arg), void *arg);
/*
 * Afterwards no turn is on its way that began before: what the caller has written until
 * then is seen by all that follow. A thread that has nothing to do is not woken.
 */
void pacer_pass(struct pacer *w);
/* The main thread's, when the watchdog's timer has gone off: is it busy? */
bool pacer_check(struct pacer *w);
u64 pacer_cpu_ns(const struct pacer *w);

#endif /* RINGPACED_PACER_H */
