// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host controller on the simulated host with several tenants: cores are never two
 * tenants', priorities hold, nobody starves, nothing swings. Batch tenants have what is left.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hostsim/tenants.h"
#include "rand.h"

/* The same run each time. */
#define SEED	100u
/* Of a core with two threads at the nominal clock, requests per second, about. */
#define CORE_PPS	680e3
/* What it saturates at. */
#define EDGE_PPS	700.8e3
#define TENANTS		3u

static struct tenants t;

/* Cores that a load needs, with the room that is kept. */
static u32 needs(double load)
{
	return (u32)(load / (0.9 * CORE_PPS)) + 1;
}

static u32 cores_of(u32 i)
{
	return t.ctl.tenant[i].cfg.policy->step[t.ctl.tenant[i].step].cores;
}

static void check_always(void)
{
	u32 i;

	assert_in_range(t.most_held, TENANTS, HS_CORES);
	assert_in_range(t.most_given, TENANTS, HS_CORES);
	for (i = 0; i < TENANTS; i++)
		assert_true(cores_of(i) >= 1);
}

/* Where all that is asked for fits: everybody is in time, and the rest is the job's. */
static void test_fits(void **state)
{
	static const s32 priority[TENANTS] = { 0, 2, 1 };
	u64 seed = test_seed_or(SEED);
	u32 k, i, sum;

	assert_null(tenants_init(&t, priority, TENANTS, &hc_policy_consolidate, seed));
	for (k = 0; k < 4; k++) {
		for (i = 0, sum = 0; i < TENANTS; i++) {
			t.of[i].load = CORE_PPS * (0.1 + 1.6 * test_below(&seed, 1000) / 1000);
			sum += needs(t.of[i].load);
		}
		tenants_run(&t, 3);
		tenants_count(&t);
		tenants_run(&t, 10);
		check_always();
		for (i = 0; i < TENANTS; i++) {
			assert_in_range(t.of[i].violations, 0, 1);
			assert_in_range(t.of[i].turns, 0, 2);
		}
		assert_true(t.batch_cores >= HS_CORES - (double)sum - 1.5);
	}
}

/*
 * More is asked for than there is: who comes first has what it needs, and is in time; who comes
 * last keeps its core.
 */
static void test_priorities(void **state)
{
	static const s32 priority[TENANTS] = { 1, 3, 2 };
	u64 seed = test_seed_or(SEED) + 1;
	u32 k, i;

	assert_null(tenants_init(&t, priority, TENANTS, &hc_policy_consolidate, seed));
	for (k = 0; k < 4; k++) {
		t.of[0].load = CORE_PPS * 6;
		t.of[1].load = CORE_PPS * (1 + 2.5 * test_below(&seed, 1000) / 1000);
		t.of[2].load = CORE_PPS * 0.5;
		tenants_run(&t, 4);
		tenants_count(&t);
		tenants_run(&t, 8);
		check_always();
		assert_in_range(t.of[1].violations, 0, 1);
		assert_in_range(t.of[2].violations, 0, 1);
		for (i = 0; i < TENANTS; i++)
			assert_in_range(t.of[i].turns, 0, 2);
		assert_int_equal(t.of[0].violations, t.of[0].seconds);
		assert_true(t.of[0].denied > 0);
		/* What nobody before it needs is its own. */
		assert_true(cores_of(0) + cores_of(1) + cores_of(2) >= HS_CORES - 1);
	}
}

/*
 * Nobody's cores go to and fro where more is asked for than there is: not when the first one's
 * load is at the edge of two steps, nor between equals that ask for about the same.
 */
static void test_edges(void **state)
{
	static const s32 priority[2][TENANTS] = { { 1, 3, 2 }, { 1, 1, 1 } };
	u64 seed = test_seed_or(SEED) + 4;
	u32 k, i;

	for (k = 0; k < 4; k++) {
		assert_null(tenants_init(&t, priority[k % 2], TENANTS, &hc_policy_consolidate, seed));
		t.of[0].load = CORE_PPS * 6;
		t.of[1].load = k % 2 ? CORE_PPS * (5 + 2.0 * test_below(&seed, 1000) / 1000) :
			       EDGE_PPS * (1 + test_below(&seed, 4)) *
			       (0.945 + 0.06 * test_below(&seed, 1000) / 1000);
		t.of[2].load = CORE_PPS * 0.5;
		tenants_run(&t, 4);
		tenants_count(&t);
		tenants_run(&t, 8);
		check_always();
		for (i = 0; i < TENANTS; i++)
			assert_in_range(t.of[i].turns, 0, 2);
		assert_in_range(t.of[2].violations, 0, 1);
	}
}

