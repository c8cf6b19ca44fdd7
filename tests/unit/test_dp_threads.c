// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flow groups that move under load, between threads that really are some: a wire
 * that never stops sending, a control thread that never stops moving. No packet
 * is lost, none changes its place, no timer is forgotten.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "dp_fixture.h"

#define THREADS	4u
/* A machine that is busy elsewhere stops a thread for long. */
#define STALL_NS	60000000000ULL
#define LIMIT_NS	300000000000ULL

#ifdef __SANITIZE_THREAD__
#define MOVES	5000u
#else
#define MOVES	10000u
#endif

static struct bed *b;
static _Atomic bool wire_stops, threads_stop;
static _Atomic bool drained;
static _Atomic u32 held_thread = DP_THREADS_MAX;	/* that a test keeps from its turns */

static u64 real_ns(void *arg)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000U + (u64)ts.tv_nsec;
}

/* Sends until it is to stop, then waits for what is still inside. */
static void *wire(void *unused)
{
	u64 rng = test_rand(&b->rng);
	u32 i;

	while (!atomic_load(&wire_stops)) {
		for (i = 0; i < 64; i++)
			if (!bed_send(b, test_below(&rng, GROUPS)))
				break;
		bed_collect(b);
		if (i < 64)
			sched_yield();
	}
	while (b->spare.count < PACKETS && !atomic_load(&threads_stop)) {
		bed_collect(b);
		sched_yield();
	}
	atomic_store(&drained, b->spare.count == PACKETS);
	return NULL;
}

static void *worker(void *arg)
{
	u32 id = (u32)(uintptr_t)arg;

	while (!atomic_load(&threads_stop)) {
		if (atomic_load(&held_thread) == id || !dp_thread_turn(b->dp, id))
			sched_yield();
	}
	return NULL;
}

struct load {
	pthread_t wire, worker[THREADS];
	u64 rng;		/* of the control thread */
	u64 end_ns;
};

static void begin(struct load *l, bool fenced, u64 stall_ns)
{
	uintptr_t i;

	b = bed_new(&(struct bed_options){
		.threads = THREADS, .slots = 256, .batch = 32, .fenced = fenced,
		.stall_ns = stall_ns, .now_ns = real_ns,
	});
	atomic_store(&wire_stops, false);
	atomic_store(&threads_stop, false);
	atomic_store(&drained, false);
	l->rng = b->rng ^ 1;
	l->end_ns = real_ns(NULL) + LIMIT_NS;
	assert_int_equal(pthread_create(&l->wire, NULL, wire, NULL), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&l->worker[i], NULL, worker, (void *)i), 0);
}

static bool in_time(const struct load *l)
{
	return real_ns(NULL) < l->end_ns;
}

static void settle(const struct load *l)
{
	while (dp_control_turn(b->dp) && in_time(l))
		sched_yield();
}

