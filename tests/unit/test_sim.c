// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The simulator against the model's closed forms, on random points in every
 * regime; against itself without its short cuts; and what it does beyond the
 * model: distributions, spurious notifications, chains, batched work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../testbed/sim/sim.h"
#include "rand.h"

/* The sanitizers look for errors, not for precision. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define POINTS		500
#define ITEMS_MAX	1000000ULL
#else
#define POINTS		10000
#define ITEMS_MAX	5000000ULL
#endif

static u64 seed = 42;

static u64 draw(u64 max)
{
	return test_rand(&seed) % (max + 1);
}

/* All orders of magnitude alike, so that every regime is met. */
static u64 draw_time(u64 max)
{
	static const u64 scale[] = { 10, 300, 3000, 30000, 100000 };
	u64 s = scale[draw(4)];

	return draw(s < max ? s : max);
}

/* The paper's Table 4 and the queue of its sec. 5.2. */
static struct sim_config table4(enum rp_strategy_id mode, u64 wp_ns, u64 wc_ns)
{
	return (struct sim_config){
		.model = {
			.mode = mode, .wp_ns = wp_ns, .wc_ns = wc_ns, .np_ns = 1100,
			.nc_ns = 580, .sp_ns = 28000, .sc_ns = 420, .yp_ns = 5000,
			.yc_ns = 5000, .ye_ns = 2500, .queue_len = 512, .kp = 1, .kc = 384,
		},
		.strategy_p = mode, .strategy_c = mode, .stages = 2,
		.w_ns = { wp_ns, wc_ns }, .items = 200000, .warmup = 20000, .seed = 1,
	};
}

static struct sim_config draw_point(enum rp_strategy_id mode)
{
	static const u32 lens[] = { 1, 4, 16, 64, 512 };
	struct sim_config c = table4(mode, draw_time(3000), 1 + draw_time(3000));
	struct rp_model_in *m = &c.model;

	if (!draw(9))
		m->wp_ns = m->wc_ns + draw(2);
	m->np_ns = draw_time(3000);
	m->nc_ns = draw_time(3000);
	m->sp_ns = draw_time(100000);
	m->sc_ns = draw_time(100000);
	m->yp_ns = 1 + draw_time(60000);
	m->yc_ns = draw(2) ? 1 + draw_time(60000) : m->yp_ns;
	m->ye_ns = draw_time(3000);
	m->queue_len = 1 + (u32)draw(lens[draw(4)] - 1);
	m->kp = draw(1) ? 1 : 1 + (u32)draw(m->queue_len - 1);
	m->kc = draw(1) ? 1 + (u32)draw(m->queue_len - 1) :
			  rp_default_threshold(RP_PRODUCER, m->queue_len);
	c.w_ns[0] = m->wp_ns;
	c.w_ns[1] = m->wc_ns;
	return c;
}

static struct sim_result *simulate(const struct sim_config *c)
{
	static struct sim_result r;
	const char *why = sim_check(c);

	if (!why)
		why = sim_run(c, &r);
	if (why)
		fail_msg("%s", why);
	assert_int_equal(r.items, c->items);
	assert_int_equal(r.latency.count, c->items);
	return &r;
}

static double t_ns(const struct sim_result *r)
{
	return (double)r->time_ps / 1000 / (double)r->items;
}

static double e_ns(const struct sim_result *r)
{
	u64 cpu = 0;
	u32 i;

	for (i = 0; i < r->stages; i++)
		cpu += sim_party_cpu_ps(&r->party[i]);
	return (double)cpu / 1000 / (double)r->items;
}

/* ---- Against the closed forms ---- */

static double error(double got, u64 want_ps)
{
	double e = got * 1000 / (double)want_ps - 1;

	return e < 0 ? -e : e;
}

