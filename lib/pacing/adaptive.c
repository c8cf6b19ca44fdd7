// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The adaptive strategy: the cheapest way to wait that neither slows the
 * slower side down nor breaks the bound of the latency. docs/pacing.md has the
 * law with its reasons; in short, for the side that asks:
 *
 * - It seldom waits: it is the slower side, or as fast. It spins, for a short
 *   while, since its delays are everybody's; a wait that lasts is slept.
 * - It waits often: it is the faster side, and sleeps, as long as it may:
 *   a consumer 13/16 D_MAX - W_C, less a margin m_D; both no longer than the peer
 *   takes to use the ring up, (L - 1) W - W', less a margin m_L. The margins
 *   follow what is seen: items that were late, rings that were full or dry.
 *   And a consumer sleeps no longer than brings more: see adaptive_loop.c.
 * - The shortest sleep is too long for that: it spins, in pauses that leave
 *   the ring's cache lines to the peer.
 * - Nothing moves for much longer than sleeps cost and D_MAX is: it blocks.
 *
 * A producer also keeps the queue as short as D_MAX asks for: its window is
 * the number of items that the consumer finishes in D_MAX, 98 times of 100.
 *
 * Every loop's gain is small against the time in which it is closed (a cycle),
 * and every change of mode has two thresholds and a time that must pass.
 */
#include "pacing/adaptive.h"

/* While it spins, the totals are looked at so often. */
#define SPIN_TICK_NS	50000u
/*
 * Idle: nothing moved for so many times what a sleep costs, and what D_MAX is;
 * a peer that has lost its CPU for a moment is not idle.
 */
#define IDLE_SLEEPS	64
#define IDLE_DMAX	8
/* Batches in a row that ended in idleness, after which it is expected. */
#define IDLE_STREAK	3
/*
 * Shares of the time, in 1/1024, from which on the CPU counts as shared, or the
 * peer as somebody who is often not there.
 */
#define CONTENDED_UP	128
#define CONTENDED_DOWN	64
/* Blocks of a producer that nobody answers become longer up to this. */
#define REPAIR_MAX_NS	1000000000u
/*
 * Short cycles are looked at together: so many items, or waits, or so long. T's
 * samples hold as many items anyway; modes may change within some 5 ms, but not
 * without something that ends this at once.
 */
#define LOOK_ITEMS	16
#define LOOK_WAITS	16
#define LOOK_NS		20000000u
/* A part of half a sleep by which several may together be too long. */
#define EXCESS_PARTS	8
/* After so many looks in a row that changed nothing. */
#define CALM		8
/* A consumer's wake-ups in a row that may find nothing, when there is little traffic. */
#define EMPTY_MOST	3

/* ---- Idleness ---- */

/* What a sleep costs, or may cost at most while that is not known. */
static u64 sleep_cost_ns(const struct adaptive *a)
{
	return a->e.y_e.n ? rp_mean_ns(&a->e.y_e) : rp_mean_ns(&a->e.y_min);
}

static u64 idle_limit_ns(const struct rp_strategy *s, const struct adaptive *a)
{
	u64 limit = max_u64(IDLE_SLEEPS * sleep_cost_ns(a), IDLE_DMAX * s->params.dmax_ns);

	/* A producer's peer may take its time over a single item. */
	if (is_producer(s))
		limit = max_u64(limit, 4 * ((u64)s->window * a->e.t.mean.v >> RP_MEAN_SHIFT));
	return limit;
}

static bool is_idle(const struct rp_strategy *s, const struct adaptive *a)
{
	if (!sleep_cost_ns(a))
		return false;
	/* One sleep finds out whether it is a whole stream that begins again. */
	return a->idle_ns > idle_limit_ns(s, a) || (a->idle_ns && a->streak >= IDLE_STREAK);
}

static struct rp_decision block(const struct rp_strategy *s, struct adaptive *a)
{
	struct rp_decision d = { RP_WAIT_BLOCK, 1, 0 };
	u64 most;

	if (!is_producer(s))
		return d;
	/* Items are out: whether the consumer knows of them is checked. */
	most = s->params.dmax_ns > REPAIR_MAX_NS ? s->params.dmax_ns : REPAIR_MAX_NS;
	d.threshold = s->window - s->window / 4;
	d.wait_ns = a->repair_ns;
	a->repair_ns = min_u64(2 * a->repair_ns, most);
	return d;
}

/* ---- A cycle ends ---- */

/*
 * What the peer did in a cycle: a consumer's items; a producer's less those
 * that only filled a queue that has become longer. Since the producer waits
 * when this is called, its window is full.
 */
