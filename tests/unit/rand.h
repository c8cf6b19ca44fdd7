/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reproducible random numbers for tests: the seed is printed, and RP_SEED in
 * the environment sets it.
 */
#ifndef TEST_RAND_H
#define TEST_RAND_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rp.h"

/* @usual, unless the environment says another. */
static inline u64 test_seed_or(u64 usual)
{
	const char *set = getenv("RP_SEED");
	u64 seed = set ? strtoull(set, NULL, 0) : usual;

	printf("# RP_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	return seed;
}

static inline u64 test_seed(void)
{
	return test_seed_or((u64)time(NULL));
}

/* splitmix64: any seed is a good one. */
static inline u64 test_rand(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static inline u32 test_below(u64 *state, u32 n)
{
	return (u32)(test_rand(state) % n);
}

#endif /* TEST_RAND_H */