static void point_failed(const struct rp_model_in *m, const struct rp_model *out,
			 const struct sim_result *r)
{
	fail_msg("%s: W %llu %llu N %llu %llu S %llu %llu Y %llu %llu Y_E %llu L %u k %u %u: "
		 "T %.2f model %.2f..%.2f, E %.2f model %.2f", rp_regime_names[out->regime],
		 (unsigned long long)m->wp_ns, (unsigned long long)m->wc_ns,
		 (unsigned long long)m->np_ns, (unsigned long long)m->nc_ns,
		 (unsigned long long)m->sp_ns, (unsigned long long)m->sc_ns,
		 (unsigned long long)m->yp_ns, (unsigned long long)m->yc_ns,
		 (unsigned long long)m->ye_ns, m->queue_len, m->kp, m->kc, t_ns(r),
		 (double)out->t_min_ps / 1000, (double)out->t_max_ps / 1000, e_ns(r),
		 (double)out->e_ps / 1000);
}

/* Items until the slower party's lead or lag of a whole queue is settled. */
static u64 settle(const struct rp_model_in *m)
{
	u64 slow = m->wp_ns > m->wc_ns ? m->wp_ns : m->wc_ns;
	u64 diff = slow * 2 - m->wp_ns - m->wc_ns;

	return m->queue_len + (diff ? m->queue_len * slow / diff : 0);
}

/* The worst error of T and E; 0 when the point takes too many items to judge. */
static bool compare(struct sim_config *c, const struct rp_model *m, double *worst)
{
	const struct sim_result *r;
	double t, e;

	c->warmup = 2000 + settle(&c->model);
	c->items = 20000;
	if (m->batch_milli != RP_MODEL_NONE && m->batch_milli / 1000 * 300 > c->items)
		c->items = m->batch_milli / 1000 * 300;
	if (c->items + c->warmup > ITEMS_MAX)
		return false;
	r = simulate(c);
	t = error(t_ns(r), m->t_ps);
	e = error(e_ns(r), m->e_ps);
	if (t > 0.005 || e > 0.005)
		point_failed(&c->model, m, r);
	*worst = t > *worst ? t : *worst;
	*worst = e > *worst ? e : *worst;
	return true;
}

static void closed_forms(void **state)
{
	u32 n[RP_REGIMES] = { 0 }, i, done = 0;
	double worst[RP_REGIMES] = { 0 };
	struct sim_config c;
	struct rp_model m;

	while (done < POINTS) {
		c = draw_point(done % 8 == 0 ? RP_BUSY : done % 8 < 3 ? RP_SLEEP : RP_NOTIFY);
		rp_model_solve(&c.model, &m);
		/* nSS is easy to meet; leave room for the others. */
		if (m.regime == RP_SLS || (m.regime == RP_NSS && n[RP_NSS] > POINTS / 8))
			continue;
		if (!compare(&c, &m, &worst[m.regime]))
			continue;
		n[m.regime]++;
		done++;
	}
	for (i = 0; i < RP_REGIMES; i++)
		if (i != RP_SLS)
			print_message("# %-4s %5u points, largest error of T and E %.4f %%\n",
				      rp_regime_names[i], n[i], 100 * worst[i]);
	for (i = 0; i < RP_REGIMES; i++)
		assert_true(i == RP_SLS || n[i] >= POINTS / 100);
}

/* sLS has no closed form: T stays in its bounds, E above its own. */
static void long_sleeps(void **state)
{
	const struct sim_result *r;
	struct sim_config c;
	struct rp_model m;
	u32 done = 0;

	while (done < POINTS / 40) {
		c = draw_point(RP_SLEEP);
		rp_model_solve(&c.model, &m);
		c.warmup = 2000 + settle(&c.model);
		c.items = 50000 + 200 * c.warmup;
		if (m.regime != RP_SLS || c.items > ITEMS_MAX)
			continue;
		r = simulate(&c);
		if (error(t_ns(r), m.t_min_ps) > 0.002 && t_ns(r) * 1000 < (double)m.t_min_ps)
			point_failed(&c.model, &m, r);
		if (error(t_ns(r), m.t_max_ps) > 0.002 && t_ns(r) * 1000 > (double)m.t_max_ps)
			point_failed(&c.model, &m, r);
		if (e_ns(r) * 1000 < 0.998 * (double)m.e_ps)
			point_failed(&c.model, &m, r);
		done++;
	}
}

