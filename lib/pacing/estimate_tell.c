// SPDX-License-Identifier: GPL-2.0-or-later
/* What the estimator tells beside the means: how regularly items come, and how far to trust it. */
#include "pacing/estimate.h"

/* A pause counts as so many batches that did not come, and no more. */
#define PAUSE_BATCHES	4
#define NS_MAX		(1ULL << 34)
/* Squared in sixteenths, it must fit. */
#define DEV_MAX		(1u << 22)

/*
 * Index of dispersion of the counts: their variance by their mean, over cycles
 * of any length, each compared with what the mean pace lets expect of it.
 */
void rp_estimate_arrivals(struct rp_estimate *e, u64 items, u64 ns)
{
	u64 x = items << RP_MEAN_SHIFT, most = PAUSE_BATCHES * e->batch.v, expected;

	ns = ns < NS_MAX ? ns : NS_MAX;
	if (!e->batch.n) {
		rp_store(&e->count, x);
		e->count_ns = ns;
	}
	if (items)
		rp_mean_add(&e->batch, x);
	if (!e->count || !e->count_ns)
		return;
	expected = e->count * ns / e->count_ns;
	most = most > x ? most : x;
	if (expected > most) {
		ns = ns * most / expected;
		expected = most;
	}
	rp_mean_add(&e->count_dev, x > expected ? x - expected : expected - x);
	rp_store(&e->count, rp_mean_step(e->count, x, RP_MEAN_FULL));
	e->count_ns = rp_mean_step(e->count_ns, ns, RP_MEAN_FULL);
}

/* The party's thread goes on meanwhile: what was checked must not change. */
static struct rp_mean seen(const struct rp_mean *m)
{
	return (struct rp_mean){ rp_load(&m->v), rp_load(&m->dev), rp_load(&m->n) };
}

static u64 burst_milli(const struct rp_estimate *e)
{
	struct rp_mean off = seen(&e->count_dev);
	u64 dev = off.v < DEV_MAX ? off.v : DEV_MAX, count = rp_load(&e->count), milli;

	if (off.n < RP_MEAN_FULL || !count)
		return 0;
	/* 5/4: from the mean deviation to the standard deviation. */
	milli = 1000 * dev * dev * 25 / 16 / (count << RP_MEAN_SHIFT);
	return milli ? milli : 1;
}

static u64 milli_of(const struct rp_mean *mean)
{
	struct rp_mean m = seen(mean);
	u64 milli = m.v * 1000 >> RP_MEAN_SHIFT;

	return !m.n ? 0 : milli ? milli : 1;
}

/* Between two waits, whether they were looked at one by one or not. */
static u64 batch_milli(const struct rp_estimate *e)
{
	return (milli_of(&e->batch) << RP_MEAN_SHIFT) / rp_load(&e->waits);
}

u32 rp_mean_confidence(const struct rp_mean *mean)
{
	struct rp_mean m = seen(mean);
	/*
	 * Two standard errors: 5/4 dev, by the root of the 15 samples that a gain
	 * of 1/8 averages over.
	 */
	u64 error = m.dev * 82 / 128, percent;

	if (!m.n || !m.v)
		return 0;
	percent = error < m.v ? (m.v - error) * 100 / m.v : 0;
	percent = percent * m.n / RP_MEAN_FULL;
	return percent ? (u32)percent : 1;
}

/* Of a producer, @e->ready are free slots of its window. */
static u64 occupancy_milli(const struct rp_estimate *e, bool producer, u32 window)
{
	u64 ready = milli_of(&e->ready), all = 1000ULL * window;

	if (!producer || !ready)
		return ready;
	return ready < all ? all - ready : 1;
}

void rp_estimate_tell(const struct rp_estimate *e, bool producer, u32 window,
		      struct rp_status *st)
{
	st->batch_milli = batch_milli(e);
	st->burst_milli = burst_milli(e);
	st->occupancy_milli = occupancy_milli(e, producer, window);
	st->conf_w_own = rp_mean_confidence(&e->own);
	st->conf_w_peer = rp_mean_confidence(&e->t.mean);
	st->conf_n = rp_mean_confidence(&e->n);
	st->conf_s = rp_mean_confidence(&e->start);
	st->conf_y_e = rp_mean_confidence(&e->y_e);
	st->conf_y_min = rp_mean_confidence(&e->y_min);
}
