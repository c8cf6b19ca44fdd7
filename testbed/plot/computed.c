// SPDX-License-Identifier: GPL-2.0-or-later
/* Figures that model and simulator draw: 2, 3, 4, 10, 13, 14 of the paper. */
#include <math.h>
#include <stdlib.h>

#include "plot/plot.h"
#include "sim/sim.h"

#define SIM_ITEMS	100000u
#define SIM_RANDOM	40000u	/* a point of random parameters costs more */

static struct rp_model solve(const struct rp_model_in *in)
{
	struct rp_model m;

	rp_model_solve(in, &m);
	return m;
}

/* NULL, or why not. */
static const char *simulate(const struct sim_config *c, double *t_ns, double *e_ns)
{
	struct sim_result *r = calloc(1, sizeof(*r));
	const char *why = r ? sim_check(c) ?: sim_run(c, r) : "out of memory";

	if (!why) {
		*t_ns = (double)r->time_ps / 1000 / (double)r->items;
		*e_ns = (double)(sim_party_cpu_ps(&r->party[0]) + sim_party_cpu_ps(&r->party[1])) /
			1000 / (double)r->items;
	}
	free(r);
	return why;
}

static struct sim_config sim_of(const struct rp_model_in *in, u64 items)
{
	return (struct sim_config){
		.model = *in, .strategy_p = in->mode, .strategy_c = in->mode, .stages = 2,
		.w_ns = { in->wp_ns, in->wc_ns }, .items = items, .warmup = items / 10, .seed = 1,
	};
}

static const char *added(int rc)
{
	return rc ? "out of memory" : NULL;
}

/* ---- Figs. 2 and 3: what notifications cost as one party's speed varies ---- */

/*
 * As in the paper's sketches: a small k_C and equal start-up costs, so that both
 * staircases show. L = 16 is still a long queue for such costs.
 */
static struct rp_model_in sketch(const struct plot_source *src)
{
	struct rp_model_in in = src->costs;

	in.mode = RP_NOTIFY;
	in.sp_ns = in.sc_ns;
	in.wp_ns = in.wc_ns = 2000;
	in.queue_len = 16;
	in.kp = 1;
	in.kc = 4;
	in.yp_ns = in.yc_ns = 50000;
	return in;
}

/* Time of the best case of nSS, as drawn by the paper. */
static double best_nss_ns(const struct rp_model_in *in)
{
	return (double)(in->wp_ns + in->wc_ns) +
	       (double)(in->np_ns + in->nc_ns) / in->queue_len;
}

const char *fill_notify_time(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	struct rp_model_in in = sketch(src), busy;
	bool at_kp = false, at_kc = false;
	double batch;
	u64 w;

	for (w = 200; w <= 4000; w += 5) {
		in.wp_ns = w;
		busy = in;
		busy.mode = RP_BUSY;
		batch = rp_model_units(solve(&in).batch_milli);
		/* Where the batch leaves its least value, k. */
		if (!at_kc && w < in.wc_ns && batch > in.kc && w > 200)
			marks[0] = (struct mark){ (double)w, "b > k_C", false }, at_kc = true;
		if (!at_kp && w > in.wc_ns && batch <= in.kp)
			marks[1] = (struct mark){ (double)w, "b = k_P", false }, at_kp = true;
		if (grid_add(g, (double[]){ (double)w, rp_model_units(solve(&busy).t_ps),
					    rp_model_units(solve(&in).t_ps), best_nss_ns(&in) }))
			return "out of memory";
	}
	return NULL;
}

/* The most that notifications add to an item's energy: a notification every k items. */
static double worst_extra_ns(const struct rp_model_in *in)
{
	return in->wc_ns < in->wp_ns ? (double)(in->np_ns + in->sc_ns) / in->kp :
				       (double)(in->nc_ns + in->sp_ns) / in->kc;
}

const char *fill_notify_energy(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	struct rp_model_in in = sketch(src), busy;
	double work, all;
	u64 w;

	for (w = 200; w <= 4000; w += 5) {
		in.wc_ns = w;
		busy = in;
		busy.mode = RP_BUSY;
		work = (double)(in.wp_ns + in.wc_ns);
		all = (double)(in.np_ns + in.sp_ns + in.nc_ns + in.sc_ns);
		if (grid_add(g, (double[]){ (double)w, work, work + worst_extra_ns(&in),
					    rp_model_units(solve(&busy).e_ps),
					    rp_model_units(solve(&in).e_ps),
					    work + all / in.queue_len }))
			return "out of memory";
	}
	return NULL;
}

/* ---- Figs. 4 and 14: sleeps ---- */

static struct rp_model_in sleeper(const struct plot_source *src)
{
	struct rp_model_in in = src->costs;

