// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The estimator: burstiness and confidence for traffic of known kinds, and what a
 * thread that others take the CPU from does to its means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "pacing/estimate.h"
#include "pacing/work.h"

#define US	1000u
#define CYCLES	2000

static struct rp_estimate e;
static u64 rng = 7;

static int begin(void **state)
{
	rp_estimate_init(&e);
	rng = 7;
	return 0;
}

static struct rp_status tell(bool producer, u32 window)
{
	struct rp_status st = { 0 };

	rp_estimate_tell(&e, producer, window, &st);
	return st;
}

/* ---- Burstiness ---- */

/* Mean of what is told over many cycles: what is told at one time has a short memory. */
static double mean_burst(void (*cycle)(u32 i))
{
	double sum = 0;
	u32 i;

	for (i = 0; i < CYCLES; i++) {
		cycle(i);
		if (i >= CYCLES / 4)
			sum += (double)tell(false, 0).burst_milli / 1000;
	}
	return sum / (CYCLES - CYCLES / 4);
}

/* One item in 1 us; a cycle's count is off by one. */
static void regular(u32 i)
{
	rp_estimate_arrivals(&e, 100 + i % 2, 100 * US);
}

/* The same pace in cycles of any length. */
static void regular_any_length(u32 i)
{
	u64 items = 20 + rp_work_exp(200, &rng);

	rp_estimate_arrivals(&e, items, items * US);
}

static void exponential(u32 i)
{
	static u64 next_ns, end_ns;
	u64 items = 0;

	for (end_ns += 100 * US; next_ns < end_ns; items++)
		next_ns += rp_work_exp(2 * US, &rng);
	rp_estimate_arrivals(&e, items, 100 * US);
}

/* 64 items every 0.5 ms. */
static void bursts(u32 i)
{
	rp_estimate_arrivals(&e, i % 5 ? 0 : 64, 100 * US);
}

static void test_burst(void **state)
{
	double b = mean_burst(regular);

	assert_true(b < 0.05);
	assert_in_range(tell(false, 0).batch_milli, 100000, 101000);
	begin(NULL);
	assert_true(mean_burst(regular_any_length) < 0.1);
	begin(NULL);
	b = mean_burst(exponential);
	assert_true(b > 0.7 && b < 1.4);
	begin(NULL);
	b = mean_burst(bursts);
	assert_true(b > 25 && b < 64);
	assert_int_equal(tell(false, 0).batch_milli, 64000);
}

/* A second without traffic is a pause, not the end of all means. */
static void test_pause(void **state)
{
	u32 i;

	mean_burst(regular);
	rp_estimate_arrivals(&e, 0, 1000000 * US);
	for (i = 0; i < 60; i++)
		regular(i);
	assert_true(tell(false, 0).burst_milli < 500);
	/* Times that do not fit are no reason to divide by nothing. */
	rp_estimate_arrivals(&e, 0, ~0ULL);
	rp_estimate_arrivals(&e, 1ULL << 40, 1);
	rp_estimate_arrivals(&e, 0, 0);
	rp_estimate_arrivals(&e, 1, ~0ULL);
	tell(false, 0);
}

static void test_nothing_known(void **state)
{
	struct rp_status st = tell(true, 64), none = { 0 };

	assert_memory_equal(&st, &none, sizeof(st));
	rp_estimate_arrivals(&e, 0, 100 * US);
	assert_int_equal(tell(false, 0).burst_milli, 0);
	assert_int_equal(tell(false, 0).batch_milli, 0);
}

static void test_occupancy(void **state)
{
	u32 i;

	for (i = 0; i < 50; i++)
		rp_mean_add(&e.ready, 24 << RP_MEAN_SHIFT);
	assert_int_equal(tell(false, 0).occupancy_milli, 24000);
	/* Of a producer it is what is not free. */
	assert_int_equal(tell(true, 64).occupancy_milli, 40000);
	/* The window may have become smaller since. */
	assert_int_equal(tell(true, 16).occupancy_milli, 1);
}

