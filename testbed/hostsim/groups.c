// SPDX-License-Identifier: GPL-2.0-or-later
/* Flow groups of the simulated host: where they should be. */
#include "hostsim.h"

#include <math.h>

/* Thread t is thread t / HS_CORES of core t % HS_CORES. */
static bool wanted(const struct hc_config *c, u32 t)
{
	return t % HS_CORES < c->cores && t / HS_CORES < c->threads;
}

/* The wanted thread with the largest (sign 1) or smallest (-1) load. */
static u32 extreme(const struct hs *h, const double *load, double sign)
{
	u32 best = HS_THREADS, t;

	for (t = 0; t < HS_THREADS; t++)
		if (wanted(&h->config, t) &&
		    (best == HS_THREADS || sign * load[t] > sign * load[best]))
			best = t;
	return best;
}

static void give(const struct hs *h, u8 *owner, double *load, u32 group, u32 to)
{
	load[owner[group]] -= h->weight[group];
	load[to] += h->weight[group];
	owner[group] = (u8)to;
}

/* The heaviest group on a thread that is not wanted, or HS_GROUPS. */
static u32 stray(const struct hs *h, const u8 *owner)
{
	u32 best = HS_GROUPS, g;

	for (g = 0; g < HS_GROUPS; g++)
		if (!wanted(&h->config, owner[g]) &&
		    (best == HS_GROUPS || h->weight[g] > h->weight[best]))
			best = g;
	return best;
}

/* The group of @from whose move to @to evens the two out best, or HS_GROUPS. */
static u32 evening(const struct hs *h, const u8 *owner, const double *load, u32 from, u32 to)
{
	double gap = load[from] - load[to], best_left = gap * 0.99, left;
	u32 best = HS_GROUPS, g;

	for (g = 0; g < HS_GROUPS; g++) {
		left = fabs(gap - 2 * h->weight[g]);
		if (owner[g] == from && left < best_left) {
			best_left = left;
			best = g;
		}
	}
	return best;
}

/* The groups of @from and @to whose exchange evens the two out best; false: none does. */
static bool exchange(const struct hs *h, const u8 *owner, const double *load, u32 from, u32 to,
		     u32 *give_g, u32 *take_g)
{
	double gap = load[from] - load[to], best_left = gap * 0.9, left;
	bool found = false;
	u32 g, k;

	for (g = 0; g < HS_GROUPS; g++) {
		for (k = 0; owner[g] == from && k < HS_GROUPS; k++) {
			left = fabs(gap - 2 * (h->weight[g] - h->weight[k]));
			if (owner[k] != to || left >= best_left)
				continue;
			best_left = left;
			*give_g = g;
			*take_g = k;
			found = true;
		}
	}
	return found;
}

/* The wanted thread other than @hi with the smallest load that is not in @tried. */
static u32 next_lowest(const struct hs *h, const double *load, u32 hi, u32 tried)
{
	u32 best = HS_THREADS, t;

	for (t = 0; t < HS_THREADS; t++)
		if (t != hi && wanted(&h->config, t) && !(tried >> t & 1) &&
		    (best == HS_THREADS || load[t] < load[best]))
			best = t;
	return best;
}

/* Takes load off the fullest thread; false: no other one can take any. */
static bool even_out(const struct hs *h, u8 *owner, double *load)
{
	u32 hi = extreme(h, load, 1), tried = 0, lo, g, k;

	while ((lo = next_lowest(h, load, hi, tried)) < HS_THREADS) {
		g = evening(h, owner, load, hi, lo);
		if (g < HS_GROUPS) {
			give(h, owner, load, g, lo);
			return true;
		}
		if (exchange(h, owner, load, hi, lo, &g, &k)) {
			give(h, owner, load, g, lo);
			give(h, owner, load, k, hi);
			return true;
		}
		tried |= 1u << lo;
	}
	return false;
}

/* Where a thread's groups go whose thread is to have none: to the other thread of its core, whole. */
static u32 refuge(const struct hs *h, const double *load, u32 from)
{
	u32 sibling = (from + HS_CORES) % HS_THREADS;

	return wanted(&h->config, sibling) ? sibling : extreme(h, load, -1);
}

/* The heaviest group of @from up to a weight, or HS_GROUPS. */
static u32 heaviest(const struct hs *h, const u8 *owner, u32 from, double most)
{
	u32 best = HS_GROUPS, g;

	for (g = 0; g < HS_GROUPS; g++)
		if (owner[g] == from && h->weight[g] <= most &&
		    (best == HS_GROUPS || h->weight[g] > h->weight[best]))
			best = g;
	return best;
}

/* What the fullest thread has too much goes to the emptiest, up to the mean of both; false: nothing. */
static bool pour(const struct hs *h, u8 *owner, double *load, double mean)
{
	u32 hi = extreme(h, load, 1), lo = extreme(h, load, -1), g;
	double room = fmin(load[hi] - mean, mean - load[lo]);
	bool any = false;

	while ((g = heaviest(h, owner, hi, room)) < HS_GROUPS) {
		room -= h->weight[g];
		give(h, owner, load, g, lo);
		any = true;
	}
	return any;
}

/* So that there are few moves, each of many groups; then with @refine single ones and exchanges. */
static void spread(const struct hs *h, u8 *owner, bool refine)
{
	double load[HS_THREADS] = { 0 }, mean = 1.0 / hc_config_threads(&h->config);
	u32 g, i;

	for (g = 0; g < HS_GROUPS; g++)
		load[owner[g]] += h->weight[g];
	while ((g = stray(h, owner)) < HS_GROUPS)
		give(h, owner, load, g, refuge(h, load, owner[g]));
	while (pour(h, owner, load, mean))
		;
	for (i = 0; refine && i < 2 * HS_GROUPS && even_out(h, owner, load); i++)
		;
}

void hs_sum_up(struct hs *h)
{
	u32 g;

	memset(h->share, 0, sizeof(h->share));
	for (g = 0; g < HS_GROUPS; g++)
		if (!h->on_way[g])
			h->share[h->owner[g]] += h->weight[g];
}

void hs_place(struct hs *h)
{
	spread(h, h->owner, true);
	hs_sum_up(h);
}

static struct hs_move *move_of(struct hs *h, u32 from, u32 to)
{
	struct hs_move *m;
	u32 i;

	for (i = 0; i < h->moves; i++)
		if (h->move[i].from == from && h->move[i].to == to)
			return &h->move[i];
	if (h->moves == HS_MOVES)
		return NULL;
	m = &h->move[h->moves++];
	*m = (struct hs_move){ .from = from, .to = to };
	return m;
}

void hs_plan(struct hs *h)
{
	struct hs_move *m;
	u8 owner[HS_GROUPS];
	u32 g;

	memcpy(owner, h->owner, sizeof(owner));
	spread(h, owner, h->plan == HS_REFINE);
	h->moves = h->due = h->ended = 0;
	for (g = 0; g < HS_GROUPS; g++) {
		if (owner[g] == h->owner[g])
			continue;
		m = move_of(h, h->owner[g], owner[g]);
		if (m)
			m->group[m->groups++] = (u8)g;
	}
}
