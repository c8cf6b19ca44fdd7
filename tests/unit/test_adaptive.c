// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The adaptive strategy: its estimator, its law in the simulator, and what it
 * does on its own: idleness, learned state, nonsense that is handed to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "pacing/adaptive.h"
#include "pacing/estimate.h"
#include "../../testbed/sim/sim.h"

/* ---- The estimator ---- */

static void test_isqrt(void **state)
{
	static const u64 x[] = { 0, 1, 2, 3, 4, 15, 16, 17, 1ULL << 40, (1ULL << 40) - 1, ~0ULL };
	u32 i;

	for (i = 0; i < sizeof(x) / sizeof(x[0]); i++) {
		u64 r = rp_isqrt(x[i]);

		assert_true(r * r <= x[i]);
		assert_true(r == UINT32_MAX || (r + 1) * (r + 1) > x[i]);
	}
}

static void feed(struct rp_mean *m, u64 ns, u32 times)
{
	while (times--)
		rp_mean_add(m, ns << RP_MEAN_SHIFT);
}

static void test_mean_follows(void **state)
{
	struct rp_mean m = { 0 };

	feed(&m, 1000, 20);
	assert_int_equal(rp_mean_ns(&m), 1000);
	assert_int_equal(rp_mean_dev_ns(&m), 0);
	/* One that lost its CPU for 10 ms counts as one of 4 us. */
	feed(&m, 10000000, 1);
	assert_in_range(rp_mean_ns(&m), 1300, 1450);
	feed(&m, 1000, 40);
	assert_in_range(rp_mean_ns(&m), 1000, 1020);
	/* A new level is believed after a while, however far it is. */
	feed(&m, 1000000, 60);
	assert_in_range(rp_mean_ns(&m), 900000, 1000000);
	feed(&m, 10, 120);
	assert_in_range(rp_mean_ns(&m), 10, 12);
}

static void test_odd_sleeps(void **state)
{
	struct rp_estimate e;
	u32 i;

	rp_estimate_init(&e);
	for (i = 0; i < 20; i++)
		assert_true(rp_estimate_slept(&e, 1, 55000 + i % 2 * 1000));
	assert_in_range(rp_mean_ns(&e.y_min), 55000, 56000);
	assert_false(rp_estimate_slept(&e, 100000, 4100000));
	assert_true(rp_estimate_slept(&e, 100000, 156000));
}

/* T may rise because we slept too long: what the next sleep follows must not. */
static void test_low_pace(void **state)
{
	struct rp_estimate e;
	u32 i;

	rp_estimate_init(&e);
	for (i = 0; i < 50; i++)
		rp_estimate_pace(&e, 100, 100 * 1000);
	assert_int_equal(e.t_low >> RP_MEAN_SHIFT, 1000);
	for (i = 0; i < 8; i++)
		rp_estimate_pace(&e, 100, 100 * 4000);
	assert_true(rp_mean_ns(&e.t.mean) > 2500);
	assert_in_range(e.t_low >> RP_MEAN_SHIFT, 1000, 1200);
	rp_estimate_pace(&e, 100, 100 * 500);
	assert_true(e.t_low >> RP_MEAN_SHIFT < 1100);
}

/* A peer that loses its CPU now and then is not a slow one; one that became slow is. */
static void test_typical_pace(void **state)
{
	struct rp_estimate e;
	u32 i;

	rp_estimate_init(&e);
	for (i = 0; i < 300; i++)
		rp_estimate_pace(&e, 100, 100 * 1000 + (i % 10 == 9 ? 4000000 : 0));
	assert_in_range(rp_mean_ns(&e.t.mean), 1000, 1100);
	for (i = 0; i < 4; i++)
		rp_estimate_pace(&e, 100, 100 * (20000 + 1000 * i));
	assert_in_range(rp_mean_ns(&e.t.mean), 19000, 21000);
	for (i = 0; i < 4; i++)
		rp_estimate_pace(&e, 100, 100 * 500);
	assert_in_range(rp_mean_ns(&e.t.mean), 490, 510);
}

