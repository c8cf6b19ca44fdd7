/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event ring: the last 2^16 things that a party did, with the counter's value,
 * for merging both sides' traces after a run. One writer; old events are
 * overwritten. rp_trace_snapshot() may run beside the writer: it drops the
 * events that were overwritten while it copied, and always the one that the
 * writer may just be overwriting.
 */
#ifndef RP_TRACE_H
#define RP_TRACE_H

#include "rp.h"

enum rp_event_type {
	RP_EV_NONE = 0,
	RP_EV_PUBLISH,		/* an item was published; arg: its seq. Only with "items" on */
	RP_EV_CONSUME,		/* an item was seen; arg: its seq. Only with "items" on */
	RP_EV_NOTIFY_START,	/* about to notify the peer; arg: items so far */
	RP_EV_NOTIFY_END,	/* notification sent; arg: items so far */
	RP_EV_ARM,		/* asked for a notification; arg: threshold k */
	RP_EV_DOUBLE_CHECK,	/* arming found work after all */
	RP_EV_BLOCK,		/* blocked; arg: items so far */
	RP_EV_WAKE,		/* woken by a notification; arg: items so far */
	RP_EV_SLEEP,		/* going to sleep; arg: nominal length, ns */
	RP_EV_SLEPT,		/* back from the sleep; arg: items so far */
	RP_EV_TYPES
};

extern const char *const rp_event_names[RP_EV_TYPES];

struct rp_event {
	u64 tsc;
	u32 type;		/* enum rp_event_type */
	u32 arg;
};

#define RP_TRACE_EVENTS		(1u << 16)

struct rp_trace {
	u64 head;		/* events ever written */
	bool on;
	bool items;		/* RP_EV_PUBLISH and _CONSUME too */
	struct rp_event ev[RP_TRACE_EVENTS];
};

static inline void rp_trace(struct rp_trace *t, u32 type, u64 tsc, u64 arg)
{
	struct rp_event *e;

	if (!t || !t->on)
		return;
	e = &t->ev[t->head % RP_TRACE_EVENTS];
	/*
	 * Releases, so that a reader which sees a piece of this event also
	 * sees that head has come here: pairs with the acquires in
	 * rp_trace_snapshot(). Plain moves on x86.
	 */
	rp_store_release(&e->tsc, tsc);
	rp_store_release(&e->type, type);
	rp_store_release(&e->arg, (u32)arg);
	rp_store_release(&t->head, t->head + 1);
}

/*
 * Copies the newest events, at most @max, oldest first, to @out; returns how
 * many. One short of RP_TRACE_EVENTS when the ring has wrapped.
 */
u32 rp_trace_snapshot(const struct rp_trace *t, struct rp_event *out, u32 max);

#endif /* RP_TRACE_H */
