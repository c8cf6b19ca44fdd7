// SPDX-License-Identifier: GPL-2.0-or-later
/* The model: every regime by an example, exact boundaries, symmetry, bounds, bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "pacing/model.h"
#include "rand.h"

/* The paper's Table 4 and the queue of its sec. 5.2. */
static const struct rp_model_in table4 = {
	.mode = RP_NOTIFY, .wp_ns = 200, .wc_ns = 2000, .np_ns = 1100, .nc_ns = 580,
	.sp_ns = 28000, .sc_ns = 420, .yp_ns = 5000, .yc_ns = 5000, .ye_ns = 2500,
	.queue_len = 512, .kp = 1, .kc = 384,
};

static struct rp_model solve(const struct rp_model_in *in)
{
	struct rp_model m;

	assert_null(rp_model_check(in));
	memset(&m, 0xa5, sizeof(m));	/* every field must be written */
	rp_model_solve(in, &m);
	return m;
}

static enum rp_regime regime(const struct rp_model_in *in)
{
	return solve(in).regime;
}

static void assert_exact(const struct rp_model *m, enum rp_regime r, u64 t_ps, u64 e_ps,
			 u64 d_ns, u64 batch_milli)
{
	assert_string_equal(rp_regime_names[m->regime], rp_regime_names[r]);
	assert_int_equal(m->t_ps, t_ps);
	assert_int_equal(m->t_min_ps, t_ps);
	assert_int_equal(m->t_max_ps, t_ps);
	assert_int_equal(m->e_ps, e_ps);
	assert_int_equal(m->d_ns, d_ns);
	assert_int_equal(m->batch_milli, batch_milli);
}

static void busy(void **state)
{
	struct rp_model_in in = table4;
	struct rp_model m;

	in.mode = RP_BUSY;
	in.wp_ns = 300, in.wc_ns = 200;
	m = solve(&in);
	assert_exact(&m, RP_BW, 300000, 600000, 800, RP_MODEL_NONE);
	in.wp_ns = 200, in.wc_ns = 300;
	m = solve(&in);
	assert_exact(&m, RP_BW, 300000, 600000, 513 * 300, RP_MODEL_NONE);
	/* One slot: P and C take turns. */
	in.queue_len = in.kc = 1;
	m = solve(&in);
	assert_exact(&m, RP_BW, 500000, 1000000, 1000, RP_MODEL_NONE);
}

/* Sec. 8.1 and 8.2: the paper measured 50.5 items and predicted 50; 200. */
static void sleeping(void **state)
{
	struct rp_model_in in = table4;
	struct rp_model m;

	in.mode = RP_SLEEP;
	in.wp_ns = 300, in.wc_ns = 200;
	m = solve(&in);
	assert_exact(&m, RP_SFC, 300000, 550000, 10500, 50000);
	in.wp_ns = 200, in.wc_ns = 300, in.yp_ns = 20000;
	m = solve(&in);
	assert_exact(&m, RP_SFP, 300000, 512500, 513 * 300, 200000);
	/* A sleep shorter than its cost lasts as long as its cost. */
	in.yp_ns = 1;
	m = solve(&in);
	assert_exact(&m, RP_SFP, 300000, 600000, 513 * 300, 25000);
	in.wp_ns = 300;
	m = solve(&in);
	assert_exact(&m, RP_SFC, 300000, 600000, 8100, RP_MODEL_NONE);
}

/* Fig. 6: W_P = 2 us, W_C = 1 us, L = 512. */
static void long_sleeps(void **state)
{
	struct rp_model_in in = table4;
	struct rp_model m;

	in.mode = RP_SLEEP;
	in.wp_ns = 2000, in.wc_ns = 1000, in.yp_ns = in.yc_ns = 511 * 2000 - 1000;
	assert_int_equal(rp_model_y_opt_ns(&in), in.yc_ns);
	assert_int_equal(regime(&in), RP_SFC);
	in.yp_ns = in.yc_ns = in.yc_ns + 1;
	assert_int_equal(regime(&in), RP_SLS);
	in.yp_ns = in.yc_ns = 1500000;
	m = solve(&in);
	assert_int_equal(m.t_ps, RP_MODEL_NONE);
	/* m = (511 * 1000 - 2000) / 1000 + 1 = 510 items beside the L. */
	assert_int_equal(m.t_min_ps, 1000000 + 1500000000ULL / 1022);
	assert_int_equal(m.t_max_ps, 2000000 + 1500000000ULL / 512 + 1);
	assert_int_equal(m.e_ps, 3000000 + 2500000 / 1022 + 2500000 / 1534);
	assert_int_equal(m.d_ns, 2 * 1500000 + 2000 + 1000);	/* eq. (11) */
	in.yp_ns = 1400000;
	assert_int_equal(solve(&in).d_ns, 2 * 1500000 + 1400000 + 2000 + 2000);	/* (10) */
}

