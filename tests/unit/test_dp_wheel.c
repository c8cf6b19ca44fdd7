// SPDX-License-Identifier: GPL-2.0-or-later
/* The dataplane's timers: each fires once, in its tick, whatever else is started and stopped. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "rand.h"
#include "wheel.h"

#define TIMERS	300u
#define ROUNDS	5000u

struct timer {
	struct dp_timer tm;
	u64 due;		/* the reference: 0 does not run */
	u32 fired;
};

static struct dp_wheel wheel;
static struct timer timer[TIMERS];
static u64 rng;
static u64 last_fired;
static bool starts_others;

static struct timer *of(struct dp_timer *tm)
{
	return (struct timer *)((char *)tm - offsetof(struct timer, tm));
}

static void start(struct timer *t, u64 ticks)
{
	dp_timer_start(&wheel, &t->tm, ticks);
	t->due = wheel.tick + (ticks ? ticks : 1);
}

static void stop(struct timer *t)
{
	dp_timer_stop(&wheel, &t->tm);
	t->due = 0;
}

/* Near ones, such as share a slot, and such as are turns away. */
static u64 some_ticks(void)
{
	static const u32 most[] = { 3, DP_WHEEL_SLOTS, 4 * DP_WHEEL_SLOTS };

	return test_below(&rng, most[test_below(&rng, 3)] + 1);
}

static void disturb(void)
{
	struct timer *t = &timer[test_below(&rng, TIMERS)];

	if (test_below(&rng, 3))
		start(t, some_ticks());
	else
		stop(t);
}

static void fire(struct dp_timer *tm, void *arg)
{
	struct timer *t = of(tm);

	assert_ptr_equal(arg, &wheel);
	assert_int_equal(t->due, wheel.tick);
	assert_true(wheel.tick >= last_fired);
	assert_false(dp_timer_runs(tm));
	last_fired = wheel.tick;
	t->due = 0;
	t->fired++;
	if (starts_others)
		disturb();
}

static u32 running(void)
{
	u32 i, n = 0;

	for (i = 0; i < TIMERS; i++) {
		assert_int_equal(dp_timer_runs(&timer[i].tm), timer[i].due != 0);
		n += timer[i].due != 0;
	}
	return n;
}

static int begin(void **state)
{
	u32 i;

	memset(timer, 0, sizeof(timer));
	for (i = 0; i < TIMERS; i++)
		timer[i].tm.fire = fire;
	dp_wheel_init(&wheel, 1000);
	rng = test_seed();
	last_fired = 0;
	starts_others = false;
	return 0;
}

static void test_one(void **state)
{
	start(&timer[0], 5);
	assert_int_equal(dp_wheel_advance(&wheel, 1004, &wheel), 0);
	assert_int_equal(dp_wheel_advance(&wheel, 1005, &wheel), 1);
	assert_int_equal(wheel.timers, 0);
	/* Not again. */
	assert_int_equal(dp_wheel_advance(&wheel, 1005 + 2 * DP_WHEEL_SLOTS, &wheel), 0);
}

static void test_turns_away(void **state)
{
	start(&timer[0], 1 + 3 * DP_WHEEL_SLOTS);
	start(&timer[1], 1);
	assert_int_equal(dp_wheel_advance(&wheel, 1001, &wheel), 1);
	assert_int_equal(dp_wheel_advance(&wheel, 1000 + 3 * DP_WHEEL_SLOTS, &wheel), 0);
	assert_int_equal(dp_wheel_advance(&wheel, 1001 + 3 * DP_WHEEL_SLOTS, &wheel), 1);
}

static void test_idle_wheel(void **state)
{
	assert_int_equal(dp_wheel_advance(&wheel, 1ULL << 50, &wheel), 0);
	start(&timer[0], 1);
	assert_int_equal(dp_wheel_advance(&wheel, (1ULL << 50) + 1, &wheel), 1);
}

static void any(bool others, u32 step_max)
{
	u64 tick = wheel.tick;
	u32 i, round, fired = 0;

	starts_others = others;
	for (round = 0; round < ROUNDS; round++) {
		for (i = test_below(&rng, 8); i--;)
			disturb();
		tick += test_below(&rng, step_max + 1);
		dp_wheel_advance(&wheel, tick, &wheel);
		assert_int_equal(wheel.tick, tick);
		assert_int_equal(wheel.timers, running());
	}
	for (i = 0; i < TIMERS; i++)
		fired += timer[i].fired;
	assert_true(fired > TIMERS);
}

static void test_any(void **state)
{
	any(false, 3);
	any(true, 3);
}

/* As after a move, or a thread that has slept. */
static void test_long_steps(void **state)
{
	any(true, 3 * DP_WHEEL_SLOTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one, begin),
		cmocka_unit_test_setup(test_turns_away, begin),
		cmocka_unit_test_setup(test_idle_wheel, begin),
		cmocka_unit_test_setup(test_any, begin),
		cmocka_unit_test_setup(test_long_steps, begin),
	};

	return cmocka_run_group_tests_name("dp_wheel", tests, NULL, NULL);
}
