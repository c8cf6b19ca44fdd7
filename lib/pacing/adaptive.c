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
#include "pacing/estimate.h"

/* While it spins, the totals are looked at so often. */
#define SPIN_TICK_NS	50000u
/* Share of the time, in 1/1024, from which on a side waits "often". */
#define OFTEN_UP	82
#define OFTEN_DOWN	41
/* Late items that are aimed for, in 1/1024: half of what p98 allows. */
#define LATE_GOAL	10
/*
 * To spin again so soon after another mode was tried doubles the time to the
 * next try; one that lasted for RETRY_GOOD such times halves it.
 */
#define RETRY_GOOD	16
#define RETRY_MIN_NS	3000000u
#define RETRY_MAX_NS	10000000000ull
/*
 * Idle: nothing moved for so many times what a sleep costs, and what D_MAX is;
 * a peer that has lost its CPU for a moment is not idle.
 */
#define IDLE_SLEEPS	64
#define IDLE_DMAX	8
/* Batches in a row that ended in idleness, after which it is expected. */
#define IDLE_STREAK	3
/* So many queues in a row that were drained, and a producer's is longer. */
#define DRY_STREAK	4
/* Looks in a row at which C was more than D_MAX behind: it does not just sleep. */
#define BEHIND_STREAK	3
/* And so many at which it was not half of that, until it is left alone. */
#define NEAR_STREAK	16
/*
 * Shares of the time, in 1/1024, from which on the CPU counts as shared, or the
 * peer as somebody who is often not there.
 */
#define CONTENDED_UP	128
#define CONTENDED_DOWN	64
/* Blocks of a producer that nobody answers become longer up to this. */
#define REPAIR_MAX_NS	1000000000u

struct adaptive {
	struct rp_estimate e;
	enum rp_wait mode;
	enum rp_wait now;	/* the mode, or BLOCK while idle */
	/* The present wait */
	u64 wait_ns;		/* when it began */
	u64 asked_ns;		/* SLEEP */
	u64 tick_ns;		/* SPIN: the next look at the totals */
	/* Since the last wake-up */
	u64 woke_ns;
	u32 ready;
	bool peer_waited;	/* the ring was full or dry at the wake-up */
	u32 odd;		/* cycles that a sleep which was far too long has spoiled */
	bool slept;		/* in the mode SLEEP */
	bool gap;		/* there was a pause of the traffic */
	/* The law */
	u64 y_ns;		/* nominal sleep */
	u64 target_ns;		/* effective sleep that is aimed for; 0: none is short enough */
	u64 m_d_ns, m_l_ns;
	u64 idle_ns;		/* for so long nothing has moved */
	u64 still_ns;		/* cycles without items, since the last one with some */
	u64 repair_ns;		/* longest next block of a producer */
	u32 streak;
	u64 pulse_ns;		/* the last pulse */
	u32 behind;		/* producer: pulses in a row at which C was more than D_MAX behind */
	u32 near;		/* producer: pulses in a row at which C was near */
	u32 dry;		/* producer: cycles in a row in which C waited */
	u32 out;		/* producer: items that were out when it waited last */
	bool shared;		/* the CPU: to spin takes it from whom we wait for */
	bool absent;		/* producer: C is often not there */
	bool wider;		/* producer: the window has just grown, it is not full */
	/* Changes of mode */
	u64 entered_ns, retry_ns;
	/* To tell */
	u64 changes;
	u64 mode_ns[3];
	const char *unmet;
};

static bool is_producer(const struct rp_strategy *s)
{
	return s->params.role == RP_PRODUCER;
}

static u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

static u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

static u64 less(u64 a, u64 b)
{
	return a > b ? a - b : 0;
}

/* What a sleep costs, or may cost at most while that is not known. */
static u64 sleep_cost_ns(const struct adaptive *a)
{
	return a->e.y_e.n ? rp_mean_ns(&a->e.y_e) : rp_mean_ns(&a->e.y_min);
}

/* ---- How long it may sleep ---- */

/* The time in which the peer uses the ring up: sLS begins there. */
static u64 ring_limit_ns(const struct rp_strategy *s, const struct adaptive *a)
{
	u32 slots = is_producer(s) ? s->window : s->params.queue_len;

	return less((u64)(slots - 1) * a->e.t_low >> RP_MEAN_SHIFT, rp_mean_ns(&a->e.own));
}

