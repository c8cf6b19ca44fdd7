/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow groups, and how one moves from thread A to thread B (Prekas et al.,
 * "Energy Proportionality and Workload Consolidation for Latency-critical
 * Applications", sec. 4.5) with any number of others on their way.
 *
 * Theory of operation. Everything that is said about a group between threads is
 * one word; a step is one compare-and-swap of it, so whoever stalls, the others
 * see a group that is whole. Only these steps are there:
 *
 *   STEADY(A) ──control──▶ ORDERED     A is asked
 *   ORDERED ────A────────▶ HELD        A processes no more; packets go to ->remote
 *   HELD ───────control──▶ MOVED       the port steers to B
 *   MOVED ──────B────────▶ ADOPTED     once SENT is set: B has the timers and ->remote
 *   ADOPTED ────B────────▶ STEADY(B)   once LAST is set
 *
 *   FIRST  by B: a packet of the group has come out of B's own queue
 *   SENT   by A: all that it had sent of the group has left its send queue
 *   LAST   by A: all that was in A's queue has been handed over
 *
 * and those for what goes wrong:
 *
 *   ORDERED ────control──▶ STEADY(A)   A does not answer
 *   HELD, MOVED ─control─▶ RETURNED(A) the port refuses; B does not answer
 *   RETURNED ───A────────▶ STEADY(A)
 *   SENT by control: A does not answer, or who receives takes nothing
 *   LAST by control: A does not answer; what it still has comes late
 *
 * Order. A hands over what it receives by ->remote, B processes that as it comes
 * and defers what it receives itself. A sets LAST when, after B's first packet (or
 * the port's word, or 1 ms), its own queue has been seen empty or as much has come
 * out of it as it holds. B then closes ->remote, processes the rest of it, and
 * then what it deferred. Who finds ->remote closed has a packet that comes late:
 * it goes to the owner's queue of strays, is processed, and counted. A port keeps
 * no order between send queues: nothing of the group is processed, and so sent,
 * by B before what A had sent is gone.
 *
 * Memory. Each step is a release, each look at the word an acquire: the group's
 * content is its holder's alone and changes hands with A's step to HELD, which
 * pairs with B's to ADOPTED, or with A's own later ones. An owner need not order
 * its look: nobody but itself takes the group from it.
 */
#ifndef DP_GROUP_H
#define DP_GROUP_H

#include "pkt.h"
#include "point.h"
#include "wheel.h"

enum dp_phase {
	DP_STEADY,
	DP_ORDERED,
	DP_HELD,
	DP_MOVED,
	DP_ADOPTED,
	DP_RETURNED,
};

/* Bits 0..3 phase, 4..7 flags, 8..15 from (the owner), 16..23 to, 32..63 number of the move. */
typedef u64 dp_word;

#define DP_FIRST	(1ULL << 4)
#define DP_LAST		(1ULL << 5)
#define DP_FENCED	(1ULL << 6)	/* A's queue gets no more: the port says so */
#define DP_SENT		(1ULL << 7)

static inline enum dp_phase dp_phase(dp_word w)
{
	return (enum dp_phase)(w & 15);
}

static inline u32 dp_from(dp_word w)
{
	return w >> 8 & 255;
}

static inline u32 dp_to(dp_word w)
{
	return w >> 16 & 255;
}

static inline u32 dp_number(dp_word w)
{
	return (u32)(w >> 32);
}

static inline dp_word dp_word_of(enum dp_phase phase, u32 from, u32 to, u32 number)
{
	return (u64)number << 32 | to << 16 | from << 8 | phase;
}

/* The same move, with its flags, in another phase. */
static inline dp_word dp_in_phase(dp_word w, enum dp_phase phase)
{
	return (w & ~15ULL) | phase;
}

static inline bool dp_same_move(dp_word a, dp_word b)
{
	return dp_number(a) == dp_number(b);
}

/* From HELD until B is done. */
static inline bool dp_moving(dp_word w)
{
	return dp_phase(w) >= DP_HELD && dp_phase(w) <= DP_ADOPTED;
}

/* Processed by thread @id? */
static inline bool dp_owns(dp_word w, u32 id)
{
	return dp_phase(w) <= DP_ORDERED && dp_from(w) == id;
}

/* Evidence of the move that is on its way: relaxed, read when it is over. */
struct dp_evidence {
	_Atomic u64 ordered_ns, held_ns, moved_ns, last_ns, done_ns;
	_Atomic u64 rpc_ns;		/* of that, in the port */
	_Atomic u64 handed;		/* by A, into ->remote */
	_Atomic u64 taken;		/* out of it, by B or again by A */
	_Atomic u64 deferred;		/* by B, of its own queue */
	_Atomic u64 timers;		/* carried */
};

struct dp_group {
	_Atomic dp_word word;
	struct dp_queue remote;		/* from A; closed but while it moves */
	struct dp_evidence ev;
	bool followed;			/* by the control thread, which alone looks at it */
	/* The holder's. */
	_Alignas(64) struct dp_group *next, **link;	/* of those that a thread has */
	void *state;			/* the application's */
	u64 packets;			/* processed; relaxed */
	u16 id;
	struct dp_wheel wheel;
};

static inline dp_word dp_look(struct dp_group *g)
{
	dp_point();
	/* Acquire: pairs with the release in dp_step(). */
	return atomic_load_explicit(&g->word, memory_order_acquire);
}

/* One step; false: somebody was there before, and *@was is what it is now. */
static inline bool dp_step(struct dp_group *g, dp_word *was, dp_word to)
{
	dp_point();
	return atomic_compare_exchange_strong_explicit(&g->word, was, to, memory_order_acq_rel,
						       memory_order_acquire);
}

/* Sets flags of the move that @w shows, while it is on its way. */
bool dp_flag(struct dp_group *g, dp_word w, u64 flags);

static inline void dp_note(_Atomic u64 *at, u64 v)
{
	atomic_store_explicit(at, v, memory_order_relaxed);
}

static inline u64 dp_noted(_Atomic u64 *at)
{
	return atomic_load_explicit(at, memory_order_relaxed);
}

/* Of one writer. */
static inline void dp_count(_Atomic u64 *at, u64 n)
{
	dp_note(at, dp_noted(at) + n);
}

#endif /* DP_GROUP_H */
