// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The threads of rp-dataplane over a port without hardware: they park, come back, and
 * when one ends, whether it had begun or not, its groups are not lost with it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "dp_fixture.h"
#include "worker.h"

#define THREADS		3u
#define LIMIT_NS	120000000000ULL

static struct workers ws;
static struct bed *b;
static struct dp_config cfg;
static _Atomic u32 begun, last_begins = DP_THREADS_MAX;	/* so many can begin */
static const int *pins;			/* as workers.cpus */
static _Atomic int dying;		/* the tid of a thread that is to end; 0: none */

static u64 real_ns(void *arg)
{
	struct timespec ts;

	/* Threads look at the clock at the begin and the end of turns, and of a move. */
	if (atomic_load(&dying) && atomic_load(&dying) == gettid()) {
		atomic_store(&dying, 0);
		pthread_exit(NULL);
	}
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000U + (u64)ts.tv_nsec;
}

static int begin(void)
{
	return atomic_fetch_add(&begun, 1) < atomic_load(&last_begins) ? 0 : -1;
}

/* The bed's dataplane with the workers' wake function. */
static void open_workers(enum rp_strategy_id idle, u64 stall_ns)
{
	b = bed_new(&(struct bed_options){
		.threads = THREADS, .slots = 256, .batch = 32, .fenced = true,
		.stall_ns = stall_ns, .now_ns = real_ns,
	});
	memset(&ws, 0, sizeof(ws));
	ws.idle = idle;
	ws.slots = 256;
	ws.sleep_ns = 20000;
	ws.dmax_ns = 500000;
	ws.begin = begin;
	ws.cpus = pins;
	atomic_store(&begun, 0);
	assert_int_equal(workers_init(&ws, THREADS, 1000000000), 0);
	cfg = b->dp->cfg;
	b->dp->cfg.wake = workers_wake;
	b->dp->cfg.arg = &ws;
	ws.dp = b->dp;
	assert_int_equal(workers_start(&ws), 0);
}

static void close_workers(void)
{
	workers_stop(&ws);
	workers_fini(&ws);
	b->dp->cfg = cfg;
	bed_collect(b);
	bed_free(b);
}

/* A round of the control thread and of the wire; true once all that was sent is back. */
static bool round_of_all(u32 send)
{
	u32 i;

	for (i = 0; i < send; i++)
		bed_send(b, test_below(&b->rng, GROUPS));
	workers_tend(&ws);
	dp_control_turn(b->dp);
	bed_collect(b);
	sched_yield();
	return b->spare.count == PACKETS;
}

static u32 groups_of(u32 thread)
{
	u32 g, n = 0;

	for (g = 0; g < GROUPS; g++)
		n += dp_owner(b->dp, g) == thread;
	return n;
}

/* Under load, until nothing is on its way, then until all is back. */
static void settle(void)
{
	u64 end = real_ns(NULL) + LIMIT_NS;

	do
		round_of_all(8);
	while ((b->dp->following_count || workers_tend(&ws)) && real_ns(NULL) < end);
	while (!round_of_all(0) && real_ns(NULL) < end)
		;
	assert_int_equal(b->spare.count, PACKETS);
	assert_int_equal(b->dp->following_count, 0);
}

static void check_kept(void)
{
	u32 g;

	assert_int_equal(bed_flows(b, got), bed_all_sent(b));
	assert_int_equal(dp_missing(b->dp), 0);
	assert_int_equal(b->dp->moves.dropped, 0);
	for (g = 0; g < GROUPS; g++)
		assert_int_equal(b->dp->groups[g].wheel.timers, GROUP_TIMERS);
}

static void await_parked(u32 thread)
{
	u64 end = real_ns(NULL) + LIMIT_NS;

	while (!atomic_load(&ws.worker[thread].parked) && real_ns(NULL) < end)
		round_of_all(1);
	assert_true(atomic_load(&ws.worker[thread].parked));
}

static void elastic(enum rp_strategy_id idle)
{
	u32 i;

	open_workers(idle, LIMIT_NS);
	for (i = 0; i < 10; i++) {
		workers_set_active(&ws, dp_first_threads(1 + i % THREADS), DP_NAMED);
		settle();
		assert_int_equal(groups_of(THREADS - 1) > 0, i % THREADS == THREADS - 1);
	}
	/* Any one of them, but the first. */
	workers_set_active(&ws, 1 << 2, DP_REMOVED);
	settle();
	assert_int_equal(groups_of(1), 0);
	assert_int_equal(groups_of(0) + groups_of(2), GROUPS);
	await_parked(1);
	/* What was sent meanwhile is on its way yet. */
	settle();
	workers_stop(&ws);
	check_kept();
	assert_int_equal(bed_flows(b, reordered), 0);
	assert_int_equal(b->overtaken, 0);
	close_workers();
}