/*
 * A load between what a step is given up by and what more is asked for by: of a tenant of one
 * core chance alone moves the measured load across all of that.
 */
static void test_band(void **state)
{
	static const s32 priority[TENANTS] = { 1, 3, 2 };
	u64 seed = test_seed_or(SEED) + 230;
	u32 k;

	for (k = 0; k < 6; k++) {
		assert_null(tenants_init(&t, priority, TENANTS, &hc_policy_consolidate, seed + k));
		t.of[0].load = CORE_PPS * 6;
		t.of[1].load = EDGE_PPS * (0.972 + 0.001 * k);
		t.of[2].load = CORE_PPS * 0.5;
		tenants_run(&t, 4);
		tenants_count(&t);
		tenants_run(&t, 8);
		check_always();
		assert_in_range(t.of[0].turns, 0, 2);
		assert_in_range(t.of[1].turns, 0, 2);
	}
}

/* The first may have one core; the next two share, three to one; the last one needs two. */
static const struct batch_run batches[] = {
	{ .priority = 3, .min_cores = 1, .max_cores = 1, .weight = 1 },
	{ .priority = 2, .min_cores = 1, .max_cores = 3, .weight = 3 },
	{ .priority = 2, .min_cores = 1, .max_cores = 3, .weight = 1 },
	{ .priority = 1, .min_cores = 2, .weight = 1 },
};
#define BATCHES	(sizeof(batches) / sizeof(batches[0]))

/* Three tenants with loads that change four times, and some batch tenants or none. */
static void run_with(u32 n, u64 seed, void (*check)(void))
{
	static const s32 priority[TENANTS] = { 0, 2, 1 };
	u32 k, i;

	assert_null(tenants_init(&t, priority, TENANTS, &hc_policy_consolidate, seed));
	for (i = 0; i < n; i++)
		assert_null(tenants_batch(&t, &batches[i]));
	for (k = 0; k < 4; k++) {
		for (i = 0; i < TENANTS; i++)
			t.of[i].load = CORE_PPS * (0.1 + 1.4 * test_below(&seed, 1000) / 1000);
		tenants_run(&t, 3);
		tenants_count(&t);
		tenants_run(&t, 5);
		check();
	}
}

/* What they have of @free cores. */
static void check_batches(void)
{
	const struct hc_batch *b = t.host.batch;
	u32 i, free = t.host.batch_cores;
	double sum = 0;

	check_always();
	assert_int_equal(b[0].cores, free > 0);
	assert_int_equal(b[1].cores, free > 4 ? 3 : free ? free - 1 : 0);
	assert_int_equal(b[2].cores, b[1].cores);
	assert_int_equal(b[3].cores, free > 5 ? free - 4 : 0);
	for (i = 0; i < BATCHES; i++) {
		assert_in_range(t.batch[i].turns, 0, 2);
		sum += t.batch[i].cores;
	}
	assert_true(fabs(t.batch[1].cores - 3 * t.batch[2].cores) < 1e-9);
	/* One core is too few for the last one; no other is left over. */
	assert_true(sum <= t.batch_cores + 1e-9);
	assert_true(sum >= t.batch_cores - 1);
}

static double cores[4][TENANTS];
static u32 period;

static void note(void)
{
	u32 i;

	for (i = 0; i < TENANTS; i++)
		cores[period % 4][i] = t.of[i].cores;
	period++;
}

/* All the same as without batch tenants: these take nothing from anybody. */
static void compare(void)
{
	u32 i;

	for (i = 0; i < TENANTS; i++)
		assert_true(fabs(cores[period % 4][i] - t.of[i].cores) < 1e-12);
	period++;
	check_batches();
}

static void test_batches(void **state)
{
	u64 seed = test_seed_or(SEED) + 5;

	run_with(0, seed, note);
	run_with(BATCHES, seed, compare);
}