/* Also at the beginning, when one sample would be a good part of the mean. */
static void test_early_preemption(void **state)
{
	struct rp_estimate e;

	rp_estimate_init(&e);
	rp_estimate_pace(&e, 100, 100 * 1000);
	rp_estimate_pace(&e, 100, 100 * 1000);
	rp_estimate_pace(&e, 100, 100 * 1000);
	rp_estimate_pace(&e, 100, 100 * 20000);
	assert_in_range(rp_mean_ns(&e.t.mean), 1000, 1250);
}

/* Short cycles, of which several make a sample: one with a pause in it is left out. */
static void test_pauses(void **state)
{
	struct rp_estimate e;
	u32 i;

	rp_estimate_init(&e);
	for (i = 0; i < 300; i++)
		rp_estimate_pace(&e, 8, 8 * 1000);
	for (i = 0; i < 300; i++)
		rp_estimate_pace(&e, 8, 8 * 1000 + (i % 3 == 2 ? 1000000 : 0));
	assert_int_equal(rp_mean_ns(&e.t.mean), 1000);
	assert_int_equal(rp_estimate_sigma_ns(&e), 0);
	/* But who has become slow is slow. */
	for (i = 0; i < 4; i++)
		rp_estimate_pace(&e, 8, 8 * 5000);
	assert_int_equal(rp_mean_ns(&e.t.mean), 5000);
}

/* Of cycles of 25 items whose means go up and down by 200. */
static void test_own_sigma(void **state)
{
	struct rp_estimate e;
	u32 i;

	rp_estimate_init(&e);
	for (i = 0; i < 60; i++) {
		rp_mean_add(&e.own, (1000 + (i % 2 ? 200 : 0)) << RP_MEAN_SHIFT);
		rp_mean_add(&e.batch, 25 << RP_MEAN_SHIFT);
	}
	assert_in_range(rp_estimate_own_sigma_ns(&e), 100 * 5 * 5 / 4 - 50, 100 * 5 * 5 / 4 + 50);
}

/* Sigma of an item, from means of 25 that go up and down by 200; levels do not count. */
static void test_sigma(void **state)
{
	struct rp_estimate e;
	u32 i;

	rp_estimate_init(&e);
	for (i = 0; i < 60; i++)
		rp_estimate_pace(&e, 25, 25 * (1000 + (i % 2 ? 200 : 0)));
	assert_in_range(rp_estimate_sigma_ns(&e), 200 * 5 * 8 / 9 - 50, 200 * 5 * 8 / 9 + 50);
	for (i = 0; i < 60; i++)
		rp_estimate_pace(&e, 25, 25 * 3000);
	assert_true(rp_estimate_sigma_ns(&e) < 20);
}

/* Shares of the time are taken over 50 ms: one time slice of others is not seen. */
static void test_stalls(void **state)
{
	struct rp_estimate e;
	u32 i;

	rp_estimate_init(&e);
	for (i = 0; i < 24; i++)
		rp_estimate_stall(&e, 2000000, i == 3);
	assert_int_equal(e.stalled_milli, 0);
	for (i = 0; i < 500; i++)
		rp_estimate_stall(&e, 2000000, i % 4 == 0);
	assert_in_range(e.stalled_milli, 200, 300);
	for (i = 0; i < 500; i++)
		rp_estimate_stall(&e, 2000000, false);
	assert_true(e.stalled_milli < 10);
}

/* ---- The law, in the simulator ---- */

static struct sim_result result;

struct cell {
	u32 len;
	u64 dmax_ns, wp_ns, wc_ns;
};

/* Costs as measured on a small virtual machine: sleeps of 55 us at least. */
static struct sim_config config_of(const struct cell *c)
{
	u64 w = c->wp_ns > c->wc_ns ? c->wp_ns : c->wc_ns;