	in.mode = RP_SLEEP;
	in.wp_ns = 2000;
	in.wc_ns = 1500;
	in.queue_len = 64;
	in.kp = in.kc = 1;
	return in;
}

/* T, E by simulation, and T's bounds where the model has only those. */
static const char *sleep_row(const struct rp_model_in *in, struct grid *g)
{
	struct rp_model m = solve(in);
	bool bounds = m.regime == RP_SLS;
	struct sim_config c = sim_of(in, SIM_ITEMS);
	double t_ns, e_ns;
	const char *why = simulate(&c, &t_ns, &e_ns);

	return why ?: added(grid_add(g, (double[]){
		(double)in->yc_ns, t_ns, e_ns, bounds ? rp_model_units(m.t_min_ps) : UNKNOWN,
		bounds ? rp_model_units(m.t_max_ps) : UNKNOWN }));
}

const char *fill_sleep_regimes(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	struct rp_model_in in = sleeper(src);
	const char *why = NULL;

	in.yp_ns = 150000;
	for (in.yc_ns = 2000; in.yc_ns <= 600000 && !why; in.yc_ns += 2000)
		why = sleep_row(&in, g);
	marks[0] = (struct mark){ (double)rp_model_y_opt_ns(&in), "Y_C opt", false };
	return why;
}

#define DMAX_NS		160000

const char *fill_sleep_choice(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	struct rp_model_in in = sleeper(src);
	const char *why = NULL;

	for (in.yc_ns = 2000; in.yc_ns <= 300000 && !why; in.yc_ns += 1000) {
		in.yp_ns = in.yc_ns;
		why = sleep_row(&in, g);
	}
	marks[0] = (struct mark){ (double)in.ye_ns, "Y_E", false };
	marks[1] = (struct mark){ DMAX_NS / 2 - (double)in.wp_ns, "Y_{MAX}", true };
	marks[2] = (struct mark){ (double)rp_model_y_opt_ns(&in), "long sleeps", false };
	return why;
}

/* ---- Fig. 10: how close P and C come when C gives up ---- */

const char *fill_delta(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	struct rp_model_in in = src->costs;
	double delta, late, found;
	u64 w;

	in.mode = RP_NOTIFY;
	in.queue_len = 512;
	in.kp = 1;
	in.kc = 384;
	in.wc_ns = 2000;
	in.yp_ns = in.yc_ns = 50000;
	for (w = 2001; w <= 2900; w++) {
		in.wp_ns = w;
		delta = (double)(w - in.wc_ns);
		late = (double)(in.sc_ns + (in.kp - 1) * in.wc_ns);
		/* The batch has found = b - k_P + 1 items that came after the k_P-th. */
		found = rp_model_units(solve(&in).batch_milli) - in.kp + 1;
		if (grid_add(g, (double[]){ (double)w, found * delta - late }))
			return "out of memory";
	}
	return NULL;
}

/* ---- Fig. 13: random parameters ---- */

/* Table 4's standard deviations over its means. */
static void spread_costs(struct sim_config *c)
{
	c->np = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 0.22 / 1.10 };
	c->nc = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 0.03 / 0.58 };
	c->sp = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 3.50 / 28.0 };
	c->sc = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 0.02 / 0.42 };
	c->wp = (struct dist_spec){ .kind = DIST_NORMAL, .rel = 0.05 };
}

const char *fill_random(const struct plot_source *src, struct grid *g, struct mark *marks)
{
	static const struct dist_spec wc[] = {
		{ .kind = DIST_NORMAL, .rel = 0.005 }, { .kind = DIST_NORMAL, .rel = 0.05 },
		{ .kind = DIST_NORMAL, .rel = 0.25 }, { .kind = DIST_NORMAL, .rel = 0.50 },
		{ .kind = DIST_EXP },
	};
	const u32 n = sizeof(wc) / sizeof(wc[0]);
	struct rp_model_in in = src->costs;
	struct sim_config c;
	const char *why = NULL;
	double row[2 + n], e_ns;
	u32 i;

	in.mode = RP_NOTIFY;
	in.queue_len = 512;
	in.kp = 1;
	in.kc = 384;
	in.wc_ns = 2000;
	in.yp_ns = in.yc_ns = 50000;
	for (in.wp_ns = 200; in.wp_ns <= 2900 && !why; in.wp_ns += 50) {
		row[0] = (double)in.wp_ns;
		row[1] = rp_model_units(solve(&in).t_ps);
		c = sim_of(&in, SIM_RANDOM);
		spread_costs(&c);
		for (i = 0; i < n && !why; i++) {
			c.wc = wc[i];
			why = simulate(&c, &row[2 + i], &e_ns);
		}
		why = why ?: added(grid_add(g, row));
	}
	return why;
}
