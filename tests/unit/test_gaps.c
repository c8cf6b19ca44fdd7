// SPDX-License-Identifier: GPL-2.0-or-later
/* Gaps in which others had the CPU: what they cost who comes at a random moment. */
#include "probe/probe.h"	/* before cmocka's fail() */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#define US	1000.0

static void test_none(void **state)
{
	struct samples gaps = { 0 };
	struct probe_gaps g;

	probe_gaps_conclude(&gaps, 1e9, &g);
	assert_true(g.n == 0 && g.lost_share == 0 && g.max_ns == 0);
	assert_true(g.delay_p98_ns == 0 && g.delay_p99_ns == 0 && g.observed_ns == 1e9);
}

/* In 10 ms one gap of 300 us: 1 of 100 moments is in its first 100 us, and waits for 200 more. */
static void test_one(void **state)
{
	double v[] = { 300 * US };
	struct samples gaps = { v, 1, 1 };
	struct probe_gaps g;

	probe_gaps_conclude(&gaps, 10000 * US, &g);
	assert_true(g.lost_share > 0.0299 && g.lost_share < 0.0301 && g.max_ns == 300 * US);
	assert_true(g.delay_p99_ns == 200 * US && g.delay_p98_ns == 100 * US);
	/* So rare that 99 moments of 100 never meet it. */
	probe_gaps_conclude(&gaps, 30001 * US, &g);
	assert_true(g.delay_p99_ns == 0);
}

/* Of all moments the share that waits for longer than @d. */
static double share_above(const double *v, u32 n, double total_ns, double d)
{
	double sum = 0;

	while (n--)
		sum += v[n] > d ? v[n] - d : 0;
	return sum / total_ns;
}

static void test_many(void **state)
{
	double v[64], copy[64], total = 100000 * US;
	struct samples gaps = { v, 64, 64 };
	struct probe_gaps g;
	u32 i, seed = 1;

	for (i = 0; i < 64; i++) {
		seed = seed * 1664525 + 1013904223;
		v[i] = copy[i] = (1 + seed % 200) * US;
	}
	probe_gaps_conclude(&gaps, total, &g);
	assert_true(g.delay_p98_ns > 0 && g.delay_p99_ns > g.delay_p98_ns);
	assert_in_range(share_above(copy, 64, total, g.delay_p99_ns) * 1e6, 9990, 10010);
	assert_in_range(share_above(copy, 64, total, g.delay_p98_ns) * 1e6, 19990, 20010);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("gaps", tests, NULL, NULL);
}
