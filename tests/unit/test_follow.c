// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How soon the adaptive strategy follows a load that steps: bench step's phases
 * in the simulator, which has no noise, so that what is seen is the law's doing.
 */
#include "bench/step.h"	/* before cmocka's fail() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "../../testbed/sim/sim.h"

#define PHASE_NS	400000000u
#define SAMPLE_NS	1000000u
#define SAMPLES		(4 * PHASE_NS / SAMPLE_NS)

/* Longer than it takes to doubt a mode, and to learn a pace that is 16 times another. */
#define MODES_NS	40000000

struct load {
	u64 wp_ns, wc_ns;
};

struct samples {
	u32 n;
	struct step_sample at[SAMPLES];
};

static struct sim_result result;
static struct samples samples;

static u64 slower_ns(const struct load *l)
{
	return l->wp_ns > l->wc_ns ? l->wp_ns : l->wc_ns;
}

static void take_sample(void *ctx, u64 now_ns, const struct sim_result *r)
{
	struct samples *s = ctx;

	if (s->n == SAMPLES)
		return;
	s->at[s->n++] = (struct step_sample){
		.t_ns = now_ns, .items = (double)r->items, .timed = (double)r->items,
		.late = (double)r->late,
		.p = { UNKNOWN, (double)r->status_p.mode_changes, NULL },
		.c = { UNKNOWN, (double)r->status_c.mode_changes, NULL }, .window = UNKNOWN,
	};
}

/* Work of all items: of the first @n_before as before the step. */
static u64 *trace_of(u64 before_ns, u64 after_ns, u32 n_before, u32 n)
{
	u64 *ps = calloc(n, sizeof(*ps));
	u32 i;

	assert_non_null(ps);
	for (i = 0; i < n; i++)
		ps[i] = (i < n_before ? before_ns : after_ns) * 1000;
	return ps;
}

/* Fills in @samples from the first one after the step on. */
static u32 step(const struct load *from, const struct load *to, u64 dmax_ns)
{
	const u32 before = (u32)(PHASE_NS / slower_ns(from));
	const u32 n = before + (u32)(PHASE_NS / slower_ns(to));
	u64 *p = trace_of(from->wp_ns, to->wp_ns, before, n);
	u64 *c = trace_of(from->wc_ns, to->wc_ns, before, n);
	const struct sim_watch watch = { SAMPLE_NS, take_sample, &samples };
	const struct sim_config cfg = {
		.model = {
			.mode = RP_SLEEP, .queue_len = 256,
			.wp_ns = to->wp_ns, .wc_ns = to->wc_ns, .np_ns = 5000, .nc_ns = 5000,
			.sp_ns = 30000, .sc_ns = 30000, .yp_ns = 50000, .yc_ns = 50000,
			.ye_ns = 10000, .kp = 1, .kc = 192,
		},
		.strategy_p = RP_ADAPTIVE, .strategy_c = RP_ADAPTIVE, .stages = 2,
		.w_ns = { to->wp_ns, to->wc_ns }, .dmax_ns = dmax_ns, .seed = 1,
		.yo_ns = 50000, .yo = { .kind = DIST_NORMAL, .rel = 0.1 },
		.wp = { .kind = DIST_TRACE, .trace_ps = p, .trace_len = n },
		.wc = { .kind = DIST_TRACE, .trace_ps = c, .trace_len = n },
		.items = n, .watch = &watch,
	};
	u32 i;

	samples.n = 0;
	assert_null(sim_check(&cfg));
	assert_null(sim_run(&cfg, &result));
	free(p);
	free(c);
	for (i = 0; i < samples.n && samples.at[i].items < before; i++)
		;
	assert_true(i + 200 < samples.n);
	return i;
}

/* Share of the throughput that is lost in the @ms after the step. */
static double lost(const struct step_sample *s, u32 ms, u64 w_ns)
{
	return 1 - (s[ms].items - s[0].items) * (double)w_ns / (double)(s[ms].t_ns - s[0].t_ns);
}

static const struct load loads[] = {
	{ 2000, 1000 }, { 1000, 2000 }, { 500, 500 }, { 8000, 1000 }, { 1000, 8000 },
};

#define LOADS	(sizeof(loads) / sizeof(loads[0]))

/* Soon after that no side changes its mode any more. */
static void test_settles(void **state)
{
	static const u64 dmax_ns[] = { 100000, 300000, 1000000 };
	u32 i, bad = 0;

	for (i = 0; i < LOADS * LOADS * 3; i++) {
		const struct load *from = &loads[i / 3 % LOADS], *to = &loads[i / 3 / LOADS];
		const u32 at = step(from, to, dmax_ns[i % 3]);
		struct step_result r;

		step_settle(&samples.at[at], samples.n - at, &r);
		if (is_known(r.settle_ns) && !(r.last_change_ns > MODES_NS) &&
		    (r.settle_ns <= STEP_GOAL_NS || r.settle_items <= STEP_GOAL_ITEMS))
			continue;
		bad++;
		print_message("# %lu/%lu to %lu/%lu ns, D_MAX %lu: %.1f ms, %.0f items; modes: %.1f ms\n",
			      (unsigned long)from->wp_ns, (unsigned long)from->wc_ns,
			      (unsigned long)to->wp_ns, (unsigned long)to->wc_ns,
			      (unsigned long)dmax_ns[i % 3], r.settle_ns / 1e6, r.settle_items,
			      r.last_change_ns / 1e6);
	}
	assert_int_equal(bad, 0);
}

/*
 * Who was the faster side and slept is the slower one now: it hardly ever waits,
 * but when it does, it must not sleep as it did, since its delays are everybody's.
 */
static void test_no_stale_sleep(void **state)
{
	const struct load fast_c = loads[0], fast_p = loads[1];
	u32 at = step(&fast_c, &fast_p, 1000000);

	assert_true(lost(&samples.at[at], 100, 2000) < 0.001);
	assert_string_equal(result.status_c.regime, "BW");
	/* P finds out by a sleep or two that C has become faster. */
	at = step(&fast_p, &fast_c, 1000000);
	assert_true(lost(&samples.at[at], 100, 2000) < 0.006);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settles),
		cmocka_unit_test(test_no_stale_sleep),
	};

	return cmocka_run_group_tests_name("follow", tests, NULL, NULL);
}
