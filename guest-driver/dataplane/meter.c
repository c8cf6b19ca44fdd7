// SPDX-License-Identifier: GPL-2.0-or-later
/* A thread's load: samples, their averages, and what all threads' come to. */
#include "meter.h"

#include "point.h"

/* More samples than that were missed: the averages are the last one's anyway. */
#define MISSED_MAX	64u

static const u32 alpha_milli[DP_ALPHAS] = DP_ALPHA_MILLI;

void dp_meter_init(struct dp_meter *m, u64 now_ns)
{
	memset(m, 0, sizeof(*m));
	m->begun_ns = now_ns;
	m->next_ns = now_ns + DP_TELEMETRY_NS;
	m->now.taken_ns = now_ns;
	m->now.idle_ppm = 1000000;
}

/* ---- The board ---- */

static void publish(struct dp_meter *m)
{
	struct dp_board *b = &m->board;
	u32 seq = atomic_load_explicit(&b->seq, memory_order_relaxed);
	const u64 *word = (const u64 *)&m->now;
	u32 i;

	dp_point();
	/* Ordered before the words by their release: see the header. */
	atomic_store_explicit(&b->seq, seq + 1, memory_order_relaxed);
	for (i = 0; i < DP_BOARD_WORDS; i++) {
		dp_point();
		/* Release: pairs with the acquire in dp_board_read(). */
		atomic_store_explicit(&b->word[i], word[i], memory_order_release);
	}
	atomic_store_explicit(&b->seq, seq + 2, memory_order_release);
}

void dp_board_read(struct dp_board *b, struct dp_telemetry *t)
{
	u64 *word = (u64 *)t;
	u32 before, i;

	do {
		dp_point();
		/* Acquire: pairs with the release that ends a sample. */
		before = atomic_load_explicit(&b->seq, memory_order_acquire);
		for (i = 0; i < DP_BOARD_WORDS; i++)
			/* Acquire: pairs with the release in publish(). */
			word[i] = atomic_load_explicit(&b->word[i], memory_order_acquire);
	} while (before & 1 || before != atomic_load_explicit(&b->seq, memory_order_relaxed));
}

/* ---- Samples ---- */

static void average(double *avg, u64 *to, double v, u32 times, bool first)
{
	u32 i, k;

	for (i = 0; i < DP_ALPHAS; i++) {
		double a = alpha_milli[i] / 1000.0;

		for (k = 0; k < times; k++)
			avg[i] += a * (v - avg[i]);
		if (first)
			avg[i] = v;
		to[i] = (u64)(avg[i] + 0.5);
	}
}

/* A thread that took long over a turn, or rested, has missed some. */
static u32 samples_in(u64 ns)
{
	u64 n = ns / DP_TELEMETRY_NS;

	return n < 1 ? 1 : n < MISSED_MAX ? (u32)n : MISSED_MAX;
}

static void averages(struct dp_meter *m, u32 times)
{
	struct dp_telemetry *t = &m->now;
	bool first = !m->has_avg;

	average(m->avg[0], t->queue_milli_avg, (double)t->queue * 1000, times, first);
	average(m->avg[1], t->tau_ns_avg, (double)t->tau_ns, times, first);
	average(m->avg[2], t->delay_ns_avg, (double)t->delay_ns, times, first);
	average(m->avg[3], t->idle_ppm_avg, (double)t->idle_ppm, times, first);
	m->has_avg = true;
}

void dp_meter_sample(struct dp_meter *m, u64 now_ns, u64 queue, u32 batch)
{
	struct dp_telemetry *t = &m->now;
	u64 ns = now_ns - m->begun_ns, busy_ns = t->busy_ns - m->seen_busy_ns;

	t->taken_ns = now_ns;
	t->queue = queue;
	t->delay_ns = (queue + batch - 1) / batch * t->tau_ns;
	t->idle_ppm = busy_ns < ns ? (ns - busy_ns) * 1000000 / ns : 0;
	t->new_items = t->items - m->seen_items;
	averages(m, samples_in(ns));
	publish(m);
	m->begun_ns = now_ns;
	m->seen_items = t->items;
	m->seen_busy_ns = t->busy_ns;
	m->next_ns = now_ns + DP_TELEMETRY_NS;
}

void dp_meter_rest(struct dp_meter *m, u64 now_ns)
{
	m->now.taken_ns = now_ns;
	m->now.queue = m->now.delay_ns = 0;
	publish(m);
}

/* ---- All threads ---- */

static void add(struct dp_telemetry_all *all, const struct dp_telemetry *t, u64 *most)
{
	all->backlog += t->queue;
	all->items += t->items;
	all->iterations += t->iterations;
	all->busy_ns += t->busy_ns;
	*most = t->new_items > *most ? t->new_items : *most;
	if (t->queue < all->queue)
		return;
	all->queue = t->queue;
	all->tau_ns = t->tau_ns;
	all->tau_items = t->tau_items;
}

void dp_telemetry_sum(const struct dp_telemetry *t, u32 n, u64 standing, u64 now_ns, u32 batch,
		      struct dp_telemetry_all *all)
{
	u64 most = 0, sum = 0, busy = 0;
	u32 i;

	*all = (struct dp_telemetry_all){ .taken_ns = now_ns, .batch = batch };
	for (i = 0; i < n; i++) {
		struct dp_telemetry one = t[i];

		if (standing >> i & 1)
			one.queue = one.new_items = 0;
		else if (one.taken_ns < all->taken_ns)
			all->taken_ns = one.taken_ns;
		add(all, &one, &most);
		sum += one.new_items;
		busy += one.new_items > 0;
	}
	all->peak_milli = sum ? most * 1000 * busy / sum : 1000;
}