/* From a cold start, no request waits longer than D; in every regime. */
static void latency_bounds(void **state)
{
	const struct sim_result *r;
	struct sim_config c;
	struct rp_model m;
	u32 i;

	for (i = 0; i < POINTS; i++) {
		c = draw_point((enum rp_strategy_id)draw(RP_BUSY));
		c.warmup = 0;
		c.items = 5000;
		rp_model_solve(&c.model, &m);
		r = simulate(&c);
		if (r->service_max_ps > m.d_ns * 1000) {
			print_message("# D %llu, bound %llu\n",
				      (unsigned long long)r->service_max_ps / 1000,
				      (unsigned long long)m.d_ns);
			point_failed(&c.model, &m, r);
		}
	}
}

/* ---- The paper's figures ---- */

/*
 * Fig. 8 and 9: W_C = 2000, W_P from 200 to 2900. The curve is what the paper
 * tells of it: eq. (12) for the fast consumer, T flat for the fast producer, and
 * interrupts that get rarer as W_P grows, to less than 10 a second. (For the
 * other end it tells of 570 a second; its own b makes that 1130 at W_P = 200.)
 */
static void figure8(void **state)
{
	const struct sim_result *r;
	struct sim_config c;
	double calls, last = 1e9;
	u64 wp, b;

	for (wp = 200; wp <= 2900; wp += wp == 1950 ? 40 : wp == 1990 ? 60 : 50) {
		c = table4(RP_NOTIFY, wp, 2000);
		c.warmup = c.items = ITEMS_MAX / 2;
		r = simulate(&c);
		if (wp > 2000) {
			b = 420 / (wp - 2000) + 1;
			assert_true(error(t_ns(r), wp * 1000 + 1100000 / b) < 0.03);
			assert_true(error((double)r->queue[0].kicks, r->items * 1000 / b) < 0.03);
			assert_int_equal(r->queue[0].calls, 0);
			continue;
		}
		b = (28000 + 383 * wp) / (2000 - wp) + 384;
		calls = (double)r->queue[0].calls / ((double)r->time_ps / 1e12);
		assert_true(error(t_ns(r), 2000000) < 0.03);
		assert_true(calls * (double)b > 0.94 * 5e5 && calls * (double)b < 1.06 * 5e5);
		assert_true(calls <= last + 1);
		assert_int_equal(r->queue[0].kicks, 0);
		last = calls;
	}
	assert_true(last < 10);		/* at W_P = 1990 */
}

/* Fig. 6: T rises by about W_P - W_C each time Y grows by L (W_P - W_C). */
static void figure6(void **state)
{
	struct sim_config c = table4(RP_SLEEP, 2000, 1000);
	u32 step;

	c.warmup = 200000;
	for (step = 0; step < 4; step++) {
		c.model.yp_ns = c.model.yc_ns = 512 * 2000 - 100000 + step * 512000;
		assert_true(t_ns(simulate(&c)) > 2000 + step * 1000 - 120);
		assert_true(t_ns(simulate(&c)) < 2000 + step * 1000 + 120);
	}
}

/* Fig. 13: when W_C varies much, T lies below what constant parameters give. */
static void figure13(void **state)
{
	struct sim_config c = table4(RP_NOTIFY, 2700, 2000);
	double constant = t_ns(simulate(&c)), normal, exponential;

	c.wp = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 0.05 };
	c.wc = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 0.5 };
	normal = t_ns(simulate(&c));
	c.wc.kind = DIST_EXP;
	exponential = t_ns(simulate(&c));
	assert_true(normal < constant * 0.95);
	assert_true(exponential < normal);
	assert_true(exponential > 2700);
}

