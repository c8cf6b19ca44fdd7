// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The adaptive strategy over long times, in the simulator: for a minute of
 * simulated time, after a settling time, it changes its mode not once where the
 * work is constant, and seldom where it is random; and its experiments keep to
 * their share of the time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../testbed/sim/sim.h"
#include "rand.h"

#define SETTLE_NS	2000000000u
/* A minute; a sanitizer's tree is for other faults than the law's. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEADY_NS	3000000000u
#else
#define STEADY_NS	60000000000u
#endif
#define SEEDS		2
/*
 * Changes of a side in that minute where work is random. Where two modes are as
 * good, a return is tried every 10 s, and costs two changes; before, at times
 * that double from 3 ms on.
 */
#define RANDOM_MOST	30

struct cell {
	const char *regime;
	u64 wp_ns, wc_ns, dmax_ns;
};

/* Work long enough for a minute to be few items. */
static const struct cell cells[] = {
	{ "fast consumer", 20000, 5000, 1000000 },
	{ "fast consumer", 20000, 5000, 300000 },
	{ "fast consumer, short D_MAX", 20000, 2000, 100000 },
	{ "fast producer", 5000, 20000, 1000000 },
	{ "fast producer", 5000, 20000, 300000 },
	{ "fast producer, short D_MAX", 2000, 20000, 100000 },
	{ "Delta 0", 20000, 20000, 1000000 },
	{ "Delta 0", 20000, 20000, 300000 },
	{ "Delta 1 %", 20000, 19800, 300000 },
	{ "Delta -1 %", 19800, 20000, 300000 },
	{ "Delta 5 %", 20000, 19000, 1000000 },
	{ "Delta -5 %", 19000, 20000, 1000000 },
	{ "Delta 8 %", 20000, 18400, 300000 },
	{ "Delta -8 %", 18400, 20000, 300000 },
};

#define CELLS	(sizeof(cells) / sizeof(cells[0]))

static struct sim_result result;

static u64 slower(const struct cell *c)
{
	return c->wp_ns > c->wc_ns ? c->wp_ns : c->wc_ns;
}

static struct sim_config config_of(const struct cell *c, u64 seed)
{
	return (struct sim_config){
		.model = {
			.mode = RP_SLEEP, .queue_len = 256,
			.wp_ns = c->wp_ns, .wc_ns = c->wc_ns, .np_ns = 5000, .nc_ns = 5000,
			.sp_ns = 30000, .sc_ns = 30000, .yp_ns = 50000, .yc_ns = 50000,
			.ye_ns = 10000, .kp = 1, .kc = 192,
		},
		.strategy_p = RP_ADAPTIVE, .strategy_c = RP_ADAPTIVE, .stages = 2,
		.w_ns = { c->wp_ns, c->wc_ns }, .dmax_ns = c->dmax_ns, .seed = seed,
		/* Fewer events; the strategy itself looks up every 50 us. */
		.spin_turn_ns = 2000,
		.yo_ns = 50000, .yo = { .kind = DIST_NORMAL, .rel = 0.1 },
		.warmup = SETTLE_NS / slower(c), .items = STEADY_NS / slower(c),
	};
}

static void simulate(const struct sim_config *c)
{
	const char *why = sim_check(c);

	assert_null(why);
	why = sim_run(c, &result);
	assert_null(why);
}

/* True when no side changed its mode more often than @most times. */
static bool steady(const struct sim_config *c, const char *regime, u64 most)
{
	simulate(c);
	if (result.changes_p <= most && result.changes_c <= most)
		return true;
	print_message("# %s, W_P %lu W_C %lu D_MAX %lu, seed %lu: changes of P %lu, of C %lu\n",
		      regime, (unsigned long)c->w_ns[0], (unsigned long)c->w_ns[1],
		      (unsigned long)c->dmax_ns, (unsigned long)c->seed,
		      (unsigned long)result.changes_p, (unsigned long)result.changes_c);
	return false;
}

