// SPDX-License-Identifier: GPL-2.0-or-later
/* A turn of a thread: receive, process to completion, send, run timers. */
#include "internal.h"

void dp_attach(struct dp_thread *t, struct dp_group *g)
{
	g->next = t->groups;
	g->link = &t->groups;
	if (g->next)
		g->next->link = &g->next;
	t->groups = g;
}

void dp_detach(struct dp_group *g)
{
	*g->link = g->next;
	if (g->next)
		g->next->link = g->link;
	g->link = NULL;
}

void dp_ring(struct dp *dp, u32 thread)
{
	struct dp_thread *t = &dp->threads[thread];

	dp_point();
	/*
	 * Both sequentially consistent, as are the two in lie_down(): either
	 * the thread sees the bell, or we see that it rests.
	 */
	atomic_store_explicit(&t->bell, 1, memory_order_seq_cst);
	dp_point();
	if (atomic_load_explicit(&t->resting, memory_order_seq_cst) && dp->cfg.wake)
		dp->cfg.wake(dp->cfg.arg, thread);
}

void dp_flush(struct dp_thread *t)
{
	struct dp_port *port = t->dp->cfg.port;
	u32 i, n;

	if (!t->unsent)
		return;
	n = port->ops->tx(port, t->id, t->tx, t->unsent);
	dp_count(&t->counts.sent, n);
	dp_count(&t->counts.unsent, t->unsent - n);
	for (i = n; i < t->unsent; i++)
		dp_release(t, t->tx[i]);
	t->unsent = 0;
}

void dp_send(struct dp_thread *t, struct dp_pkt *p)
{
	t->tx[t->unsent++] = p;
	if (t->unsent == DP_BATCH_MAX)
		dp_flush(t);
}

void dp_release(struct dp_thread *t, struct dp_pkt *p)
{
	struct dp_port *port = t->dp->cfg.port;

	if (unlikely(p->drop))
		p->drop(p);
	else
		port->ops->release(port, t->id, p);
}

void dp_process(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	if (likely(g))
		rp_add(&g->packets, 1);
	dp_count(&t->counts.processed, 1);
	t->dp->cfg.app->packet(t, g, p);
}

/* The owner is another thread, which has not asked for it: it is late, and not lost. */
static void stray(struct dp_thread *t, u32 owner, struct dp_pkt *p)
{
	dp_count(&t->counts.late, 1);
	dp_count(&t->counts.shared, 2);
	dp_queue_add(&t->dp->threads[owner].strays, p);
	dp_ring(t->dp, owner);
}

/* Of a group that this thread does not own now. */
static void misplaced(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p, bool own)
{
	dp_word w = dp_look(g);

	if (dp_phase(w) == DP_RETURNED && dp_from(w) == t->id) {
		dp_take_back(t, g, w);
		dp_process(t, g, p);
	} else if (dp_moving(w) && dp_to(w) == t->id) {
		dp_defer(t, g, p);
		if (own && !(w & DP_FIRST) && dp_flag(g, w, DP_FIRST))
			dp_count(&t->counts.shared, 1);
	} else if (!dp_moving(w) || dp_from(w) != t->id || w & DP_LAST ||
		   !dp_hand_over(t, g, w, p)) {
		stray(t, dp_moving(w) ? dp_to(w) : dp_from(w), p);
	}
}

void dp_dispatch(struct dp_thread *t, struct dp_pkt *p, bool own)
{
	struct dp_group *g = dp_group_of(t->dp, p);

	if (unlikely(p->loose)) {
		dp_process(t, NULL, p);
		return;
	}
	/* Relaxed: if the group is ours, it is so by our own step. */
	if (likely(dp_owns(atomic_load_explicit(&g->word, memory_order_relaxed), t->id)))
		dp_process(t, g, p);
	else
		misplaced(t, g, p, own);
}

void dp_regroup(struct dp_thread *t, struct dp_pkt *p, u32 hash)
{
	p->hash = hash;
	p->loose = false;
	/* It is not processed yet. */
	dp_count(&t->counts.processed, (u64)-1);
	dp_dispatch(t, p, false);
}

