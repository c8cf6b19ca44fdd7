// SPDX-License-Identifier: GPL-2.0-or-later
/* Means with a memory of eight samples, and what is fed into them. */
#include "pacing/estimate.h"

/* T is averaged over so many items at least: a cycle's count is off by one. */
#define PACE_ITEMS	16
#define PACE_NS		4000000u
/* Samples far off in a row that are believed. */
#define FAR_RUN		4
/* So many samples make a level that one may be far from. */
#define TYPICAL_LEAST	2
/* The share of waiting is taken over so long. */
#define SHARE_NS	500000u
/* A cycle of more work than so many such times says no more: nothing is left of what was. */
#define SHARES_MAX	16
/*
 * CPU time is asked for so rarely: a system call, and ticks in the kernel. Once
 * a wait's cost is known still more so; shares of it are taken over longer anyway.
 */
#define COST_NS		5000000u
#define COST_KNOWN_NS	CONTENTION_NS
/* What others take is seen over so long: a time slice of theirs is no share. */
#define CONTENTION_NS	50000000u
/* A sleep shorter than this asks for as short a one as there is. */
#define SHORTEST_NS	1000u
/* Deviations above the mean from which on a sleep is not the timer's doing. */
#define ODD_DEVS	8

/* Only the party's thread writes; others read each word for show. */
void rp_mean_add(struct rp_mean *m, u64 x)
{
	u64 most = 4 * m->v + (1 << RP_MEAN_SHIFT), diff;
	u32 n = m->n;

	if (unlikely(n < RP_MEAN_FULL))
		rp_store(&m->n, ++n);
	else if (x > most)
		x = most;
	diff = x > m->v ? x - m->v : m->v - x;
	rp_store(&m->v, rp_mean_step(m->v, x, n));
	/* The first sample deviates from nothing. */
	if (n > 1)
		rp_store(&m->dev, rp_mean_step(m->dev, diff, n));
}

void rp_mean_set(struct rp_mean *m, u64 ns)
{
	rp_store(&m->v, ns << RP_MEAN_SHIFT);
	rp_store(&m->dev, m->v / 8);
	rp_store(&m->n, RP_MEAN_FULL / 2);
}

static void mean_of(struct rp_mean *m, u64 total_ns, u64 n)
{
	u64 total = total_ns << RP_MEAN_SHIFT;

	if (n)
		rp_mean_add(m, n > 1 ? total / n : total);
}

/* A share in 1/1024, gain 1/4. */
static void share_add(u32 *share, u64 part, u64 of)
{
	u32 x = !part ? 0 : part < of ? (u32)((part << 10) / of) : 1024;

	*share = (3 * *share + x + 2) / 4;
}

/* A share that is only known over a longer time: part of @of so far. */
static void slow_share(u32 *share, u64 *sum_part, u64 *sum_of, u64 part, u64 of)
{
	*sum_part += part < of ? part : of;
	*sum_of += of;
	if (*sum_of < CONTENTION_NS)
		return;
	share_add(share, *sum_part, *sum_of);
	*sum_part = 0;
	*sum_of = 0;
}

void rp_estimate_stall(struct rp_estimate *e, u64 ns, bool stall)
{
	slow_share(&e->stalled_milli, &e->stalled_ns, &e->seen_ns, stall ? ns : 0, ns);
}

void rp_estimate_spoiled(struct rp_estimate *e, const struct rp_cycle *c, bool odd)
{
	slow_share(&e->spoiled_milli, &e->spoiled_ns, &e->timed_ns,
		   odd ? c->ns * c->late / c->timed : 0, c->ns);
}

/*
 * By time: a side that seldom waits has long cycles with little of it, and one
 * of them says as much as the many short ones before.
 */
static void waited(struct rp_estimate *e, u64 wait_ns, const struct rp_cycle *c)
{
	u32 i;

	e->share_ns += c->ns;
	e->share_wait_ns += wait_ns;
	if (e->share_ns < SHARE_NS)
		return;
	for (i = 0; i < SHARES_MAX && i * SHARE_NS <= c->work_ns; i++)
		share_add(&e->wait_milli, e->share_wait_ns, e->share_ns);
	if (!e->wait_known)
		e->wait_milli = (u32)((e->share_wait_ns << 10) / e->share_ns);
	e->wait_known = true;
	e->share_ns = 0;
	e->share_wait_ns = 0;
}

/* Of a cycle; not what it took while another thread had the CPU. */
static u64 typical_work_ns(const struct rp_estimate *e, u64 items, u64 work_ns)
{
	u64 typical = items * e->own.v >> RP_MEAN_SHIFT;

	return work_ns < typical ? work_ns : typical;
}