static void all_steady(enum dist_kind kind, u64 most)
{
	bool good = true;
	u64 seed;
	u32 i;

	for (i = 0; i < CELLS; i++)
		for (seed = 1; seed <= SEEDS; seed++) {
			struct sim_config c = config_of(&cells[i], seed);

			c.wp.kind = c.wc.kind = kind;
			good &= steady(&c, cells[i].regime, most);
		}
	assert_true(good);
}

static void test_const(void **state)
{
	all_steady(DIST_CONST, 0);
}

static void test_exp(void **state)
{
	all_steady(DIST_EXP, RANDOM_MOST);
}

#define BURST_MAX	5000

/* Bursts, and pauses of their own length: P's work by a trace. */
static const struct burst {
	u32 items;
	u64 w_ns, gap_ns, wc_ns, dmax_ns;
	u64 most;			/* changes; docs/pacing.md, Limits */
} burst[] = {
	{ 50, 5000, 1000000, 10000, 1000000, 0 },	/* no longer than D_MAX */
	{ 200, 5000, 20000000, 10000, 1000000, 0 },
	{ 100, 10000, 1000000, 2000, 300000, 0 },	/* longer than D_MAX, and not idle */
	{ 20, 10000, 5000000, 20000, 1000000, 0 },
	{ 5, 1000, 1000000, 20000, 300000, RANDOM_MOST },
	{ 20, 5000, 5000000, 2000, 1000000, RANDOM_MOST },	/* P has to learn what a pause is */
	/* Longer than the ring: C slower than P within a burst, and as fast, and faster. */
	{ 300, 1000, 5000000, 2000, 1000000, 0 },
	{ 300, 500, 2000000, 1000, 300000, 0 },
	{ 300, 500, 500000, 250, 300000, RANDOM_MOST },
	{ 300, 1000, 2000000, 500, 1000000, RANDOM_MOST },
	{ 500, 2000, 20000000, 1000, 1000000, RANDOM_MOST },
	/* And longer than the window. */
	{ 300, 2000, 2000000, 8000, 100000, RANDOM_MOST },
	{ 300, 1000, 5000000, 8000, 100000, RANDOM_MOST },
	{ 100, 10000, 20000000, 2000, 300000, 0 },	/* longer than anybody waits */
	{ 20, 2000, 500000, 20000, 300000, RANDOM_MOST },
	{ 1, 0, 10000000, 5000, 300000, 0 },		/* lone items */
};

static struct sim_config config_of_bursts(const struct burst *b)
{
	static u64 trace_ps[BURST_MAX];
	const u64 mean_ns = ((b->items - 1) * b->w_ns + b->gap_ns) / b->items;
	const struct cell cell = { "bursts", mean_ns, b->wc_ns, b->dmax_ns };
	struct sim_config c = config_of(&cell, 1);
	u32 i;

	assert_true(b->items <= BURST_MAX);
	for (i = 0; i < b->items; i++)
		trace_ps[i] = (i ? b->w_ns : b->gap_ns) * 1000;
	c.wp = (struct dist_spec){ .kind = DIST_TRACE, .trace_ps = trace_ps,
				   .trace_len = b->items };
	return c;
}

static void test_bursts(void **state)
{
	bool good = true;
	u32 i;

	for (i = 0; i < sizeof(burst) / sizeof(burst[0]); i++) {
		const struct sim_config c = config_of_bursts(&burst[i]);

		good &= steady(&c, "bursts", burst[i].most);
	}
	assert_true(good);
}

/* ---- Many bursts that are longer than the ring ---- */

#define SCAN_NS		2000000000u
/* A mode that fails is tried again after times that double up to 10 s. */
#define SCAN_SETTLE_NS	20000000000u
/* All patterns are ITEMS x WORK x PAUSE x RATIO x DMAX; a test takes every so manieth. */
#define SCAN_ALL	(4 * 4 * 4 * 4 * 3)
#if STEADY_NS < 60000000000u
#define SCAN_STEP	149
#else
#define SCAN_STEP	37
#endif
/* docs/pacing.md tells of all of them. */
#define SCAN_MOST	6	/* changes of both sides in a pattern */
#define SCAN_SHARE	10	/* one pattern in so many may have some */