/* ---- Against itself ---- */

static void assert_same(const struct sim_result *a, const struct sim_result *b)
{
	struct sim_result x = *a;

	x.skipped = b->skipped;
	assert_memory_equal(&x, b, sizeof(x));
}

/* The short cuts change nothing, down to the last bucket of the histogram. */
static void short_cuts(void **state)
{
	static struct sim_result fast;
	struct sim_config c;
	u64 skipped = 0;
	u32 i;

	for (i = 0; i < POINTS / 40; i++) {
		c = draw_point((enum rp_strategy_id)draw(RP_BUSY));
		c.strategy_p = draw(4) ? c.strategy_p : (enum rp_strategy_id)draw(RP_BUSY);
		c.strategy_c = draw(4) ? c.strategy_c : (enum rp_strategy_id)draw(RP_BUSY);
		c.window_ns = draw(3) ? 0 : draw(200);
		c.stages = draw(3) ? 2 : 3 + (u32)draw(2);
		c.w_ns[2] = draw_time(3000);
		c.w_ns[3] = draw_time(3000);
		c.w_ns[4] = draw_time(3000);
		c.items = 10000 + draw(10000);
		c.warmup = draw(5000);
		fast = *simulate(&c);
		skipped += fast.skipped;
		c.plain = true;
		assert_same(&fast, simulate(&c));
	}
	assert_true(skipped > POINTS / 40 * 5000ULL);
}

static void deterministic(void **state)
{
	struct sim_config c = table4(RP_NOTIFY, 2300, 2000);
	static struct sim_result first;

	c.wp = c.np = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 0.2 };
	c.wc = c.sc = (struct dist_spec){ .kind = DIST_EXP };
	first = *simulate(&c);
	assert_same(&first, simulate(&c));
	c.seed = 2;
	assert_int_not_equal(first.time_ps, simulate(&c)->time_ps);
}

/* ---- Beyond the model ---- */

static void distributions(void **state)
{
	static const u64 trace[] = { 1000, 2000, 6000 };
	struct sim_config c = table4(RP_BUSY, 3, 1);
	const struct sim_result *r;

	c.wp = (struct dist_spec){ .kind = DIST_TRACE, .trace_ps = trace, .trace_len = 3 };
	c.warmup = 3;
	r = simulate(&c);
	assert_true(error((double)r->party[0].work_ps / 1000 / (double)r->party[0].worked,
			  3000) < 1e-4);
	c.wp = (struct dist_spec){ .kind = DIST_EXP };
	c.w_ns[0] = 1000;
	r = simulate(&c);
	assert_true(error((double)r->party[0].work_ps / 1000 / (double)r->party[0].worked,
			  1000000) < 0.01);
	/* A normal distribution cut off at 0: its mean moves up, nothing is negative. */
	c.wp = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 1 };
	r = simulate(&c);
	assert_true(error((double)r->party[0].work_ps / 1000 / (double)r->party[0].worked,
			  1287600) < 0.01);
}

static void distribution_words(void **state)
{
	struct dist_spec d;

	assert_null(dist_parse("const", &d));
	assert_int_equal(d.kind, DIST_CONST);
	assert_null(dist_parse("exp", &d));
	assert_int_equal(d.kind, DIST_EXP);
	assert_null(dist_parse("normal:0.05", &d));
	assert_true(d.rel == 0.05);
	assert_null(dist_parse("normal:5%", &d));
	assert_true(d.rel == 0.05);
	assert_non_null(dist_parse("normal:", &d));
	assert_non_null(dist_parse("normal:-1", &d));
	assert_non_null(dist_parse("normal:1x", &d));
	assert_non_null(dist_parse("pareto", &d));
	assert_non_null(dist_parse("trace:/nonexistent/file", &d));
	assert_non_null(dist_parse("trace:/dev/null", &d));
}

