/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread of a chain: the generator, a VM's forwarder, the sink.
 *
 * Like a guest with a stock driver it works while there is work, and otherwise asks
 * for a notification and blocks, whatever strategy the host's side has. The main
 * thread starts and stops it and reads its counters meanwhile.
 */
#ifndef CHAIN_WORKER_H
#define CHAIN_WORKER_H

#include <pthread.h>

#include "chain/arrivals.h"
#include "chain/frame.h"
#include "hist/hist.h"

/* The thread's, read relaxed. Frames, times, ns. */
struct chain_counts {
	u64 received, sent;
	u64 bad;		/* not a chain's, or not whole; those go no further */
	u64 in_waits, out_waits;	/* times that it found nothing to take, no room to send */
	u64 in_wait_ns, out_wait_ns;
};

/* What a thread tells at one time. */
struct worker_look {
	bool outside;		/* a real VM: only CPU time, ->received and ->sent are known */
	double cpu_ns;		/* UNKNOWN: it cannot be read */
	struct chain_counts counts;
	u64 duplicates, reordered;	/* as it saw them come */
	const struct rp_hist *hop;	/* ticks of the hop before it; NULL: not measured */
};

struct chain_worker {
	char name[16];		/* of the thread, set by the caller, as the next five */
	void (*run)(struct chain_worker *w);	/* until worker_stopping() */
	void *ctx;
	struct net_end *in, *out;	/* NULL: it has none */
	int cpu;		/* -1: not pinned */
	/* Of a receiver, read relaxed: when measuring begins. NULL: senders do not stamp. */
	const u64 *measure_tsc;
	struct chain_counts counts;
	struct arrivals arrivals;	/* of a receiver */
	/* Of a receiver: ticks from when the sender wrote packets until it took them. */
	struct rp_hist hop;
	pthread_t thread;
	bool started;
	int stop_fd;
	u32 stop;		/* read relaxed: the eventfd follows */
};

/* 0, or -1 after fail(); worker_stop() undoes it in both cases. */
int worker_start(struct chain_worker *w);
/* Ends and joins it. Harmless for one that was not started. */
void worker_stop(struct chain_worker *w);
/* Of one that runs; any thread. */
void worker_look(const struct chain_worker *w, struct worker_look *l);

/* ---- Of the thread ---- */

static inline bool worker_stopping(const struct chain_worker *w)
{
	return rp_load(&w->stop);
}

/* A packet has come. */
static inline void worker_note(struct chain_worker *w, const struct chain_head *h, u64 now_tsc)
{
	arrivals_note(&w->arrivals, h->flow, h->seq);
	if (w->measure_tsc && h->sent_tsc >= rp_load(w->measure_tsc))
		rp_hist_add(&w->hop, now_tsc > h->sent_tsc ? now_tsc - h->sent_tsc : 0);
}

/* Blocks until there is something to take (NET_RX) or room to send (NET_TX), or to stop. */
void worker_wait(struct chain_worker *w, enum net_dir dir);
/* Blocks until it is to stop: its CPU time can only be read while it is there. */
void worker_await_stop(struct chain_worker *w);

#endif /* CHAIN_WORKER_H */