static void test_sleep(void **state)
{
	elastic(RP_SLEEP);
}

static void test_busy(void **state)
{
	elastic(RP_BUSY);
}

static void test_adaptive(void **state)
{
	elastic(RP_ADAPTIVE);
}

static int cpus_of(u32 thread)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(atomic_load(&ws.worker[thread].tid), sizeof(set), &set), 0);
	return CPU_COUNT(&set);
}

/* Whose pin was taken from it, as the kernel does where a CPU has gone off line. */
static void test_pinned_anew(void **state)
{
	u64 end = real_ns(NULL) + LIMIT_NS;
	int cpus[THREADS], cpu = 0;
	cpu_set_t all;
	u32 i;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	if (CPU_COUNT(&all) < 2)
		skip();
	while (!CPU_ISSET((size_t)cpu, &all))
		cpu++;
	for (i = 0; i < THREADS; i++)
		cpus[i] = cpu;
	pins = cpus;
	open_workers(RP_SLEEP, LIMIT_NS);
	pins = NULL;
	workers_set_active(&ws, dp_first_threads(1), DP_NAMED);
	settle();
	await_parked(THREADS - 1);
	assert_int_equal(cpus_of(THREADS - 1), 1);
	assert_int_equal(sched_setaffinity(atomic_load(&ws.worker[THREADS - 1].tid), sizeof(all), &all), 0);
	workers_set_active(&ws, dp_first_threads(THREADS), DP_NAMED);
	settle();
	while (cpus_of(THREADS - 1) != 1 && real_ns(NULL) < end)
		round_of_all(1);
	assert_int_equal(cpus_of(THREADS - 1), 1);
	settle();
	close_workers();
}

/* One cannot begin: what was to be its is the others', and order is kept. */
static void test_one_never_begins(void **state)
{
	u64 end = real_ns(NULL) + LIMIT_NS;
	u32 i, dead = THREADS;

	atomic_store(&last_begins, THREADS - 1);
	open_workers(RP_SLEEP, LIMIT_NS);
	/* Whichever came last. */
	while (dead == THREADS && real_ns(NULL) < end) {
		round_of_all(4);
		for (i = 0; i < THREADS; i++)
			if (ws.worker[i].tended)
				dead = i;
	}
	atomic_store(&last_begins, DP_THREADS_MAX);
	assert_in_range(dead, 0, THREADS - 1);
	settle();
	assert_int_equal(groups_of(dead), 0);
	assert_false(atomic_load(&ws.active) >> dead & 1);
	workers_stop(&ws);
	check_kept();
	assert_int_equal(bed_flows(b, reordered), 0);
	assert_int_equal(bed_count(b, late), 0);
	close_workers();
}

static void await_tended(u32 thread)
{
	u64 end = real_ns(NULL) + LIMIT_NS;

	while (!ws.worker[thread].tended && real_ns(NULL) < end)
		round_of_all(8);
	assert_true(ws.worker[thread].tended);
}

/*
 * Ended in the midst of moves from it and to it, and of traffic: its groups are with
 * the others in the end, nothing is lost, and nothing is out of order.
 */
static void test_one_ends_midway(void **state)
{
	u64 rng = test_seed(), ended[DP_ENDS] = { 0 };
	u32 i, g, dead, e;

	for (i = 0; i < 15; i++) {
		open_workers(i & 1 ? RP_SLEEP : RP_BUSY, LIMIT_NS);
		dead = test_below(&rng, THREADS);
		while (!atomic_load(&ws.worker[dead].tid))
			sched_yield();
		round_of_all(64);
		for (g = 0; g < GROUPS; g++)
			dp_move(b->dp, g, test_below(&rng, THREADS));
		for (g = test_below(&rng, 20); g; g--)
			round_of_all(8);
		atomic_store(&dying, atomic_load(&ws.worker[dead].tid));
		await_tended(dead);
		settle();
		assert_int_equal(groups_of(dead), 0);
		workers_stop(&ws);
		check_kept();
		assert_int_equal(bed_flows(b, reordered), 0);
		for (e = 0; e < DP_ENDS; e++)
			ended[e] += b->dp->moves.ended[e];
		close_workers();
	}
	printf("# %llu moves done, %llu refused, %llu turned back\n",
	       (unsigned long long)ended[DP_DONE], (unsigned long long)ended[DP_REFUSED],
	       (unsigned long long)ended[DP_TURNED_BACK]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_adaptive),
		cmocka_unit_test(test_pinned_anew),
		cmocka_unit_test(test_one_never_begins),
		cmocka_unit_test(test_one_ends_midway),
	};

	return cmocka_run_group_tests_name("dp_workers", tests, NULL, NULL);
}
