// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The load generator's core under a clock of its own, against a server that is well or
 * badly behaved: what is counted adds up, nothing that was missed is hidden, it ends.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "load_fake.h"

static struct fake fake;
static struct load_gen gen;
static struct load_offer offer;
static struct load_gen_config config;

static int set_up(void **state)
{
	fake = (struct fake){
		.transport = { &fake_ops }, .now_ns = SEC, .delay_ns = 100000, .gen = &gen,
	};
	offer = (struct load_offer){
		.shape = &shape_flat, .even = true, .duration_ns = SEC, .seed = 1,
		.rate = { .peak = 1000 },
	};
	config = (struct load_gen_config){
		.proto = &load_echo, .opt = { .bytes = 16 }, .target = "fake", .connections = 4,
		.pipeline = 1, .connect_gap_ns = MSEC, .connect_ns = 500 * MSEC,
		.timeout_ns = 200 * MSEC, .late_ns = MSEC, .interval_ns = 100 * MSEC,
		.offer = &offer, .streams = 1, .parts = 1,
	};
	memset(&gen, 0, sizeof(gen));
	return 0;
}

static int tear_down(void **state)
{
	load_gen_free(&gen);
	return 0;
}

static u64 errors(void)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < LOAD_OUTCOMES; i++)
		sum += gen.stats.errors[i];
	return sum;
}

/* Each request is somewhere, once; the intervals' sums are the whole. */
static void check_sums(void)
{
	const struct load_stats *s = &gen.stats;
	struct load_point sum = { 0 };
	u32 i;

	assert_int_equal(s->offered, s->sent + s->unsent);
	assert_int_equal(s->sent, s->done + s->failed);
	assert_int_equal(s->failed, errors());
	assert_int_equal(s->latency.count, s->done);
	assert_int_equal(s->behind.count, s->sent);
	for (i = 0; i < s->points; i++) {
		sum.offered += s->point[i].offered;
		sum.sent += s->point[i].sent;
		sum.done += s->point[i].done;
		sum.failed += s->point[i].failed;
		sum.missed += s->point[i].missed;
	}
	assert_int_equal(sum.offered, s->offered);
	assert_int_equal(sum.sent, s->sent);
	assert_int_equal(sum.done, s->done);
	assert_int_equal(sum.failed, s->failed);
	assert_int_equal(sum.missed, s->late + s->unsent);
}

static void run(void)
{
	const struct load_clock clock = { fake_now, &fake };

	assert_true(load_gen_init(&gen, &config, &fake.transport, clock));
	gen.begin_ns = 2 * SEC;
	load_gen_run(&gen);
	check_sums();
}

static void ended(void)
{
	run();
	assert_int_equal(gen.phase, LOAD_ENDED);
	assert_int_equal(gen.out, 0);
	/* Begin, load, time-out of the last one, and how late that may be found. */
	assert_true(fake.now_ns <= 2 * SEC + offer.duration_ns + config.timeout_ns + 50 * MSEC);
}

static void test_all_well(void **state)
{
	ended();
	assert_int_equal(gen.stats.offered, 1000);
	assert_int_equal(gen.stats.done, 1000);
	assert_int_equal(gen.stats.late + gen.stats.unsent, 0);
	assert_int_equal(gen.stats.connects, 4);
	assert_int_equal(gen.stats.latency.max, 100000);
	assert_int_equal(rp_hist_quantile(&gen.stats.latency, 500), 100000);
	assert_int_equal(load_stats_quantile(&gen.stats, 1000), 100000);
	assert_int_equal(gen.stats.behind.max, 0);
	assert_int_equal(gen.stats.point[3].offered, 100);
	assert_int_equal(rp_hist_quantile(gen.stats.point[3].latency, 500), 100000);
}

/* Nothing of it depends on more than the seed. */
static void test_seed_again(void **state)
{
	u64 sent, max;

	offer.even = false;
	config.connections = 1;
	ended();
	sent = gen.stats.sent;
	max = gen.stats.latency.max;
	assert_true(sent > 850 && sent < 1150 && max > 100000);
	load_gen_free(&gen);
	fake.now_ns = SEC;
	ended();
	assert_int_equal(gen.stats.sent, sent);
	assert_int_equal(gen.stats.latency.max, max);
}