/*
 * A producer's sleep delays no item that is in the ring. A consumer's does, and
 * it must be shorter than a producer's horizon: see move_window().
 */
static u64 latency_limit_ns(const struct rp_strategy *s, const struct adaptive *a)
{
	if (is_producer(s) || !s->params.dmax_ns)
		return 1000000000;
	return less(s->params.dmax_ns - s->params.dmax_ns / 16 * 3, rp_mean_ns(&a->e.own));
}

static u64 target_ns(const struct rp_strategy *s, const struct adaptive *a)
{
	return min_u64(less(ring_limit_ns(s, a), a->m_l_ns),
		       less(latency_limit_ns(s, a), a->m_d_ns));
}

/* The margin that is there before anything was late: the timer's spread. */
static u64 spread_ns(const struct adaptive *a)
{
	return 2 * rp_mean_dev_ns(&a->e.over.mean);
}

/*
 * Late items that sleeps may cause: half of what p98 leaves them beside those
 * that were late because somebody else had the CPU. Where these are too many,
 * shorter sleeps help nobody.
 */
static u64 late_goal(const struct adaptive *a)
{
	return a->e.spoiled_milli < 3 * LATE_GOAL / 2 ? LATE_GOAL - a->e.spoiled_milli / 2 :
							LATE_GOAL;
}

/*
 * m_D after a cycle: a step up for what was late, a smaller one down for what
 * was not, so that it rests where late_goal() of the items are late.
 */
static void move_m_d(const struct rp_strategy *s, struct adaptive *a, const struct rp_cycle *c)
{
	u64 step = s->params.dmax_ns / 8, most = s->params.dmax_ns / 2;
	u64 late = (c->late << 10) / c->timed, goal = late_goal(a);
	u64 least = min_u64(spread_ns(a), most);

	rp_estimate_spoiled(&a->e, c, a->odd);
	if (a->odd)
		return;
	if (late > goal)
		a->m_d_ns += step * (late - goal) >> 10;
	else
		a->m_d_ns = less(a->m_d_ns, step * (goal - late) >> 10);
	a->m_d_ns = a->m_d_ns < least ? least : min_u64(a->m_d_ns, most);
}

/*
 * m_L after a sleep: what is left becomes a quarter shorter than the sleep was
 * when the ring was used up, and a little longer when not. Quick, because two
 * sides that both sleep too long look to each other like slow ones; the
 * producer, who sees the ring dry, retreats.
 */
static void move_m_l(const struct rp_strategy *s, struct adaptive *a)
{
	u64 limit = ring_limit_ns(s, a), most = min_u64(limit, latency_limit_ns(s, a));
	u64 left = less(limit, a->m_l_ns);

	if (a->peer_waited)
		left = min_u64(left, max_u64(a->target_ns, 1)) / 4 * 3;
	else
		left += most / 512 + 1;
	a->m_l_ns = less(limit, left);
}

/* Up by steps, since how long a longer sleep really lasts is learned on the way. */
static void move_y(struct adaptive *a)
{
	u64 want = less(a->target_ns, rp_mean_ns(&a->e.over.mean));

	a->y_ns = want < a->y_ns ? want : a->y_ns + (want - a->y_ns + 7) / 8;
	a->y_ns = a->y_ns ? a->y_ns : 1;
}

/* ---- The window ---- */

static u64 nearest(u64 a, u64 b)
{
	return (a + b / 2) / b;
}

/*
 * w items take w W on average, and are done in time 98 times of 100 if
 * w W + 2.05 sigma sqrt(w) <= D_MAX; sigma is itself an estimate. Three rounds are enough to solve that.
 */
static u32 window_for(const struct adaptive *a, u64 dmax_ns, u32 queue_len)
{
	u64 sigma = rp_estimate_sigma_ns(&a->e) * 11 / 4;
	u64 t = rp_mean_ns(&a->e.t.mean);
	u64 w = t ? nearest(dmax_ns, t) : queue_len;
	u32 i;

	for (i = 0; i < 3 && w > 1; i++)
		w = nearest(dmax_ns, t + sigma / rp_isqrt(w) + !t);
	w = max_u64(w, 1);
	return w < queue_len ? (u32)w : queue_len;
}

/* What of D_MAX the items that are out may take. */
static u64 horizon_ns(const struct rp_strategy *s)
{
	return s->params.dmax_ns - s->params.dmax_ns / 16;
}

/*
 * With a single item out, T holds our own work, too. When that is most of it we
 * are the slower side: the queue would be empty if we did not wait for it to be.
 */
