// SPDX-License-Identifier: GPL-2.0-or-later
/* A group leaves: A's side of a move. */
#include "internal.h"

/* A processes again, first what has been handed over. */
static void resume(struct dp_thread *t, struct dp_group *g)
{
	struct dp_list l = { 0 };
	struct dp_pkt *p;

	dp_count(&t->counts.shared, 1);
	dp_queue_take(&g->remote, &l, true);
	dp_attach(t, g);
	dp_count(&t->counts.timers, dp_wheel_advance(&g->wheel, dp_tick_of(t, g), t));
	while ((p = dp_list_pop(&l)))
		dp_process(t, g, p);
}

/* Says so once all that was sent of it has left the send queue. */
static void look_at_sent(struct dp_thread *t, struct dp_leaving *l, struct dp_group *g, dp_word w)
{
	struct dp_port *port = t->dp->cfg.port;
	u64 since = dp_noted(&t->counts.sent) - l->sent_mark;

	if (w & DP_SENT) {
		l->sent = true;		/* the control thread has said it for us */
		return;
	}
	dp_point();
	if (!port->ops->left(port, t->id, since > ~0u ? ~0u : (u32)since))
		return;
	dp_count(&t->counts.shared, 1);
	l->sent = dp_flag(g, w, DP_SENT);
}

/* ORDERED to HELD: from here on the group's content is nobody's until B adopts it. */
void dp_hold(struct dp_thread *t, struct dp_group *g, dp_word w)
{
	struct dp_leaving *l;

	/* What it has sent is in the send queue. */
	dp_flush(t);
	dp_detach(g);
	dp_queue_init(&g->remote, true);
	dp_note(&g->ev.timers, g->wheel.timers);
	dp_note(&g->ev.held_ns, t->now_ns);
	dp_count(&t->counts.shared, 2);
	if (!dp_step(g, &w, dp_in_phase(w, DP_HELD))) {
		/* The order was taken back: it is ours as before. */
		resume(t, g);
		return;
	}
	l = &t->leaving[t->leaving_count++];
	*l = (struct dp_leaving){
		.group = g->id, .number = dp_number(w), .sent = !t->dp->cfg.port->ops->left,
		.sent_mark = dp_noted(&t->counts.sent),
	};
	if (!l->sent)
		look_at_sent(t, l, g, dp_in_phase(w, DP_HELD));
}

bool dp_hand_over(struct dp_thread *t, struct dp_group *g, dp_word w, struct dp_pkt *p)
{
	dp_count(&t->counts.shared, 2);
	/* Before B can count it as taken. */
	atomic_fetch_add_explicit(&g->ev.handed, 1, memory_order_relaxed);
	if (dp_queue_add(&g->remote, p)) {
		/* We stood so long that it went into a later move's queue? */
		if (!dp_same_move(dp_look(g), w))
			dp_count(&t->counts.late, 1);
		return true;
	}
	/* LAST was set for us, as we did not answer. */
	atomic_fetch_sub_explicit(&g->ev.handed, 1, memory_order_relaxed);
	return false;
}

/* RETURNED to STEADY, which only A does. */
void dp_take_back(struct dp_thread *t, struct dp_group *g, dp_word w)
{
	dp_count(&t->counts.shared, 1);
	dp_step(g, &w, dp_word_of(DP_STEADY, t->id, t->id, dp_number(w)));
	resume(t, g);
}

/* Nothing more goes into A's queue, as far as A can know. */
static bool cut_off(struct dp_thread *t, struct dp_group *g, dp_word w)
{
	if (dp_phase(w) != DP_MOVED && dp_phase(w) != DP_ADOPTED)
		return false;
	return w & (DP_FIRST | DP_FENCED) ||
	       (s64)(t->now_ns - dp_noted(&g->ev.moved_ns)) >= (s64)DP_WAIT_NS;
}

static void forget(struct dp_thread *t, u32 i)
{
	t->leaving[i] = t->leaving[--t->leaving_count];
}

void dp_leaving_look(struct dp_thread *t)
{
	u32 i;

	for (i = t->leaving_count; i--;) {
		struct dp_leaving *l = &t->leaving[i];
		struct dp_group *g = &t->dp->groups[l->group];
		dp_word w = dp_look(g);

		if (dp_number(w) != l->number || w & DP_LAST || dp_phase(w) == DP_STEADY) {
			forget(t, i);
			continue;
		}
		if (dp_phase(w) == DP_RETURNED) {
			forget(t, i);
			dp_take_back(t, g, w);
			continue;
		}
		if (!l->sent)
			look_at_sent(t, l, g, w);
		if (!l->draining && cut_off(t, g, w)) {
			l->draining = true;
			l->since = dp_noted(&t->counts.received);
		}
	}
}

void dp_leaving_drained(struct dp_thread *t, bool emptied)
{
	u64 received = dp_noted(&t->counts.received);
	u32 i;

	for (i = t->leaving_count; i--;) {
		struct dp_leaving *l = &t->leaving[i];
		struct dp_group *g = &t->dp->groups[l->group];
		dp_word w;

		if (!l->draining || !l->sent ||
		    (!emptied && received - l->since < t->dp->cfg.port->slots))
			continue;
		w = dp_look(g);
		/* A move that was ended without us is forgotten at the next look. */
		if (dp_number(w) != l->number)
			continue;
		dp_note(&g->ev.last_ns, t->now_ns);
		dp_count(&t->counts.shared, 2);
		if (dp_flag(g, w, DP_LAST))
			forget(t, i);
	}
}
