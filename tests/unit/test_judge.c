// SPDX-License-Identifier: GPL-2.0-or-later
/* Regrets, by hand: who is best, who is within, what nobody can do. */
#include "bench/judge.h"	/* before cmocka's fail() */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#define DMAX	100000

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

/* The fastest misses D_MAX; the frugal one is 1.5 % slower than X*, one is too slow. */
static const struct figures four[] = {
	{ 2000000, 100, DMAX + 1 },
	{ 1000000, 1000, DMAX },
	{ 985000, 800, 50000 },
	{ 900000, 100, 50000 },
};

static void test_best(void **state)
{
	struct verdict v[4];
	struct best b;

	assert_true(judge_cell(four, 4, DMAX, v, &b));
	assert_true(b.feasible);
	assert_int_equal(b.x, 1);
	assert_int_equal(b.e, 2);
	assert_int_equal(b.p98, 2);
	assert_false(v[0].keeps_dmax);
	assert_false(v[0].within);
	assert_true(near(v[0].x_regret, 0.5));
	assert_true(near(v[1].e_regret, 1.25));
	assert_false(v[1].within);	/* 25 % more energy */
	assert_true(near(v[2].x_regret, 1 / 0.985));
	assert_true(v[2].within);
	assert_true(v[3].keeps_dmax);
	assert_false(v[3].within);	/* 11 % slower */
}

static void test_bounds(void **state)
{
	const struct figures f[] = {
		{ 1030000, 1000, DMAX }, { 1000000, 1100, DMAX }, { 999000, 1000, DMAX },
		{ 1030000, 1101, DMAX },
	};
	struct verdict v[4];
	struct best b;

	judge_cell(f, 4, DMAX, v, &b);
	assert_true(v[1].within);
	assert_false(v[2].within);
	assert_false(v[3].within);
}

static void test_infeasible(void **state)
{
	struct verdict v[4];
	struct best b;

	assert_true(judge_cell(four, 4, 49999, v, &b));
	assert_false(b.feasible);
	assert_int_equal(b.p98, 2);
	assert_false(is_known(v[2].x_regret));
	assert_false(v[2].within);
}

static void test_unmeasured(void **state)
{
	const struct figures f[] = {
		{ UNKNOWN, UNKNOWN, UNKNOWN }, { 1000, 1, 1 }, { 0, 1, 1 },
	};
	struct verdict v[3];
	struct best b;

	assert_true(judge_cell(f, 3, DMAX, v, &b));
	assert_int_equal(b.x, 1);
	assert_false(v[0].measured || v[0].within || v[2].measured);
	assert_false(judge_cell(f, 1, DMAX, v, &b));
}

static void test_tally(void **state)
{
	struct tally t = { 0 };
	struct verdict v[4];
	struct best b;

	assert_false(is_known(tally_median_x(&t)));
	judge_cell(four, 4, DMAX, v, &b);
	tally_add(&t, &v[0]);
	tally_add(&t, &v[1]);
	tally_add(&t, &v[2]);
	tally_add(&t, &v[3]);
	judge_cell(four, 4, 49999, v, &b);
	tally_add(&t, &v[1]);	/* infeasible: does not count */
	assert_int_equal(t.cells, 4);
	assert_int_equal(t.within, 1);
	assert_int_equal(t.dmax_missed, 1);
	assert_int_equal(t.kept, 3);
	assert_true(near(t.worst_x_regret, 1 / 0.9));
	assert_true(near(t.worst_e_regret, 1.25));
	assert_true(near(tally_median_x(&t), 1 / 0.985));
	tally_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_infeasible),
		cmocka_unit_test(test_unmeasured),
		cmocka_unit_test(test_tally),
	};

	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
