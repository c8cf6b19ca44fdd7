// SPDX-License-Identifier: GPL-2.0-or-later
/* What threads tell of their load: samples, averages, sums, and that no sample is torn. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "dp_fixture.h"
#include "meter.h"

#define T		DP_TELEMETRY_NS
#define BATCH		16u
#define SAMPLES		20000u

static void test_sample(void **state)
{
	struct dp_telemetry t;
	struct dp_board board = { 0 };
	struct dp_meter m;

	dp_meter_init(&m, &board, 1000);
	assert_false(dp_meter_due(&m, 1000 + T - 1));
	assert_true(dp_meter_due(&m, 1000 + T));
	/* 3 turns, 2 with packets; the last with packets is tau. */
	dp_meter_turn(&m, 2000, 2000 + T / 5, 7);
	dp_meter_turn(&m, 3000, 3000 + T / 20, 5);
	dp_meter_turn(&m, 4000, 4000 + T / 20, 0);
	dp_meter_sample(&m, 1000 + T, 33, BATCH);
	dp_board_read(m.board, &t);
	assert_int_equal(t.taken_ns, 1000 + T);
	assert_int_equal(t.queue, 33);
	assert_int_equal(t.items, 12);
	assert_int_equal(t.new_items, 12);
	assert_int_equal(t.iterations, 3);
	assert_int_equal(t.busy_ns, 3 * T / 10);
	assert_int_equal(t.idle_ppm, 700000);
	assert_int_equal(t.tau_ns, T / 20);
	assert_int_equal(t.tau_items, 5);
	/* ceil(33 / 16) = 3 */
	assert_int_equal(t.delay_ns, 3 * (T / 20));
	/* The first one is where the averages begin. */
	assert_int_equal(t.queue_milli_avg[0], 33000);
	assert_int_equal(t.idle_ppm_avg[2], 700000);
	/* Counters run on, the interval begins anew. */
	dp_meter_turn(&m, 5000, 5000 + T, 1);
	dp_meter_sample(&m, 1000 + 2 * T, 0, BATCH);
	dp_board_read(m.board, &t);
	assert_int_equal(t.items, 13);
	assert_int_equal(t.new_items, 1);
	assert_int_equal(t.idle_ppm, 0);
	assert_int_equal(t.delay_ns, 0);
	assert_int_equal(t.queue_milli_avg[0], 33000 - 33000 * 50 / 1000);
	assert_int_equal(t.queue_milli_avg[2], 33000 - 33000 * 600 / 1000);
	assert_int_equal(t.idle_ppm_avg[1], 700000 - 700000 * 200 / 1000);
}

/* One that rested has missed samples: the averages go as far as they would have. */
static void test_missed(void **state)
{
	struct dp_telemetry t;
	struct dp_board board = { 0 };
	struct dp_meter m;

	dp_meter_init(&m, &board, 0);
	dp_meter_sample(&m, T, 100, BATCH);
	dp_meter_rest(&m, T + 1);
	dp_board_read(m.board, &t);
	assert_int_equal(t.queue, 0);
	assert_int_equal(t.taken_ns, T + 1);
	dp_meter_sample(&m, 3 * T, 0, BATCH);
	dp_board_read(m.board, &t);
	assert_int_equal(t.queue_milli_avg[2], 100000 * 4 / 10 * 4 / 10);
	dp_meter_sample(&m, 3000 * T, 0, BATCH);
	dp_board_read(m.board, &t);
	assert_int_equal(t.queue_milli_avg[2], 0);
}

static void test_sum(void **state)
{
	const struct dp_telemetry t[3] = {
		{ .taken_ns = 500, .queue = 4, .tau_ns = 10, .tau_items = 2, .items = 100,
		  .iterations = 10, .busy_ns = 1000, .new_items = 30 },
		{ .taken_ns = 700, .queue = 9, .tau_ns = 20, .tau_items = 3, .items = 50,
		  .iterations = 5, .busy_ns = 700, .new_items = 10 },
		{ .taken_ns = 1, .queue = 99, .tau_ns = 30, .tau_items = 4, .items = 7,
		  .iterations = 7, .busy_ns = 70, .new_items = 99 },
	};
	struct dp_telemetry_all all;

	/* The third one stands: of it only the counters count. */
	dp_telemetry_sum(t, 3, 1 << 2, 1000, BATCH, &all);
	assert_int_equal(all.taken_ns, 500);
	assert_int_equal(all.queue, 9);
	assert_int_equal(all.tau_ns, 20);
	assert_int_equal(all.tau_items, 3);
	assert_int_equal(all.backlog, 13);
	assert_int_equal(all.batch, BATCH);
	assert_int_equal(all.items, 157);
	assert_int_equal(all.iterations, 22);
	assert_int_equal(all.busy_ns, 1770);
	assert_int_equal(all.peak_milli, 1500);
	dp_telemetry_sum(t, 3, 7, 1000, BATCH, &all);
	assert_int_equal(all.taken_ns, 1000);
	assert_int_equal(all.queue, 0);
	assert_int_equal(all.peak_milli, 1000);
}

