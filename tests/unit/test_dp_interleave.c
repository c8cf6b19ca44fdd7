// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flow groups that move, in random interleavings that RP_SEED brings again: the
 * wire, the control thread and the dataplane's threads are coroutines, and at
 * every point where threads may meet (dp_point()) another one may go on. Time is
 * the test's. So what takes a rare moment between two threads is met often, and
 * threads can stop in any place of a move.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <ucontext.h>

#include "dp_fixture.h"

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#define fiber_new()		__tsan_create_fiber(0)
#define fiber_here()		__tsan_get_current_fiber()
#define fiber_free(f)		__tsan_destroy_fiber(f)
#define fiber_switch(f)		__tsan_switch_to_fiber(f, 0)
#else
#define fiber_new()		NULL
#define fiber_here()		NULL
#define fiber_free(f)		((void)(f))
#define fiber_switch(f)		((void)(f))
#endif

#define THREADS		3u
#define ACTORS		(THREADS + 2)	/* the wire, the control thread */
#define WIRE		THREADS
#define CONTROL		(THREADS + 1)
#define STACK_BYTES	(256u << 10)
/* Few groups, so that moves of the same ones follow each other. */
#define BUSY_GROUPS	6u
#define MOVES		40u
/* An actor that stands, stands so long, in steps of all others. */
#define STAND_STEPS	4000u
/* 100 times what a run takes. */
#define STEPS_MAX	20000000u

#ifdef __SANITIZE_THREAD__
#define RUNS		20u
#else
#define RUNS		60u
#endif

struct actor {
	ucontext_t ctx;
	void *fiber, *stack;
	void (*run)(u32 id);
	u64 stands_until;	/* step */
};

static struct bed *b;
static struct actor actor[ACTORS];
static ucontext_t scheduler;
static void *scheduler_fiber;
static u32 running = ACTORS;	/* ACTORS: the scheduler */
static u64 rng, step;
static bool stalls;		/* actors may stand for long */
static u64 ordered;
static bool wire_done, control_done, finished;

/* Within an actor another one may go on; elsewhere it is nothing. */
void dp_point(void)
{
	u32 me = running;

	if (me == ACTORS)
		return;
	running = ACTORS;
	fiber_switch(scheduler_fiber);
	swapcontext(&actor[me].ctx, &scheduler);
}

static void thread(u32 id)
{
	while (!finished) {
		dp_thread_turn(b->dp, id);
		dp_point();
	}
}

static void wire(u32 id)
{
	u32 i;

	while (!control_done) {
		for (i = test_below(&rng, 12); i--;) {
			bed_send(b, test_below(&rng, BUSY_GROUPS));
			dp_point();
		}
		bed_collect(b);
		dp_point();
	}
	while (b->spare.count < PACKETS && !finished) {
		bed_collect(b);
		dp_point();
	}
	wire_done = true;
}

static void control(u32 id)
{
	while (ordered < MOVES || b->dp->following_count) {
		u32 g = test_below(&rng, BUSY_GROUPS), to = test_below(&rng, THREADS);

		if (ordered < MOVES && dp_owner(b->dp, g) != to)
			ordered += !dp_move(b->dp, g, to);
		/* Several at once, now and then. */
		if (test_below(&rng, 4))
			dp_control_turn(b->dp);
		dp_point();
	}
	control_done = true;
}

static void enter(unsigned int id)
{
	actor[id].run(id);
	/* It has ended, and is not chosen any more; the others go on. */
	for (;;)
		dp_point();
}

static void make(u32 id, void (*run)(u32 id))
{
	struct actor *a = &actor[id];

	a->run = run;
	a->stands_until = 0;
	a->stack = malloc(STACK_BYTES);
	a->fiber = fiber_new();
	assert_non_null(a->stack);
	getcontext(&a->ctx);
	a->ctx.uc_stack.ss_sp = a->stack;
	a->ctx.uc_stack.ss_size = STACK_BYTES;
	a->ctx.uc_link = NULL;
	makecontext(&a->ctx, (void (*)(void))enter, 1, id);
}

static void resume(u32 id)
{
	running = id;
	fiber_switch(actor[id].fiber);
	swapcontext(&scheduler, &actor[id].ctx);
}

