// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How often the adaptive strategy looks at its totals: where cycles are short, once
 * for several; and at once after what may change its mind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "pacing/pacing.h"
#include "rand.h"

#define SETTLE		400
#define CYCLES		320
#define LEN		256
/* Few slots, and not for D_MAX: sleeps of a producer are to be few items' worth. */
#define LEN_P		12
#define OVER_NS		55000u
#define WORK_NS		500u
#define PACE_NS		60000u
#define PACE_P_NS	20000u		/* of a producer's peer */
/* As the strategy has them. */
#define LOOK_ITEMS	16
#define LOOK_WAITS	16
#define EMPTY_MOST	3

static struct rp_totals totals;
static struct rp_strategy strategy;
static struct rp_decision decision;
static u64 now_ns, peer_ns, pace_ns, rng;
static u32 looks;

static void get_totals(const struct rp_strategy *s, struct rp_totals *t, bool cpu)
{
	*t = totals;
	looks += !cpu;
}

static const struct rp_env_ops env = { .totals = get_totals };

static void start(enum rp_role role)
{
	const struct rp_params p = {
		.strategy = RP_ADAPTIVE, .role = role, .threshold = 1,
		.queue_len = role == RP_CONSUMER ? LEN : LEN_P,
		.dmax_ns = role == RP_CONSUMER ? 300000 : 10000000,
	};

	memset(&totals, 0, sizeof(totals));
	now_ns = peer_ns = 1000000;
	rng = 1;
	rp_strategy_init(&strategy, &p, &env);
	decision = strategy.ops->idle(&strategy, now_ns);
}

/* What the peer, which moves an item every pace_ns, has done by @due_ns; then it has to wait. */
static u32 moved(u64 due_ns)
{
	u32 n;

	for (n = 0; peer_ns <= due_ns && n < strategy.window; n++)
		peer_ns += pace_ns;
	if (peer_ns <= due_ns)
		peer_ns = due_ns + pace_ns;
	return n;
}

static void count(u32 items)
{
	totals.items += items;
	totals.timed += strategy.params.role == RP_CONSUMER ? items : 0;
}

/* A producer whose window has grown, or a side that is still learning, looks again first. */
static void until_sleep(void)
{
	u32 i;

	for (i = 0; i < 100 && decision.wait == RP_WAIT_SPIN; i++) {
		now_ns += 50000;
		totals.spin_ns += 50000;
		count(moved(now_ns));
		decision = strategy.ops->idle(&strategy, now_ns);
	}
	assert_int_equal(decision.wait, RP_WAIT_SLEEP);
}

/* A sleep that lasts @more_ns longer than usual, @ready then; comes @work_ns of work on @items. */
static void odd_cycle(u32 ready, u32 items, u64 more_ns, u64 work_ns)
{
	u64 took;

	until_sleep();
	took = decision.wait_ns + OVER_NS + test_below(&rng, 4000) + more_ns;
	totals.sleeps++;
	totals.sleep_ns += took;
	now_ns += took;
	strategy.ops->woken(&strategy, RP_WAKE_SLEPT, ready, now_ns);
	count(items);
	totals.work_ns += work_ns;
	now_ns += work_ns;
	decision = strategy.ops->idle(&strategy, now_ns);
}

static void cycles(u32 n)
{
	u32 items;

	while (n--) {
		until_sleep();
		items = moved(now_ns + decision.wait_ns + OVER_NS);
		odd_cycle(items, items, 0, items * WORK_NS);
	}
}

static void settle(enum rp_role role, u64 pace)
{
	pace_ns = pace;
	start(role);
	cycles(SETTLE);
	/* A full ring: no trials of shorter sleeps for a while, whose cycles are all looked at. */
	totals.peer_waits++;
	cycles(SETTLE);
}

/* At most one look in so many items, or in so many waits. */
static void looks_seldom(enum rp_role role, u64 pace)
{
	u64 items, waits;
	u32 before;

	settle(role, pace);
	before = looks;
	items = totals.items;
	waits = totals.sleeps;
	cycles(CYCLES);
	items = totals.items - items;
	waits = totals.sleeps - waits;
	assert_true(items < waits * LOOK_ITEMS);
	assert_in_range(looks - before, 1, items / LOOK_ITEMS + waits / LOOK_WAITS + 1);
}