static struct burst scanned(u32 n)
{
	static const u32 items[] = { 300, 500, 1000, 5000 };
	static const u64 w_ns[] = { 500, 1000, 2000, 5000 };
	static const u64 gap_ns[] = { 500000, 2000000, 5000000, 20000000 };
	static const u64 half_ratio[] = { 1, 4, 8, 16 };	/* W_C by P's work, doubled */
	static const u64 dmax_ns[] = { 100000, 300000, 1000000 };
	const u32 i = n / 3;

	return (struct burst){
		.items = items[i % 4], .w_ns = w_ns[i / 4 % 4], .gap_ns = gap_ns[i / 16 % 4],
		.wc_ns = w_ns[i / 4 % 4] * half_ratio[i / 64] / 2, .dmax_ns = dmax_ns[n % 3],
	};
}

struct scan {
	u32 patterns, changing;
	u64 changes, most;
};

/* Changes of both sides in every @step'th pattern, those that have some as comments. */
static struct scan scan(u32 step)
{
	struct scan sum = { 0 };
	u64 changes;
	u32 n;

	for (n = 0; n < SCAN_ALL; n += step) {
		const struct burst b = scanned(n);
		struct sim_config c = config_of_bursts(&b);

		c.warmup *= SCAN_SETTLE_NS / SETTLE_NS;
		c.items = c.items / (STEADY_NS / SCAN_NS) + 1;
		simulate(&c);
		changes = result.changes_p + result.changes_c;
		sum.patterns++;
		sum.changing += changes > 0;
		sum.changes += changes;
		sum.most = changes > sum.most ? changes : sum.most;
		if (changes)
			print_message("# %u items of %lu ns, %lu ns, W_C %lu, D_MAX %lu: changes of P %lu, of C %lu\n",
				      b.items, (unsigned long)b.w_ns, (unsigned long)b.gap_ns,
				      (unsigned long)b.wc_ns, (unsigned long)b.dmax_ns,
				      (unsigned long)result.changes_p,
				      (unsigned long)result.changes_c);
	}
	return sum;
}

static void test_scan(void **state)
{
	const struct scan sum = scan(SCAN_STEP);

	assert_true(sum.most <= SCAN_MOST);
	assert_true(sum.changing * SCAN_SHARE <= sum.patterns);
}

/* ---- A side that loses its CPU ---- */

#define STALLS_NS	10000000000ULL
#define STALL_MOST	2u		/* changes in 10 s */
#define STALL_APART_NS	350000000u	/* mean */
#define STALL_ITEMS	(1u << 20)	/* of the trace, which goes round */

/* Work of @w_ns, and now and then 0.5 to 4 ms more in which another thread has the CPU. */
static u64 *stalling(u64 w_ns, u64 slower_ns, u64 seed)
{
	u64 *ps = malloc(STALL_ITEMS * sizeof(*ps)), at = 0, rng = seed;
	u32 i;

	assert_non_null(ps);
	for (i = 0; i < STALL_ITEMS; i++)
		ps[i] = w_ns * 1000;
	for (;;) {
		at += test_below(&rng, 2 * STALL_APART_NS) / slower_ns + 1;
		if (at >= STALL_ITEMS)
			return ps;
		ps[at] += (500000ULL + test_below(&rng, 3500000)) * 1000;
	}
}

/* It is no slower for that, and its peer, which has to wait then, does not sleep for it. */
static void test_stalls(void **state)
{
	static const struct cell stalled[] = {
		{ "fast consumer", 2000, 1000, 1000000 },
		{ "fast consumer", 2000, 1000, 300000 },
		{ "fast consumer", 5000, 1000, 1000000 },
		{ "fast producer", 1000, 2000, 1000000 },
		{ "fast producer", 1000, 2000, 300000 },
	};
	bool good = true;
	u32 i, who;

	for (i = 0; i < 2 * sizeof(stalled) / sizeof(stalled[0]); i++) {
		const struct cell *cell = &stalled[i / 2];
		struct sim_config c = config_of(cell, 1);
		u64 *ps;

		who = i % 2;
		c.spin_turn_ns = 500;	/* a spinning P takes what comes at once */
		ps = stalling(c.w_ns[who], slower(cell), i + 1);
		*(who ? &c.wc : &c.wp) = (struct dist_spec){
			.kind = DIST_TRACE, .trace_ps = ps, .trace_len = STALL_ITEMS,
		};
		c.items = STALLS_NS / slower(cell);
		good &= steady(&c, cell->regime, STALL_MOST);
		free(ps);
	}
	assert_true(good);
}