static void long_queue(void **state)
{
	struct rp_model_in in = table4;
	struct rp_model m;

	/* nFC: b = 420 / 100 + 1 = 5. */
	in.wp_ns = 2100;
	m = solve(&in);
	assert_exact(&m, RP_NFC, 2100000 + 1100000 / 5, 4100000 + 1520000 / 5,
		     2 * 2100 + 2 * 1100 + 420 + 2000, 5000);
	/* Sec. 8.2: b = (28000 + 383 * 200) / 100 + 384. */
	in.wp_ns = 200, in.wc_ns = 300;
	m = solve(&in);
	assert_exact(&m, RP_NFP, 300406, 519986, 400 + 512 * 300 + 580, 1430000);
	/* W_C > 2 W_P: eq. (14) would be too low. */
	in.wc_ns = 2000;
	assert_int_equal(solve(&in).d_ns, 513 * 2000 + 580);
}

static void short_queue(void **state)
{
	struct rp_model_in in = table4;
	struct rp_model m;

	in.queue_len = 8, in.kc = 2, in.wp_ns = 300, in.wc_ns = 250;
	in.sp_ns = 100, in.sc_ns = 2000;
	/* m = (6 * 250 - 400) / 50 + 1 = 23; cycle 2000+500+580+100+24*300+1100. */
	m = solve(&in);
	assert_exact(&m, RP_NSCS, (11480 * 1000 + 15) / 31, 550000 + (3780 * 1000 + 15) / 31,
		     2 * 300 + 3 * 250 + 4000 + 100 + 580 + 1100, 31000);
	/* The same with the parties swapped. */
	in.kp = 2, in.kc = 1, in.wp_ns = 250, in.wc_ns = 300;
	in.sp_ns = 2000, in.sc_ns = 100;
	m = solve(&in);
	assert_exact(&m, RP_NSPS, (11480 * 1000 + 15) / 31, 550000 + (3780 * 1000 + 15) / 31,
		     3 * 250 + 2 * 300 + 200 + 2000 + 580 + 1100, 31000);
	in.sc_ns = 2000;
	m = solve(&in);
	assert_exact(&m, RP_NSS, (5680 + 2 * 250 + 300) * 1000 / 8,
		     550000 + 5680 * 1000 / 8, 3 * 250 + 2 * 300 + 4000 + 2000 + 580 + 1100, 8000);
}

/* Table 3: every inequality just met and just missed. */
static void boundaries(void **state)
{
	struct rp_model_in in = table4;

	in.wp_ns = 2100, in.sc_ns = 511 * 2100 - 2000;
	assert_int_equal(regime(&in), RP_NFC);
	in.sc_ns++;
	assert_int_equal(regime(&in), RP_NSCS);
	in.sp_ns = 128 * 2000 - 2100;
	assert_int_equal(regime(&in), RP_NSCS);
	in.sp_ns++;
	assert_int_equal(regime(&in), RP_NSS);

	in.wp_ns = 1900, in.sp_ns = 128 * 2000 - 1900;
	assert_int_equal(regime(&in), RP_NFP);
	in.sp_ns++;
	in.sc_ns = 511 * 1900 - 2000;
	assert_int_equal(regime(&in), RP_NSPS);
	in.sc_ns++;
	assert_int_equal(regime(&in), RP_NSS);
	/* nFP does not care for S_C, nFC not for S_P. */
	in.sp_ns--;
	assert_int_equal(regime(&in), RP_NFP);
}

/* The batch is a floor: where the quotient is whole, C still sees the last item. */
static void batch_steps(void **state)
{
	struct rp_model_in in = table4;

	in.wp_ns = 2420;	/* S_C / (W_P - W_C) = 1 */
	assert_int_equal(solve(&in).batch_milli, 2000);
	in.wp_ns = 2421;
	assert_int_equal(solve(&in).batch_milli, 1000);
	in.kp = 3, in.wp_ns = 2442;	/* (420 + 2 * 2000) / 442 = 10 */
	assert_int_equal(solve(&in).batch_milli, 13000);
	in.sc_ns = 419;
	assert_int_equal(solve(&in).batch_milli, 12000);
}