/* The server does 100 requests a second: a closed loop would report 10 ms. */
static void test_overload(void **state)
{
	config.connections = 1;
	fake.delay_ns = 10 * MSEC;
	ended();
	assert_int_equal(gen.stats.offered, 1000);
	assert_in_range(gen.stats.done, 99, 101);
	assert_int_equal(gen.stats.unsent, 1000 - gen.stats.done);
	assert_int_equal(gen.stats.late, gen.stats.done - 1);
	assert_in_range(rp_hist_quantile(&gen.stats.latency, 500), 440 * MSEC, 480 * MSEC);
	assert_in_range(gen.stats.latency.max, 890 * MSEC, 920 * MSEC);
	assert_true(load_stats_quantile(&gen.stats, 50) < SEC);
	assert_true(load_stats_quantile(&gen.stats, 500) == UINT64_MAX);
}

static void test_pipeline(void **state)
{
	config.connections = 1;
	config.pipeline = 4;
	fake.delay_ns = 10 * MSEC;
	ended();
	assert_int_equal(fake.out_max, 4);
	assert_in_range(gen.stats.done, 395, 405);
}

/* It is the generator that is slow: each look at the clock takes 2 ms. */
static void test_slow_generator(void **state)
{
	fake.look_ns = 2 * MSEC;
	ended();
	assert_true(gen.stats.late > 100 && gen.stats.late + gen.stats.unsent > 500);
	assert_true(gen.stats.behind.max > 100 * MSEC);
	assert_true(gen.stats.latency.max >= gen.stats.behind.max);
}

static void test_pieces(void **state)
{
	fake.take = 5;
	fake.give = 3;
	ended();
	assert_int_equal(gen.stats.done, 1000);
}

static void test_pace(void **state)
{
	config.connections = FAKE_CONNS;
	config.connect_gap_ns = 10 * MSEC;
	ended();
	assert_int_equal(fake.connects, FAKE_CONNS);
	assert_in_range(fake.last_connect_ns, SEC + 63 * 10 * MSEC, SEC + 65 * 10 * MSEC);
}

static void test_warmup(void **state)
{
	config.warmup_ns = 300 * MSEC;
	ended();
	assert_int_equal(gen.stats.offered, 700);
	assert_int_equal(gen.stats.points, 7);
}

/* ---- Before the load ---- */

static void failed(const char *text)
{
	run();
	assert_int_equal(gen.phase, LOAD_FAILED);
	assert_non_null(strstr(gen.error, text));
	assert_true(fake.now_ns < 2 * SEC);
	assert_int_equal(gen.stats.offered, 0);
}

static void test_refused(void **state)
{
	fake.refuse = ECONNREFUSED;
	failed("cannot connect to fake: Connection refused (connection 1 of 4)");
}

static void test_deaf(void **state)
{
	fake.deaf = true;
	failed("cannot connect to fake: Connection timed out");
}

static void test_setup_garbage(void **state)
{
	fake.garbage_ns = 1;
	failed("no good answer from fake before the load: garbage");
}

static void test_setup_stall(void **state)
{
	fake.stall_ns = 1;
	failed("no good answer from fake before the load: timeout");
}

static void test_setup_reset(void **state)
{
	fake.reset_ns = 1;
	failed("no good answer from fake before the load: ");
}

/* ---- In it ---- */

static void test_stall(void **state)
{
	fake.stall_ns = 2500 * MSEC;
	ended();
	assert_int_equal(gen.stats.offered, 1000);
	assert_in_range(gen.stats.done, 499, 501);
	/* 4 connections, each with one request, twice or thrice. */
	assert_in_range(gen.stats.errors[LOAD_TIMEOUT], 8, 12);
	assert_int_equal(gen.stats.failed, gen.stats.errors[LOAD_TIMEOUT]);
	assert_true(gen.stats.unsent > 480);
}

