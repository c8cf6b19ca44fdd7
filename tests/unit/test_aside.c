// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Threads that spin on a shared CPU (aside.h), on a CPU and a scheduler of our own: tasks are
 * coroutines, a slice lasts 4 ms, and one that wakes up waits until it is its turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <sched.h>
#include <sys/resource.h>
#include <ucontext.h>

#include "clock.h"

static u64 time_ns;
static u32 yields, looks, yield_ns;

static u64 fake_clock_ns(clockid_t clock)
{
	return time_ns;
}

static int fake_yield(void);
static int fake_getrusage(int who, struct rusage *of);

#define clock_ns	fake_clock_ns
#define sched_yield	fake_yield
#define getrusage	fake_getrusage
#include "aside.h"

#define MS		1000000ULL
#define SLICE_NS	(4 * MS)
#define SWITCH_NS	1000u
#define LOOK_NS		300u
#define TURN_NS		200u
#define STACK_BYTES	65536u
#define TASKS		2u

struct task {
	ucontext_t ctx;
	char *stack;
	void (*body)(struct task *t);
	struct rp_spin spin;
	long switches;		/* while it might have gone on */
	u64 ran_ns, wake_ns;	/* it may run from then on */
	u64 most_late_ns, late_from_ns;	/* of a sleeper: its waits for the CPU, from then on */
};

static struct task task[TASKS];
static u32 tasks, me;
static u64 slice_ns, end_ns;
static ucontext_t outside;

/* ---- The scheduler ---- */

static bool may_run(const struct task *t)
{
	return t->body && t->wake_ns <= time_ns;
}

static void go_to(u32 next)
{
	u32 was = me;

	me = next;
	slice_ns = time_ns;
	if (was == next)
		return;
	time_ns += SWITCH_NS;
	swapcontext(&task[was].ctx, &task[next].ctx);
}

/* Another one's turn, if it may run. */
static void give_way(void)
{
	u32 next = (me + 1) % tasks;

	slice_ns = time_ns;
	if (next == me || !may_run(&task[next]))
		return;
	task[me].switches++;
	go_to(next);
}

static void spend(u64 ns)
{
	time_ns += ns;
	task[me].ran_ns += ns;
	if (time_ns >= end_ns)
		swapcontext(&task[me].ctx, &outside);
	if (time_ns - slice_ns >= SLICE_NS)
		give_way();
}

static int fake_yield(void)
{
	yields++;
	time_ns += yield_ns;
	give_way();
	return 0;
}

static int fake_getrusage(int who, struct rusage *of)
{
	looks++;
	time_ns += LOOK_NS;
	*of = (struct rusage){ .ru_nivcsw = task[me].switches };
	return 0;
}

static void enter(void)
{
	task[me].body(&task[me]);
}

static void run_until(u64 end)
{
	end_ns = end;
	swapcontext(&outside, &task[me].ctx);
}

static void add(void (*body)(struct task *t))
{
	struct task *t = &task[tasks++];

	*t = (struct task){ .body = body, .stack = malloc(STACK_BYTES) };
	assert_non_null(t->stack);
	getcontext(&t->ctx);
	t->ctx.uc_stack.ss_sp = t->stack;
	t->ctx.uc_stack.ss_size = STACK_BYTES;
	makecontext(&t->ctx, enter, 0);
}

static int set_up(void **state)
{
	time_ns = slice_ns = 1000 * MS;
	yields = looks = tasks = me = 0;
	yield_ns = 400;
	return 0;
}

static int tear_down(void **state)
{
	while (tasks)
		free(task[--tasks].stack);
	return 0;
}

/* ---- Tasks ---- */

/* Finds nothing, ever. */
static void spins(struct task *t)
{
	for (;;) {
		u64 begin = time_ns;

		spend(TURN_NS);
		rp_spin_aside(&t->spin, time_ns - begin);
	}
}

static void computes(struct task *t)
{
	for (;;)
		spend(10000);
}

