// SPDX-License-Identifier: GPL-2.0-or-later
/* Batch tenants share out what is left: examples, and what holds whatever they ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../host-ctl/batch.h"
#include "rand.h"

#define N	5u
#define FREE	12u

static void test_examples(void **state)
{
	struct hc_batch b[] = {
		{ .priority = 0, .min_cores = 1 },
		{ .priority = 7, .min_cores = 2, .max_cores = 3 },
		{ .priority = 7, .min_cores = 1 , .max_cores = 2 },
		{ .priority = -1, .min_cores = 1 },
	};

	hc_share_out(b, 4, 5);
	/* The first priority has the last three, one of it two of these. */
	assert_int_equal(b[1].cores, 3);
	assert_int_equal(b[1].first, 2);
	assert_int_equal(b[2].cores, 2);
	assert_int_equal(b[2].first, 2);
	assert_int_equal(b[0].cores, 2);
	assert_int_equal(b[0].first, 0);
	assert_int_equal(b[3].cores, 0);
	/* With one core who needs two stands, and who shares it with nobody has it. */
	hc_share_out(b, 4, 1);
	assert_int_equal(b[1].cores, 0);
	assert_int_equal(b[2].cores, 1);
	assert_int_equal(b[0].cores, 0);
	/* Equals that say nothing have all. */
	b[1] = b[2] = b[3] = b[0];
	hc_share_out(b, 4, 6);
	assert_int_equal(b[0].cores, 6);
	assert_int_equal(b[3].cores, 6);
	hc_share_out(b, 4, 0);
	assert_int_equal(b[0].cores, 0);
	hc_share_out(b, 0, 3);
}

static u32 most(const struct hc_batch *b)
{
	return b->max_cores ? b->max_cores : FREE;
}

static bool overlap(const struct hc_batch *a, const struct hc_batch *b)
{
	return a->cores && b->cores && a->first < b->first + b->cores &&
	       b->first < a->first + a->cores;
}

/* Of two tenants what the lower one may have beside the higher one, and equals beside each other. */
static void check_pair(const struct hc_batch *a, const struct hc_batch *b)
{
	if (a->priority == b->priority) {
		if (a->cores && b->cores)
			assert_int_equal(a->first, b->first);
		return;
	}
	assert_false(overlap(a, b));
	/* Who goes first has all that it may have, or could not begin with what is left. */
	if (a->priority > b->priority && b->cores)
		assert_true(a->cores ? a->cores == most(a) : a->min_cores > b->cores);
}

static u32 in_use(const struct hc_batch *b)
{
	u32 core, i, sum = 0;
	bool any;

	for (core = 0; core < FREE; core++) {
		for (i = 0, any = false; i < N; i++)
			any |= core >= b[i].first && core < b[i].first + b[i].cores;
		sum += any;
	}
	return sum;
}

static void check(const struct hc_batch *b, u32 free)
{
	u32 i, k, used = in_use(b);

	assert_in_range(used, 0, free);
	for (i = 0; i < N; i++) {
		assert_true(!b[i].cores || b[i].cores >= b[i].min_cores);
		assert_in_range(b[i].cores, 0, most(&b[i]));
		assert_in_range(b[i].first + b[i].cores, 0, free);
		/* None is left over that somebody could use. */
		if (used < free)
			assert_true(b[i].cores ? b[i].cores == most(&b[i]) :
				    b[i].min_cores > free - used);
		for (k = 0; k < N; k++)
			check_pair(&b[i], &b[k]);
	}
}

static void test_any(void **state)
{
	u64 seed = test_seed();
	u32 round, i, free, first, had;
	struct hc_batch b[N];

	for (round = 0; round < 2000; round++) {
		for (i = 0, first = 0; i < N; i++) {
			b[i] = (struct hc_batch){ .priority = (s32)test_below(&seed, 3) - 1,
						  .min_cores = 1 + test_below(&seed, 4) };
			b[i].max_cores = test_below(&seed, 2) ?
				b[i].min_cores + test_below(&seed, 4) : 0;
			if (b[i].priority > b[first].priority)
				first = i;
		}
		for (free = 0, had = 0; free <= FREE; free++) {
			hc_share_out(b, N, free);
			check(b, free);
			/* Who goes first never has less by there being more. */
			assert_in_range(b[first].cores, had, FREE);
			had = b[first].cores;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples), cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
