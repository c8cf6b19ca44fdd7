// SPDX-License-Identifier: GPL-2.0-or-later
/* Flow groups of the simulated host on their way: nothing is lost, and how long it takes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hostsim/hostsim.h"
#include "rand.h"

#define MS	1000000ULL

static struct hs h;

/* Every request is done, waits for a thread, or for the end of a move. */
static void check_whole(void)
{
	double items = h.items + hs_held(&h), share = 0;
	u32 i;

	for (i = 0; i < HS_THREADS; i++) {
		items += h.queue[i];
		share += h.share[i];
	}
	for (i = 0; i < h.due; i++)
		if (h.move[i].state == HS_MOVE_UNDER_WAY)
			share += h.move[i].share;
	assert_true(fabs(items - h.count.requests) < 1e-6 * (h.count.requests + 1));
	assert_true(fabs(share - 1) < 1e-9);
}

/* Each thread does its own part of the sets that it gives, and of those that it takes, in turn. */
static void check_turns(void)
{
	u32 i, k;

	for (i = 0; i < h.due; i++) {
		assert_true(h.move[i].end_ns > h.move[i].begin_ns);
		for (k = 0; k < i; k++) {
			if (h.move[i].from == h.move[k].from)
				assert_true(h.move[i].begin_ns != h.move[k].begin_ns);
			if (h.move[i].to == h.move[k].to)
				assert_true(h.move[i].end_ns != h.move[k].end_ns);
		}
	}
}

static bool settled(void)
{
	return !h.ordered && h.plan == HS_REFINE && h.due == h.moves && !hs_is_moving(&h);
}

static void order(const struct hc_config *to)
{
	h.growing = hc_config_threads(to) > hc_config_threads(&h.config);
	h.config = *to;
	h.ordered = true;
}

static double longest_ns(double longest)
{
	u32 i;

	for (i = 0; i < h.due; i++)
		longest = fmax(longest, (double)(h.move[i].end_ns - h.move[i].begin_ns));
	return longest;
}

/* From one configuration to another; how long until all groups are where they belong, ns. */
static u64 change(const struct hc_config *from, const struct hc_config *to, enum hs_moves how,
		  u64 seed)
{
	double longest = 0;
	u64 began;
	u32 g;

	hs_init(&h, from, seed);
	h.how = how;
	h.load = 1e6;
	order(to);
	began = h.now_ns;
	while (!settled()) {
		hs_tick(&h);
		check_whole();
		check_turns();
		longest = longest_ns(longest);
		assert_true(h.now_ns - began < 1000 * MS);
	}
	for (g = 0; g < HS_GROUPS; g++) {
		assert_true(h.owner[g] % HS_CORES < to->cores);
		assert_true(h.owner[g] / HS_CORES < to->threads);
		assert_false(h.on_way[g]);
	}
	assert_true((double)(h.now_ns - began) >= longest);
	return h.now_ns - began;
}

/* A core of two threads is added to five and taken away; all at once is sooner. */
static void test_sooner(void **state)
{
	static const struct hc_config five = { 5, 2, 12 }, six = { 6, 2, 12 };
	double ns[2][2] = { { 0 } };
	u64 seed = test_seed();
	u32 i, how;

	for (i = 0; i < 20; i++)
		for (how = HS_PARALLEL; how <= HS_SERIAL; how++) {
			ns[how][0] += (double)change(&five, &six, how, seed + i);
			ns[how][1] += (double)change(&six, &five, how, seed + i);
		}
	assert_true(ns[HS_PARALLEL][0] < ns[HS_SERIAL][0] / 2);
	assert_true(ns[HS_PARALLEL][1] < ns[HS_SERIAL][1]);
}

/* One change after the other, also before the last one is through. */
static void test_any(void **state)
{
	const struct hc_policy *p[] = { &hc_policy_energy, &hc_policy_consolidate };
	u64 seed = test_seed(), ticks;
	u32 how, i;

	for (how = HS_PARALLEL; how <= HS_SERIAL; how++) {
		hs_init(&h, &p[how]->step[0], seed);
		h.how = how;
		h.load = 2e6;
		for (i = 0; i < 200; i++) {
			order(&p[how]->step[test_below(&seed, p[how]->steps)]);
			for (ticks = test_below(&seed, 60); ticks; ticks--) {
				hs_tick(&h);
				check_whole();
				check_turns();
			}
		}
		for (ticks = 0; !settled(); ticks++) {
			hs_tick(&h);
			assert_in_range(ticks, 0, 10000);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sooner), cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