/* A load that comes all at once is carried soon, though the cores are another's. */
static void test_taken(void **state)
{
	static const s32 priority[2] = { 0, 1 };
	u32 ms;

	assert_null(tenants_init(&t, priority, 2, &hc_policy_consolidate, test_seed_or(SEED) + 2));
	t.of[0].load = CORE_PPS * 9;
	t.of[1].load = CORE_PPS * 0.3;
	tenants_run(&t, 4);
	assert_int_equal(cores_of(0), HS_CORES - 1);
	t.of[1].load = CORE_PPS * 3.3;
	for (ms = 0; ms < 3; ms++)
		tenants_run(&t, 1);
	tenants_count(&t);
	tenants_run(&t, 5);
	assert_true(cores_of(1) >= 4);
	assert_in_range(t.of[1].violations, 0, 0);
	assert_in_range(t.most_held, 2, HS_CORES);
}

/* What a static configuration carries, items per ns. */
static double carries(const struct hc_config *c)
{
	double ghz = hs_host.ghz[c->freq];

	return c->cores * (c->threads > 1 ? hs_host.smt : 1) /
	       (hs_item_ns(ghz) + hs_iter_ns(ghz) / HS_BATCH);
}

/*
 * Loads that a step of 16 threads carries with little to spare: the fullest thread at a time is
 * often late by chance. It stays at that step, and is in time.
 */
static void test_many_threads(void **state)
{
	static const s32 priority[1] = { 0 };
	u64 seed = SEED + 7;	/* what a step carries depends on how even its threads are */
	u32 k;

	for (k = 0; k < 4; k++) {
		assert_null(tenants_init(&t, priority, 1, &hc_policy_energy, seed + k));
		t.of[0].load = 1e9 * carries(&hc_policy_energy.step[18]) * (0.942 + 0.007 * k);
		tenants_run(&t, 6);
		tenants_count(&t);
		tenants_run(&t, 10);
		assert_int_equal(t.ctl.tenant[0].step, 18);
		assert_in_range(t.of[0].turns, 0, 2);
		assert_in_range(t.of[0].violations, 0, 1);
	}
}

/* The thresholds that the table of gains tells, beside those of static configurations. */
static double worst(const struct hc_capacity *cap, u32 *steps)
{
	const struct hc_policy *p = cap->policy;
	double most = 0, table, is;
	u32 i;

	*steps = 0;
	for (i = 1; i < p->steps; i++) {
		if (cap->refined[i] < 20 || cap->refined[i - 1] < 20)
			continue;
		++*steps;
		table = 1 - cap->nominal[i - 1] * cap->gain[i - 1] / (cap->nominal[i] * cap->gain[i]);
		is = 1 - carries(&p->step[i - 1]) / carries(&p->step[i]);
		most = fmax(most, fabs(table - is));
	}
	return most;
}

/* From a table that is wrong by up to a third, by loads that go up and down. */
static void test_refines(void **state)
{
	static const s32 priority[1] = { 0 };
	u64 seed = test_seed_or(SEED) + 3;
	struct hc_capacity *cap = &t.ctl.tenant[0].cap;
	double gain[HC_STEPS_MAX], before, wrong;
	u32 i, s, steps;

	assert_null(tenants_init(&t, priority, 1, &hc_policy_energy, seed));
	for (i = 0; i < hc_policy_energy.steps; i++)
		gain[i] = 0.75 + 0.58 * test_below(&seed, 1000) / 1000;
	assert_true(hc_take_gains(&t.ctl.tenant[0], gain, hc_policy_energy.steps));
	for (s = 0; s < 400; s++) {
		t.of[0].load = 5.6e6 * (0.52 - 0.48 * cos(6.283185307 * s / 80));
		before = cap->gain[t.ctl.tenant[0].step];
		tenants_run(&t, 1);
		/* By 1 % a round at most, of ten in a second. */
		assert_true(fabs(log(cap->gain[t.ctl.tenant[0].step] / before)) < 0.6);
	}
	wrong = worst(cap, &steps);
	assert_true(wrong < 0.05);
	/*
	 * A step that is made out to carry little beside its neighbours is passed over, and the
	 * fewer steps are seen for long the less more is added than is needed.
	 */
	assert_in_range(steps, 6, HC_STEPS_MAX);
	/* What no host has is not taken. */
	gain[3] = NAN;
	assert_false(hc_take_gains(&t.ctl.tenant[0], gain, hc_policy_energy.steps));
	gain[3] = 3;
	assert_false(hc_take_gains(&t.ctl.tenant[0], gain, hc_policy_energy.steps));
	assert_false(hc_take_gains(&t.ctl.tenant[0], gain, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fits), cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_edges), cmocka_unit_test(test_band),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_many_threads), cmocka_unit_test(test_refines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
