// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flow groups with live connections that move between threads that really are some, at
 * both ends, while streams never stop: no byte is lost or changed, no memory either,
 * and ThreadSanitizer finds nothing that two threads had at once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "tcp_streams.h"

#define THREADS		2u
#define LIMIT_NS	300000000000ULL

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define STREAMS	16u
#define MOVES	2000u
#else
#define STREAMS	64u
#define MOVES	10000u
#endif

static struct wire *w;
static struct stream stream[STREAMS];
static _Atomic bool enough, stop;

static u64 real_ns(void *arg)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000U + (u64)ts.tv_nsec;
}

static void *play_wire(void *unused)
{
	while (!atomic_load(&stop)) {
		wire_turn(w);
		sched_yield();
	}
	return NULL;
}

static void *worker(void *arg)
{
	uintptr_t id = (uintptr_t)arg;

	while (!atomic_load(&stop))
		if (!dp_thread_turn(w->end[id / THREADS].dp, (u32)(id % THREADS)))
			sched_yield();
	dp_mem_thread_end();
	return NULL;
}

static bool all_closed(void)
{
	u32 i;

	for (i = 0; i < STREAMS; i++)
		if (!atomic_load(&stream[i].closed))
			return false;
	return true;
}

static bool all_run(void)
{
	u32 i;

	for (i = 0; i < STREAMS; i++)
		if (!atomic_load(&stream[i].runs))
			return false;
	return true;
}

static bool wait_for(bool (*condition)(void), u64 end_ns)
{
	while (!condition()) {
		if (real_ns(NULL) > end_ns)
			return false;
		sched_yield();
	}
	return true;
}

/* Both ends' groups, at random, until so many have moved. */
static void move_all(u64 end_ns)
{
	u64 rng = test_seed();
	u32 ordered = 0, i;

	while (ordered < MOVES && real_ns(NULL) < end_ns) {
		for (i = 0; i < 32; i++) {
			struct dp *dp = w->end[test_below(&rng, ENDS)].dp;
			u32 g = test_below(&rng, GROUPS), to = test_below(&rng, THREADS);

			ordered += dp_owner(dp, g) != to && !dp_move(dp, g, to);
		}
		for (i = 0; i < ENDS; i++)
			dp_control_turn(w->end[i].dp);
		sched_yield();
	}
	assert_true(ordered >= MOVES);
}

static bool settle(u64 end_ns)
{
	while (dp_control_turn(w->end[0].dp) + dp_control_turn(w->end[1].dp)) {
		if (real_ns(NULL) > end_ns)
			return false;
		sched_yield();
	}
	return true;
}

static void open_streams(void)
{
	u32 i;

	for (i = 0; i < STREAMS; i++) {
		assert_true(stream_open(w, &stream[i], i * 2 + 1, ~0ULL));
		stream[i].enough = &enough;
	}
}

static void check(void)
{
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < STREAMS; i++) {
		assert_false(stream[i].wrong);
		assert_int_equal(stream[i].got, stream[i].sent);
		bytes += stream[i].got;
	}
	for (i = 0; i < ENDS; i++) {
		const struct dp_moves *m = &w->end[i].dp->moves;

		printf("# end %u: %llu moves, %llu packets held up, %llu timers carried\n", i,
		       (unsigned long long)m->ended[DP_DONE],
		       (unsigned long long)m->packets.sum, (unsigned long long)m->timers.sum);
		assert_int_equal(m->dropped, 0);
		assert_int_equal(end_late(&w->end[i]), 0);
		assert_true(m->timers.sum > 0);
	}
	printf("# %llu bytes there and back\n", (unsigned long long)bytes);
}

static void test_moves(void **state)
{
	u64 used = dp_mem_used(), end_ns = real_ns(NULL) + LIMIT_NS;
	pthread_t thread[ENDS * THREADS + 1];
	uintptr_t i;

	w = wire_new(THREADS, &stream_app, &conn_echo, real_ns);
	w->rng = test_seed();
	open_streams();
	for (i = 0; i < ENDS * THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, worker, (void *)i), 0);
	assert_int_equal(pthread_create(&thread[i], NULL, play_wire, NULL), 0);
	assert_true(wait_for(all_run, end_ns));
	move_all(end_ns);
	assert_true(settle(end_ns));
	atomic_store(&enough, true);
	wait_for(all_closed, end_ns);
	atomic_store(&stop, true);
	for (i = 0; i <= ENDS * THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_true(all_closed());
	check();
	wire_free(w);
	assert_int_equal(dp_mem_used(), used);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moves),
	};

	return cmocka_run_group_tests_name("tcp_threads", tests, NULL, NULL);
}
