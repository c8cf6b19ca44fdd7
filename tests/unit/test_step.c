// SPDX-License-Identifier: GPL-2.0-or-later
/* Settling, on samples made by hand: one a millisecond. */
#include "bench/step.h"	/* before cmocka's fail() */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#define SAMPLES	200u

static struct step_sample s[SAMPLES];

/* @before items/ms until sample @at, @after from then on; @late of them late before. */
static void make(u32 at, double before, double after, double late)
{
	u32 i;

	s[0] = (struct step_sample){
		.p = { UNKNOWN, UNKNOWN, NULL }, .c = { UNKNOWN, 3, NULL }, .window = UNKNOWN,
	};
	for (i = 1; i < SAMPLES; i++) {
		s[i] = s[i - 1];
		s[i].t_ns += 1000000;
		s[i].items += i <= at ? before : after;
		s[i].timed = s[i].items;
		s[i].late += i <= at ? late : 0;
		s[i].c.mode_changes = i < at ? 3 : 4;
	}
}

static void test_at_once(void **state)
{
	struct step_result r;

	make(0, 0, 100, 0);
	step_settle(s, SAMPLES, &r);
	assert_true(r.settle_ns == 0 && r.settle_items == 0 && r.violations == 0);
	assert_true(r.final_per_s > 99999 && r.final_per_s < 100001);
	assert_true(r.late_share == 0);
}

static void test_slower_first(void **state)
{
	struct step_result r;

	make(40, 50, 100, 0);
	step_settle(s, SAMPLES, &r);
	/* A window may hold 2 ms of 50 % and still be within 5 %. */
	assert_in_range((u64)r.settle_ns, 37000000, 40000000);
	assert_true(r.settle_items >= 37 * 50 && r.settle_items <= 40 * 50);
	assert_true(r.mode_changes == 1 || r.mode_changes == 0);
}

/* The throughput is there at once, the latency is not. */
static void test_late_first(void **state)
{
	struct step_result r;

	make(60, 100, 100, 50);
	step_settle(s, SAMPLES, &r);
	assert_in_range((u64)r.settle_ns, 59000000, 60000000);
	assert_true(r.late_share > 0.149 && r.late_share < 0.152);
	assert_true(r.violations <= 1);
}

/* A side that never waits may keep a mode that the step has made wrong: settling, for 20 ms. */
static void test_steady(void **state)
{
	static const struct {
		u32 at;
		double changes;
	} when[] = { { 7, 0 }, { 20, 0 }, { 21, 1 }, { 150, 1 } };
	struct step_result r;
	u32 i, j;

	for (i = 0; i < sizeof(when) / sizeof(*when); i++) {
		make(0, 0, 200, 0);
		for (j = 0; j < SAMPLES; j++)
			s[j].c.mode_changes = j < when[i].at ? 3 : 4;
		step_settle(s, SAMPLES, &r);
		assert_true(r.settle_ns == 0 && r.mode_changes == when[i].changes);
		assert_true(r.last_change_ns == when[i].at * 1e6);
	}
	/* 2000 items take 40 ms. */
	make(0, 0, 50, 0);
	for (j = 0; j < SAMPLES; j++)
		s[j].c.mode_changes = j < 35 ? 3 : 4;
	step_settle(s, SAMPLES, &r);
	assert_true(r.mode_changes == 0);
	/* One that follows a disturbance, here of 10 ms with a quarter of the items, is told apart. */
	make(0, 0, 200, 0);
	for (j = 0; j < SAMPLES; j++) {
		s[j].c.mode_changes = j < 70 ? 3 : 4;
		s[j].items -= j < 61 ? 0 : j < 71 ? (j - 60) * 150 : 1500;
		s[j].timed = s[j].items;
	}
	step_settle(s, SAMPLES, &r);
	assert_true(r.settle_ns == 0 && r.mode_changes == 0 && r.odd_mode_changes == 1);
	assert_true(r.odd_share > 0.1 && r.odd_share < 0.3);
	for (j = 0; j < SAMPLES; j++)
		s[j].c.mode_changes = j < 160 ? 3 : 4;
	step_settle(s, SAMPLES, &r);
	assert_true(r.mode_changes == 1 && r.odd_mode_changes == 0);
	/* Both sides count; and none that tells nothing. */
	make(0, 0, 200, 0);
	for (j = 0; j < SAMPLES; j++)
		s[j].c.mode_changes = s[j].p.mode_changes = j < 50 ? 3 : 4;
	step_settle(s, SAMPLES, &r);
	assert_true(r.mode_changes == 2);
	for (j = 0; j < SAMPLES; j++)
		s[j].c.mode_changes = s[j].p.mode_changes = UNKNOWN;
	step_settle(s, SAMPLES, &r);
	assert_false(is_known(r.mode_changes) || is_known(r.last_change_ns));
}

static void test_violations(void **state)
{
	struct step_result r;
	u32 i;

	make(0, 0, 100, 0);
	for (i = 150; i < SAMPLES; i++)
		s[i].late += 5;		/* in one sample */
	step_settle(s, SAMPLES, &r);
	assert_true(r.settle_ns == 0 && r.violations == 1);
}

/* 5 % are late all the time, whatever is done: the goal is never met, but what was worse ends. */
static void test_like_end(void **state)
{
	struct step_result r;
	u32 i;

	make(40, 50, 100, 25);
	for (i = 41; i < SAMPLES; i++)
		s[i].late = s[i - 1].late + 5;
	step_settle(s, SAMPLES, &r);
	assert_false(is_known(r.settle_ns));
	assert_in_range((u64)r.like_end_ns, 39000000, 40000000);
	/* Where nothing is odd, the two are one. */
	make(40, 50, 100, 0);
	step_settle(s, SAMPLES, &r);
	assert_true(r.like_end_ns == r.settle_ns);
}

static void test_never(void **state)
{
	struct step_result r;
	u32 i;

	make(0, 0, 100, 0);
	for (i = 1; i < SAMPLES; i++)
		s[i].late = 3 * i;
	step_settle(s, SAMPLES, &r);
	assert_false(is_known(r.settle_ns) || is_known(r.violations));
}

static void test_idle(void **state)
{
	struct step_result r;

	make(10, 100, 0, 0);
	step_settle(s, SAMPLES, &r);
	assert_true(r.settle_ns == 10000000 && r.settle_items == 1000 && r.final_per_s == 0);
	step_settle(s, 2, &r);
	assert_false(is_known(r.final_per_s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_slower_first),
		cmocka_unit_test(test_late_first),
		cmocka_unit_test(test_steady),
		cmocka_unit_test(test_violations),
		cmocka_unit_test(test_like_end),
		cmocka_unit_test(test_never),
		cmocka_unit_test(test_idle),
	};

	return cmocka_run_group_tests_name("step", tests, NULL, NULL);
}
