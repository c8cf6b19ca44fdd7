// SPDX-License-Identifier: GPL-2.0-or-later
/* Random work without floating point. */
#include "pacing/work.h"

const char *const rp_work_dist_names[RP_WORK_DISTS] = {
	[RP_WORK_CONST] = "const",
	[RP_WORK_EXP] = "exp",
};

int rp_work_dist_by_name(const char *name)
{
	u32 i;

	for (i = 0; i < RP_WORK_DISTS; i++)
		if (!strcmp(rp_work_dist_names[i], name))
			return (int)i;
	return -1;
}

/* Vigna's xorshift64*. */
static u64 draw(u64 *rng)
{
	u64 x = *rng;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*rng = x;
	return x * 0x2545f4914f6cdd1dULL;
}

#define ONE	65536u		/* 1 in 16 bits of fraction */
#define LN_2	45426u
/*
 * log2(1 + f) is taken as f + BEND f (1 - f), at most 0.008 off. BEND is such
 * that the mean over f in 0..1 is the exact one, 2 - 1 / ln 2.
 */
#define BEND	22533u

/*
 * -ln(u) of a uniform u = x / 2^64: with z leading zeros and the fraction f
 * after the first 1, -log2(u) = z + 1 - log2(1 + f).
 */
u64 rp_work_exp(u64 w_tsc, u64 *rng)
{
	u64 x = draw(rng) | 1, f, log_1_f;
	u32 zeros = (u32)__builtin_clzll(x);

	f = x << zeros << 1 >> 48;
	log_1_f = f + (BEND * (f * (ONE - f) / ONE)) / ONE;
	return w_tsc * ((((u64)(zeros + 1) * ONE - log_1_f) * LN_2) / ONE) / ONE;
}
