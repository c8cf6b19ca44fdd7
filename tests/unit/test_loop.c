// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The adaptive strategy in closed loops, in the simulator: who sends waits for replies, or
 * for a window, and says nothing of it. A consumer that sleeps must not be what the loop's
 * throughput is, and one that holds back nobody must go on sleeping.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../testbed/sim/sim.h"

/* Four halvings take some 0.1 s each where D_MAX is 1 ms. */
#define SETTLE_NS	1000000000u
#define MEASURE_NS	3000000000u

static struct sim_result result;

struct loop {
	u32 outstanding;
	u64 wp_ns, wc_ns, dmax_ns;
};

static struct sim_config config_of(const struct loop *l)
{
	u64 t = (l->wp_ns + l->wc_ns) / l->outstanding;

	t = t > l->wp_ns ? t : l->wp_ns;
	return (struct sim_config){
		.model = {
			.mode = RP_SLEEP, .queue_len = 256,
			.wp_ns = l->wp_ns, .wc_ns = l->wc_ns, .np_ns = 5000, .nc_ns = 5000,
			.sp_ns = 30000, .sc_ns = 30000, .yp_ns = 50000, .yc_ns = 50000,
			.ye_ns = 10000, .kp = 1, .kc = 192,
		},
		.strategy_p = RP_BUSY, .strategy_c = RP_ADAPTIVE, .stages = 2,
		.w_ns = { l->wp_ns, l->wc_ns }, .dmax_ns = l->dmax_ns, .seed = 1,
		.outstanding = l->outstanding,
		.yo_ns = 50000, .yo = { .kind = DIST_NORMAL, .rel = 0.1 },
		.warmup = SETTLE_NS / t / 4, .items = MEASURE_NS / t / 4,
	};
}

/* T by what it were with a consumer that is always there. */
static double slowdown(struct sim_config *c)
{
	double t;

	assert_null(sim_check(c));
	assert_null(sim_run(c, &result));
	t = (double)result.time_ps / (double)result.items;
	c->strategy_c = RP_BUSY;
	assert_null(sim_run(c, &result));
	return t / ((double)result.time_ps / (double)result.items);
}

static void all(const struct loop *l, u32 n, enum dist_kind kind, double most)
{
	u32 i, slow = 0;
	double x;

	for (i = 0; i < n; i++) {
		struct sim_config c = config_of(&l[i]);

		c.wp.kind = kind;
		x = slowdown(&c);
		print_message("# %u out, W_P %lu W_C %lu D_MAX %lu: T %.2f times\n",
			      l[i].outstanding, (unsigned long)l[i].wp_ns, (unsigned long)l[i].wc_ns,
			      (unsigned long)l[i].dmax_ns, x);
		slow += x > most;
	}
	assert_int_equal(slow, 0);
}

/* A request, then its reply. */
static const struct loop requests[] = {
	{ 1, 5000, 1000, 100000 }, { 1, 20000, 1000, 100000 }, { 1, 60000, 1000, 100000 },
	{ 1, 5000, 1000, 300000 }, { 1, 20000, 1000, 300000 }, { 1, 60000, 1000, 300000 },
	{ 1, 5000, 1000, 1000000 }, { 1, 20000, 1000, 1000000 }, { 1, 60000, 1000, 1000000 },
};

/* A window. */
static const struct loop windows[] = {
	{ 4, 5000, 500, 300000 }, { 16, 5000, 500, 300000 }, { 64, 2000, 500, 300000 },
	{ 4, 5000, 500, 1000000 }, { 16, 5000, 500, 1000000 }, { 64, 2000, 500, 1000000 },
};

static void test_requests(void **state)
{
	all(requests, sizeof(requests) / sizeof(*requests), DIST_CONST, 1.3);
}

static void test_windows(void **state)
{
	all(windows, sizeof(windows) / sizeof(*windows), DIST_CONST, 1.3);
}

static void test_random(void **state)
{
	all(requests, sizeof(requests) / sizeof(*requests), DIST_EXP, 1.3);
	all(windows, sizeof(windows) / sizeof(*windows), DIST_EXP, 1.3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
