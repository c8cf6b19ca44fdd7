// SPDX-License-Identifier: GPL-2.0-or-later
/* A group comes: B's side of a move. */
#include "internal.h"

void dp_expect(struct dp_thread *t, struct dp_group *g)
{
	if (t->is_coming[g->id])
		return;
	t->is_coming[g->id] = true;
	t->coming[t->coming_count++] = g->id;
}

void dp_defer(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	dp_expect(t, g);
	dp_list_add(&t->local[g->id], p);
}

static void forget(struct dp_thread *t, u32 i)
{
	t->is_coming[t->coming[i]] = false;
	t->coming[i] = t->coming[--t->coming_count];
}

static u32 take_remote(struct dp_thread *t, struct dp_group *g, bool close)
{
	struct dp_list l = { 0 };
	struct dp_pkt *p;
	u32 n;

	dp_count(&t->counts.shared, 1);
	dp_queue_take(&g->remote, &l, close);
	n = l.count;
	dp_count(&g->ev.taken, n);
	while ((p = dp_list_pop(&l)))
		dp_process(t, g, p);
	return n;
}

/* All that was A's is here: what we deferred comes now, and the group is ours. */
static u32 finish(struct dp_thread *t, struct dp_group *g, dp_word w)
{
	struct dp_list *local = &t->local[g->id];
	u32 n = take_remote(t, g, true), deferred = local->count;
	struct dp_pkt *p;

	while ((p = dp_list_pop(local)))
		dp_process(t, g, p);
	dp_note(&g->ev.deferred, deferred);
	dp_note(&g->ev.done_ns, t->dp->cfg.now_ns(t->dp->cfg.arg));
	dp_count(&t->counts.shared, 4);
	/* Only B leaves ADOPTED, and sets the one flag that is not there yet. */
	dp_step(g, &w, dp_word_of(DP_STEADY, t->id, t->id, dp_number(w)));
	return n + deferred;
}

/* The move was called off, or we heard of it too late: what we have is another's. */
static u32 give_away(struct dp_thread *t, struct dp_group *g)
{
	struct dp_list l = t->local[g->id];
	u32 n = l.count;
	struct dp_pkt *p;

	t->local[g->id] = (struct dp_list){ 0 };
	while ((p = dp_list_pop(&l)))
		dp_dispatch(t, p, false);
	return n;
}

/* Is all gone that the old owner has sent? */
static bool may_adopt(const struct dp_thread *t, dp_word w)
{
	return w & DP_SENT || !t->dp->cfg.port->ops->left;
}

static u32 look(struct dp_thread *t, u32 i)
{
	struct dp_group *g = &t->dp->groups[t->coming[i]];
	dp_word w = dp_look(g);
	u32 n = 0;

	if (!dp_moving(w) || dp_to(w) != t->id) {
		forget(t, i);
		return give_away(t, g);
	}
	if (dp_phase(w) == DP_HELD || (dp_phase(w) == DP_MOVED && !may_adopt(t, w)))
		return 0;
	if (dp_phase(w) == DP_MOVED) {
		dp_count(&t->counts.shared, 1);
		if (!dp_step(g, &w, dp_in_phase(w, DP_ADOPTED)))
			return 0;	/* a flag, or it was called off: the next look tells */
		w = dp_in_phase(w, DP_ADOPTED);
		dp_attach(t, g);
		n = dp_wheel_advance(&g->wheel, dp_tick_of(t, g), t);
		dp_count(&t->counts.timers, n);
	}
	if (w & DP_LAST) {
		n += finish(t, g, w);
		forget(t, i);
	} else if (dp_queue_any(&g->remote)) {
		n += take_remote(t, g, false);
	}
	return n;
}

u32 dp_coming_look(struct dp_thread *t)
{
	u32 n = 0, i;

	for (i = t->coming_count; i--;)
		n += look(t, i);
	return n;
}