static bool held_back(const struct rp_strategy *s, const struct adaptive *a)
{
	u64 own = rp_mean_ns(&a->e.own);

	return s->window == 1 && less(rp_mean_ns(&a->e.t.mean), own) < own / 2;
}

/*
 * At a full queue. T may be ours: a consumer that sleeps for Y lets us wait at
 * a short queue, with T = Y / w or less. The next window, HORIZON / T, is then
 * longer by HORIZON / Y, and grows until it is in nobody's way, since
 * consumers sleep for less than the horizon; and they are told that we waited.
 * A queue that was drained while we slept tells no T: the consumer waited for
 * us. It shortens our sleep; when that does not help, the queue is too short.
 * And where the consumer has no CPU for longer than D_MAX, a short queue
 * would keep no item in time, but have us wait for the next time it runs.
 */
static void move_window(struct rp_strategy *s, struct adaptive *a)
{
	u32 len = s->params.queue_len, before = s->window, window;

	if (!s->params.dmax_ns || !a->e.t.mean.n)
		return;
	a->dry = a->peer_waited ? a->dry + 1 : 0;
	if (a->absent || held_back(s, a))
		window = len;
	else if (a->dry >= DRY_STREAK)
		window = min_u32(before + before / 2 + 1, len);
	else
		window = window_for(a, horizon_ns(s), len);
	a->wider = window > before;
	rp_store(&s->window, window);
}

/* ---- The mode ---- */

static bool cap_allows_spin(const struct rp_strategy *s)
{
	return !s->params.cpu_cap_percent || s->params.cpu_cap_percent >= 100;
}

static bool may_spin(const struct rp_strategy *s, const struct adaptive *a)
{
	return cap_allows_spin(s) && !a->shared;
}

static bool share_is_high(bool before, u32 milli)
{
	return milli >= (before ? CONTENDED_DOWN : CONTENDED_UP);
}

static bool waits_often(const struct adaptive *a)
{
	return a->e.wait_milli >= (a->mode == RP_WAIT_SLEEP ? OFTEN_DOWN : OFTEN_UP);
}

static bool can_sleep(const struct adaptive *a)
{
	u64 shortest = rp_mean_ns(&a->e.y_min);

	/* A bit to spare when it does not yet. */
	return a->target_ns >= shortest + (a->mode == RP_WAIT_SLEEP ? 0 : shortest / 8);
}

static enum rp_wait best_mode(const struct rp_strategy *s, const struct adaptive *a)
{
	if (waits_often(a) && a->e.y_min.n < RP_MEAN_FULL / 2)
		return RP_WAIT_SLEEP;	/* to learn what it costs */
	if (!may_spin(s, a))
		return latency_limit_ns(s, a) > rp_mean_ns(&a->e.y_min) ? RP_WAIT_SLEEP :
									   RP_WAIT_BLOCK;
	return waits_often(a) && can_sleep(a) ? RP_WAIT_SLEEP : RP_WAIT_SPIN;
}

static void change_mode(struct adaptive *a, enum rp_wait to, u64 now_ns)
{
	u64 stayed = now_ns - a->entered_ns;

	/* Quick to leave a mode that does harm, slow to try it again. */
	if (to != RP_WAIT_SPIN && stayed < a->retry_ns)
		return;
	if (to == RP_WAIT_SPIN && a->changes)
		a->retry_ns = stayed < RETRY_GOOD * a->retry_ns ?
			      min_u64(2 * a->retry_ns, RETRY_MAX_NS) :
			      max_u64(a->retry_ns / 2, RETRY_MIN_NS);
	rp_store(&a->mode, to);
	a->entered_ns = now_ns;
	a->y_ns = 1;
	rp_add(&a->changes, 1);
}

static void tell_unmet(const struct rp_strategy *s, struct adaptive *a)
{
	const char *why = NULL;

	if (!is_producer(s) && s->params.dmax_ns && a->e.late_milli > 20)
		why = a->shared ? "D_MAX: late because others use this CPU" :
		      a->mode != RP_WAIT_SLEEP ?
		      "D_MAX: late although C spins; W_C, the host's delays or a full ring take longer" :
		      cap_allows_spin(s) ?
		      "D_MAX: sleeps overrun, or the ring holds more than D_MAX's worth of work" :
		      "D_MAX: the shortest sleep is too long, and the CPU cap forbids to spin";
	else if (a->target_ns < rp_mean_ns(&a->e.y_min) && !cap_allows_spin(s))
		why = "throughput: the shortest sleep outlasts the ring, and the CPU cap forbids to spin";
	rp_store(&a->unmet, why);
}