	return (struct sim_config){
		.model = {
			.mode = RP_SLEEP, .queue_len = c->len,
			.wp_ns = c->wp_ns, .wc_ns = c->wc_ns, .np_ns = 12000, .nc_ns = 12000,
			.sp_ns = 30000, .sc_ns = 30000, .yp_ns = 50000, .yc_ns = 50000,
			.ye_ns = 55000, .kp = 1, .kc = c->len - c->len / 4,
		},
		.strategy_p = RP_ADAPTIVE, .strategy_c = RP_ADAPTIVE, .stages = 2,
		.w_ns = { c->wp_ns, c->wc_ns }, .dmax_ns = c->dmax_ns, .seed = 1,
		/* 30 ms, or 2000 items, to settle. */
		.warmup = 30000000 / w + 2000, .items = 60000000 / w + 500,
	};
}

static double t_of_run(const struct sim_config *c)
{
	const char *why;

	memset(&result, 0, sizeof(result));
	assert_null(sim_check(c));
	why = sim_run(c, &result);
	assert_null(why);
	return (double)result.time_ps / 1000 / (double)result.items;
}

static double slower(const struct cell *c)
{
	return (double)(c->wp_ns > c->wc_ns ? c->wp_ns : c->wc_ns);
}

/* Full speed within D_MAX, wherever it starts from; returns how many are not. */
static u32 misses(const struct cell *c, double t_most, double p98_most)
{
	struct sim_config cfg = config_of(c);
	double t = t_of_run(&cfg) / slower(c);
	double p98 = (double)rp_hist_quantile(&result.latency, 980) / (double)c->dmax_ns;

	if (t <= t_most && p98 <= p98_most)
		return 0;
	print_message("# L %u D_MAX %lu W_P %lu W_C %lu: T / W %.3f, p98 / D_MAX %.3f\n",
		      c->len, (unsigned long)c->dmax_ns, (unsigned long)c->wp_ns,
		      (unsigned long)c->wc_ns, t, p98);
	return 1;
}

static void test_grid(void **state)
{
	static const u64 w[] = { 200, 930, 4300, 20000 }, d[] = { 100000, 300000, 1000000 };
	static const u32 len[] = { 64, 256, 1024 };
	u32 i, cells = 4 * 4 * 3 * 3, missed = 0;

	for (i = 0; i < cells; i++) {
		struct cell c = { len[i / 48], d[i / 16 % 3], w[i / 4 % 4], w[i % 4] };

		missed += misses(&c, 1.03, 1.06);
	}
	assert_int_equal(missed, 0);
}

/* Where a sleep fits, nobody spins: E stays near the work. */
static void test_sleeps(void **state)
{
	static const struct cell cells[] = {
		{ 512, 300000, 2000, 500 }, { 512, 300000, 500, 2000 },
		{ 256, 1000000, 9300, 930 }, { 256, 1000000, 930, 9300 },
	};
	u32 i;

	for (i = 0; i < 4; i++) {
		struct sim_config cfg = config_of(&cells[i]);
		double e;

		t_of_run(&cfg);
		e = (double)(sim_party_cpu_ps(&result.party[0]) +
			     sim_party_cpu_ps(&result.party[1])) / 1000 / (double)result.items;
		/* A sleep costs all of its 55 us here, spinning the whole difference of W. */
		assert_true(e < 1.25 * (double)(cells[i].wp_ns + cells[i].wc_ns));
		assert_int_equal(result.queue[0].kicks + result.queue[0].calls, 0);
	}
}

/*
 * In a steady state nothing changes any more; where two modes are as good, each
 * return to one that had to be left takes twice as long as the last. So three
 * times the time has two changes more at most.
 */
static void test_no_flapping(void **state)
{
	static const struct cell cells[] = {
		{ 512, 300000, 2000, 500 }, { 512, 300000, 500, 2000 }, { 64, 300000, 430, 200 },
		{ 64, 100000, 930, 930 }, { 256, 100000, 20000, 200 }, { 1024, 1000000, 200, 200 },
	};
	u32 i;

	for (i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		struct sim_config cfg = config_of(&cells[i]);
		u64 p, c;

		cfg.yp = cfg.yc = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 0.05 };
		cfg.wp = cfg.wc = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 0.05 };
		cfg.items = (u64)(200e6 / slower(&cells[i]));
		t_of_run(&cfg);
		p = result.status_p.mode_changes;
		c = result.status_c.mode_changes;
		cfg.items *= 3;
		t_of_run(&cfg);
		print_message("# L %u, W_P %lu W_C %lu: changes of P %lu then %lu, of C %lu then %lu\n",
			      cells[i].len, (unsigned long)cells[i].wp_ns,
			      (unsigned long)cells[i].wc_ns, (unsigned long)p,
			      (unsigned long)result.status_p.mode_changes, (unsigned long)c,
			      (unsigned long)result.status_c.mode_changes);
		assert_in_range(result.status_p.mode_changes, p, p + 2);
		assert_in_range(result.status_c.mode_changes, c, c + 2);
	}
}