/* Works for 5 us every 500 us. */
static void sleeps(struct task *t)
{
	for (;;) {
		u64 late = time_ns - t->wake_ns;

		if (time_ns >= t->late_from_ns && late > t->most_late_ns)
			t->most_late_ns = late;
		spend(5000);
		t->wake_ns = time_ns + 500000;
		go_to((me + 1) % tasks);
	}
}

/* ---- Tests ---- */

static void test_alone(void **state)
{
	add(spins);
	run_until(time_ns + 1000 * MS);
	assert_int_equal(yields, 0);
	assert_in_range(looks, 900, 1001);
}

/* Once, for a moment: it finds out that nobody is there, and stays alone. */
static void test_housekeeping(void **state)
{
	u32 before;

	add(spins);
	run_until(time_ns + 10 * MS);
	task[0].switches++;
	run_until(time_ns + 500 * MS);
	assert_in_range(yields, RP_SPIN_BATCH, RP_SPIN_BATCH + RP_SPIN_TRIES);
	before = yields;
	run_until(time_ns + 1000 * MS);
	assert_int_equal(yields, before);
}

/* The same where a system call takes as long as elsewhere a switch. */
static void test_housekeeping_slow(void **state)
{
	u32 before;

	yield_ns = 3000;
	add(spins);
	run_until(time_ns + 10 * MS);
	task[0].switches++;
	run_until(time_ns + 2000 * MS);
	before = yields;
	run_until(time_ns + 1000 * MS);
	assert_int_equal(yields, before);
}

static void check_handing_over(void)
{
	long before;

	run_until(time_ns + 1000 * MS);
	before = task[0].switches + task[1].switches;
	run_until(time_ns + 100 * MS);
	/* A round of both takes a yield, a switch and a turn of each: 3.2 us. */
	assert_true(task[0].switches + task[1].switches - before > 50000);
	/* And that long in turns alone, either of them. */
	assert_true(task[0].ran_ns > 60 * MS);
	assert_true(task[1].ran_ns > 60 * MS);
}

static void test_two(void **state)
{
	add(spins);
	add(spins);
	check_handing_over();
}

/* They gave up at different times: who tries first must not give up before the other joins in. */
static void test_two_gave_up(void **state)
{
	static const u64 apart_ms[] = { 0, 1, 5, 17, 50, 100, 150, 199 };
	u32 i;

	for (i = 0; i < sizeof(apart_ms) / sizeof(*apart_ms); i++) {
		set_up(state);
		add(spins);
		add(spins);
		task[0].spin.off_until_ns = time_ns + 200 * MS;
		task[1].spin.off_until_ns = time_ns + (200 + apart_ms[i]) * MS;
		check_handing_over();
		tear_down(state);
	}
}

/* To yield to it brings nothing, and is tried seldom. */
static void test_with_one_who_computes(void **state)
{
	add(spins);
	add(computes);
	run_until(time_ns + 4000 * MS);
	/* So many in each time of RP_ASIDE_OFF_NS. */
	assert_in_range(yields, RP_SPIN_LONG, 20 * (RP_SPIN_LONG + 1));
	assert_true(task[0].ran_ns > 1600 * MS);
}

/* It wakes up while the other one has the CPU, and need not wait for the slice's end. */
static void test_with_one_who_sleeps(void **state)
{
	add(spins);
	add(sleeps);
	task[1].late_from_ns = time_ns + 100 * MS;
	run_until(time_ns + 1000 * MS);
	assert_in_range(task[1].most_late_ns, 1, RP_SPIN_TRY_NS + TURN_NS + yield_ns + SWITCH_NS +
			LOOK_NS);
	/* Of 1000, the other one took 10. */
	assert_true(task[0].ran_ns > 300 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_housekeeping, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_housekeeping_slow, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two, set_up, tear_down),
		cmocka_unit_test(test_two_gave_up),
		cmocka_unit_test_setup_teardown(test_with_one_who_computes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_with_one_who_sleeps, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