static void end(struct load *l)
{
	u32 i;

	settle(l);
	atomic_store(&wire_stops, true);
	while (!atomic_load(&drained) && in_time(l))
		sched_yield();
	atomic_store(&threads_stop, true);
	pthread_join(l->wire, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_join(l->worker[i], NULL);
}

static void tell(void)
{
	const struct dp_moves *m = &b->dp->moves;

	printf("# %llu moves (%llu forced, %llu refused, %llu turned back), %llu packets, "
	       "%llu of them held up by moves, %llu late, %llu timers carried\n",
	       (unsigned long long)m->ended[DP_DONE], (unsigned long long)m->forced,
	       (unsigned long long)m->ended[DP_REFUSED],
	       (unsigned long long)m->ended[DP_TURNED_BACK],
	       (unsigned long long)bed_all_sent(b), (unsigned long long)m->packets.sum,
	       (unsigned long long)bed_count(b, late), (unsigned long long)m->timers.sum);
}

/* Nothing is lost and no timer forgotten, whatever happened. */
static void check_kept(void)
{
	u32 g;

	assert_true(atomic_load(&drained));
	assert_int_equal(b->dp->following_count, 0);
	assert_int_equal(bed_flows(b, got), bed_all_sent(b));
	assert_int_equal(dp_missing(b->dp), 0);
	assert_int_equal(b->dp->moves.dropped, 0);
	assert_int_equal(bed_flows(b, elsewhere), 0);
	for (g = 0; g < GROUPS; g++)
		assert_int_equal(b->dp->groups[g].wheel.timers, GROUP_TIMERS);
}

static u64 move_any(struct load *l, u64 goal)
{
	u64 ordered = 0;

	while (ordered < goal && in_time(l)) {
		u32 i;

		for (i = 0; i < 64; i++) {
			u32 g = test_below(&l->rng, GROUPS), to = test_below(&l->rng, THREADS);

			ordered += dp_owner(b->dp, g) != to && !dp_move(b->dp, g, to);
		}
		dp_control_turn(b->dp);
		sched_yield();
	}
	return ordered;
}

static void moves_under_load(bool fenced)
{
	struct load l;
	u64 ordered;

	begin(&l, fenced, STALL_NS);
	ordered = move_any(&l, MOVES);
	end(&l);
	tell();
	check_kept();
	assert_true(ordered >= MOVES);
	assert_int_equal(b->dp->moves.ended[DP_DONE], ordered);
	assert_int_equal(bed_count(b, late), 0);
	assert_int_equal(bed_flows(b, gaps), 0);
	assert_int_equal(bed_flows(b, reordered), 0);
	assert_int_equal(b->overtaken, 0);
	assert_int_equal(b->dp->moves.overtaken, 0);
	assert_true(b->dp->moves.packets.sum > 0);
	assert_int_equal(b->dp->moves.timers.sum, GROUP_TIMERS * ordered);
	bed_free(b);
}

static void test_unfenced(void **state)
{
	moves_under_load(false);
}

static void test_fenced(void **state)
{
	moves_under_load(true);
}

/* One thread, two, all four, and back, under load. */
static void test_elastic(void **state)
{
	struct load l;
	u32 i, g;

	begin(&l, true, STALL_NS);
	for (i = 0; i < 50 && in_time(&l); i++) {
		u32 threads = 1 + test_below(&l.rng, THREADS);

		dp_spread(b->dp, dp_first_threads(threads), DP_NAMED);
		settle(&l);
		for (g = 0; g < GROUPS; g++)
			assert_true(dp_owner(b->dp, g) < threads);
	}
	end(&l);
	tell();
	check_kept();
	assert_int_equal(i, 50);
	assert_int_equal(bed_flows(b, reordered), 0);
	assert_int_equal(bed_count(b, late), 0);
	bed_free(b);
}

/*
 * Threads that stand still for longer than they may, in the midst of moves. What
 * they have by then may come late, but no group is stuck, and nothing is lost.
 */
static void test_stalls(void **state)
{
	struct load l;
	u64 ordered = 0, since;
	u32 i;

	begin(&l, false, 3 * DP_WAIT_NS);
	for (i = 0; i < 100 && in_time(&l); i++) {
		ordered += move_any(&l, 20);
		atomic_store(&held_thread, test_below(&l.rng, THREADS));
		for (since = real_ns(NULL); real_ns(NULL) - since < 5 * DP_WAIT_NS;) {
			dp_control_turn(b->dp);
			sched_yield();
		}
		atomic_store(&held_thread, DP_THREADS_MAX);
	}
	end(&l);
	tell();
	check_kept();
	assert_int_equal(b->dp->moves.ended[DP_DONE] + b->dp->moves.ended[DP_REFUSED] +
			 b->dp->moves.ended[DP_TURNED_BACK], ordered);
	assert_true(b->dp->moves.stalled > 0);
	bed_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unfenced),
		cmocka_unit_test(test_fenced),
		cmocka_unit_test(test_elastic),
		cmocka_unit_test(test_stalls),
	};

	return cmocka_run_group_tests_name("dp_threads", tests, NULL, NULL);
}