static void test_regimes(void **state)
{
	struct cell fc = { 512, 300000, 2000, 500 }, fp = { 512, 300000, 500, 2000 };
	struct sim_config cfg = config_of(&fc);

	t_of_run(&cfg);
	assert_string_equal(result.status_c.regime, "sFC");
	assert_in_range(result.status_c.w_peer_ns, 1950, 2100);
	assert_in_range(result.status_c.predicted_t_ns, 1950, 2100);
	/* Between the shortest sleep and D_MAX, near the latter. */
	assert_in_range(result.status_c.wait_ns, 150000, 300000);
	cfg = config_of(&fp);
	t_of_run(&cfg);
	assert_string_equal(result.status_p.regime, "sFP");
	/* The queue is as short as D_MAX wants it. */
	assert_in_range(result.status_p.window, 100, 150);
}

/* With a peer that only knows notifications, each side works alone. */
static void test_alone(void **state)
{
	struct cell fc = { 256, 300000, 2000, 500 }, fp = { 256, 600000, 500, 2000 };
	struct sim_config cfg = config_of(&fc);

	cfg.strategy_p = RP_NOTIFY;
	assert_true(t_of_run(&cfg) < 1.03 * 2000);
	assert_true(rp_hist_quantile(&result.latency, 980) <= 318000);
	cfg = config_of(&fp);
	cfg.strategy_c = RP_NOTIFY;
	assert_true(t_of_run(&cfg) < 1.03 * 2000);
	assert_true(rp_hist_quantile(&result.latency, 980) <= 636000);
}

/* ---- On its own ---- */

static struct rp_totals totals;

static void get_totals(const struct rp_strategy *s, struct rp_totals *t, bool cpu)
{
	*t = totals;
	if (!cpu)
		t->cpu_ns = 0;
}

static const struct rp_env_ops env = { .totals = get_totals };
static struct rp_strategy strategy;
static u64 now_ns;

static void start(enum rp_role role, u32 cpu_cap_percent)
{
	const struct rp_params p = {
		.strategy = RP_ADAPTIVE, .role = role, .queue_len = 256,
		.threshold = 1, .dmax_ns = 300000, .cpu_cap_percent = cpu_cap_percent,
	};

	memset(&totals, 0, sizeof(totals));
	now_ns = 1000000;
	assert_null(rp_params_check(&p));
	rp_strategy_init(&strategy, &p, &env);
}

static struct rp_decision look(u64 after_ns)
{
	now_ns += after_ns;
	return strategy.ops->idle(&strategy, now_ns);
}

/* A sleep as asked for, 55 us longer; then @items in no time, if any. */
static struct rp_decision sleep_and_look(struct rp_decision d, u32 items)
{
	u64 took = d.wait_ns + 55000;

	totals.sleeps++;
	totals.sleep_ns += took;
	totals.cpu_ns += 10000;
	now_ns += took;
	strategy.ops->woken(&strategy, RP_WAKE_SLEPT, items, now_ns);
	totals.items += items;
	totals.work_ns += items * 200;
	return look(items * 200);
}

static struct rp_decision settle(void)
{
	struct rp_decision d = look(0);
	u32 i;

	for (i = 0; i < 400 && d.wait == RP_WAIT_SLEEP; i++)
		d = sleep_and_look(d, (u32)((d.wait_ns + 55000) / 2000));
	assert_int_equal(d.wait, RP_WAIT_SLEEP);
	return d;
}

