// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control thread: orders moves, has the port steer, and sees to it that a
 * thread that stalls costs no group.
 */
#include "internal.h"

bool dp_flag(struct dp_group *g, dp_word w, u64 flags)
{
	dp_word now = w;

	while (dp_same_move(now, w) && dp_moving(now) && (now & flags) != flags)
		if (dp_step(g, &now, now | flags))
			return true;
	return dp_same_move(now, w) && dp_moving(now);
}

static u64 now_ns(struct dp *dp)
{
	return dp->cfg.now_ns(dp->cfg.arg);
}

/* Once for all that a thread is to look at. */
static void ring_bells(struct dp *dp)
{
	for (; dp->bells; dp->bells &= dp->bells - 1)
		dp_ring(dp, (u32)__builtin_ctzll(dp->bells));
}

/* ---- Orders ---- */

static void follow(struct dp *dp, struct dp_group *g, dp_word w, enum dp_cause cause)
{
	dp->following[dp->following_count++] = (struct dp_following){
		.group = g->id, .word = w, .phase = DP_ORDERED, .cause = cause,
		.since_ns = now_ns(dp),
	};
	g->followed = true;
	dp->progress_ns = now_ns(dp);
}

/* Groups were taken from it, or kept, as it did not answer. */
static void has_stalled(struct dp_thread *t)
{
	/* Release: how the port steers now; pairs with the acquire in receive(). */
	atomic_fetch_add_explicit(&t->stalls, 1, memory_order_release);
}

static bool behind(struct dp_thread *t)
{
	return atomic_load_explicit(&t->stalls, memory_order_relaxed) !=
	       atomic_load_explicit(&t->caught_up, memory_order_acquire);
}

const char *dp_move_for(struct dp *dp, u32 group, u32 to, enum dp_cause cause)
{
	struct dp_group *g;
	dp_word w, order;

	if (group >= dp->cfg.groups)
		return "there is no such flow group";
	if (to >= dp->cfg.threads)
		return "there is no such thread";
	if (behind(&dp->threads[to]))
		return "the thread has stalled, and has not caught up yet";
	g = &dp->groups[group];
	w = dp_look(g);
	if (g->followed)
		return "the flow group is on its way already";
	if (dp_from(w) == to)
		return NULL;
	dp_note(&g->ev.handed, 0);
	dp_note(&g->ev.taken, 0);
	dp_note(&g->ev.deferred, 0);
	dp_note(&g->ev.ordered_ns, now_ns(dp));
	order = dp_word_of(DP_ORDERED, dp_from(w), to, dp_number(w) + 1);
	/* STEADY is left by nobody else. */
	dp_step(g, &w, order);
	follow(dp, g, order, cause);
	dp->bells |= 1ULL << dp_from(order);
	return NULL;
}

void dp_moves_ordered(struct dp *dp)
{
	ring_bells(dp);
}

const char *dp_move(struct dp *dp, u32 group, u32 to)
{
	const char *why = dp_move_for(dp, group, to, DP_NAMED);

	dp_moves_ordered(dp);
	return why;
}

u32 dp_owner(struct dp *dp, u32 group)
{
	dp_word w = dp_look(&dp->groups[group]);

	return dp_phase(w) == DP_ORDERED || dp_moving(w) ? dp_to(w) : dp_from(w);
}

/* ---- What a move ends with ---- */

static u64 between(_Atomic u64 *from, _Atomic u64 *to)
{
	u64 a = dp_noted(from), b = dp_noted(to);

	/* Threads read the clock at the beginning of a turn. */
	return b > a ? b - a : 0;
}

static void tally(struct dp_stat *s, u64 v)
{
	rp_hist_add(&s->hist, v);
	s->sum += v;
}

static void record(struct dp *dp, struct dp_group *g, const struct dp_following *f)
{
	struct dp_evidence *ev = &g->ev;
	struct dp_moves *m = &dp->moves;
	/*
	 * Signed: one that stood since an earlier move, and was turned away, takes back
	 * from this move's count what it had added to that one's.
	 */
	s64 kept = (s64)(dp_noted(&ev->handed) - dp_noted(&ev->taken));
	u64 total = between(&ev->ordered_ns, &ev->done_ns);

	m->forced += f->forced;
	m->overtaken += f->overtaken;
	tally(&m->prepare, between(&ev->ordered_ns, &ev->held_ns));
	tally(&m->rpc, dp_noted(&ev->rpc_ns));
	tally(&m->wait, between(&ev->moved_ns, &ev->last_ns));
	tally(&m->deferred, between(&ev->last_ns, &ev->done_ns));
	tally(&m->total, total);
	tally(&m->total_of[f->cause], total);
	tally(&m->packets, dp_noted(&ev->taken) + dp_noted(&ev->deferred));
	tally(&m->timers, dp_noted(&ev->timers));
	/* One that does not answer may be about to hand over; it then finds it closed. */
	if (!f->forced && kept > 0)
		m->dropped += (u64)kept;
}

static void ended(struct dp *dp, const struct dp_following *f, dp_word w)
{
	struct dp_group *g = &dp->groups[f->group];

	g->followed = false;
	if (dp_from(w) == dp_to(f->word)) {
		dp->moves.ended[DP_DONE]++;
		record(dp, g, f);
	} else if (f->refused) {
		dp->moves.ended[DP_REFUSED]++;
	} else {
		dp->moves.ended[DP_TURNED_BACK]++;
	}
}

/* ---- Steering ---- */