static bool parse_trace(const char *text, struct dist_spec *d)
{
	char name[] = "trace:/tmp/ringpace-test-XXXXXX";
	int fd = mkstemp(name + 6);
	bool ok;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	ok = !dist_parse(name, d);
	unlink(name + 6);
	return ok;
}

/* A line is a line, however long; what is no time is refused. */
static void trace_lines(void **state)
{
	struct dist_spec d;
	char text[1024];

	snprintf(text, sizeof(text), "%*s7\n# %0400d\n2 # %0300d\n\n3", 200, "", 9, 9);
	assert_true(parse_trace(text, &d));
	assert_int_equal(d.trace_len, 3);
	assert_int_equal(d.trace_ps[0], 7000);
	assert_int_equal(d.trace_ps[1], 2000);
	assert_int_equal(d.trace_ps[2], 3000);
	dist_spec_free(&d);
	assert_false(parse_trace("1\n2 3\n", &d));
	assert_false(parse_trace("nan\n", &d));
	assert_false(parse_trace("1e30\n", &d));
	assert_false(parse_trace("# nothing\n", &d));
}

/* Sec. 5.2: the double check's race makes notifications that find C running. */
static void spurious(void **state)
{
	struct sim_config c = table4(RP_NOTIFY, 2105, 2000);
	const struct sim_result *r = simulate(&c);
	double without = t_ns(r);

	assert_int_equal(r->queue[0].spurious_kicks, 0);
	assert_int_equal(r->queue[0].double_checks, 0);
	c.window_ns = 300;
	c.wp = c.wc = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 0.005 };
	r = simulate(&c);
	assert_true(r->queue[0].double_checks > r->items / 100);
	assert_true(r->queue[0].spurious_kicks > r->items / 100);
	assert_true(r->queue[0].spurious_kicks < r->queue[0].kicks);
	assert_true(t_ns(r) > without);
}

/* A chain goes at the speed of its slowest stage, wherever that is. */
static void chains(void **state)
{
	struct sim_config c = table4(RP_BUSY, 100, 100);
	const struct sim_result *r;
	u32 slow, i;

	c.stages = 5;
	for (slow = 0; slow < 5; slow++) {
		for (i = 0; i < 5; i++)
			c.w_ns[i] = i == slow ? 700 : 100 + 10 * i;
		r = simulate(&c);
		assert_int_equal(r->stages, 5);
		assert_true(error(t_ns(r), 700000) < 0.005);
	}
	/* Back pressure: a slow end fills both queues and calls both producers. */
	c = table4(RP_NOTIFY, 100, 100);
	c.stages = 3;
	c.w_ns[2] = 500;
	c.model.sp_ns = 1000;
	r = simulate(&c);
	assert_true(r->queue[0].calls && r->queue[1].calls);
	assert_int_equal(r->queue[0].kicks + r->queue[1].kicks, 0);
	assert_true(error(t_ns(r), 500000) < 0.03);
}

/*
 * Sec. 9.1: two fast consumers in a row. C_2 makes C_1/P_2 spend its time on
 * notifications, which hides P_1's fast consumer problem.
 */
static void hidden_fast_consumer(void **state)
{
	struct sim_config c = table4(RP_NOTIFY, 2400, 2000);
	u64 alone = simulate(&c)->queue[0].kicks;

	assert_true(alone > c.items / 4);
	c.stages = 3;
	c.w_ns[2] = 1000;
	assert_true(simulate(&c)->queue[0].kicks < alone / 10);
}