/* A word has changed, and perhaps it is our turn: finds out which. */
static void answer(struct dp_thread *t)
{
	struct dp_group *g = t->dp->groups, *end = g + t->dp->cfg.groups;

	dp_point();
	/* Before the words are looked at; pairs with the store in dp_ring(). */
	atomic_exchange_explicit(&t->bell, 0, memory_order_acq_rel);
	dp_count(&t->counts.shared, 1);
	for (; g < end; g++) {
		/* Most are steady: relaxed, and looked at again if they are not. */
		dp_word w = atomic_load_explicit(&g->word, memory_order_relaxed);

		if (dp_phase(w) == DP_STEADY)
			continue;
		w = dp_look(g);
		if (dp_moving(w) && dp_to(w) == t->id)
			dp_expect(t, g);
		else if (dp_phase(w) == DP_ORDERED && dp_from(w) == t->id)
			dp_hold(t, g, w);
		else if (dp_phase(w) == DP_RETURNED && dp_from(w) == t->id)
			dp_take_back(t, g, w);
	}
}

static u32 take_strays(struct dp_thread *t)
{
	struct dp_list l = { 0 };
	struct dp_pkt *p;
	u32 n;

	dp_count(&t->counts.shared, 1);
	dp_queue_take(&t->strays, &l, false);
	for (n = l.count; (p = dp_list_pop(&l));)
		dp_dispatch(t, p, false);
	return n;
}

/* Has all that was in the queue at a stall come out of it? */
static void catch_up(struct dp_thread *t, u32 stalls, bool emptied)
{
	u64 received = dp_noted(&t->counts.received);

	if (t->catching_up == stalls &&
	    (emptied || received - t->catching_since >= t->dp->cfg.port->slots)) {
		dp_count(&t->counts.shared, 1);
		/* Release: what came out has been handed to its owners; pairs with dp_move(). */
		atomic_store_explicit(&t->caught_up, stalls, memory_order_release);
	} else if (t->catching_up != stalls) {
		t->catching_up = stalls;
		t->catching_since = received;
	}
}

/* Packets whose lines are asked for at once: what they and the next ones need stays in L1. */
#define AHEAD	8u

/*
 * Of some packets all lines are asked for before the first one is waited for. Each pass over
 * them finds what the one before has asked for.
 */
static void look_ahead(struct dp_thread *t, struct dp_pkt **p, u32 n)
{
	struct dp_group *g[AHEAD];
	struct dp_pkt *of[AHEAD];
	u32 i, owned = 0;

	for (i = 0; i < n; i++) {
		struct dp_group *group = dp_group_of(t->dp, p[i]);

		/* Headers of TCP, and short data. */
		__builtin_prefetch(p[i]->data);
		__builtin_prefetch(p[i]->data + 64);
		__builtin_prefetch(&group->word);
		__builtin_prefetch(&group->state);
	}
	for (i = 0; i < n; i++) {
		struct dp_group *group = dp_group_of(t->dp, p[i]);

		/* Relaxed, as in dp_dispatch(): what others have is not looked at. */
		if (p[i]->loose || !dp_owns(atomic_load_explicit(&group->word,
								 memory_order_relaxed), t->id))
			continue;
		g[owned] = group;
		of[owned++] = p[i];
	}
	t->dp->cfg.app->ahead(g, of, owned);
}

/* While some are processed, the lines of the next ones are on their way. */
static void dispatch_all(struct dp_thread *t, struct dp_pkt **p, u32 n)
{
	bool ahead = n > 1 && t->dp->cfg.app->ahead;
	u32 at = 0, end = n < AHEAD ? n : AHEAD;

	if (ahead)
		look_ahead(t, p, end);
	while (at < n) {
		u32 next = n - end < AHEAD ? n - end : AHEAD;

		if (ahead && next)
			look_ahead(t, p + end, next);
		while (at < end)
			dp_dispatch(t, p[at++], true);
		end += next;
	}
}

static u32 receive(struct dp_thread *t)
{
	struct dp_port *port = t->dp->cfg.port;
	struct dp_pkt *p[DP_BATCH_MAX];
	/* Acquire: pairs with the release in control.c; before the queue is looked at. */
	u32 stalls = atomic_load_explicit(&t->stalls, memory_order_acquire);
	u32 n;

	n = port->ops->rx(port, t->id, p, t->dp->cfg.batch);
	dp_count(&t->counts.received, n);
	dispatch_all(t, p, n);
	if (unlikely(t->leaving_count))
		dp_leaving_drained(t, n < t->dp->cfg.batch);
	if (unlikely(stalls != atomic_load_explicit(&t->caught_up, memory_order_relaxed)))
		catch_up(t, stalls, n < t->dp->cfg.batch);
	return n;
}

