// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The adaptive strategy as a producer: it keeps the queue as short as D_MAX asks
 * for, since in the fast-producer regimes nothing else cuts the latency.
 */
#include "pacing/adaptive.h"

/* So many queues in a row that were drained, and a producer's is longer. */
#define DRY_STREAK	4
/* Looks in a row at which C was more than D_MAX behind: it does not just sleep. */
#define BEHIND_STREAK	3
/* And so many at which it was not half of that, until it is left alone. */
#define NEAR_STREAK	16
/* A consumer looks so often: its work on one batch or two is no news. */
#define CONSUMER_LONG_NS	2000000u

static u64 nearest(u64 a, u64 b)
{
	return (a + b / 2) / b;
}

/*
 * w items take w W on average, and are done in time 98 times of 100 if
 * w W + 2.05 sigma sqrt(w) <= D_MAX; sigma is itself an estimate. Three rounds are
 * enough to solve that.
 */
static u32 solve_window(u64 t_ns, u64 sigma_ns, u64 dmax_ns, u32 queue_len)
{
	u64 w = t_ns ? nearest(dmax_ns, t_ns) : queue_len;
	u32 i;

	for (i = 0; i < 3 && w > 1; i++)
		w = nearest(dmax_ns, t_ns + sigma_ns / rp_isqrt(w) + !t_ns);
	w = max_u64(w, 1);
	return w < queue_len ? (u32)w : queue_len;
}

/* The divisions only when an estimate has moved: not with every cycle of few items. */
static u32 window_for(struct adaptive *a, u64 dmax_ns, u32 queue_len)
{
	u64 sigma_ns = rp_estimate_sigma_ns(&a->e) * 11 / 4;
	u64 t_ns = rp_mean_ns(&a->e.t.mean);

	if (!a->solved.w || a->solved.t_ns != t_ns || a->solved.sigma_ns != sigma_ns) {
		a->solved.t_ns = t_ns;
		a->solved.sigma_ns = sigma_ns;
		a->solved.w = solve_window(t_ns, sigma_ns, dmax_ns, queue_len);
	}
	return a->solved.w;
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
void rp_adaptive_move_window(struct rp_strategy *s, struct adaptive *a)
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
 * Who never waited knows how slow C is at most; so what is far above tells nothing. Nor,
 * where nothing is known yet, does a time in which P had nothing to send for most of it.
 */
static bool tells_pace(const struct rp_estimate *e, const struct rp_cycle *c, u64 items)
{
	u64 t = e->t.mean.v;

	if (!items)
		return false;
	return e->t.mean.n ? c->ns << RP_MEAN_SHIFT < items * (t + t / 2) : c->ns < 2 * c->work_ns;
}

/*
 * A producer that never waits does not notice that its items do: a consumer
 * about as fast may be a whole queue behind. One that sleeps is only now and then.
 */
static void look_behind(struct rp_strategy *s, struct adaptive *a, const struct rp_cycle *c,
			u32 out)
{
	/* Items that only fill the queue are none of C's. */
	u64 behind, done = less(c->items + a->out, out);

	if (tells_pace(&a->e, c, done))
		rp_estimate_pace(&a->e, done, c->ns);
	a->still_ns = 0;
	a->out = out;
	behind = out * a->e.t.mean.v >> RP_MEAN_SHIFT;
	a->behind = behind > horizon_ns(s) ? a->behind + 1 : 0;
	if (a->behind >= BEHIND_STREAK)
		rp_adaptive_move_window(s, a);
	a->near = behind < horizon_ns(s) / 2 ? a->near + 1 : 0;
	if (a->near >= NEAR_STREAK)
		rp_store(&s->window, s->params.queue_len);
}

/* For so long without a wait is worth a look at the totals. Filling the window takes P less. */
static u64 long_ns(const struct rp_strategy *s)
{
	return is_producer(s) ? s->params.dmax_ns : CONSUMER_LONG_NS;
}

void rp_adaptive_pulse(struct rp_strategy *s, u32 ready, u64 now_ns)
{
	struct adaptive *a = rp_strategy_priv(s, struct adaptive);
	struct rp_cycle c;

	pace_pulses(s, a, now_ns);
	/* A consumer has nothing to find out then, but that its sleeps are over. */
	if ((!is_producer(s) && a->mode != RP_WAIT_SLEEP) ||
	    now_ns - max_u64(a->e.last_ns, a->woke_ns) < long_ns(s) ||
	    !rp_estimate_cycle(&a->e, s, now_ns, &c))
		return;
	rp_adaptive_looked(a);
	rp_add(&a->mode_ns[a->now], c.ns);
	a->peer_waited = false;
	a->idle_ns = 0;
	if (is_producer(s))
		look_behind(s, a, &c, s->window - ready);
	else if (c.peer_waited)
		rp_loop_full(&a->loop, now_ns);
	rp_adaptive_review_mode(s, a, c.work_ns, now_ns);
}