void rp_estimate_init(struct rp_estimate *e)
{
	memset(e, 0, sizeof(*e));
	e->wait_milli = 512;
	e->waits = 1 << RP_MEAN_SHIFT;
}

/* What a sleep or a block costs is what the thread did beside its work. */
static void learn_costs(struct rp_estimate *e, const struct rp_strategy *s, u64 now_ns)
{
	const struct rp_totals *b = &e->cost;
	bool known = e->y_e.n == RP_MEAN_FULL && rp_mean_ns(&e->y_e);
	struct rp_totals t;
	u64 waits, busy, cpu;

	if (now_ns - e->cost_ns < (known ? COST_KNOWN_NS : COST_NS))
		return;
	e->cost_ns = now_ns;
	s->env->totals(s, &t, true);
	waits = t.sleeps + t.blocks - b->sleeps - b->blocks;
	busy = t.work_ns - b->work_ns + t.notify_ns - b->notify_ns + t.spin_ns - b->spin_ns;
	cpu = t.cpu_ns - b->cpu_ns;
	if (b->cpu_ns && t.items >= b->items && t.cpu_ns > b->cpu_ns)
		slow_share(&e->stolen_milli, &e->stolen_ns, &e->busy_ns,
			   busy > cpu ? busy - cpu : 0, busy);
	/* Fewer waits would drown in the rest's rounding. */
	if (b->cpu_ns && t.items >= b->items && t.cpu_ns > b->cpu_ns && waits >= 8)
		mean_of(&e->y_e, cpu > busy ? cpu - busy : 0, waits);
	e->cost = t;
}

bool rp_estimate_cycle(struct rp_estimate *e, const struct rp_strategy *s,
		       u64 now_ns, struct rp_cycle *c)
{
	const struct rp_totals *b = &e->totals[e->latest];
	struct rp_totals *t = &e->totals[!e->latest];
	bool first = !e->last_ns;
	u64 wait;

	s->env->totals(s, t, false);
	e->latest = !e->latest;
	c->waits = e->skipped + 1;
	e->skipped = 0;
	c->ns = now_ns - e->last_ns;
	c->items = t->items - b->items;
	c->timed = t->timed - b->timed;
	c->late = t->late - b->late;
	c->peer_waited = t->peer_waits != b->peer_waits;
	wait = t->spin_ns - b->spin_ns + t->sleep_ns - b->sleep_ns + t->block_ns - b->block_ns;
	e->last_ns = now_ns;
	if (first || t->items < b->items || t->sleeps < b->sleeps || t->timed < b->timed ||
	    t->work_ns < b->work_ns || t->late < b->late) {
		e->cost = (struct rp_totals){ 0 };
		/* How much of that time was a wait is not known: half a share is none. */
		e->share_ns = e->share_wait_ns = 0;
		return false;
	}
	mean_of(&e->own, t->work_ns - b->work_ns, c->items);
	mean_of(&e->n, t->notify_ns - b->notify_ns, t->sent - b->sent);
	mean_of(&e->start, t->wake_ns - b->wake_ns, t->wakes - b->wakes);
	c->work_ns = typical_work_ns(e, c->items, t->work_ns - b->work_ns);
	waited(e, wait, c);
	if (c->items)
		rp_store(&e->waits, rp_mean_step(e->waits, c->waits << RP_MEAN_SHIFT, RP_MEAN_FULL));
	rp_estimate_arrivals(e, c->items, c->ns);
	if (c->timed)
		share_add(&e->late_milli, c->late, c->timed);
	learn_costs(e, s, now_ns);
	return true;
}

/*
 * A mean of what is mostly near it and now and then far off, for reasons that
 * are not its own: another thread had the CPU. A sample far from it is taken
 * as half of the mean off; when FAR_RUN in a row are far, and to the same side,
 * it is a new level, that of the nearest. Returns the sample as it was taken.
 */
static u64 typical_add(struct rp_typical *t, u64 x)
{
	u64 half = t->mean.v / 2 + (1 << RP_MEAN_SHIFT);
	bool above = x > t->mean.v + half, below = x + half < t->mean.v;

	if (t->mean.n < TYPICAL_LEAST || (!above && !below)) {
		t->far_run = 0;
	} else {
		if (!t->far_run || t->far_above != above) {
			t->far_run = 0;
			t->far_nearest = x;
		}
		if (above ? x < t->far_nearest : x > t->far_nearest)
			t->far_nearest = x;
		t->far_above = above;
		if (++t->far_run < FAR_RUN) {
			x = above ? t->mean.v + half : t->mean.v - half;
		} else {
			t->far_run = 0;
			rp_store(&t->mean.v, t->far_nearest);
		}
	}
	rp_mean_add(&t->mean, x);
	return x;
}