void dp_slot_find(struct dp_thread *t)
{
	u64 tick = t->now_ns / DP_TICK_NS, n = t->dp->cfg.groups;
	u64 of_tick = t->now_ns % DP_TICK_NS * n / DP_TICK_NS;

	t->slot = tick * n + of_tick;
	t->slot_end_ns = tick * DP_TICK_NS + ((of_tick + 1) * DP_TICK_NS + n - 1) / n;
}

/* Relaxed: it is ours by our own step, or not at all. */
static bool has(const struct dp_thread *t, const struct dp_group *g)
{
	dp_word w = atomic_load_explicit(&g->word, memory_order_relaxed);

	return dp_owns(w, t->id) || (dp_phase(w) == DP_ADOPTED && dp_to(w) == t->id);
}

static u32 run_timers(struct dp_thread *t)
{
	u32 n = 0, groups = t->dp->cfg.groups;
	u64 slot = t->slot;

	if (likely(t->now_ns < t->slot_end_ns))
		return 0;
	dp_slot_find(t);
	/* After a long rest each group has its turn once. */
	if (t->slot - slot > groups)
		slot = t->slot - groups;
	while (slot++ < t->slot) {
		struct dp_group *g = &t->dp->groups[slot & (groups - 1)];

		if (has(t, g))
			n += dp_wheel_advance(&g->wheel, dp_tick_of(t, g), t);
	}
	dp_count(&t->counts.timers, n);
	return n;
}

/* What waits for the thread, as far as the port tells. */
static u64 waiting(struct dp_thread *t)
{
	struct dp_port *port = t->dp->cfg.port;
	u64 n = port->ops->depth ? port->ops->depth(port, t->id) : 0;
	u32 i;

	for (i = 0; i < t->coming_count; i++)
		n += t->local[t->coming[i]].count;
	return n;
}

static u64 now_ns(const struct dp_thread *t)
{
	return t->dp->cfg.now_ns(t->dp->cfg.arg);
}

/* After the sample, which is due if it has rested for long. */
static void rise(struct dp_thread *t)
{
	atomic_store_explicit(&t->resting, 0, memory_order_relaxed);
	dp_board_rest(t->meter.board, false);
}

u32 dp_thread_turn(struct dp *dp, u32 thread)
{
	struct dp_thread *t = &dp->threads[thread];
	u64 before = dp_noted(&t->counts.processed);
	u32 n = 0;

	t->now_ns = now_ns(t);
	dp_count(&t->counts.turns, 1);
	if (unlikely(dp_meter_due(&t->meter, t->now_ns)))
		dp_meter_sample(&t->meter, t->now_ns, waiting(t), dp->cfg.batch);
	if (unlikely(atomic_load_explicit(&t->resting, memory_order_relaxed)))
		rise(t);
	/* First: what packets start counts from this tick. */
	n += run_timers(t);
	if (unlikely(t->leaving_count))
		dp_leaving_look(t);
	if (unlikely(atomic_load_explicit(&t->bell, memory_order_relaxed)))
		answer(t);
	if (unlikely(t->coming_count))
		n += dp_coming_look(t);
	if (unlikely(dp_queue_any(&t->strays)))
		n += take_strays(t);
	n += receive(t);
	dp_flush(t);
	if (n)
		dp_meter_turn(&t->meter, t->now_ns, now_ns(t),
			      dp_noted(&t->counts.processed) - before);
	/* A move is to be seen through without a rest. */
	return n + t->coming_count + t->leaving_count;
}

static bool lie_down(struct dp_thread *t, enum dp_resting how)
{
	dp_point();
	/* See dp_ring(). A stray is added before its bell is rung. */
	atomic_store_explicit(&t->resting, how, memory_order_seq_cst);
	dp_point();
	return !atomic_load_explicit(&t->bell, memory_order_seq_cst);
}

bool dp_thread_rest(struct dp *dp, u32 thread)
{
	struct dp_thread *t = &dp->threads[thread];

	dp_meter_rest(&t->meter, now_ns(t));
	return lie_down(t, DP_RESTS);
}

bool dp_thread_nap(struct dp *dp, u32 thread)
{
	return lie_down(&dp->threads[thread], DP_NAPS);
}