static u64 items_of_peer(const struct rp_strategy *s, struct adaptive *a, u64 items)
{
	u32 before = a->out;

	if (!is_producer(s))
		return items;
	a->out = s->window;
	/* Not known after a time without waits. */
	return before ? less(items + before, a->out) : 0;
}

/* More wake-ups in a row have found nothing than happens while the traffic lasts. */
static bool pauses(const struct rp_strategy *s, const struct adaptive *a)
{
	return a->empty && (a->empty > EMPTY_MOST || is_producer(s) || a->streak >= IDLE_STREAK);
}

/* The cycle's items tell the peer's pace, if it could go on all the time. */
static void learn_pace(const struct rp_strategy *s, struct adaptive *a,
		       const struct rp_cycle *c, u64 now_ns)
{
	u64 items, ns = a->still_ns + c->ns;

	if (!c->items) {
		a->still_ns = ns;
		return;
	}
	/* A consumer that is busy with what a shorter window leaves over is there. */
	if (!is_producer(s) || (a->out && a->out <= s->window))
		rp_estimate_stall(&a->e, ns, a->still_ns > s->params.dmax_ns);
	a->still_ns = 0;
	items = items_of_peer(s, a, c->items);
	if (!items || a->gap || (c->waits > 1 && pauses(s, a)))
		return;
	if (!a->peer_waited)
		rp_estimate_pace(&a->e, items, ns);
	else if (items > a->ready && a->woke_ns)
		rp_estimate_pace(&a->e, items - a->ready,
				 a->busy_ns + now_ns - a->woke_ns);
	else if (!a->e.t.mean.n)
		rp_estimate_pace(&a->e, items, ns);
}

static void note_idleness(const struct rp_strategy *s, struct adaptive *a,
			  const struct rp_cycle *c)
{
	if (!c->items) {
		a->idle_ns += c->ns;
		return;
	}
	/* The first batch after a pause says whether pauses are short again. */
	if (a->gap && c->ns < idle_limit_ns(s, a))
		a->streak = 0;
	a->idle_ns = 0;
	a->gap = false;
	a->repair_ns = s->params.dmax_ns;
}

static bool share_is_high(bool before, u32 milli)
{
	return milli >= (before ? CONTENDED_DOWN : CONTENDED_UP);
}

static void control(struct rp_strategy *s, struct adaptive *a, const struct rp_cycle *c,
		    u64 now_ns)
{
	a->shared = share_is_high(a->shared, a->e.stolen_milli);
	a->absent = share_is_high(a->absent, a->e.stalled_milli);
	if (is_producer(s))
		rp_adaptive_move_window(s, a);
	else if (c->timed && s->params.dmax_ns)
		rp_adaptive_move_m_d(s, a, c);
	if (!a->odd && (a->slept || a->now == RP_WAIT_SPIN))
		rp_adaptive_move_m_l(s, a, c->waits);
	a->slept = false;
	a->odd -= a->odd > 0;
	rp_adaptive_move_target(s, a, now_ns);
	rp_adaptive_move_mode(s, a, c->work_ns, now_ns);
	rp_adaptive_move_y(a);
	rp_adaptive_tell_unmet(s, a);
}

/* Nothing is about to change: what sleeps do until the next look will be as before. */
static void note_calm(const struct rp_strategy *s, struct adaptive *a)
{
	u64 want = less(a->target_ns, rp_mean_ns(&a->e.over.mean));
	bool calm = a->mode == RP_WAIT_SLEEP && !a->doubt_ns && !a->peer_waited && !a->odd &&
		    !pauses(s, a) && a->y_ns + want / 8 >= want;

	a->calm = calm ? min_u32(a->calm + 1, CALM) : 0;
}

static void tick(struct rp_strategy *s, struct adaptive *a, u64 now_ns)
{
	struct rp_cycle c;

	s->news = false;
	rp_estimate_slept_also(&a->e, a->passed, a->excess_ns);
	if (rp_estimate_cycle(&a->e, s, now_ns, &c)) {
		rp_add(&a->mode_ns[a->now], c.ns);
		a->peer_waited |= c.peer_waited;
		learn_pace(s, a, &c, now_ns);
		note_idleness(s, a, &c);
		if (a->peer_waited)
			rp_loop_full(&a->loop, now_ns);
		rp_loop_cycle(&a->loop, &c, a->target_ns, now_ns);
		if (c.items)
			control(s, a, &c, now_ns);
		note_calm(s, a);
	}
	a->peer_waited = false;
	rp_adaptive_looked(a);
}

/* ---- Sleeps that go by without a look ---- */

void rp_adaptive_looked(struct adaptive *a)
{
	a->woke_ns = 0;
	a->busy_ns = 0;
	a->excess_ns = 0;
	a->passed = 0;
	a->ready = 0;
	a->look_ns = 0;
}