static int steer(struct dp *dp, u32 n)
{
	struct dp_port *port = dp->cfg.port;
	int err = port->ops->steer(port, dp->steer, n);

	if (err)
		dp->moves.port_errors++;
	return err;
}

/* The port is as before, or is asked to be: A has it again. */
static void turn_back(struct dp *dp, struct dp_group *g, dp_word w)
{
	enum dp_phase phase = dp_phase(w);

	/* A flag may come in between; B's step to ADOPTED ends it. */
	while (dp_phase(w) == phase && !dp_step(g, &w, dp_word_of(DP_RETURNED, dp_from(w),
								  dp_to(w), dp_number(w))))
		;
	if (dp_phase(w) != phase)
		return;
	if (phase == DP_MOVED) {
		dp->steer[0] = (struct dp_steer){ .group = g->id, .queue = (u16)dp_from(w) };
		steer(dp, 1);
		has_stalled(&dp->threads[dp_to(w)]);
		dp_ring(dp, dp_to(w));
	}
	dp_ring(dp, dp_from(w));
}

static void moved(struct dp *dp, struct dp_group *g, u64 flags)
{
	dp_word w = dp_look(g);

	/* HELD is left by nobody else; B's FIRST may come in between. */
	while (!dp_step(g, &w, dp_in_phase(w, DP_MOVED) | flags))
		;
}

/* Is a thread amid its answer, and is its next group worth waiting for? */
static bool gathers(struct dp *dp, u64 asked, u64 held)
{
	u64 now = now_ns(dp);

	if (asked & held && !dp->gathering_ns)
		dp->gathering_ns = now;
	if (asked & held && now - dp->gathering_ns < DP_GATHER_NS)
		return true;
	dp->gathering_ns = 0;
	return false;
}

/* Which groups are held; their new owners are to be rung. How many. */
static u32 find_held(struct dp *dp)
{
	u64 asked = 0, held = 0, to = 0;
	u32 i, n = 0;

	for (i = 0; i < dp->following_count; i++) {
		dp_word w = dp_look(&dp->groups[dp->following[i].group]);

		if (dp_phase(w) == DP_ORDERED)
			asked |= 1ULL << dp_from(w);
		if (dp_phase(w) != DP_HELD)
			continue;
		held |= 1ULL << dp_from(w);
		to |= 1ULL << dp_to(w);
		dp->steer[n++] = (struct dp_steer){
			.group = dp->following[i].group, .queue = (u16)dp_to(w),
		};
	}
	if (gathers(dp, asked, held))
		return 0;
	dp->bells |= to;
	return n;
}

/*
 * All groups that are held, by one order to the port. Who gets them wakes up meanwhile,
 * and does not rest from then on, so that it need not be told of the end.
 */
static void steer_held(struct dp *dp)
{
	u32 i, n = find_held(dp);
	u64 began, after;
	int err;

	if (!n)
		return;
	ring_bells(dp);
	began = now_ns(dp);
	err = steer(dp, n);
	after = now_ns(dp);
	for (i = 0; i < n; i++) {
		struct dp_group *g = &dp->groups[dp->steer[i].group];

		dp_note(&g->ev.rpc_ns, after - began);
		dp_note(&g->ev.moved_ns, after);
		if (err)
			turn_back(dp, g, dp_look(g));
		else
			moved(dp, g, dp->cfg.port->fenced ? DP_FENCED : 0);
	}
}

/* ---- Threads that stall ---- */

static void overdue(struct dp *dp, struct dp_following *f, dp_word w)
{
	struct dp_group *g = &dp->groups[f->group];

	if (!f->told)
		dp->moves.stalled++;
	f->told = true;
	if (dp_phase(w) == DP_ORDERED) {
		f->refused = dp_step(g, &w, dp_word_of(DP_STEADY, dp_from(w), dp_from(w),
						       dp_number(w)));
	} else if (dp_phase(w) == DP_MOVED && dp->cfg.port->ops->left && !(w & DP_SENT)) {
		f->overtaken = dp_flag(g, w, DP_SENT);
		f->since_ns = now_ns(dp);
	} else if (dp_phase(w) == DP_MOVED) {
		turn_back(dp, g, w);
	} else if (dp_phase(w) == DP_ADOPTED && !(w & DP_LAST)) {
		dp_note(&g->ev.last_ns, now_ns(dp));
		f->forced = dp_flag(g, w, DP_LAST);
		has_stalled(&dp->threads[dp_from(w)]);
		dp_ring(dp, dp_from(w));
	}
	/* Else it is the stalled thread's own, and whole; we wait for that thread. */
}

/* true: it has ended. */
static bool see_through(struct dp *dp, struct dp_following *f)
{
	struct dp_group *g = &dp->groups[f->group];
	dp_word w = dp_look(g);

	if (dp_phase(w) == DP_STEADY) {
		ended(dp, f, w);
		return true;
	}
	if (dp_phase(w) != f->phase) {
		f->phase = dp_phase(w);
		f->since_ns = dp->progress_ns = now_ns(dp);
	} else if (now_ns(dp) - f->since_ns > dp->cfg.stall_ns) {
		overdue(dp, f, w);
	}
	return false;
}

u32 dp_control_turn(struct dp *dp)
{
	u32 i;

	if (!dp->following_count)
		return 0;
	steer_held(dp);
	for (i = dp->following_count; i--;)
		if (see_through(dp, &dp->following[i]))
			dp->following[i] = dp->following[--dp->following_count];
	return dp->following_count;
}
