// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulated host's costs, power and random numbers. */
#include "hostsim.h"

#include <math.h>

/* E5-2665, as 000, sec. 3.1. Turbo with all cores busy: 2.8 GHz is the CPU's rating. */
const struct hc_host hs_host = {
	.cores = HS_CORES,
	.freqs = 14,
	.ghz = { 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.1, 2.2, 2.3, 2.4, 2.8 },
	.smt = 1.3,
};

/*
 * Fitted so that all threads in turbo saturate at 6.5 M requests a second, a little
 * above the highest load of 000. A twentieth at 2.4 GHz does not scale with the clock
 * ("largely proportional"), and an iteration costs a quarter of an item (assumed).
 */
#define ITEM_NS		1844.0
#define FIXED_PART	0.05
#define NOMINAL_GHZ	2.4
#define ITER_PART	0.25

double hs_item_ns(double ghz)
{
	return ITEM_NS * (FIXED_PART + (1 - FIXED_PART) * NOMINAL_GHZ / ghz);
}

double hs_iter_ns(double ghz)
{
	return hs_item_ns(ghz) * ITER_PART;
}

/*
 * Fitted to table 1 of 000 (maximum power and Pareto bound of its three patterns):
 * idle + cores * (A f + B f^3), more with two threads. A polling thread draws nearly
 * as much idle as busy.
 */
#define POWER_IDLE	8.706
#define POWER_A		1.556
#define POWER_B		0.2720
#define POWER_SMT	1.0572
#define POWER_POLL	0.85

const double hs_idle_w = POWER_IDLE;

double hs_core_w(double ghz, u32 threads, double utilisation)
{
	return (POWER_A * ghz + POWER_B * ghz * ghz * ghz) * (threads > 1 ? POWER_SMT : 1) *
	       (POWER_POLL + (1 - POWER_POLL) * utilisation);
}

bool hs_is_turbo(const struct hc_config *c)
{
	return c->freq == hs_host.freqs - 1;
}

static u64 next(u64 *rng)
{
	u64 z = *rng += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

double hs_uniform(u64 *rng)
{
	return (double)(next(rng) >> 11) * 0x1p-53;
}

/* Standard normal: the sum of eight 16-bit numbers; cut off at 4.9. */
static double normal(u64 *rng)
{
	u64 a = next(rng), b = next(rng);
	double sum = 0;
	u32 i;

	for (i = 0; i < 64; i += 16)
		sum += (double)(a >> i & 0xffff) + (double)(b >> i & 0xffff);
	return (sum / 65535 - 4) * 1.2247448713915890;
}

double hs_poisson(u64 *rng, double mean)
{
	double limit, p = 1, v;
	u32 n = 0;

	/* The approximation is good enough from there on, and much faster. */
	if (mean > 8) {
		v = floor(mean + sqrt(mean) * normal(rng) + 0.5);
		return v > 0 ? v : 0;
	}
	for (limit = exp(-mean); ; n++) {
		p *= hs_uniform(rng);
		if (p <= limit)
			return n;
	}
}
