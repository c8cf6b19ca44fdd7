// SPDX-License-Identifier: GPL-2.0-or-later
/* The search for the highest rate that keeps a bound, on a server that is a formula. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "load/slo.h"

struct server {
	double capacity;
	u32 runs, bad_every;	/* each of so many runs is disturbed */
	u32 broken_at;		/* the run that fails; 0: none */
	double last;
	u32 same;		/* runs in a row of one rate */
};

static bool try(void *ctx, double rate, double *p99_ns)
{
	struct server *s = ctx;

	s->runs++;
	s->same = rate == s->last ? s->same + 1 : 0;
	s->last = rate;
	*p99_ns = rate < s->capacity ? 1e5 / (1 - rate / s->capacity) : INFINITY;
	if (s->bad_every && s->runs % s->bad_every == 0)
		*p99_ns = INFINITY;
	return s->runs != s->broken_at;
}

static struct load_slo slo(struct server *s)
{
	return (struct load_slo){
		.bound_ns = 1e6, .low = 1000, .high = 1e6, .ratio = 1.02, .repeats = 3, .try = try,
		.ctx = s,
	};
}

static void test_found(void **state)
{
	struct server s = { .capacity = 50000 };
	struct load_slo l = slo(&s);
	struct load_slo_result r;
	u32 i;

	assert_true(load_slo_search(&l, &r));
	/* The bound is met at nine tenths of the capacity. */
	assert_true(r.rate <= 45000 && r.rate >= 45000 / 1.02);
	assert_true(r.p99_ns <= 1e6 && !r.open);
	assert_int_equal(s.runs, 3 * r.trials);
	assert_int_equal(s.same, 0);
	for (i = 0; i < r.trials; i++)
		assert_true(r.trial[i].kept == (r.trial[i].rate <= 45000));
}

static void test_disturbed(void **state)
{
	struct server s = { .capacity = 50000, .bad_every = 7 };
	struct load_slo l = slo(&s);
	struct load_slo_result r;

	assert_true(load_slo_search(&l, &r));
	assert_true(r.rate <= 45000 && r.rate >= 45000 / 1.02);
}

static void test_ends(void **state)
{
	struct server s = { .capacity = 1e9 };
	struct load_slo l = slo(&s);
	struct load_slo_result r;

	assert_true(load_slo_search(&l, &r));
	assert_true(r.rate == 1e6 && r.open);
	s.capacity = 1000;
	assert_true(load_slo_search(&l, &r));
	assert_true(r.rate == 0 && !r.open && r.trials == 2);
}

static void test_broken(void **state)
{
	struct server s = { .capacity = 50000, .broken_at = 9 };
	struct load_slo l = slo(&s);
	struct load_slo_result r;

	assert_false(load_slo_search(&l, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_disturbed),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests_name("load slo", tests, NULL, NULL);
}
