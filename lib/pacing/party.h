/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A party at work: the loop that every runtime shares.
 *
 * Theory of operation. A party is in one of two states. RUNNING, it calls
 * work(), which moves a burst of items and publishes them; if the peer asked
 * for a notification, the party sends one. When work() moved nothing the
 * strategy decides: spin, sleep, or block. To block, the party arms
 * (asks the peer to notify) and looks again: work that arrived between the
 * first look and the arming would else never be announced. This double check
 * is written here and nowhere else. After a block or a sleep the party
 * disarms, so that a running party gets no notifications.
 *
 * rp_party_step() does one turn and tells the runtime what must happen before
 * the next one; a thread with several rings steps each in turn.
 * rp_party_run() is the loop for a thread that has a single ring.
 *
 * Context: one thread at a time per party. Counters are written by that
 * thread alone, relaxed, and may be read by others at any time.
 */
#ifndef RP_PARTY_H
#define RP_PARTY_H

#include "hist/hist.h"
#include "pacing/pacing.h"
#include "pacing/watch.h"
#include "pacing/work.h"
#include "trace/trace.h"

struct rp_party;

/* The ring, as a party sees it. */
struct rp_ring_ops {
	/*
	 * Moves up to @max items, doing their work (rp_emulate()), and
	 * publishes them. Returns how many; 0: empty (consumer) or full
	 * (producer). Must set p->now_tsc to the end of the last item's work.
	 */
	u32 (*work)(struct rp_party *p, u32 max);
	/*
	 * Does the peer want to be notified of what work() published since
	 * the last call? Contains the full barrier between publishing and
	 * reading the peer's event index (virtio 1.2, sec. 2.7.10), unless the
	 * runtime has made it after the work of several parties.
	 */
	bool (*peer_wants)(struct rp_party *p);
	/* Sends the notification. */
	void (*notify)(struct rp_party *p);
	/*
	 * Asks the peer to notify after @k more items or free slots. Contains
	 * the full barrier between the event index and the second look;
	 * returns true if there is work already (the double check hit).
	 */
	bool (*arm)(struct rp_party *p, u32 k);
	/* Tells the peer, as far as it listens, that no notification is needed. */
	void (*disarm)(struct rp_party *p);
	/*
	 * Items (consumer) or free slots within rp_party_window() (producer)
	 * that are there now. Only a strategy with a woken hook has it called.
	 */
	u32 (*ready)(struct rp_party *p);
	/*
	 * Producer, or NULL: does the consumer still ask for a notification that
	 * was due? *@wish tells one wish from the next, and from the same one
	 * after something has come back.
	 */
	bool (*owed)(struct rp_party *p, u32 *wish);
};

/* The thread; only rp_party_run() uses it. */
struct rp_thread_ops {
	/* Orders to look at (stop, new parameters)? Called once a turn; cheap. */
	bool (*stopping)(struct rp_party *p);
	void (*sleep)(struct rp_party *p, u64 ns);
	/*
	 * Waits for a notification, at most timeout_ns (0: for ever); returns
	 * RP_WAKE_NOTIFIED, RP_WAKE_TIMEOUT, or RP_WAKE_STOP when stopping()
	 * has become true. A notification that arrived before the call ends it
	 * at once.
	 */
	enum rp_wake (*block)(struct rp_party *p, u64 timeout_ns);
	/* CPU time of this thread; NULL: unknown. */
	u64 (*cpu_ns)(struct rp_party *p);
	/*
	 * After a turn that found nothing, or a moment of a pause, which took @turn_ns: lets
	 * another thread have the CPU if one waits for it, and tells for how long, ns. NULL:
	 * never; needs ->hands_pauses.
	 */
	u64 (*aside)(struct rp_party *p, u64 turn_ns);
};