/* Before a sleep; what follows from the estimates is computed once for all until the look. */
static void look_later(struct adaptive *a, u64 now_ns)
{
	if (a->calm < CALM)
		return;
	a->look_ns = now_ns + LOOK_NS;
	a->usual_ns = rp_mean_ns(&a->e.over.mean);
	a->odd_ns = rp_estimate_odd_ns(&a->e);
	a->busy_most_ns = (a->asked_ns + a->usual_ns) / 2;
	a->excess_most_ns = (s64)(a->busy_most_ns / EXCESS_PARTS);
}

/*
 * Has a sleep ended as sleeps do? The first after a look is always one to learn
 * all from, so that how far sleeps differ does not depend on what they were
 * like; of those after it the sum is enough. Sleeps that grow longer are to be
 * answered by shorter ones at once.
 */
static bool passes(const struct rp_strategy *s, struct adaptive *a, u32 ready, u64 took_ns)
{
	u64 over = took_ns - a->asked_ns;
	s64 excess = a->excess_ns + (s64)(over - a->usual_ns);

	if (!a->look_ns || over > a->odd_ns || excess > a->excess_most_ns ||
	    ready >= adaptive_slots(s) || pauses(s, a)) {
		a->look_ns = 0;
		return false;
	}
	if (!a->e.skipped)
		return false;
	a->excess_ns = excess;
	a->passed++;
	return true;
}

/* After a cycle: has little happened since the last look, and nothing that matters? */
static bool goes_by(const struct rp_strategy *s, const struct adaptive *a, u64 now_ns)
{
	return now_ns < a->look_ns && now_ns - a->woke_ns <= a->busy_most_ns &&
	       a->ready < LOOK_ITEMS && a->e.skipped < LOOK_WAITS - 1 && !s->news;
}

/* ---- Hooks ---- */

static void adaptive_init(struct rp_strategy *s)
{
	struct adaptive *a = rp_strategy_priv(s, struct adaptive);

	rp_estimate_init(&a->e);
	rp_loop_init(&a->loop);
	a->mode = a->now = RP_WAIT_SLEEP;
	a->y_ns = 1;
	a->retry_ns = ADAPTIVE_RETRY_MIN_NS;
	a->repair_ns = s->params.dmax_ns;
	a->ring_share = ADAPTIVE_RING_ALL;
	s->pulse = 1;	/* until it is known how long a batch takes */
}

/* Of a spin; what it follows from changes with a cycle. */
static u64 spin_pause_ns(const struct rp_strategy *s, const struct adaptive *a)
{
	u64 pause = min_u64(rp_adaptive_ring_left_ns(s, a) / 2,
			    rp_adaptive_latency_limit_ns(s, a) / 4);

	/* The slower side is not to be late. */
	if (!rp_adaptive_waits_often(a))
		return 0;
	pause = min_u64(pause, rp_mean_ns(&a->e.y_min) / 2);
	/* Less than two items' worth saves nothing. */
	return pause > 2 * rp_mean_ns(&a->e.t.mean) ? pause : 0;
}

/* A pause holds back closed loops as a sleep does. */
static u64 pause_or_try(const struct rp_strategy *s, struct adaptive *a, u64 now_ns)
{
	u64 pause_ns = min_u64(spin_pause_ns(s, a), a->loop.cap_ns / 2);

	if (!pause_ns || is_producer(s))
		rp_loop_broken(&a->loop);
	else if (rp_loop_is_brief(&a->loop, true, now_ns))
		return 0;
	return pause_ns;
}

static struct rp_decision spin(struct adaptive *a, u64 pause_ns)
{
	rp_store(&a->now, RP_WAIT_SPIN);
	a->pause_ns = pause_ns;
	return (struct rp_decision){ RP_WAIT_SPIN, 0, pause_ns };
}

static struct rp_decision sleep(struct adaptive *a, u64 y_ns, u64 now_ns)
{
	rp_store(&a->now, RP_WAIT_SLEEP);
	a->asked_ns = y_ns;
	/* A trial counts each of its cycles. */
	if (a->loop.kind == LOOP_NONE)
		look_later(a, now_ns);
	return (struct rp_decision){ RP_WAIT_SLEEP, 0, y_ns };
}

/* As long as it may; in a trial a quarter of that, or not at all. */
static struct rp_decision sleep_or_try(const struct rp_strategy *s, struct adaptive *a, u64 now_ns)
{
	u64 over = rp_mean_ns(&a->e.over.mean), brief = less((a->y_ns + over) / 4, over);
	bool shorter = a->y_ns > over;