static void test_short_cycles(void **state)
{
	u32 before;

	looks_seldom(RP_CONSUMER, 300000);	/* an item a cycle, or none */
	looks_seldom(RP_CONSUMER, 60000);
	looks_seldom(RP_PRODUCER, PACE_P_NS);
	/* And where there are many items, one in each. */
	settle(RP_CONSUMER, 2000);
	before = looks;
	cycles(CYCLES);
	assert_int_equal(looks - before, CYCLES);
}

/* Until one cycle has gone by since a look. */
static void between_looks(enum rp_role role)
{
	u32 before;

	settle(role, role == RP_PRODUCER ? PACE_P_NS : PACE_NS);
	do {
		before = looks;
		cycles(1);
	} while (looks == before);
	before = looks;
	cycles(1);
	assert_int_equal(looks, before);
}

/* What is learned is as right as if every cycle had been looked at. */
static void test_estimates(void **state)
{
	struct rp_status st;

	settle(RP_CONSUMER, PACE_NS);
	cycles(CYCLES);
	strategy.ops->status(&strategy, &st);
	assert_int_equal(st.mode, RP_WAIT_SLEEP);
	assert_in_range(st.w_own_ns, WORK_NS - 1, WORK_NS + 1);
	assert_in_range(st.w_peer_ns, PACE_NS / 50 * 49, PACE_NS / 50 * 51);
	assert_in_range(st.batch_milli, 3000, 5000);
	assert_in_range(st.occupancy_milli, 3000, 5000);
	assert_true(st.conf_w_peer > 90);
}

/* A cycle of the given kind is looked at, and so is what comes after it. */
static void matters(enum rp_role role, u32 ready, u32 items, u64 more_ns, u64 work_ns)
{
	u32 before;

	between_looks(role);
	before = looks;
	odd_cycle(ready, items, more_ns, work_ns);
	assert_int_equal(looks, before + 1);
}

static void test_matters(void **state)
{
	u32 before;

	/* Late items, or a producer that waited. */
	between_looks(RP_CONSUMER);
	before = looks;
	strategy.news = true;
	cycles(1);
	assert_int_equal(looks, before + 1);
	assert_false(strategy.news);
	matters(RP_CONSUMER, 1, 1, 2000000, WORK_NS);		/* overslept */
	matters(RP_CONSUMER, 4, 4, 0, 400000);			/* no longer the faster side */
	matters(RP_CONSUMER, LOOK_ITEMS, LOOK_ITEMS, 0, 4000);	/* traffic */
	matters(RP_PRODUCER, 1, 1, 2000000, WORK_NS);
	matters(RP_PRODUCER, 0, 0, 0, 0);			/* C did nothing */
	matters(RP_PRODUCER, LEN_P, LEN_P, 0, LEN_P * WORK_NS);	/* it waited */
}

/* Items that come one by one leave some sleeps empty; a pause is seen. */
static void test_empty(void **state)
{
	u32 before, i;

	between_looks(RP_CONSUMER);
	before = looks;
	for (i = 0; i < EMPTY_MOST; i++)
		odd_cycle(0, 0, 0, 0);
	assert_int_equal(looks, before);
	odd_cycle(0, 0, 0, 0);
	assert_int_equal(looks, before + 1);
	/* From then on each: it may be the end of the traffic. */
	odd_cycle(0, 0, 0, 0);
	assert_int_equal(looks, before + 2);
}

/* A party that was stopped and started in a sleep was not woken from it. */
static void test_not_woken(void **state)
{
	u32 before;

	between_looks(RP_CONSUMER);
	before = looks;
	now_ns += 1000000;
	decision = strategy.ops->idle(&strategy, now_ns);
	assert_int_equal(looks, before + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_cycles),
		cmocka_unit_test(test_estimates),
		cmocka_unit_test(test_matters),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_not_woken),
	};

	return cmocka_run_group_tests_name("looks", tests, NULL, NULL);
}