/* Times are counter ticks; convert with the party's clock. */
struct rp_stats {
	u64 items;
	u64 batches;
	u64 lost;		/* consumer: gaps in the numbering, in items */
	u64 reordered;		/* consumer: numbers that went back */
	u64 sent;		/* notifications sent */
	u64 suppressed;		/* batches after which the peer asked for none */
	u64 received;		/* notifications that ended a block, or were found pending */
	u64 spurious;		/* received, and then nothing to do */
	u64 double_checks;	/* arming found work after all */
	u64 blocks;
	u64 sleeps;
	u64 work_tsc;		/* total in work() that moved items */
	u64 notify_tsc;		/* total in notify(): N = notify_tsc / sent */
	u64 spin_tsc;		/* total in turns that moved nothing and slept not */
	u64 aside_tsc;		/* of it: the CPU was given away */
	u64 sleep_tsc;		/* total asleep: Y = sleep_tsc / sleeps */
	u64 sleep_asked_tsc;	/* total that the strategy asked for */
	u64 sleep_max_tsc;
	u64 block_tsc;		/* total blocked */
	u64 wake_tsc;		/* consumer: total, enqueue of the waking item to wake */
	u64 wakes;		/* how many of those */
	u64 peer_waits;		/* consumer: items before which the producer had to wait */
	u64 late;		/* consumer: items whose latency was above D_MAX */
	u64 repaired;		/* notifications to it that were lost, found by a time-out */
	u64 rekicks;		/* producer: told a peer again that did not move */
};

enum rp_next_what {
	RP_NEXT_RUN,		/* step again: items were moved */
	RP_NEXT_SPIN,		/* step again: nothing to do, and that is meant; .ns, see rp_party_paused() */
	RP_NEXT_SLEEP,		/* sleep .ns, then rp_party_resume(RP_WAKE_SLEPT) */
	/* wait for the notification, at most .ns if that is not 0, then resume() */
	RP_NEXT_BLOCK,
};

struct rp_next {
	enum rp_next_what what;
	u64 ns;
};

struct rp_party {
	const struct rp_ring_ops *ring;
	const struct rp_thread_ops *thread;
	struct rp_strategy strategy;
	struct rp_clock clock;
	u64 w_tsc;		/* emulated work per item, the mean; 0: none */
	u32 w_dist;		/* enum rp_work_dist */
	u64 w_rng;		/* of rp_work_exp() */
	u64 dmax_tsc;		/* D_MAX; ~0: none */
	u32 burst;		/* at most so many items per work() */
	bool hands_pauses;	/* see rp_party_paused() */
	/* Of the loop */
	u64 now_tsc;		/* end of the last thing done */
	u64 wait_tsc;		/* begin of the sleep or block */
	u32 armed_k;		/* threshold of the block that just ended, else 0 */
	bool waiting;		/* between a SLEEP or BLOCK answer and resume() */
	bool armed;
	bool woken;		/* notified, and no item moved since */
	u32 run_batches;	/* since the last wait, or pulse */
	bool waited;		/* producer: and has not told so in an item */
	u64 block_ns;		/* as long as the strategy wants the present block; 0: for ever */
	struct rp_watch watch;	/* producer: of its notifications */
	/* Of the consumer */
	u64 next_seq;
	bool seq_known;
	s64 clock_offset_tsc;	/* add to a peer's time stamp to get ours */
	struct rp_stats stats;
	/* Where the strategy's own counts stood when the statistics began. */
	struct {
		u64 mode_ns[RP_WAITS];
		u64 mode_changes;
	} status_base;
	struct rp_hist *latency;	/* ticks; NULL: not measured */
	struct rp_trace *trace;		/* NULL: none */
	void *ctx;			/* the runtime's */
};

/*
 * W of one item: returns the counter once @w_tsc ticks have passed since
 * @start_tsc. The cost of the ring operations in between is part of W. No
 * pause instruction: this is work, and a pause is up to 60 ns of error.
 */
