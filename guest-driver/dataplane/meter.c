// SPDX-License-Identifier: GPL-2.0-or-later
/* A thread's load: samples and their averages. */
#include "meter.h"

/* More samples than that were missed: the averages are the last one's anyway. */
#define MISSED_MAX	64u

static const u32 alpha_milli[DP_ALPHAS] = DP_ALPHA_MILLI;

void dp_meter_init(struct dp_meter *m, struct dp_board *board, u64 now_ns)
{
	memset(m, 0, sizeof(*m));
	m->board = board;
	m->begun_ns = now_ns;
	m->next_ns = now_ns + DP_TELEMETRY_NS;
	m->now.taken_ns = now_ns;
	m->now.idle_ppm = 1000000;
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
	dp_board_write(m->board, &m->now);
	m->begun_ns = now_ns;
	m->seen_items = t->items;
	m->seen_busy_ns = t->busy_ns;
	m->next_ns = now_ns + DP_TELEMETRY_NS;
}

void dp_meter_rest(struct dp_meter *m, u64 now_ns)
{
	m->now.taken_ns = now_ns;
	m->now.queue = m->now.delay_ns = 0;
	dp_board_write(m->board, &m->now);
	dp_board_rest(m->board, true);
}