/* ---- A reader while the owner writes ---- */

static struct dp_meter shared;
static struct dp_board shared_board;
static _Atomic bool written;

/* Of sample k: k packets in k turns of k ns. */
static void *write_samples(void *unused)
{
	u64 k;

	for (k = 1; k <= SAMPLES; k++) {
		dp_meter_turn(&shared, 0, k, 1);
		shared.now.tau_items = k;
		dp_meter_sample(&shared, k * T, k, BATCH);
		if (!(k % 64))
			sched_yield();
	}
	atomic_store(&written, true);
	return NULL;
}

static void test_not_torn(void **state)
{
	pthread_t thread;
	struct dp_telemetry t = { 0 };
	u64 last = 0, reads = 0;

	dp_meter_init(&shared, &shared_board, 0);
	assert_int_equal(pthread_create(&thread, NULL, write_samples, NULL), 0);
	while (!atomic_load(&written) || t.queue < SAMPLES) {
		dp_board_read(shared.board, &t);
		reads++;
		if (!t.queue)
			continue;
		assert_true(t.queue >= last);
		assert_int_equal(t.items, t.queue);
		assert_int_equal(t.iterations, t.queue);
		assert_int_equal(t.tau_ns, t.queue);
		assert_int_equal(t.tau_items, t.queue);
		assert_int_equal(t.taken_ns, t.queue * T);
		assert_int_equal(t.delay_ns, (t.queue + BATCH - 1) / BATCH * t.queue);
		last = t.queue;
	}
	pthread_join(thread, NULL);
	printf("# %llu reads of %u samples\n", (unsigned long long)reads, SAMPLES);
}

/* ---- In a dataplane ---- */

static void test_dataplane(void **state)
{
	struct dp_telemetry each[2];
	struct dp_telemetry_all all;
	struct bed *b = bed_new(&(struct bed_options){
		.threads = 2, .slots = 256, .batch = BATCH, .fenced = true, .stall_ns = DP_STALL_NS,
	});
	u32 i;

	for (i = 0; i < BATCH + 24; i++)
		assert_true(bed_send(b, 0));
	/* The first turn takes a batch; the sample at the next tick sees the rest. */
	dp_thread_turn(b->dp, 0);
	atomic_fetch_add(&b->clock_ns, T);
	dp_thread_turn(b->dp, 0);
	dp_thread_turn(b->dp, 1);
	dp_telemetry(b->dp, each, &all);
	assert_int_equal(each[0].queue, 24);
	assert_int_equal(each[0].items, BATCH);
	assert_int_equal(each[0].tau_items, BATCH);
	assert_int_equal(each[1].queue, 0);
	assert_int_equal(all.backlog, 24);
	assert_int_equal(dp_group_packets(b->dp, 0), 2 * BATCH);
	assert_int_equal(dp_group_packets(b->dp, 1), 0);
	/* Who sleeps without having looked has what it had. */
	assert_true(dp_thread_nap(b->dp, 0));
	dp_telemetry(b->dp, each, &all);
	assert_int_equal(all.backlog, 24);
	dp_thread_turn(b->dp, 0);
	dp_thread_turn(b->dp, 0);
	assert_true(dp_thread_rest(b->dp, 0));
	assert_true(dp_thread_rest(b->dp, 1));
	dp_telemetry(b->dp, each, &all);
	assert_int_equal(all.backlog, 0);
	assert_int_equal(all.items, BATCH + 24);
	assert_int_equal(all.taken_ns, atomic_load(&b->clock_ns));
	/* Nobody shares a write for that. */
	assert_int_equal(bed_count(b, shared), 0);
	bed_collect(b);
	bed_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_missed),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_not_torn),
		cmocka_unit_test(test_dataplane),
	};

	return cmocka_run_group_tests_name("dp_meter", tests, NULL, NULL);
}