/* W_P = W_C: whoever starts in time never waits again. */
static void same_speed(void **state)
{
	struct rp_model_in in = table4;
	struct rp_model m;

	in.wp_ns = 2000;
	m = solve(&in);
	assert_int_equal(m.regime, RP_NFC);
	assert_int_equal(m.t_ps, 2000000);
	assert_int_equal(m.e_ps, 4000000);
	assert_int_equal(m.batch_milli, RP_MODEL_NONE);
	in.sc_ns = 511 * 2000;
	assert_int_equal(regime(&in), RP_NFP);
	in.sp_ns = 128 * 2000;
	assert_int_equal(regime(&in), RP_NSS);
	in.mode = RP_SLEEP;
	assert_int_equal(regime(&in), RP_SFC);
	in.yc_ns = 511 * 2000;
	assert_int_equal(regime(&in), RP_SFP);
	in.yp_ns = 511 * 2000;
	m = solve(&in);
	assert_int_equal(m.regime, RP_SLS);
	assert_int_equal(m.t_min_ps, 2000000);
}

static void one_slot(void **state)
{
	struct rp_model_in in = table4;
	struct rp_model m;

	in.queue_len = in.kc = 1;
	m = solve(&in);
	assert_exact(&m, RP_NSS, (200 + 2000 + 1100 + 580 + 28000 + 420) * 1000,
		     (200 + 2000 + 1100 + 580 + 28000 + 420) * 1000,
		     2 * (200 + 2000 + 1100 + 420) + 28000 + 580, 1000);
	in.mode = RP_SLEEP;
	m = solve(&in);
	assert_int_equal(m.regime, RP_SLS);
	assert_true(m.t_min_ps <= m.t_max_ps);
	assert_int_equal(rp_model_y_opt_ns(&in), 0);
}

static void units(void **state)
{
	assert_true(rp_model_units(1500) == 1.5);
	assert_true(rp_model_units(0) == 0);
	assert_true(__builtin_isnan(rp_model_units(RP_MODEL_NONE)));
}

static void assert_bad(const struct rp_model_in *in, const char *name)
{
	const char *why = rp_model_check(in);

	assert_non_null(why);
	assert_memory_equal(why, name, strlen(name));
}

static void bad_input(void **state)
{
	struct rp_model_in in;

#define BAD(assignment, name) (in = table4, assignment, assert_bad(&in, name))
	BAD(in.queue_len = 0, "queue_len:");
	BAD(in.queue_len = 32769, "queue_len:");
	BAD(in.kp = 0, "kp:");
	BAD(in.kp = 513, "kp:");
	BAD(in.kc = 0, "kc:");
	BAD(in.kc = 513, "kc:");
	BAD(in.wp_ns = in.wc_ns = 0, "wp_ns:");
	BAD(in.wp_ns = RP_MODEL_MAX_NS + 1, "wp_ns:");
	BAD(in.wc_ns = ~0ULL, "wc_ns:");
	BAD(in.np_ns = ~0ULL, "np_ns:");
	BAD(in.nc_ns = ~0ULL, "nc_ns:");
	BAD(in.sp_ns = ~0ULL, "sp_ns:");
	BAD(in.sc_ns = ~0ULL, "sc_ns:");
	BAD(in.yp_ns = ~0ULL, "yp_ns:");
	BAD(in.yc_ns = ~0ULL, "yc_ns:");
	BAD(in.ye_ns = ~0ULL, "ye_ns:");
	BAD(in.mode = (enum rp_strategy_id)77, "mode:");
	BAD((in.mode = RP_SLEEP, in.yp_ns = in.ye_ns = 0), "yp_ns:");
	BAD((in.mode = RP_SLEEP, in.yc_ns = in.ye_ns = 0), "yc_ns:");
#undef BAD
}

/* ---- Properties, on random points ---- */

static u64 seed = 20261104;

static u64 draw(u64 max)
{
	return test_rand(&seed) % (max + 1);
}

static u64 draw_time(void)
{
	static const u64 scale[] = { 10, 1000, 100000, 10000000, RP_MODEL_MAX_NS };

	return draw(scale[draw(4)]);
}

static struct rp_model_in draw_point(void)
{
	static const u32 lens[] = { 1, 2, 8, 512, 32768 };
	struct rp_model_in in = {
		.mode = (enum rp_strategy_id)draw(RP_BUSY),
		.wp_ns = draw_time(), .wc_ns = 1 + draw_time() / 2, .np_ns = draw_time(),
		.nc_ns = draw_time(), .sp_ns = draw_time(), .sc_ns = draw_time(),
		.yp_ns = 1 + draw_time() / 2, .yc_ns = 1 + draw_time() / 2, .ye_ns = draw_time(),
		.queue_len = 1 + (u32)draw(lens[draw(4)] - 1),
	};