static inline u64 rp_emulate(u64 start_tsc, u64 w_tsc)
{
	u64 now;

	do {
		now = rp_tsc();
	} while (now - start_tsc < w_tsc);
	return now;
}

/* How long the next item's work is; the party's own thread asks, once an item. */
static inline u64 rp_party_work_tsc(struct rp_party *p)
{
	return likely(p->w_dist == RP_WORK_CONST) ? p->w_tsc : rp_work_exp(p->w_tsc, &p->w_rng);
}

/* A peer's numbers are what it likes: the sum stops at the most that JSON has. */
static inline void rp_party_lost(struct rp_party *p, u64 items)
{
	u64 room = (~0ULL >> 1) - p->stats.lost;

	rp_add(&p->stats.lost, items < room ? items : room);
}

/* Consumer: checks an item's number; counts gaps and steps back. */
static inline void rp_party_seq(struct rp_party *p, u64 seq, bool first)
{
	if (unlikely(seq != p->next_seq || first)) {
		if (first || !p->seq_known)
			;
		else if (seq > p->next_seq)
			rp_party_lost(p, seq - p->next_seq);
		else
			rp_add(&p->stats.reordered, 1);
	}
	p->seq_known = true;
	rp_store(&p->next_seq, seq + 1);
}

/* Latency of an item that the peer stamped with @enq_tsc and that ended now. */
static inline void rp_party_latency(struct rp_party *p, u64 enq_tsc, u64 now_tsc)
{
	s64 d = (s64)(now_tsc - enq_tsc - (u64)p->clock_offset_tsc);

	if (!p->latency)
		return;
	/* An error of the clocks' alignment must not become an hour. */
	rp_hist_add(p->latency, d > 0 ? (u64)d : 0);
	if (unlikely(d > 0 && (u64)d > p->dmax_tsc)) {
		rp_add(&p->stats.late, 1);
		p->strategy.news = true;
	}
}

/* Consumer: an item says that the producer waited before it. */
static inline void rp_party_peer_waited(struct rp_party *p)
{
	rp_add(&p->stats.peer_waits, 1);
	p->strategy.news = true;
}

/* Producer, of its next item: did it wait for a slot? Tells so once. */
static inline bool rp_party_waited(struct rp_party *p)
{
	bool waited = p->waited;

	p->waited = false;
	return waited;
}

/* L of a producer: how many items may be outstanding now. */
static inline u32 rp_party_window(const struct rp_party *p)
{
	return rp_load(&p->strategy.window);
}

void rp_party_init(struct rp_party *p, const struct rp_params *params,
		   u64 tsc_hz);
/* Begins a run: the clock starts now, the peer is told not to notify. */
void rp_party_start(struct rp_party *p);
struct rp_next rp_party_step(struct rp_party *p);
void rp_party_resume(struct rp_party *p, enum rp_wake by);
/*
 * For a thread whose pauses are others' time, as of its other rings: with
 * ->hands_pauses a SPIN's pause is not waited out but told in rp_next.ns, and
 * this is called when it is over.
 */
static inline void rp_party_paused(struct rp_party *p)
{
	u64 now = rp_tsc();

	rp_add(&p->stats.spin_tsc, now - p->now_tsc);
	p->now_tsc = now;
}

/* Of the time before that, for so many ns the thread let others have its CPU. */
static inline void rp_party_gave(struct rp_party *p, u64 ns)
{
	rp_add(&p->stats.aside_tsc, rp_ns_to_tsc(&p->clock, ns));
}

/*
 * A producer that has nothing to send, between two turns: sees to it that the
 * consumer hears of what was sent. To be called again after so many ns; 0: not
 * before there is something to send.
 */
u64 rp_party_rest(struct rp_party *p);
/* Steps until thread->stopping(). The party is left disarmed. */
void rp_party_run(struct rp_party *p);
void rp_party_stats_reset(struct rp_party *p);

#endif /* RP_PARTY_H */