/* Bursts as in bench step, one side of which loses its CPU: a full ring is no slow consumer. */
static void test_burst_stalls(void **state)
{
	static const struct burst b = { 64, 500, 500000, 500, 300000, 0 };
	bool good = true;
	u32 n, i;

	for (n = 0; n < 6; n++) {
		struct sim_config c = config_of_bursts(&b);
		u64 *ps = stalling(b.w_ns, c.w_ns[0], n + 1);
		bool of_c = n % 2;

		c.spin_turn_ns = 500;
		for (i = 0; !of_c && i < STALL_ITEMS; i += b.items)
			ps[i] += (b.gap_ns - b.w_ns) * 1000;
		*(of_c ? &c.wc : &c.wp) = (struct dist_spec){
			.kind = DIST_TRACE, .trace_ps = ps, .trace_len = STALL_ITEMS,
		};
		good &= steady(&c, "bursts and stalls", 0);
		free(ps);
	}
	assert_true(good);
}

/* ---- Experiments ---- */

/* All sleeps last longer than the faster side may wait: it spins. */
static struct sim_config dear_sleeps(u64 wp_ns, u64 wc_ns)
{
	const struct cell cell = { "", wp_ns, wc_ns, 300000 };
	struct sim_config cfg = config_of(&cell, 1);

	cfg.yo_ns = 400000;
	cfg.yo.kind = DIST_CONST;
	cfg.warmup = 20000;
	cfg.items = 100000;	/* 2 s */
	return cfg;
}

/* What a sleep costs is tried again, in a share of the time that is kept to. */
static void test_tries(void **state)
{
	struct sim_config c = dear_sleeps(5000, 20000);

	simulate(&c);
	assert_string_equal(result.status_p.regime, "BW");
	assert_true(result.queue[0].sleeps_p >= 2);
	assert_true(result.queue[0].sleep_p_ps < result.time_ps / 1000);
	assert_true(result.time_ps < 1002 * (result.items * 20000));
	assert_true(rp_hist_quantile(&result.latency, 980) <= c.dmax_ns);
	assert_int_equal(result.changes_p, 0);
}

/* A consumer's sleep that would break D_MAX is no experiment. */
static void test_tries_keep_dmax(void **state)
{
	struct sim_config c = dear_sleeps(20000, 5000);

	simulate(&c);
	assert_string_equal(result.status_c.regime, "BW");
	assert_int_equal(result.queue[0].sleeps_c, 0);
	assert_int_equal(result.late, 0);
}

/* Sleeps have become cheap: that is found out. */
static void test_cheaper(void **state)
{
	static u64 yo_ps[100000];
	struct sim_config c = dear_sleeps(5000, 20000);
	u32 i;

	for (i = 0; i < 100000; i++)
		yo_ps[i] = i < 50 ? 400000000 : 20000000;
	c.yo = (struct dist_spec){ .kind = DIST_TRACE, .trace_ps = yo_ps, .trace_len = 100000 };
	c.warmup = 1500000;	/* 30 s */
	c.items = 10000;
	simulate(&c);
	assert_string_equal(result.status_p.regime, "sFP");
}

/* With an argument: the scan of every so manieth pattern, 1 for all of them, and no test. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_const),
		cmocka_unit_test(test_exp),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_stalls),
		cmocka_unit_test(test_burst_stalls),
		cmocka_unit_test(test_tries),
		cmocka_unit_test(test_tries_keep_dmax),
		cmocka_unit_test(test_cheaper),
	};

	if (argc > 1 && atoi(argv[1]) > 0) {
		const struct scan sum = scan((u32)atoi(argv[1]));

		printf("%u patterns, %u with changes, %lu changes, at most %lu\n", sum.patterns,
		       sum.changing, (unsigned long)sum.changes, (unsigned long)sum.most);
		return 0;
	}
	return cmocka_run_group_tests_name("steady", tests, NULL, NULL);
}