/* ---- Idleness ---- */

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

/* ---- Hooks ---- */

static void adaptive_init(struct rp_strategy *s)
{
	struct adaptive *a = rp_strategy_priv(s, struct adaptive);

	rp_estimate_init(&a->e);
	a->mode = a->now = RP_WAIT_SLEEP;
	a->y_ns = 1;
	a->retry_ns = RETRY_MIN_NS;
	a->repair_ns = s->params.dmax_ns;
}

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
	if (!items || a->gap)
		return;
	if (!a->peer_waited)
		rp_estimate_pace(&a->e, items, ns);
	else if (items > a->ready && a->woke_ns)
		rp_estimate_pace(&a->e, items - a->ready, now_ns - a->woke_ns);
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

static void control(struct rp_strategy *s, struct adaptive *a, const struct rp_cycle *c,
		    u64 now_ns)
{
	enum rp_wait best;

	a->shared = share_is_high(a->shared, a->e.stolen_milli);
	a->absent = share_is_high(a->absent, a->e.stalled_milli);
	if (is_producer(s))
		move_window(s, a);
	else if (c->timed && s->params.dmax_ns)
		move_m_d(s, a, c);
	if (!a->odd && (a->slept || a->now == RP_WAIT_SPIN))
		move_m_l(s, a);
	a->slept = false;
	a->odd -= a->odd > 0;
	rp_store(&a->target_ns, target_ns(s, a));
	best = best_mode(s, a);
	if (!a->entered_ns) {
		/* The mode to begin with, found at the first wait. */
		rp_store(&a->mode, best);
		a->entered_ns = now_ns;
	} else if (best != a->mode) {
		change_mode(a, best, now_ns);
	}
	move_y(a);
	tell_unmet(s, a);
}

static void tick(struct rp_strategy *s, struct adaptive *a, u64 now_ns)
{
	struct rp_cycle c;

	if (!rp_estimate_cycle(&a->e, s, now_ns, &c))
		return;
	rp_add(&a->mode_ns[a->now], c.ns);
	a->peer_waited |= c.peer_waited;
	learn_pace(s, a, &c, now_ns);
	note_idleness(s, a, &c);
	if (c.items)
		control(s, a, &c, now_ns);
	a->peer_waited = false;
	a->woke_ns = 0;
}

static struct rp_decision spin(const struct rp_strategy *s, const struct adaptive *a)
{
	u64 pause = min_u64(less(ring_limit_ns(s, a), a->m_l_ns) / 2, latency_limit_ns(s, a) / 4);

	/* The slower side is not to be late. */
	if (!waits_often(a))
		return (struct rp_decision){ RP_WAIT_SPIN, 0, 0 };
	pause = min_u64(pause, rp_mean_ns(&a->e.y_min) / 2);
	/* Less than two items' worth saves nothing. */
	return (struct rp_decision){ RP_WAIT_SPIN, 0,
				     pause > 2 * rp_mean_ns(&a->e.t.mean) ? pause : 0 };
}

static struct rp_decision adaptive_idle(struct rp_strategy *s, u64 now_ns)
{
	struct adaptive *a = rp_strategy_priv(s, struct adaptive);

	/* The only path that is taken more often than every some ten us. */
	if (a->now == RP_WAIT_SPIN && now_ns < a->tick_ns)
		return spin(s, a);
	tick(s, a, now_ns);
	a->tick_ns = now_ns + SPIN_TICK_NS;
	a->wait_ns = now_ns;
	if (is_idle(s, a) || a->mode == RP_WAIT_BLOCK) {
		rp_store(&a->now, RP_WAIT_BLOCK);
		return block(s, a);
	}
	rp_store(&a->now, a->mode);
	if (a->wider) {
		a->wider = false;
		rp_store(&a->now, RP_WAIT_SPIN);
		return (struct rp_decision){ RP_WAIT_SPIN, 0, 0 };
	}
	if (a->mode == RP_WAIT_SPIN && a->idle_ns < 2 * rp_mean_ns(&a->e.y_min))
		return spin(s, a);
	/* A spin that has lasted too long ends in the shortest sleep. */
	rp_store(&a->now, RP_WAIT_SLEEP);
	rp_store(&a->asked_ns, a->mode == RP_WAIT_SLEEP ? a->y_ns : 1);
	return (struct rp_decision){ RP_WAIT_SLEEP, 0, a->asked_ns };
}