	if (is_producer(s) || (!shorter && !rp_adaptive_may_spin(s, a)) ||
	    !rp_loop_is_brief(&a->loop, !shorter, now_ns))
		return sleep(a, a->y_ns, now_ns);
	return a->loop.awake ? spin(a, 0) : sleep(a, max_u64(brief, 1), now_ns);
}

/* Apart from the short ways, which would save its registers else. */
static __attribute__((__noinline__)) struct rp_decision
decide(struct rp_strategy *s, struct adaptive *a, u64 now_ns)
{
	struct rp_decision d;

	tick(s, a, now_ns);
	a->tick_ns = now_ns + SPIN_TICK_NS;
	if (is_idle(s, a) || a->mode == RP_WAIT_BLOCK) {
		rp_loop_broken(&a->loop);
		rp_store(&a->now, RP_WAIT_BLOCK);
		return block(s, a);
	}
	if (a->wider) {
		/* There is room: look at once, whatever comes after that. */
		a->wider = false;
		d = spin(a, spin_pause_ns(s, a));
		d.wait_ns = 0;
		return d;
	}
	if (a->mode == RP_WAIT_SLEEP)
		return sleep_or_try(s, a, now_ns);
	if (a->idle_ns < 2 * rp_mean_ns(&a->e.y_min) && !rp_adaptive_tries_sleep(s, a, now_ns))
		return spin(a, pause_or_try(s, a, now_ns));
	/* A spin that has lasted too long ends in the shortest sleep. */
	rp_loop_broken(&a->loop);
	return sleep(a, 1, now_ns);
}

static struct rp_decision adaptive_idle(struct rp_strategy *s, u64 now_ns)
{
	struct adaptive *a = rp_strategy_priv(s, struct adaptive);

	/* The only path that is taken more often than every some ten us. */
	if (a->now == RP_WAIT_SPIN && now_ns < a->tick_ns)
		return (struct rp_decision){ RP_WAIT_SPIN, 0, a->pause_ns };
	a->wait_ns = now_ns;
	if (!goes_by(s, a, now_ns))
		return decide(s, a, now_ns);
	a->e.skipped++;
	a->busy_ns += now_ns - a->woke_ns;
	return (struct rp_decision){ RP_WAIT_SLEEP, 0, a->asked_ns };
}

static __attribute__((__noinline__)) void
after_sleep(struct rp_strategy *s, struct adaptive *a, u32 ready, u64 took_ns)
{
	u32 slots = adaptive_slots(s);

	/* The producer's word that it waited comes with the next cycle's items. */
	if (!rp_estimate_slept(&a->e, a->asked_ns, took_ns))
		a->odd = 2;
	if (a->mode == RP_WAIT_SPIN)
		a->try_ns = a->woke_ns + ADAPTIVE_TRY_SHARE * took_ns;
	rp_mean_add(&a->e.ready, (u64)ready << RP_MEAN_SHIFT);
	a->peer_waited = ready >= slots;
	a->slept = a->mode == RP_WAIT_SLEEP;
}

static void after_block(struct rp_strategy *s, struct adaptive *a, enum rp_wake by, u64 took_ns)
{
	a->calm = 0;
	a->look_ns = 0;
	rp_loop_broken(&a->loop);
	if (by == RP_WAKE_STOP)
		return;
	a->gap = true;
	if (took_ns < idle_limit_ns(s, a))
		a->streak = 0;
	else if (a->streak < IDLE_STREAK)
		a->streak++;
}

static void adaptive_woken(struct rp_strategy *s, enum rp_wake by, u32 ready, u64 now_ns)
{
	struct adaptive *a = rp_strategy_priv(s, struct adaptive);
	u64 took_ns = now_ns - a->wait_ns;

	a->woke_ns = now_ns;
	a->ready += ready;
	a->empty = ready ? 0 : a->empty + 1;
	if (by != RP_WAKE_SLEPT)
		after_block(s, a, by, took_ns);
	else if (!passes(s, a, ready, took_ns))
		after_sleep(s, a, ready, took_ns);
}

static enum rp_wait adaptive_mode(const struct rp_strategy *s)
{
	return rp_load(&rp_strategy_priv(s, struct adaptive)->mode);
}

const struct rp_strategy_ops rp_strategy_adaptive = {
	.name = "adaptive",
	.watches = true,
	.init = adaptive_init,
	.pulse = rp_adaptive_pulse,
	.idle = adaptive_idle,
	.woken = adaptive_woken,
	.mode = adaptive_mode,
	.status = rp_adaptive_status,
	.learned = rp_adaptive_learned,
	.learn = rp_adaptive_learn,
};