/* ---- Confidence ---- */

static void test_confidence(void **state)
{
	struct rp_mean m = { 0 };
	u32 i, before;

	assert_int_equal(rp_mean_confidence(&m), 0);
	rp_mean_add(&m, 1000 << RP_MEAN_SHIFT);
	assert_in_range(rp_mean_confidence(&m), 1, 13);
	for (i = 0; i < 20; i++)
		rp_mean_add(&m, 1000 << RP_MEAN_SHIFT);
	assert_int_equal(rp_mean_confidence(&m), 100);
	/* What was learned elsewhere is trusted half. */
	rp_mean_set(&m, 1000);
	assert_in_range(rp_mean_confidence(&m), 40, 50);
	/* Samples that differ by their half: a mean that is off by a third at most. */
	for (i = 0; i < 100; i++)
		rp_mean_add(&m, (i % 2 ? 500 : 1500) << RP_MEAN_SHIFT);
	before = rp_mean_confidence(&m);
	assert_in_range(before, 60, 80);
	/* And those that have nothing in common are not trusted at all. */
	for (i = 0; i < 100; i++)
		rp_mean_add(&m, (i % 8 ? 1 : 100000) << RP_MEAN_SHIFT);
	assert_true(rp_mean_confidence(&m) < before / 2);
}

/* ---- A thread that loses its CPU ---- */

static struct rp_totals totals;

static void get_totals(const struct rp_strategy *s, struct rp_totals *t, bool cpu)
{
	*t = totals;
}

static const struct rp_env_ops env = { .totals = get_totals };

/*
 * C of W_C 1 us takes 100 items a cycle and sleeps for 100 us; now and then it, or
 * its sleep, lasts 4 ms longer. @every: cycles between two of these.
 */
static void run_preempted(u32 every, double *w, double *y)
{
	struct rp_strategy s = { .env = &env };
	u64 now = 1000000, slept;
	struct rp_cycle c;
	double w_sum = 0, y_sum = 0;
	u32 i;

	memset(&totals, 0, sizeof(totals));
	for (i = 1; i <= CYCLES; i++) {
		slept = 50 * US + (i % every == every / 2 ? 4000 * US : 0);
		rp_estimate_slept(&e, 1, slept);
		totals.sleeps++;
		totals.sleep_ns += slept;
		totals.items += 100;
		totals.work_ns += 100 * US + (i % every ? 0 : 4000 * US);
		now += slept + 100 * US + (i % every ? 0 : 4000 * US);
		rp_estimate_cycle(&e, &s, now, &c);
		if (i <= CYCLES / 4)
			continue;
		w_sum += (double)rp_mean_ns(&e.own);
		y_sum += (double)rp_mean_ns(&e.y_min);
	}
	*w = w_sum / (CYCLES - CYCLES / 4);
	*y = y_sum / (CYCLES - CYCLES / 4);
}

static void test_preempted(void **state)
{
	double w, y;

	run_preempted(CYCLES + 1, &w, &y);
	assert_true(w > 990 && w < 1010 && y > 49500 && y < 50500);
	assert_in_range(tell(false, 0).conf_w_own, 99, 100);
	/* One in 100: 40 times W for a cycle, and 80 times Y, move the means by a few percent. */
	begin(NULL);
	run_preempted(100, &w, &y);
	assert_true(w > 990 && w < 1060 && y > 49500 && y < 53000);
	/* One in 20, when a fifth of the CPU is others': a mean without limits would be 3 W. */
	begin(NULL);
	run_preempted(20, &w, &y);
	assert_true(w > 990 && w < 1250 && y > 49500 && y < 62500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_burst, begin),
		cmocka_unit_test_setup(test_pause, begin),
		cmocka_unit_test_setup(test_nothing_known, begin),
		cmocka_unit_test_setup(test_occupancy, begin),
		cmocka_unit_test_setup(test_confidence, begin),
		cmocka_unit_test_setup(test_preempted, begin),
	};

	return cmocka_run_group_tests_name("estimate", tests, NULL, NULL);
}
