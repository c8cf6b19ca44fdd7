// SPDX-License-Identifier: GPL-2.0-or-later
/* Asks model and simulator about a point. */
#include <math.h>
#include <stdlib.h>

#include "model_args.h"
#include "sim/sim.h"
#include "spans.h"
#include "validate/validate.h"

#define SIM_ITEMS	400000u
#define SIM_WARMUP	50000u

const char *const source_names[SOURCES] = {
	[SRC_MEASURED] = "measured",
	[SRC_MODEL] = "model",
	[SRC_SIM] = "sim",
	[SRC_SIM_DIST] = "sim_dist",
	[SRC_BEFORE_MODEL] = "before_model",
	[SRC_BEFORE_SIM] = "before_sim",
};

static const struct outcome nothing = {
	.t_ns = UNKNOWN, .t_min_ns = UNKNOWN, .t_max_ns = UNKNOWN, .batch = UNKNOWN,
	.kicks = UNKNOWN, .spurious = UNKNOWN, .calls = UNKNOWN, .sleeps = UNKNOWN,
};

/* ---- Inputs ---- */

static void common_input(const struct run_params *p, struct rp_model_in *in)
{
	*in = (struct rp_model_in){
		.mode = p->strategy_p,
		.queue_len = p->queue_len,
		.kp = run_threshold(RP_CONSUMER, p->kp, p->queue_len),
		.kc = run_threshold(RP_PRODUCER, p->kc, p->queue_len),
	};
}

/* A side that never slept would have slept as long as the other. */
static u64 sleep_or(double own_ns, double other_ns, u64 nominal_ns)
{
	return model_ns(own_ns) ?: model_ns(other_ns) ?: nominal_ns;
}

static void measured_input(const struct run_result *r, struct rp_model_in *in)
{
	common_input(&r->params, in);
	in->wp_ns = model_ns(r->wp_ns);
	in->wc_ns = model_ns(r->wc_ns);
	in->np_ns = model_ns(r->np_ns);
	in->nc_ns = model_ns(r->nc_ns);
	in->sp_ns = model_ns(r->sp_ns);
	in->sc_ns = model_ns(r->sc_ns);
	in->yp_ns = sleep_or(r->yp_ns, r->yc_ns, r->params.yp_ns);
	in->yc_ns = sleep_or(r->yc_ns, r->yp_ns, r->params.yc_ns);
}

static void profile_input(const struct run_params *p, const struct profile *f,
			  struct rp_model_in *in)
{
	common_input(p, in);
	in->wp_ns = p->wp_ns;
	in->wc_ns = p->wc_ns;
	in->np_ns = f->np_ns;
	in->nc_ns = f->nc_ns;
	in->sp_ns = f->sp_ns;
	in->sc_ns = f->sc_ns;
	in->yp_ns = model_ns(profile_sleep_ns(f, (double)p->yp_ns));
	in->yc_ns = model_ns(profile_sleep_ns(f, (double)p->yc_ns));
}

/* ---- Model ---- */

static void ask_model(const struct rp_model_in *in, struct outcome *o)
{
	bool short_queue;
	struct rp_model m;

	rp_model_solve(in, &m);
	o->regime = rp_regime_names[m.regime];
	o->t_ns = rp_model_units(m.t_ps);
	o->t_min_ns = rp_model_units(m.t_min_ps);
	o->t_max_ns = rp_model_units(m.t_max_ps);
	o->batch = rp_model_units(m.batch_milli);
	if (in->mode == RP_SLEEP) {
		o->sleeps = 1 / o->batch;
		o->kicks = o->calls = o->spurious = 0;
		return;
	}
	/* In the short queue's regimes both sides notify once a cycle. */
	short_queue = m.regime == RP_NSCS || m.regime == RP_NSPS || m.regime == RP_NSS;
	o->sleeps = 0;
	o->kicks = short_queue || m.regime == RP_NFC ? 1 / o->batch : 0;
	o->calls = short_queue || m.regime == RP_NFP ? 1 / o->batch : 0;
	if (short_queue)
		o->batch /= 2;
}

/* ---- Simulator ---- */

static void init_sim(const struct rp_model_in *in, struct sim_config *c)
{
	*c = (struct sim_config){
		.model = *in,
		.strategy_p = in->mode,
		.strategy_c = in->mode,
		.stages = 2,
		.w_ns = { in->wp_ns, in->wc_ns },
		.items = SIM_ITEMS,
		.warmup = SIM_WARMUP,
		.seed = 1,
	};
}

