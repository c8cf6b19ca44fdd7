// SPDX-License-Identifier: GPL-2.0-or-later
/* Load patterns, and the controller under them. */
#include "patterns.h"

#include <math.h>

#define TICKS_PER_S	(1000000000ULL / HS_TICK_NS)
#define NOISE_PPS	250e3
#define STEP_PPS	500e3
/* Loads at which the frontier is looked at. */
#define LOOKS_PER_S	10
#define LOOKS		(PATTERN_S * LOOKS_PER_S)

const struct shape *const patterns[PATTERNS] = { &shape_slope, &shape_step, &shape_sine };

static void make_load(struct shape_spec *load, u64 seed)
{
	*load = (struct shape_spec){
		.peak = HS_PEAK_PPS, .period_s = PATTERN_S, .step = STEP_PPS,
	};
	shape_noise(load, NOISE_PPS, hs_uniform, &seed);
}

/* A run under way: what to count beside the host's own counters. */
struct running {
	struct hc ctl;
	struct hs h;
	struct hs_host host;
	const struct pattern_watch *watch;
	struct pattern_run *r;
	struct reaction reaction;
};

static void on_decision(void *ctx, const struct hc_decision *d)
{
	struct running *x = ctx;

	if (d->to != d->from)
		x->r->changes++;
	reaction_decision(&x->reaction, d);
	if (x->watch && x->watch->decision)
		x->watch->decision(x->watch->ctx, d);
}

static const char *set_up(struct running *x, const struct pattern_setup *s)
{
	struct hc_tenant_config t = {
		.name = "memcached", .policy = s->policy, .bound_ns = HS_BOUND_NS,
		.max_step = s->policy->steps - 1,
		.sensors = 1, .sensor = { { &hs_sensor_ops, &x->h } },
	};
	const char *why;

	hs_init(&x->h, &s->policy->step[0], s->seed);
	x->h.how = s->moves;
	x->host = (struct hs_host){ .tenants = 1, .of = { &x->h } };
	hc_init(&x->ctl, &hs_host, s->set);
	why = hc_add_tenant(&x->ctl, &t);
	if (!why)
		why = hc_add_actuator(&x->ctl, &hs_freq_ops, &x->host);
	if (!why)
		why = hc_add_actuator(&x->ctl, &hs_batch_ops, &x->host);
	if (!why)
		why = hc_add_actuator(&x->ctl, &hs_threads_ops, &x->host);
	x->ctl.record = on_decision;
	x->ctl.record_ctx = x;
	return why;
}

static void second(struct running *x, u32 s, double *joules, double *batch)
{
	*joules += x->h.count.energy_j;
	*batch += x->h.count.batch_s;
	x->r->violations += hs_violated(&x->h.count);
	x->r->p99_max_ns = fmax(x->r->p99_max_ns, hs_p99_ns(&x->h.count));
	if (x->watch && x->watch->second)
		x->watch->second(x->watch->ctx, s, &x->h);
	hs_count_reset(&x->h);
}

static void offer(struct running *x, const struct shape *p, double load)
{
	bool stepped = p == &shape_step && load > x->h.load && x->h.load > 0;

	x->h.load = load;
	if (stepped)
		reaction_step(&x->reaction, &x->h);
}

static void run_controlled(struct running *x, const struct shape *p,
			   const struct shape_spec *offered)
{
	double joules = 0, batch = 0;
	u32 s;
	u64 i;

	for (s = 0; s < PATTERN_S; s++) {
		for (i = 0; i < TICKS_PER_S; i++) {
			offer(x, p, p->rate(offered, s + (double)i / TICKS_PER_S));
			hs_tick(&x->h);
			if (x->h.now_ns >= hc_next(&x->ctl))
				hc_run(&x->ctl, x->h.now_ns);
			reaction_tick(&x->reaction, &x->h);
		}
		second(x, s, &joules, &batch);
	}
	x->r->watts = joules / PATTERN_S;
	x->r->batch = batch / PATTERN_S;
	x->r->migrations = x->h.migrations;
	x->r->migration_ns = x->h.migrations ? x->h.migration_ns / x->h.migrations : 0;
}

/* The strongest point all the time; turbo's heat comes in addition. */
static double static_watts(const struct pareto *pareto, const struct shape *p,
			   const struct shape_spec *offered)
{
	const struct pareto_point *top = pareto_best(pareto, PARETO_ENERGY, HUGE_VAL);
	double sum = 0, t;
	u32 i;

	for (i = 0; i < LOOKS; i++) {
		t = (double)i / LOOKS_PER_S;
		sum += pareto_watts(top, p->rate(offered, t)) +
		       HS_HEAT_W * (1 - exp(-t / HS_HEAT_S));
	}
	return sum / LOOKS;
}

/* What the frontier gives for the offered load. */
static double bound(const struct pareto *pareto, enum pareto_goal goal, const struct shape *p,
		    const struct shape_spec *offered)
{
	const struct pareto_point *best;
	double sum = 0, load;
	u32 i;

	for (i = 0; i < LOOKS; i++) {
		load = p->rate(offered, (double)i / LOOKS_PER_S);
		best = pareto_best(pareto, goal, load);
		sum += goal == PARETO_ENERGY ? pareto_watts(best, load) : best->batch;
	}
	return sum / LOOKS;
}

const char *pattern_run(const struct shape *p, const struct pattern_setup *s,
			const struct pattern_watch *watch, struct pattern_run *r)
{
	struct running x = { .watch = watch, .r = r, .reaction.list = &r->reactions };
	struct shape_spec offered;
	const char *why;

	*r = (struct pattern_run){ 0 };
	make_load(&offered, s->seed);
	why = set_up(&x, s);
	if (why)
		return why;
	run_controlled(&x, p, &offered);
	r->bound = bound(s->pareto, s->goal, p, &offered);
	if (s->goal == PARETO_ENERGY)
		r->max_watts = static_watts(s->pareto, p, &offered);
	return NULL;
}

double pattern_gain(const struct pattern_run *r, enum pareto_goal goal)
{
	if (goal == PARETO_ENERGY)
		return (r->max_watts - r->watts) / (r->max_watts - r->bound);
	return r->batch / r->bound;
}
