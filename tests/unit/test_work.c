// SPDX-License-Identifier: GPL-2.0-or-later
/* Exponential work: its mean, its quantiles, its independence of scale. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "pacing/work.h"

#define DRAWS	1000000u

static u64 drawn[DRAWS];

static int by_value(const void *a, const void *b)
{
	const u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return (x > y) - (x < y);
}

static void draw_all(u64 w_tsc, u64 seed)
{
	u32 i;

	for (i = 0; i < DRAWS; i++)
		drawn[i] = rp_work_exp(w_tsc, &seed);
}

/* Of as many draws the mean has a standard error of 0.1 %. */
static void test_mean(void **state)
{
	static const u64 means[] = { 500, 5000, 2300000000ULL };
	double sum;
	u32 m, i;

	for (m = 0; m < 3; m++) {
		draw_all(means[m], 1 + m);
		for (sum = 0, i = 0; i < DRAWS; i++)
			sum += (double)drawn[i];
		assert_true(fabs(sum / DRAWS / (double)means[m] - 1) < 0.005);
	}
}

static void test_quantiles(void **state)
{
	static const double shares[] = { 0.1, 0.5, 0.9, 0.98, 0.999 };
	double exact, got;
	u32 i;

	draw_all(1000000, 7);
	qsort(drawn, DRAWS, sizeof(*drawn), by_value);
	for (i = 0; i < 5; i++) {
		exact = -log(1 - shares[i]) * 1e6;
		got = (double)drawn[(u32)(shares[i] * DRAWS)];
		assert_true(fabs(got - exact) < 0.006e6 + 0.015 * exact);
	}
}

/* What one draw was says nothing about the next. */
static void test_independent(void **state)
{
	double sum = 0;
	u32 i;

	draw_all(1000, 3);
	for (i = 1; i < DRAWS; i++)
		sum += ((double)drawn[i] - 1000) * ((double)drawn[i - 1] - 1000);
	assert_true(fabs(sum / DRAWS / 1e6) < 0.01);
}

static void test_same_seed(void **state)
{
	u64 a = 42, b = 42;
	u32 i;

	for (i = 0; i < 100; i++)
		assert_int_equal(rp_work_exp(1000, &a), rp_work_exp(1000, &b));
	assert_int_equal(rp_work_exp(0, &a), 0);
}

static void test_names(void **state)
{
	assert_int_equal(rp_work_dist_by_name("const"), RP_WORK_CONST);
	assert_int_equal(rp_work_dist_by_name("exp"), RP_WORK_EXP);
	assert_int_equal(rp_work_dist_by_name("normal"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mean),
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_independent),
		cmocka_unit_test(test_same_seed),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("work", tests, NULL, NULL);
}