static void test_idle_blocks(void **state)
{
	struct rp_decision d;
	u64 begin;
	u32 i;

	start(RP_CONSUMER, 0);
	d = settle();
	begin = now_ns;
	for (i = 0; i < 1000 && d.wait == RP_WAIT_SLEEP; i++)
		d = sleep_and_look(d, 0);
	assert_int_equal(d.wait, RP_WAIT_BLOCK);
	assert_int_equal(d.threshold, 1);
	assert_int_equal(d.wait_ns, 0);	/* not one wake-up while nothing comes */
	assert_true(now_ns - begin < 50000000);
	/* And it goes on where it was. */
	now_ns += 1000000000;
	totals.blocks++;
	strategy.ops->woken(&strategy, RP_WAKE_NOTIFIED, 1, now_ns);
	totals.items++;
	d = look(200);
	assert_int_equal(d.wait, RP_WAIT_SLEEP);
	assert_true(d.wait_ns > 1000);
}

/* One item at a time, long pauses: after a few it blocks after a single sleep. */
static void test_rare_items(void **state)
{
	struct rp_decision d;
	u32 i, n;

	start(RP_CONSUMER, 0);
	d = settle();
	for (n = 0; n < 6; n++) {
		for (i = 0; i < 1000 && d.wait == RP_WAIT_SLEEP; i++)
			d = sleep_and_look(d, 0);
		assert_int_equal(d.wait, RP_WAIT_BLOCK);
		now_ns += 100000000;
		strategy.ops->woken(&strategy, RP_WAKE_NOTIFIED, 1, now_ns);
		totals.items++;
		d = look(200);
	}
	assert_int_equal(d.wait, RP_WAIT_SLEEP);
	d = sleep_and_look(d, 0);
	assert_int_equal(d.wait, RP_WAIT_BLOCK);
}

/* A producer that nobody answers looks after its items, less and less often. */
static void test_producer_checks(void **state)
{
	struct rp_decision d;
	u64 last = 0;
	u32 i;

	start(RP_PRODUCER, 0);
	d = look(0);
	for (i = 0; i < 1000 && d.wait != RP_WAIT_BLOCK; i++)
		d = d.wait == RP_WAIT_SLEEP ? sleep_and_look(d, i < 20 ? 16 : 0) : look(50000);
	for (i = 0; i < 20; i++) {
		assert_int_equal(d.wait, RP_WAIT_BLOCK);
		assert_true(d.wait_ns >= 300000 && d.wait_ns <= 1000000000);
		assert_true(d.wait_ns >= last);
		last = d.wait_ns;
		now_ns += d.wait_ns;
		strategy.ops->woken(&strategy, RP_WAKE_TIMEOUT, 0, now_ns);
		d = look(0);
	}
	assert_int_equal(last, 1000000000);
}

/* Works without a wait for @ns, in batches of @items, each as long as that many of @w_ns. */
static void work_on(u64 ns, u32 items, u64 w_ns, u32 ready)
{
	u64 end = now_ns + ns;

	while (now_ns < end) {
		now_ns += items * w_ns;
		totals.items += items;
		totals.work_ns += items * w_ns;
		totals.cpu_ns += items * w_ns;
		strategy.ops->pulse(&strategy, ready, now_ns);
	}
}

/* A faster side that sleeps becomes the slower one: it is not to wait for a wait to see that. */
static void test_slower_without_waits(void **state)
{
	start(RP_CONSUMER, 0);
	settle();
	assert_int_equal(strategy.ops->mode(&strategy), RP_WAIT_SLEEP);
	work_on(3000000, 32, 400, 32);
	assert_int_equal(strategy.ops->mode(&strategy), RP_WAIT_SLEEP);
	work_on(12000000, 32, 400, 32);
	assert_int_equal(strategy.ops->mode(&strategy), RP_WAIT_SPIN);
}

/* The ring of a slower C is full all the time: that is not to shorten what it sleeps later. */
static void test_full_while_spinning(void **state)
{
	const struct adaptive *a = rp_strategy_priv(&strategy, struct adaptive);
	u32 i, share;

	start(RP_CONSUMER, 0);
	settle();
	work_on(15000000, 32, 400, 32);
	share = a->ring_share;
	for (i = 0; i < 50; i++) {
		totals.peer_waits++;
		work_on(50000, 32, 400, 32);
		assert_int_equal(look(100).wait, RP_WAIT_SPIN);
	}
	assert_in_range(a->ring_share, share, ADAPTIVE_RING_ALL);
}

