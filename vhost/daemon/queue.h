/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of a virtio-pc device, and the thread that is its party: the
 * consumer of a fwd queue, the producer of a rev queue.
 *
 * Theory of operation. The main thread owns everything in struct queue while
 * the worker is parked, the worker while it runs; ->lock hands it over. To
 * change anything (ring, descriptors, parameters, statistics) the main thread
 * parks the worker, changes it, and resumes the worker: queue_park() returns
 * when the party has left its loop with all that it took given back. What may
 * be read while it runs is marked; such fields are read relaxed.
 *
 * A worker that waits is woken through ->wake_fd. Should the peer have made it
 * wait in a read or write of one of its own eventfds, a signal gets it out, so
 * that parking never depends on the peer.
 */
#ifndef RINGPACED_QUEUE_H
#define RINGPACED_QUEUE_H

#include <pthread.h>

#include "pacing/learned.h"
#include "pacing/party.h"
#include "queue_ring.h"

/* What the user sets. */
struct queue_params {
	u32 strategy;		/* enum rp_strategy_id */
	u64 w_ns;		/* work per item */
	u32 w_dist;		/* enum rp_work_dist */
	u64 y_ns;		/* length of a sleep */
	u64 dmax_ns;		/* D_MAX; 0: none */
	u32 cpu_cap_percent;	/* of one CPU; 0: none */
	u32 k;			/* 0: the default */
	u32 queue_len;		/* 0: the ring's size */
	u32 burst;
	u32 item_bytes;		/* rev: size of an item */
	int cpu;		/* -1: not pinned */
	bool trace;
	bool trace_items;
};

struct queue {
	const char *device;	/* its name, for log lines */
	u32 index;		/* in the device */
	u32 item_max_bytes;
	struct queue_params params;

	/* Handing over */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool has_thread;
	bool want_run;		/* under ->lock */
	bool want_exit;		/* under ->lock */
	bool parked;		/* under ->lock */
	u32 pending;		/* read relaxed: leave the loop */
	int wake_fd;

	/* The ring */
	bool attached;
	int kick_fd, call_fd, err_fd;
	struct rp_dev dev;
	const char *broken;	/* read relaxed: why the ring was given up */

	/* The party */
	struct rp_party party;
	struct rp_learned learned;	/* by its strategies so far */
	u64 learned_items;	/* how many it had moved then */
	struct rp_hist latency;
	struct rp_trace *trace;	/* only while it is wanted */
	bool seq_seen;		/* read relaxed: something came since the reset */
	u64 first_seq;		/* read relaxed */
	bool clock_known;	/* read relaxed: the driver has told its offset */
	u64 clock_error_tsc;	/* read relaxed */
	u64 wake_at_tsc;	/* when a notification ended the last block */
	u32 wake_left;		/* items until the one that it was sent for */

	/* A rev queue's run */
	bool producing;		/* read relaxed */
	bool first;		/* the next item starts the numbering */
	u64 items_left;
	u64 end_tsc;		/* 0: none */
	u32 posted;		/* most buffers that were there at once */

	/* Of statistics */
	u64 reset_ns;		/* CLOCK_MONOTONIC */
	u64 cpu_base_ns;	/* of the thread, at the reset */
	u64 cpu_gone_ns;	/* of threads that have ended, since the reset */
};

static inline bool queue_is_rev(const struct queue *q)
{
	return q->index & 1;
}

/* 0 or -errno. */
int queue_init(struct queue *q, const char *device, u32 index,
	       const struct queue_params *params, u32 item_max_bytes);
void queue_fini(struct queue *q);

/* The counter's rate, measured once, before there are queues. */
extern u64 queue_tsc_hz;

/* All of these are the main thread's. */
void queue_park(struct queue *q);
/* Runs the party if there is something to do. 0, or -errno of a new thread. */
int queue_resume(struct queue *q);
/* The queue is parked. -EINVAL: the ring does not lie in guest memory. */
int queue_attach(struct queue *q, const struct queue_ring *ring);
/* The same ring with other descriptors. A new call descriptor is called once. */
void queue_new_fds(struct queue *q, const struct queue_ring *ring);
void queue_detach(struct queue *q);
/* Ends the thread; the queue stays usable. */
void queue_end_thread(struct queue *q);

/* Most that queue_len may be. */
u32 queue_size_limit(const struct queue *q);
/* L and k as the party uses them. */
void queue_effective(const struct queue *q, const struct queue_params *p,
		     struct rp_params *out);
/*
 * @p was checked. @restart: the strategy begins anew; false when only the work
 * has changed, which is the load and not how it is paced. 0, or -errno: nothing
 * has changed.
 */
int queue_set(struct queue *q, const struct queue_params *p, bool restart);
void queue_reset(struct queue *q);
/* -ENOTCONN: no ring; -EBUSY: already producing. max_items, duration_ns 0: no limit. */
int queue_start(struct queue *q, u64 max_items, u64 duration_ns);
void queue_stop(struct queue *q);
/* Brings ->learned up to date; a queue that has not moved is left alone. */
void queue_keep_learned(struct queue *q);
u64 queue_cpu_ns(const struct queue *q);
u64 queue_duration_ns(const struct queue *q);

/* Gives the ring up, from its worker; @why is a constant. */
void queue_break(struct queue *q, const char *why);
/* The worker's: tells the driver that buffers were used. */
void queue_call(struct queue *q);

/* The ring operations of the two directions. */
extern const struct rp_ring_ops pc_fwd_ops;
extern const struct rp_ring_ops pc_rev_ops;
extern const struct rp_thread_ops queue_thread_ops;

/* Shared by both directions: see struct rp_ring_ops. */
bool queue_peer_wants(struct rp_party *p);
void queue_notify(struct rp_party *p);
bool queue_arm(struct queue *q, u32 k);
void queue_disarm(struct rp_party *p);

/*
 * As rp_emulate(), but leaves early when the worker is wanted elsewhere: one
 * item's work may be a second.
 */
static inline u64 queue_work(const struct queue *q, u64 start_tsc, u64 w_tsc)
{
	u64 now;

	do {
		now = rp_tsc();
	} while (now - start_tsc < w_tsc && likely(!rp_load(&q->pending)));
	return now;
}

#endif /* RINGPACED_QUEUE_H */