static void after_sleep(struct rp_strategy *s, struct adaptive *a, u32 ready, u64 took_ns)
{
	u32 slots = is_producer(s) ? s->window : s->params.queue_len;

	/* The producer's word that it waited comes with the next cycle's items. */
	if (!rp_estimate_slept(&a->e, a->asked_ns, took_ns))
		a->odd = 2;
	rp_mean_add(&a->e.ready, (u64)ready << RP_MEAN_SHIFT);
	a->peer_waited = ready >= slots;
	a->slept = a->mode == RP_WAIT_SLEEP;
}

static void adaptive_woken(struct rp_strategy *s, enum rp_wake by, u32 ready, u64 now_ns)
{
	struct adaptive *a = rp_strategy_priv(s, struct adaptive);

	a->ready = ready;
	a->woke_ns = now_ns;
	if (by == RP_WAKE_SLEPT) {
		after_sleep(s, a, ready, now_ns - a->wait_ns);
	} else if (by != RP_WAKE_STOP) {
		a->gap = true;
		if (now_ns - a->wait_ns < idle_limit_ns(s, a))
			a->streak = 0;
		else if (a->streak < IDLE_STREAK)
			a->streak++;
	}
}

/* Pulses are to come a few times in D_MAX, however long a batch takes. */
static void pace_pulses(struct rp_strategy *s, struct adaptive *a, u64 now_ns)
{
	u64 since = now_ns - max_u64(a->pulse_ns, a->woke_ns);

	a->pulse_ns = now_ns;
	if (since > s->params.dmax_ns / 4)
		s->pulse = s->pulse > 1 ? s->pulse / 2 : 1;
	else if (since < s->params.dmax_ns / 16)
		s->pulse = min_u32(2 * s->pulse, RP_PULSE_BATCHES);
}

/*
 * A producer that never waits does not notice that its items do: a consumer
 * about as fast may be a whole queue behind. One that sleeps is only now and then.
 */
static void adaptive_pulse(struct rp_strategy *s, u32 ready, u64 now_ns)
{
	struct adaptive *a = rp_strategy_priv(s, struct adaptive);
	struct rp_cycle c;
	u64 behind;

	pace_pulses(s, a, now_ns);
	/* Filling the window takes the faster side less than D_MAX. */
	if (!is_producer(s) ||
	    now_ns - max_u64(a->e.last_ns, a->woke_ns) < s->params.dmax_ns ||
	    !rp_estimate_cycle(&a->e, s, now_ns, &c))
		return;
	rp_add(&a->mode_ns[a->now], c.ns);
	rp_estimate_pace(&a->e, c.items, c.ns);
	a->peer_waited = false;
	a->idle_ns = 0;
	a->still_ns = 0;
	a->out = 0;
	behind = (s->window - ready) * a->e.t.mean.v >> RP_MEAN_SHIFT;
	a->behind = behind > horizon_ns(s) ? a->behind + 1 : 0;
	if (a->behind >= BEHIND_STREAK)
		move_window(s, a);
	a->near = behind < horizon_ns(s) / 2 ? a->near + 1 : 0;
	if (a->near >= NEAR_STREAK)
		rp_store(&s->window, s->params.queue_len);
}

/* ---- What it tells ---- */

static const char *regime(const struct rp_strategy *s, const struct adaptive *a,
			  enum rp_wait now)
{
	bool p = is_producer(s);

	if (!rp_load(&a->e.t.mean.n))
		return NULL;
	switch (now) {
	case RP_WAIT_BLOCK:
		return rp_load(&a->mode) != RP_WAIT_BLOCK ? "idle" : p ? "nFP" : "nFC";
	case RP_WAIT_SLEEP:
		return rp_load(&a->target_ns) < rp_mean_ns(&a->e.y_min) ? "sLS" : p ? "sFP" : "sFC";
	default:
		return "BW";
	}
}

static u64 predicted_t_ns(const struct adaptive *a)
{
	u64 t = rp_mean_ns(&a->e.t.mean), own = rp_mean_ns(&a->e.own);

	return t > own ? t : own;
}