	in.kp = 1 + (u32)draw(in.queue_len - 1);
	in.kc = 1 + (u32)draw(in.queue_len - 1);
	return in;
}

static struct rp_model_in swapped(const struct rp_model_in *a)
{
	struct rp_model_in b = *a;

	b.wp_ns = a->wc_ns, b.wc_ns = a->wp_ns;
	b.np_ns = a->nc_ns, b.nc_ns = a->np_ns;
	b.sp_ns = a->sc_ns, b.sc_ns = a->sp_ns;
	b.yp_ns = a->yc_ns, b.yc_ns = a->yp_ns;
	b.kp = a->kc, b.kc = a->kp;
	return b;
}

static void symmetry(void **state)
{
	static const enum rp_regime mirror[RP_REGIMES] = {
		[RP_BW] = RP_BW, [RP_SFC] = RP_SFP, [RP_SFP] = RP_SFC, [RP_SLS] = RP_SLS,
		[RP_NFC] = RP_NFP, [RP_NFP] = RP_NFC, [RP_NSCS] = RP_NSPS, [RP_NSPS] = RP_NSCS,
		[RP_NSS] = RP_NSS,
	};
	u32 i;

	for (i = 0; i < 100000; i++) {
		struct rp_model_in a = draw_point(), b = swapped(&a);
		struct rp_model m = solve(&a), n = solve(&b);

		if (a.wp_ns != a.wc_ns)
			assert_int_equal(m.regime, mirror[n.regime]);
		assert_int_equal(m.t_ps, n.t_ps);
		assert_int_equal(m.t_min_ps, n.t_min_ps);
		assert_int_equal(m.t_max_ps, n.t_max_ps);
		assert_int_equal(m.e_ps, n.e_ps);
		assert_int_equal(m.batch_milli, n.batch_milli);
	}
}

/* Nobody is faster than BW, T stays in its bounds, every regime is met. */
static void sanity(void **state)
{
	u32 i, met[RP_REGIMES] = { 0 };

	for (i = 0; i < 100000; i++) {
		struct rp_model_in in = draw_point(), bw = in;
		struct rp_model m = solve(&in), best;

		bw.mode = RP_BUSY;
		best = solve(&bw);
		met[m.regime]++;
		assert_true(m.t_min_ps <= m.t_max_ps);
		assert_true(m.t_min_ps >= (in.queue_len > 1 ? best.t_ps : best.t_ps / 2));
		assert_true(m.t_ps == RP_MODEL_NONE || m.t_ps == m.t_min_ps);
		assert_true(m.e_ps >= (in.wp_ns + in.wc_ns) * 1000);
		assert_true(m.d_ns >= in.wp_ns + in.wc_ns);
		assert_true(m.t_max_ps < 1000ULL * 8 * RP_MODEL_MAX_NS);
	}
	for (i = 0; i < RP_REGIMES; i++)
		assert_true(met[i] > 100);
}

/* More of N makes nothing faster; a larger k_P in nFC nothing slower (sec. 2.3.1). */
static void monotonicity(void **state)
{
	u32 i;

	for (i = 0; i < 100000; i++) {
		struct rp_model_in in = draw_point();
		struct rp_model a, b;

		in.mode = RP_NOTIFY;
		a = solve(&in);
		in.np_ns = (in.np_ns + RP_MODEL_MAX_NS) / 2;
		b = solve(&in);
		assert_int_equal(a.regime, b.regime);
		assert_true(b.t_ps >= a.t_ps && b.e_ps >= a.e_ps && b.d_ns >= a.d_ns);
		if (b.regime != RP_NFC || in.kp == in.queue_len)
			continue;
		in.kp++;
		a = solve(&in);
		assert_true(a.regime != RP_NFC || (a.t_ps <= b.t_ps && a.e_ps <= b.e_ps));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(busy),
		cmocka_unit_test(sleeping),
		cmocka_unit_test(long_sleeps),
		cmocka_unit_test(long_queue),
		cmocka_unit_test(short_queue),
		cmocka_unit_test(boundaries),
		cmocka_unit_test(batch_steps),
		cmocka_unit_test(same_speed),
		cmocka_unit_test(one_slot),
		cmocka_unit_test(units),
		cmocka_unit_test(bad_input),
		cmocka_unit_test(symmetry),
		cmocka_unit_test(sanity),
		cmocka_unit_test(monotonicity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
