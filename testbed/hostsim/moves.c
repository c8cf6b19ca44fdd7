// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flow groups of the simulated host on their way.
 *
 * A move is a set of groups that goes from a thread A to a thread B, and has three parts: A
 * prepares it, in its own turn; the card is told and packets that are on their way come, which
 * is nobody's turn; B takes what has been deferred, in its own turn.
 *
 * In parallel. All moves of a change are ordered at once. Who gives several sets prepares one
 * after the other. One order to the card is for all, so it waits for the last of them. Who
 * takes several takes one after the other. Our dataplane is faster in three ways: who gives
 * prepares all sets in one turn, the card's table is changed for those that are ready after
 * 20 us, and who takes a group goes on with it before the others are there. None of these is
 * counted on.
 */
#include "hostsim.h"

#include <math.h>

/*
 * 000, table 2, for a thread that is added and one that is taken away: total time of a
 * migration, mean, and maximum; the spread by its 95th percentile. Of the mean, the parts.
 */
struct times {
	double mean_ns, sigma, max_ns;
	double prepare, way;		/* way: rpc and wait. The rest is deferred */
};

static const struct times grows = {
	.mean_ns = 463e3, .sigma = 0.95, .max_ns = 2870e3,
	.prepare = 67.0 / 463, .way = (129.0 + 135) / 463,
};

static const struct times shrinks = {
	.mean_ns = 93e3, .sigma = 0.40, .max_ns = 456e3,
	.prepare = 25.0 / 93, .way = (12.0 + 34) / 93,
};

static double duration_ns(struct hs *h, const struct times *t)
{
	double u = hs_uniform(&h->rng), v = hs_uniform(&h->rng), ns;

	ns = t->mean_ns * exp(t->sigma * sqrt(-2 * log(1 - u)) * cos(6.283185307179586 * v) -
			      t->sigma * t->sigma / 2);
	return ns < t->max_ns ? ns : t->max_ns;
}

/* ---- When ---- */

static void next_alone(struct hs *h, const struct times *t)
{
	struct hs_move *m = &h->move[h->due++];

	m->begin_ns = h->now_ns;
	m->end_ns = h->now_ns + (u64)duration_ns(h, t);
}

static void all_at_once(struct hs *h, const struct times *t)
{
	double total[HS_MOVES], busy[HS_THREADS] = { 0 }, told = 0, end;
	struct hs_move *m;
	u32 i;

	for (i = 0; i < h->moves; i++) {
		m = &h->move[i];
		total[i] = duration_ns(h, t);
		m->begin_ns = h->now_ns + (u64)busy[m->from];
		busy[m->from] += total[i] * t->prepare;
		told = fmax(told, busy[m->from]);
	}
	for (i = 0; i < h->moves; i++) {
		m = &h->move[i];
		end = fmax(told + total[i] * t->way, busy[m->to]) +
		      total[i] * (1 - t->prepare - t->way);
		busy[m->to] = end;
		m->end_ns = h->now_ns + (u64)end;
	}
	h->due = h->moves;
}

/* ---- What ---- */

static void begin(struct hs *h, struct hs_move *m)
{
	double part;
	u32 i;

	m->share = 0;
	for (i = 0; i < m->groups; i++) {
		m->share += h->weight[m->group[i]];
		h->on_way[m->group[i]] = true;
	}
	part = h->share[m->from] > 0 ? fmin(m->share / h->share[m->from], 1) : 0;
	m->held = h->queue[m->from] * part;
	h->queue[m->from] -= m->held;
	h->share[m->from] -= m->share;
	m->state = HS_MOVE_UNDER_WAY;
	h->migrations++;
	h->migration_ns += (double)(m->end_ns - m->begin_ns);
}

static void end(struct hs *h, struct hs_move *m)
{
	u32 i;

	for (i = 0; i < m->groups; i++) {
		h->owner[m->group[i]] = (u8)m->to;
		h->on_way[m->group[i]] = false;
	}
	h->queue[m->to] += m->held;
	m->state = HS_MOVE_ENDED;
	h->ended++;
	hs_sum_up(h);
}

double hs_held(const struct hs *h)
{
	double sum = 0;
	u32 i;

	for (i = 0; hs_is_moving(h) && i < h->due; i++)
		if (h->move[i].state == HS_MOVE_UNDER_WAY)
			sum += h->move[i].held;
	return sum;
}

static void go_on(struct hs *h)
{
	struct hs_move *m;
	u32 i;

	for (i = 0; hs_is_moving(h) && i < h->due; i++) {
		m = &h->move[i];
		if (m->state == HS_MOVE_PLANNED && h->now_ns >= m->begin_ns)
			begin(h, m);
		if (m->state == HS_MOVE_UNDER_WAY && h->now_ns >= m->end_ns)
			end(h, m);
	}
}

/* When the coarse plan is done the fine one follows; a new order comes before the rest of it. */
void hs_move_tick(struct hs *h)
{
	const struct times *t = h->growing ? &grows : &shrinks;

	go_on(h);
	if (hs_is_moving(h))
		return;
	if (h->ordered) {
		h->plan = HS_COARSE;
		h->ordered = false;
		hs_plan(h);
	}
	if (h->due == h->moves && h->plan == HS_COARSE) {
		h->plan = HS_REFINE;
		hs_plan(h);
	}
	if (h->due == h->moves)
		return;
	if (h->how == HS_SERIAL)
		next_alone(h, t);
	else
		all_at_once(h, t);
	go_on(h);
}
