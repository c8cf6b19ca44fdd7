// SPDX-License-Identifier: GPL-2.0-or-later
/* Histogram: bucket bounds, and quantiles against a sorted list. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "hist/hist.h"
#include "rand.h"

static struct rp_hist hist, other;

static int set_up(void **state)
{
	rp_hist_reset(&hist);
	rp_hist_reset(&other);
	return 0;
}

static void test_bounds(void **state)
{
	u32 i;

	for (i = 0; i < RP_HIST_BUCKETS - 1; i++) {
		assert_int_equal(rp_hist_index(rp_hist_upper(i)), i);
		assert_int_equal(rp_hist_index(rp_hist_upper(i) + 1), i + 1);
	}
	assert_int_equal(rp_hist_upper(RP_HIST_BUCKETS - 1), UINT64_MAX);
	assert_int_equal(rp_hist_index(UINT64_MAX), RP_HIST_BUCKETS - 1);
	assert_int_equal(rp_hist_index(1ULL << 41), RP_HIST_BUCKETS - 1);
	assert_int_equal(rp_hist_upper(RP_HIST_BUCKETS - 2) >> 34, 126);
}

static void test_empty(void **state)
{
	assert_int_equal(rp_hist_quantile(&hist, 0), 0);
	assert_int_equal(rp_hist_quantile(&hist, 1000), 0);
}

static void test_single(void **state)
{
	u32 permille;

	rp_hist_add(&hist, 123456789);
	for (permille = 0; permille <= 1000; permille++)
		assert_int_equal(rp_hist_quantile(&hist, permille), 123456789);
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

/* Of all lengths and spreads: never below the true value, at most 1/64 above. */
static void test_quantiles(void **state)
{
	static u64 value[3000];
	u64 rng = test_seed();
	u32 round, i, n, permille;

	for (round = 0; round < 50; round++) {
		u32 bits = 1 + test_below(&rng, 40);

		rp_hist_reset(&hist);
		n = 1 + test_below(&rng, 3000);
		for (i = 0; i < n; i++) {
			value[i] = test_rand(&rng) >> (64 - bits);
			rp_hist_add(&hist, value[i]);
		}
		qsort(value, n, sizeof(*value), compare);
		for (permille = 0; permille <= 1000; permille += 20) {
			u32 rank = (n * permille + 999) / 1000;
			u64 true_value = value[rank ? rank - 1 : 0];
			u64 got = rp_hist_quantile(&hist, permille);

			assert_true(got >= true_value);
			assert_true(got - true_value <= true_value / 64);
			assert_true(got <= value[n - 1]);
		}
	}
}

/* count * permille would not fit. */
static void test_many(void **state)
{
	hist.bucket[10] = 1ULL << 60;
	hist.bucket[20] = 1ULL << 60;
	hist.count = 1ULL << 61;
	hist.max = 20;
	assert_int_equal(rp_hist_quantile(&hist, 500), 10);
	assert_int_equal(rp_hist_quantile(&hist, 501), 20);
}

static void test_merge(void **state)
{
	u32 i;

	for (i = 0; i < 100; i++) {
		rp_hist_add(&hist, i);
		rp_hist_add(&other, 1000 + i);
	}
	rp_hist_merge(&hist, &other);
	assert_int_equal(hist.count, 200);
	assert_int_equal(hist.max, 1099);
	assert_int_equal(rp_hist_quantile(&hist, 250), 49);
	assert_in_range(rp_hist_quantile(&hist, 750), 1049, 1049 + 1049 / 64);
	rp_hist_merge(&other, &hist);
	assert_int_equal(other.count, 300);
	assert_int_equal(other.max, 1099);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bounds, set_up),
		cmocka_unit_test_setup(test_empty, set_up),
		cmocka_unit_test_setup(test_single, set_up),
		cmocka_unit_test_setup(test_quantiles, set_up),
		cmocka_unit_test_setup(test_many, set_up),
		cmocka_unit_test_setup(test_merge, set_up),
	};

	return cmocka_run_group_tests_name("hist", tests, NULL, NULL);
}