static void goes_on_after(enum load_outcome kind)
{
	fake.once = true;
	config.connections = 1;
	ended();
	assert_int_equal(gen.stats.connection_errors[kind], 1);
	assert_int_equal(gen.stats.connects, 2);
	assert_true(gen.stats.failed <= 1 && gen.stats.failed == gen.stats.errors[kind]);
	assert_int_equal(gen.stats.done, 1000 - gen.stats.failed);
	/* There was none for 100 ms, and then those had to be made up for. */
	assert_in_range(gen.stats.late, 95, 125);
}

static void test_reset(void **state)
{
	fake.reset_ns = 2500 * MSEC;
	goes_on_after(LOAD_RESET);
}

static void test_closed(void **state)
{
	fake.end_ns = 2500 * MSEC;
	goes_on_after(LOAD_CLOSED);
}

static void test_garbage(void **state)
{
	fake.garbage_ns = 2500 * MSEC;
	ended();
	assert_in_range(gen.stats.done, 499, 501);
	assert_true(gen.stats.errors[LOAD_GARBAGE] >= 4);
	assert_int_equal(gen.stats.failed, gen.stats.errors[LOAD_GARBAGE]);
	assert_int_equal(gen.stats.connection_errors[LOAD_GARBAGE], gen.stats.failed);
	assert_in_range(gen.stats.connects, 8, 4 + gen.stats.failed);
}

static void test_stop(void **state)
{
	fake.stop_ns = 2500 * MSEC;
	ended();
	assert_in_range(gen.stats.offered, 500, 512);
	assert_int_equal(gen.stats.done, gen.stats.offered);
	assert_true(fake.now_ns < 2600 * MSEC);
}

static void test_stop_while_stalled(void **state)
{
	config.timeout_ns = 60 * SEC;
	fake.stall_ns = 2100 * MSEC;
	fake.stop_ns = 2500 * MSEC;
	run();
	assert_int_equal(gen.phase, LOAD_ENDED);
	assert_true(fake.now_ns < 4000 * MSEC);
	assert_int_equal(gen.stats.errors[LOAD_TIMEOUT], 4);
	assert_true(gen.stats.unsent > 350);
}

static void test_stop_before(void **state)
{
	fake.stop_ns = 1;
	run();
	assert_int_equal(gen.phase, LOAD_ENDED);
	assert_int_equal(gen.stats.offered, 0);
}

/* ---- Datagrams ---- */

static void test_datagrams(void **state)
{
	config.proto = &load_udp_echo;
	config.pipeline = 4;
	config.timeout_ns = 50 * MSEC;
	fake.drop = 10;
	ended();
	assert_int_equal(gen.stats.offered, 1000);
	assert_int_equal(gen.stats.errors[LOAD_TIMEOUT], fake.dropped);
	assert_int_equal(gen.stats.done, 1000 - fake.dropped);
	assert_in_range(fake.dropped, 100, 101);
	assert_int_equal(gen.stats.connects, 4);
	assert_int_equal(gen.stats.connection_errors[LOAD_TIMEOUT], 0);
}

static void test_merge(void **state)
{
	static struct load_stats all;
	u64 latencies;

	ended();
	assert_true(load_stats_init(&all, SEC, config.interval_ns, MSEC));
	assert_true(load_stats_merge(&all, &gen.stats) && load_stats_merge(&all, &gen.stats));
	latencies = all.point[5].latency->count;
	assert_int_equal(all.offered, 2000);
	assert_int_equal(all.point[5].offered, 200);
	assert_int_equal(latencies, 200);
	assert_int_equal(load_stats_quantile(&all, 990), 100000);
	load_stats_free(&all);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_all_well), TEST(test_seed_again), TEST(test_overload), TEST(test_pipeline),
		TEST(test_slow_generator), TEST(test_pieces), TEST(test_pace), TEST(test_warmup),
		TEST(test_refused), TEST(test_deaf), TEST(test_setup_garbage), TEST(test_setup_stall),
		TEST(test_setup_reset), TEST(test_stall), TEST(test_reset), TEST(test_closed),
		TEST(test_garbage), TEST(test_stop), TEST(test_stop_while_stalled),
		TEST(test_stop_before), TEST(test_datagrams), TEST(test_merge),
	};

	return cmocka_run_group_tests_name("load generator", tests, NULL, NULL);
}