static void adaptive_status(const struct rp_strategy *s, struct rp_status *st)
{
	const struct adaptive *a = rp_strategy_priv(s, struct adaptive);
	u32 window = rp_load(&s->window), i;
	enum rp_wait now = rp_load(&a->now);

	*st = (struct rp_status) {
		.regime = regime(s, a, now),
		.unmet = rp_load(&a->unmet),
		.mode = now,
		.wait_ns = now == RP_WAIT_SLEEP ? rp_load(&a->asked_ns) : 0,
		.threshold = is_producer(s) ? window - window / 4 : 1,
		.window = is_producer(s) ? window : 0,
		.predicted_t_ns = predicted_t_ns(a),
		.w_own_ns = rp_mean_ns(&a->e.own),
		.w_peer_ns = rp_mean_ns(&a->e.t.mean),
		.n_ns = rp_mean_ns(&a->e.n),
		.s_ns = rp_mean_ns(&a->e.start),
		.y_e_ns = rp_mean_ns(&a->e.y_e),
		.y_min_ns = rp_mean_ns(&a->e.y_min),
		.mode_changes = rp_load(&a->changes),
	};
	for (i = 0; i < 3; i++)
		st->mode_ns[i] = rp_load(&a->mode_ns[i]);
	rp_estimate_tell(&a->e, is_producer(s), window, st);
}

/* ---- What it hands over ---- */

#define LEARNED_VERSION	1

struct learned {
	u32 version, bytes;
	u64 t_ns, own_ns, n_ns, start_ns, y_min_ns, over_ns, y_e_ns;
	u64 m_d_ns, m_l_ns;
	u32 mode, wait_milli;
};

_Static_assert(sizeof(struct learned) <= RP_LEARNED_BYTES, "room for what is learned");

static u32 adaptive_learned(const struct rp_strategy *s, void *buf)
{
	const struct adaptive *a = rp_strategy_priv(s, struct adaptive);
	struct learned l = {
		.version = LEARNED_VERSION,
		.bytes = sizeof(l),
		.t_ns = rp_mean_ns(&a->e.t.mean),
		.own_ns = rp_mean_ns(&a->e.own),
		.n_ns = rp_mean_ns(&a->e.n),
		.start_ns = rp_mean_ns(&a->e.start),
		.y_min_ns = rp_mean_ns(&a->e.y_min),
		.over_ns = rp_mean_ns(&a->e.over.mean),
		.y_e_ns = rp_mean_ns(&a->e.y_e),
		.m_d_ns = a->m_d_ns,
		.m_l_ns = a->m_l_ns,
		.mode = a->mode,
		.wait_milli = a->e.wait_milli,
	};

	if (!a->e.t.mean.n)
		return 0;
	memcpy(buf, &l, sizeof(l));
	return sizeof(l);
}

/* Costs longer than a second, or nothing at all, are not believed. */
static void take(struct rp_mean *m, u64 ns)
{
	if (ns && ns <= 1000000000)
		rp_mean_set(m, ns);
}

static void adaptive_learn(struct rp_strategy *s, const void *buf, u32 bytes)
{
	struct adaptive *a = rp_strategy_priv(s, struct adaptive);
	struct learned l;

	if (bytes != sizeof(l))
		return;
	memcpy(&l, buf, sizeof(l));
	if (l.version != LEARNED_VERSION || l.bytes != sizeof(l) ||
	    l.mode > RP_WAIT_BLOCK || l.wait_milli > 1024)
		return;
	take(&a->e.t.mean, l.t_ns);
	a->e.t_low = a->e.t.mean.v;
	take(&a->e.own, l.own_ns);
	take(&a->e.n, l.n_ns);
	take(&a->e.start, l.start_ns);
	take(&a->e.y_min, l.y_min_ns);
	take(&a->e.over.mean, l.over_ns);
	take(&a->e.y_e, l.y_e_ns);
	a->m_d_ns = min_u64(l.m_d_ns, s->params.dmax_ns / 2);
	a->m_l_ns = min_u64(l.m_l_ns, ring_limit_ns(s, a));
	a->mode = a->now = (enum rp_wait)l.mode;
	a->e.wait_milli = l.wait_milli;
}

const struct rp_strategy_ops rp_strategy_adaptive = {
	.name = "adaptive",
	.init = adaptive_init,
	.pulse = adaptive_pulse,
	.idle = adaptive_idle,
	.woken = adaptive_woken,
	.status = adaptive_status,
	.learned = adaptive_learned,
	.learn = adaptive_learn,
};
