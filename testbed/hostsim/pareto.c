// SPDX-License-Identifier: GPL-2.0-or-later
/* Sweeps static configurations of the simulated host. */
#include "pareto.h"

#define TICKS_PER_S	(1000000000ULL / HS_TICK_NS)
#define HALVINGS	6
#define GRID		600	/* loads at which the frontier is looked at */

static void run_ticks(struct hs *h, u64 n)
{
	hs_count_reset(h);
	while (n--)
		hs_tick(h);
}

/* Does @c keep the SLO at @load, for a second after a short start? */
static bool carries(const struct hc_config *c, double load, u64 seed)
{
	struct hs h;

	hs_init(&h, c, seed);
	h.load = load;
	run_ticks(&h, TICKS_PER_S / 10);
	run_ticks(&h, TICKS_PER_S);
	return !hs_violated(&h.count);
}

static double saturation(const struct hc_config *c)
{
	double ghz = hs_host.ghz[c->freq];

	return c->cores * (c->threads > 1 ? hs_host.smt : 1) * 1e9 /
	       (hs_item_ns(ghz) + hs_iter_ns(ghz) / HS_BATCH);
}

static double highest(const struct hc_config *c, u64 seed)
{
	double lo = 0.85 * saturation(c), hi = saturation(c), mid;
	u32 i;

	if (!carries(c, lo, seed))
		return 0;
	for (i = 0; i < HALVINGS; i++) {
		mid = (lo + hi) / 2;
		if (carries(c, mid, seed))
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static void measure(struct pareto_point *p, u64 seed)
{
	struct hs h;
	u32 i;

	p->max_pps = highest(&p->config, seed);
	for (i = 0; i < PARETO_LEVELS; i++) {
		hs_init(&h, &p->config, seed);
		h.load = p->max_pps * i / (PARETO_LEVELS - 1);
		run_ticks(&h, TICKS_PER_S / 20);
		h.heat_w = 0;	/* the lower end of turbo's band */
		run_ticks(&h, TICKS_PER_S / 10);
		p->watts[i] = h.count.energy_j * 1e9 / (double)h.count.ns;
		p->batch = h.count.batch_s * 1e9 / (double)h.count.ns;
	}
}

void pareto_sweep(struct pareto *p, u64 seed)
{
	struct hc_config c;

	p->points = 0;
	for (c.cores = 1; c.cores <= HS_CORES; c.cores++)
		for (c.threads = 1; c.threads <= 2; c.threads++)
			for (c.freq = 0; c.freq < hs_host.freqs; c.freq++) {
				p->point[p->points].config = c;
				measure(&p->point[p->points++], seed);
			}
}

double pareto_watts(const struct pareto_point *p, double load)
{
	double at = p->max_pps > 0 ? load / p->max_pps * (PARETO_LEVELS - 1) : 0;
	u32 i;

	if (at >= PARETO_LEVELS - 1)
		return p->watts[PARETO_LEVELS - 1];
	i = (u32)at;
	return p->watts[i] + (at - i) * (p->watts[i + 1] - p->watts[i]);
}

/* Is @a better for @load than @b? Of equals the weaker one. */
static bool better(enum pareto_goal goal, const struct pareto_point *a,
		   const struct pareto_point *b, double load)
{
	if (goal == PARETO_ENERGY)
		return pareto_watts(a, load) < pareto_watts(b, load);
	if (a->batch > b->batch || a->batch < b->batch)
		return a->batch > b->batch;
	/* Equal in cores: turbo is the last resort, and both threads are used. */
	if (hs_is_turbo(&a->config) != hs_is_turbo(&b->config))
		return !hs_is_turbo(&a->config);
	return a->max_pps > b->max_pps;
}

/* The background job is to run at the nominal clock (000, sec. 3.1), so turbo is without it. */
static bool eligible(enum pareto_goal goal, const struct pareto_point *p)
{
	return goal == PARETO_ENERGY || p->config.freq + 2u == hs_host.freqs ||
	       (hs_is_turbo(&p->config) && p->config.cores == HS_CORES);
}

const struct pareto_point *pareto_best(const struct pareto *p, enum pareto_goal goal, double load)
{
	const struct pareto_point *best = NULL, *strongest = &p->point[0], *x;
	u32 i;

	for (i = 0; i < p->points; i++) {
		x = &p->point[i];
		if (x->max_pps > strongest->max_pps)
			strongest = x;
		if (!eligible(goal, x) || x->max_pps < load)
			continue;
		if (!best || better(goal, x, best, load))
			best = x;
	}
	return best ? best : strongest;
}

void pareto_derive(const struct pareto *p, enum pareto_goal goal, struct hc_policy *policy)
{
	double top = pareto_best(p, goal, HS_PEAK_PPS * 2)->max_pps;
	const struct pareto_point *best;
	double last = 0, nominal;
	u32 i;

	policy->name = goal == PARETO_ENERGY ? "energy" : "consolidate";
	policy->steps = 0;
	for (i = 0; i <= GRID && policy->steps < HC_STEPS_MAX; i++) {
		best = pareto_best(p, goal, top * i / GRID);
		nominal = hc_nominal(&hs_host, &best->config);
		if (nominal <= last)
			continue;
		last = nominal;
		policy->step[policy->steps++] = best->config;
	}
}