/* Sec. 9.2: work that gets cheaper within a batch. */
static void falling_work(void **state)
{
	struct sim_config c = table4(RP_SLEEP, 300, 200);
	const struct sim_result *r;

	c.fall_c = (struct sim_fall){ 100, 10 };
	r = simulate(&c);
	assert_true(r->party[1].work_ps < r->party[1].worked * 200000 * 3 / 4);
	assert_true(r->party[1].work_ps > r->party[1].worked * 100000);
	assert_int_equal(r->party[0].work_ps, r->party[0].worked * 300000);
	/* Over more items than W has picoseconds to lose: from 200 to 100 ns, 150 on average. */
	c = table4(RP_BUSY, 300, 200);
	c.fall_c = (struct sim_fall){ 100, 1000000 };
	c.warmup = 0;
	c.items = 1000000;
	r = simulate(&c);
	assert_true(error((double)r->party[1].work_ps / 1000 / (double)r->party[1].worked,
			  150000) < 1e-4);
}

/* Nobody spends more CPU time than there is, however short the run and wherever it is cut. */
static void cpu_share(void **state)
{
	const struct sim_result *r;
	struct sim_config c;
	u32 i, j;

	for (i = 0; i < POINTS; i++) {
		c = draw_point((enum rp_strategy_id)draw(RP_BUSY));
		c.stages = 2 + (u32)draw(1);
		c.w_ns[2] = 1 + draw_time(3000);
		c.window_ns = draw(3) ? 0 : draw(200);
		c.items = 1 + draw(5);
		c.warmup = draw(1) * draw(1000);
		r = simulate(&c);
		for (j = 0; j < c.stages; j++)
			assert_true(sim_party_cpu_ps(&r->party[j]) <= r->time_ps);
		if (c.strategy_p != RP_BUSY)
			continue;
		for (j = 0; j < c.stages; j++)
			assert_int_equal(sim_party_cpu_ps(&r->party[j]), r->time_ps);
	}
}

static void bad_config(void **state)
{
	static const u64 zeros[] = { 0, 0 };
	struct sim_config c = table4(RP_NOTIFY, 300, 200);

	assert_null(sim_check(&c));
	c.stages = 1;
	assert_non_null(sim_check(&c));
	c.stages = SIM_STAGES_MAX + 1;
	assert_non_null(sim_check(&c));
	c = table4(RP_NOTIFY, 300, 200);
	c.items = 0;
	assert_non_null(sim_check(&c));
	c = table4(RP_NOTIFY, 300, 200);
	c.model.kc = 513;
	assert_non_null(sim_check(&c));
	/* A mixed pair, of which only C sleeps, for nothing. */
	c = table4(RP_NOTIFY, 300, 200);
	c.strategy_c = RP_SLEEP;
	c.model.yc_ns = c.model.ye_ns = 0;
	assert_non_null(sim_check(&c));
	/* Sleeps that distributions make 0: time would stand still. */
	c = table4(RP_SLEEP, 300, 200);
	c.model.ye_ns = 0;
	c.yc = (struct dist_spec){ .kind = DIST_TRACE, .trace_ps = zeros, .trace_len = 2 };
	assert_non_null(sim_check(&c));
	c.model.ye_ns = 100;
	assert_null(sim_check(&c));
	c.ye = c.yc;
	assert_non_null(sim_check(&c));
	c.yc.kind = DIST_CONST;
	assert_null(sim_check(&c));
	/* More time than the clock holds is an error, not a wrong result. */
	c = table4(RP_NOTIFY, RP_MODEL_MAX_NS, 200);
	c.items = 10000000;
	assert_null(sim_check(&c));
	assert_non_null(sim_run(&c, &(struct sim_result){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_forms),
		cmocka_unit_test(long_sleeps),
		cmocka_unit_test(latency_bounds),
		cmocka_unit_test(figure8),
		cmocka_unit_test(figure6),
		cmocka_unit_test(figure13),
		cmocka_unit_test(short_cuts),
		cmocka_unit_test(deterministic),
		cmocka_unit_test(distributions),
		cmocka_unit_test(distribution_words),
		cmocka_unit_test(trace_lines),
		cmocka_unit_test(spurious),
		cmocka_unit_test(chains),
		cmocka_unit_test(hidden_fast_consumer),
		cmocka_unit_test(falling_work),
		cmocka_unit_test(cpu_share),
		cmocka_unit_test(bad_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