/* At first the application has nothing for P to send: that is not C's slowness. */
static void test_late_application(void **state)
{
	struct rp_status st = { 0 };

	start(RP_PRODUCER, 0);
	work_on(64 * 2000, 64, 2000, 251);
	now_ns += 150000000;
	work_on(64 * 2000, 64, 2000, 251);
	work_on(2000000, 64, 2000, 230);
	totals.sleeps++;
	look(2000);
	strategy.ops->status(&strategy, &st);
	assert_in_range(st.w_peer_ns, 500, 2500);
	assert_true(strategy.window > 64);
}

static void test_cpu_cap(void **state)
{
	struct rp_decision d;
	u32 i;

	/* A ring of 256 with items of 10 ns: no sleep is short enough. */
	start(RP_CONSUMER, 50);
	d = look(0);
	for (i = 0; i < 200; i++) {
		assert_int_not_equal(d.wait, RP_WAIT_SPIN);
		d = sleep_and_look(d, 256);
	}
}

static void test_learned(void **state)
{
	u8 blob[RP_LEARNED_BYTES];
	struct rp_status before, after;
	u32 bytes, i;

	start(RP_CONSUMER, 0);
	assert_int_equal(strategy.ops->learned(&strategy, blob), 0);
	settle();
	strategy.ops->status(&strategy, &before);
	bytes = strategy.ops->learned(&strategy, blob);
	assert_true(bytes && bytes <= RP_LEARNED_BYTES);
	start(RP_CONSUMER, 0);
	strategy.ops->learn(&strategy, blob, bytes);
	strategy.ops->status(&strategy, &after);
	assert_int_equal(after.y_min_ns, before.y_min_ns);
	assert_int_equal(after.w_peer_ns, before.w_peer_ns);
	/* What is cut off, or nonsense, is not taken. */
	for (i = 0; i < bytes; i++) {
		start(RP_CONSUMER, 0);
		strategy.ops->learn(&strategy, blob, i);
		strategy.ops->status(&strategy, &after);
		assert_int_equal(after.y_min_ns, 0);
	}
	memset(blob, 0xff, sizeof(blob));
	strategy.ops->learn(&strategy, blob, bytes);
	strategy.ops->status(&strategy, &after);
	assert_int_equal(after.y_min_ns, 0);
	settle();
}

/* The statistics begin anew in the middle of it. */
static void test_reset(void **state)
{
	struct rp_decision d;
	struct rp_status st;

	start(RP_CONSUMER, 0);
	d = settle();
	memset(&totals, 0, sizeof(totals));
	d = sleep_and_look(d, 3);
	assert_int_equal(d.wait, RP_WAIT_SLEEP);
	strategy.ops->status(&strategy, &st);
	assert_in_range(st.w_peer_ns, 1500, 2500);
	settle();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_isqrt),
		cmocka_unit_test(test_mean_follows),
		cmocka_unit_test(test_odd_sleeps),
		cmocka_unit_test(test_low_pace),
		cmocka_unit_test(test_typical_pace),
		cmocka_unit_test(test_early_preemption),
		cmocka_unit_test(test_sigma),
		cmocka_unit_test(test_pauses),
		cmocka_unit_test(test_own_sigma),
		cmocka_unit_test(test_stalls),
		cmocka_unit_test(test_grid),
		cmocka_unit_test(test_sleeps),
		cmocka_unit_test(test_no_flapping),
		cmocka_unit_test(test_regimes),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_idle_blocks),
		cmocka_unit_test(test_rare_items),
		cmocka_unit_test(test_producer_checks),
		cmocka_unit_test(test_slower_without_waits),
		cmocka_unit_test(test_full_while_spinning),
		cmocka_unit_test(test_late_application),
		cmocka_unit_test(test_cpu_cap),
		cmocka_unit_test(test_learned),
		cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
