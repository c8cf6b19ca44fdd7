/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the dataplane's own files share. */
#ifndef DP_INTERNAL_H
#define DP_INTERNAL_H

#include "dataplane.h"

static inline struct dp_group *dp_group_of(struct dp *dp, const struct dp_pkt *p)
{
	return &dp->groups[p->hash & (dp->cfg.groups - 1)];
}

/* ---- thread.c ---- */

/* To the group's owner, be it this thread; @own: out of this thread's own queue. */
void dp_dispatch(struct dp_thread *t, struct dp_pkt *p, bool own);
/* By the owner, or by one who is about to be. */
void dp_process(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p);
/*
 * A tick has a slot for each group, in which that one's timers run: those of all at once would
 * hold up the packets behind them. Group i's ticks begin with the slots i, i + groups, ...
 */
void dp_slot_find(struct dp_thread *t);
static inline u64 dp_tick_of(const struct dp_thread *t, const struct dp_group *g)
{
	return (t->slot + t->dp->cfg.groups - g->id) / t->dp->cfg.groups;
}

/* Among the groups that @t has; and no longer. */
void dp_attach(struct dp_thread *t, struct dp_group *g);
void dp_detach(struct dp_group *g);
/* What was sent this turn is given to the port now. */
void dp_flush(struct dp_thread *t);
/* Has @thread look at all words. */
void dp_ring(struct dp *dp, u32 thread);

/* ---- control.c ---- */

/* As dp_move(), but that the group's owner hears of it only by dp_moves_ordered(). */
const char *dp_move_for(struct dp *dp, u32 group, u32 to, enum dp_cause cause);
void dp_moves_ordered(struct dp *dp);

/* ---- leave.c: A's side ---- */

void dp_hold(struct dp_thread *t, struct dp_group *g, dp_word w);
/* A packet of a group that leaves; false: too late, it is still the caller's. */
bool dp_hand_over(struct dp_thread *t, struct dp_group *g, dp_word w, struct dp_pkt *p);
void dp_take_back(struct dp_thread *t, struct dp_group *g, dp_word w);
/* Before and after packets are received; @emptied: the queue was seen empty. */
void dp_leaving_look(struct dp_thread *t);
void dp_leaving_drained(struct dp_thread *t, bool emptied);

/* ---- come.c: B's side ---- */

void dp_expect(struct dp_thread *t, struct dp_group *g);
void dp_defer(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p);
/* How much there was to do. */
u32 dp_coming_look(struct dp_thread *t);

#endif /* DP_INTERNAL_H */