/* One actor goes on to its next point; time passes, up to 2 us. */
static void one_step(void)
{
	u32 id = test_below(&rng, ACTORS);

	step++;
	atomic_fetch_add(&b->clock_ns, test_below(&rng, 2000));
	if (stalls && !test_below(&rng, 3000))
		actor[test_below(&rng, THREADS)].stands_until = step + STAND_STEPS;
	if (actor[id].stands_until <= step)
		resume(id);
}

static void run(bool fenced)
{
	u32 i;

	b = bed_new(&(struct bed_options){
		.threads = THREADS, .slots = 32, .batch = 4, .fenced = fenced,
		.stall_ns = stalls ? 2 * DP_WAIT_NS : ~0ULL >> 1, .seed = test_rand(&rng) | 1,
	});
	step = ordered = 0;
	wire_done = control_done = finished = false;
	for (i = 0; i < THREADS; i++)
		make(i, thread);
	make(WIRE, wire);
	make(CONTROL, control);
	while (!(wire_done && control_done) && step < STEPS_MAX)
		one_step();
	finished = true;
	/* They leave dp_thread_turn() before the dataplane is freed. */
	for (i = 0; i < 4000; i++)
		resume(i % THREADS);
}

static void end_run(void)
{
	u32 i;

	for (i = 0; i < ACTORS; i++) {
		fiber_free(actor[i].fiber);
		free(actor[i].stack);
	}
	bed_free(b);
}

static void check_kept(void)
{
	const struct dp_moves *m = &b->dp->moves;
	u32 g;

	assert_true(wire_done && control_done);
	assert_int_equal(bed_flows(b, got), bed_all_sent(b));
	assert_int_equal(dp_missing(b->dp), 0);
	assert_int_equal(m->dropped, 0);
	assert_int_equal(bed_flows(b, elsewhere), 0);
	assert_int_equal(m->ended[DP_DONE] + m->ended[DP_REFUSED] + m->ended[DP_TURNED_BACK],
			 ordered);
	for (g = 0; g < GROUPS; g++)
		assert_int_equal(b->dp->groups[g].wheel.timers, GROUP_TIMERS);
}

static void test_order(void **state)
{
	u64 deferred = 0;
	u32 i;

	rng = test_seed();
	stalls = false;
	scheduler_fiber = fiber_here();
	for (i = 0; i < RUNS; i++) {
		run(i & 1);
		check_kept();
		assert_int_equal(b->dp->moves.ended[DP_DONE], ordered);
		assert_int_equal(bed_count(b, late), 0);
		assert_int_equal(bed_flows(b, gaps), 0);
		assert_int_equal(bed_flows(b, reordered), 0);
		assert_int_equal(b->overtaken, 0);
		deferred += b->dp->moves.packets.sum;
		end_run();
	}
	/* It would say little if no packet had come in the midst of a move. */
	printf("# %llu packets were handed over or deferred\n", (unsigned long long)deferred);
	assert_true(deferred > RUNS * MOVES);
}

/*
 * Threads stand in any place. Each move ends, once they go on; where nothing is
 * counted as late nothing is reordered.
 */
static void test_stalls(void **state)
{
	u64 end[DP_ENDS] = { 0 }, forced = 0, late = 0;
	u32 i, e;

	rng = test_seed() ^ 1;
	stalls = true;
	scheduler_fiber = fiber_here();
	for (i = 0; i < RUNS; i++) {
		run(i & 1);
		check_kept();
		/* One that comes late may change places with several. */
		if (!bed_count(b, late)) {
			assert_int_equal(bed_flows(b, reordered), 0);
			if (!b->dp->moves.overtaken)
				assert_int_equal(b->overtaken, 0);
		}
		for (e = 0; e < DP_ENDS; e++)
			end[e] += b->dp->moves.ended[e];
		forced += b->dp->moves.forced;
		late += bed_count(b, late);
		end_run();
	}
	printf("# done %llu (forced %llu), refused %llu, turned back %llu; %llu packets late\n",
	       (unsigned long long)end[DP_DONE], (unsigned long long)forced,
	       (unsigned long long)end[DP_REFUSED], (unsigned long long)end[DP_TURNED_BACK],
	       (unsigned long long)late);
	assert_true(end[DP_DONE] && forced && end[DP_REFUSED] && end[DP_TURNED_BACK]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_stalls),
	};

	return cmocka_run_group_tests_name("dp_interleave", tests, NULL, NULL);
}