static void lower(u64 *low, u64 x)
{
	if (!*low)
		*low = x;
	else if (x < *low)
		*low -= (*low - x) / 4;
	else
		*low += ((x < 2 * *low ? x : 2 * *low) - *low) / 64;
}

/*
 * Far longer than its items take: the time holds a pause of the traffic, and is
 * no part of a sample. FAR_RUN times in a row it is a new level, the least of these.
 */
static bool holds_pause(struct rp_estimate *e, u64 items, u64 ns)
{
	const u64 t = e->t.mean.v;
	u64 x;

	if (!items || e->t.mean.n < RP_MEAN_FULL ||
	    ns << RP_MEAN_SHIFT <= (2 * items + PACE_ITEMS) * t) {
		e->pauses = 0;
		return false;
	}
	x = (ns << RP_MEAN_SHIFT) / items;
	e->pause_least = e->pauses && e->pause_least < x ? e->pause_least : x;
	if (++e->pauses < FAR_RUN)
		return true;
	e->pauses = 0;
	e->sum_items = 0;
	e->sum_ns = 0;
	rp_store(&e->t.mean.v, e->pause_least);
	return false;
}

void rp_estimate_pace(struct rp_estimate *e, u64 items, u64 ns)
{
	u64 pace, x;

	if (holds_pause(e, items, ns))
		return;
	e->sum_items += items;
	e->sum_ns += ns;
	if (!e->sum_items || (e->sum_items < PACE_ITEMS && e->sum_ns < PACE_NS))
		return;
	pace = (e->sum_ns << RP_MEAN_SHIFT) / e->sum_items;
	x = typical_add(&e->t, pace);
	/* Between neighbours: a new level is one difference, not many. */
	if (e->t.mean.n > 1)
		rp_mean_add(&e->t_step, x > e->t_prev ? x - e->t_prev : e->t_prev - x);
	e->t_prev = x;
	lower(&e->t_low, pace);
	rp_mean_add(&e->t_items, e->sum_items << RP_MEAN_SHIFT);
	e->sum_items = 0;
	e->sum_ns = 0;
}

u64 rp_estimate_odd_ns(const struct rp_estimate *e)
{
	u64 mean_ns = rp_mean_ns(&e->over.mean);

	if (e->over.mean.n < RP_MEAN_FULL)
		return ~0ULL;
	return mean_ns + mean_ns / 4 + ODD_DEVS * rp_mean_dev_ns(&e->over.mean);
}

bool rp_estimate_slept(struct rp_estimate *e, u64 asked_ns, u64 took_ns)
{
	u64 over = took_ns > asked_ns ? took_ns - asked_ns : 0;
	bool odd = over > rp_estimate_odd_ns(e);

	typical_add(&e->over, over << RP_MEAN_SHIFT);
	if (asked_ns <= SHORTEST_NS)
		rp_mean_add(&e->y_min, took_ns << RP_MEAN_SHIFT);
	return !odd;
}

void rp_estimate_slept_also(struct rp_estimate *e, u32 sleeps, s64 excess_ns)
{
	struct rp_mean *m = &e->over.mean;
	s64 v = (s64)m->v + excess_ns * (1 << RP_MEAN_SHIFT) /
			    (s64)(sleeps < RP_MEAN_FULL ? RP_MEAN_FULL : sleeps);

	if (sleeps)
		rp_store(&m->v, v > 0 ? (u64)v : 0);
}

u64 rp_estimate_sigma_ns(const struct rp_estimate *e)
{
	u32 items = (u32)rp_mean_ns(&e->t_items);

	/* 8/9: the mean difference of two normal variables is 2 / sqrt(pi) sigma. */
	return rp_mean_ns(&e->t_step) * 8 / 9 * rp_isqrt(items ? items : 1);
}

u64 rp_estimate_own_sigma_ns(const struct rp_estimate *e)
{
	u32 items = (u32)rp_mean_ns(&e->batch);

	/* 5/4: a normal variable's deviation by its mean deviation. */
	return rp_mean_dev_ns(&e->own) * 5 / 4 * rp_isqrt(items ? items : 1);
}

u32 rp_isqrt(u64 x)
{
	u64 root = 0, bit;

	if (!x)
		return 0;
	/* The greatest power of 4 that is not above x. */
	for (bit = 1ULL << ((63 - __builtin_clzll(x)) & ~1); bit; bit >>= 2) {
		if (x >= root + bit) {
			x -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	return (u32)root;
}