static int ask_sim(const struct sim_config *c, struct outcome *o)
{
	struct sim_result *r = calloc(1, sizeof(*r));
	const char *why = r ? sim_check(c) ?: sim_run(c, r) : "out of memory";
	const struct sim_queue *q;
	double n;

	if (!why) {
		q = &r->queue[0];
		n = (double)r->items;
		o->t_ns = o->t_min_ns = o->t_max_ns = (double)r->time_ps / 1000 / n;
		o->kicks = (double)q->kicks / n;
		o->calls = (double)q->calls / n;
		o->spurious = (double)q->spurious_kicks / n;
		o->sleeps = (double)(q->sleeps_p + q->sleeps_c) / n;
		n = o->kicks + o->calls + o->sleeps;
		o->batch = n > 0 ? 1 / n : UNKNOWN;
	}
	free(r);
	return why ? fail("simulator: %s", why) : 0;
}

double predict_sleep_t(u32 queue_len, double wp_ns, double wc_ns, double y_ns)
{
	const struct rp_model_in in = {
		.mode = RP_SLEEP, .queue_len = queue_len, .kp = 1, .kc = 1,
		.wp_ns = model_ns(wp_ns), .wc_ns = model_ns(wc_ns),
		.yp_ns = model_ns(y_ns), .yc_ns = model_ns(y_ns),
	};
	struct outcome o = nothing;
	struct sim_config c;

	init_sim(&in, &c);
	return ask_sim(&c, &o) ? UNKNOWN : o.t_ns;
}

/* ---- Single values from the traces ---- */

/* Too few of them would only repeat themselves: then the mean has to do. */
#define DIST_MIN	50u

static void take_dist(const struct point *pt, const struct run_sides *sides, enum span_kind kind,
		      struct dist_spec *spec)
{
	struct samples v = { 0 };
	u64 *ps;
	u32 i;

	spans_collect(&pt->run.params, sides, kind, &v);
	ps = v.n >= DIST_MIN ? malloc(v.n * sizeof(*ps)) : NULL;
	if (ps) {
		for (i = 0; i < v.n; i++)
			ps[i] = (u64)llround(fmin(v.v[i], RP_MODEL_MAX_NS) * 1000);
		*spec = (struct dist_spec){
			.kind = DIST_TRACE, .trace_ps = ps, .trace_len = v.n,
		};
	}
	samples_free(&v);
}

static int ask_sim_dist(const struct point *pt, const struct run_sides *sides,
			const struct rp_model_in *in, struct outcome *o)
{
	struct sim_config c;
	struct dist_spec *const specs[] = { &c.np, &c.nc, &c.sp, &c.sc, &c.yp, &c.yc };
	const enum span_kind kinds[] = { SPAN_NP, SPAN_NC, SPAN_SP, SPAN_SC, SPAN_YP, SPAN_YC };
	u32 i;
	int rc;

	init_sim(in, &c);
	c.window_ns = model_ns(pt->window_ns);
	for (i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		take_dist(pt, sides, kinds[i], specs[i]);
	rc = ask_sim(&c, o);
	for (i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		dist_spec_free(specs[i]);
	return rc;
}

/* ---- All of them ---- */

static int ask(const struct rp_model_in *in, u64 window_ns, struct outcome *model,
	       struct outcome *sim)
{
	struct sim_config c;
	const char *why = rp_model_check(in);

	if (why)
		return fail("model: %s", why);
	ask_model(in, model);
	init_sim(in, &c);
	c.window_ns = window_ns;
	return ask_sim(&c, sim);
}

static double mean_span(const struct point *pt, const struct run_sides *sides,
			enum span_kind kind)
{
	struct samples v = { 0 };
	struct summary s;

	spans_collect(&pt->run.params, sides, kind, &v);
	samples_summarise(&v, &s);
	samples_free(&v);
	return s.robust;
}

int predict(struct point *pt, const struct run_sides *sides, const struct profile *profile)
{
	struct rp_model_in in;
	u32 i;

	for (i = SRC_MEASURED + 1; i < SOURCES; i++)
		pt->of[i] = nothing;
	pt->window_ns = mean_span(pt, sides, SPAN_WINDOW);
	measured_input(&pt->run, &in);
	if (!in.wp_ns && !in.wc_ns)
		return fail("a party did nothing in the whole of a point's run: the machine is too "
			    "busy to validate anything");
	if (ask(&in, model_ns(pt->window_ns), &pt->of[SRC_MODEL], &pt->of[SRC_SIM]) ||
	    ask_sim_dist(pt, sides, &in, &pt->of[SRC_SIM_DIST]))
		return -1;
	if (!profile)
		return 0;
	profile_input(&pt->run.params, profile, &in);
	return ask(&in, 0, &pt->of[SRC_BEFORE_MODEL], &pt->of[SRC_BEFORE_SIM]);
}
