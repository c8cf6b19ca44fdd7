// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The grid in the simulator: the strategies that ship, without a machine's noise.
 * Each round has a seed of its own; for a seed the figures are always the same.
 */
#include <stdlib.h>

#include "bench/grid.h"
#include "sim/report.h"

/* Of what a sleep lasts too long: standard deviation by mean. */
#define YO_SPREAD	0.1

struct simulation {
	const struct grid_plan *g;
	struct sim_result result;
};

static void *sim_open(struct grid_plan *g, const struct grid_point *first)
{
	struct simulation *s = calloc(1, sizeof(*s));

	(void)first;
	if (s)
		s->g = g;
	else
		fail("bench grid: out of memory");
	return s;
}

static struct dist_spec work_of(enum rp_work_dist dist)
{
	return (struct dist_spec){ .kind = dist == RP_WORK_EXP ? DIST_EXP : DIST_CONST };
}

static void configure(const struct grid_plan *g, const struct grid_point *p,
		      const struct grid_entry *e, u32 round, struct sim_config *c)
{
	const u64 w = p->wp_ns > p->wc_ns ? p->wp_ns : p->wc_ns;
	struct run_params params;

	run_params_default(&params);
	grid_set_params(g, p, e, &params);
	*c = (struct sim_config){
		.model = g->costs, .stages = 2, .w_ns = { p->wp_ns, p->wc_ns },
		.strategy_p = params.strategy_p, .strategy_c = params.strategy_c,
		.wp = work_of(p->dist), .wc = work_of(p->dist),
		.yo_ns = g->yo_ns, .yo = { .kind = DIST_NORMAL, .rel = YO_SPREAD },
		.dmax_ns = params.dmax_ns, .seed = g->seed + round,
		.warmup = g->warmup_ns / w + 1, .items = g->duration_ns / w + 1,
	};
	c->model.mode = RP_NOTIFY;	/* the strategies decide */
	c->model.wp_ns = p->wp_ns;
	c->model.wc_ns = p->wc_ns;
	c->model.yp_ns = params.yp_ns;
	c->model.yc_ns = params.yc_ns;
	c->model.queue_len = p->queue_len;
	c->model.kp = rp_default_threshold(RP_CONSUMER, p->queue_len);
	c->model.kc = rp_default_threshold(RP_PRODUCER, p->queue_len);
}

static int sim_measure(void *ctx, const struct grid_point *p, const struct grid_entry *e,
		       u32 round, struct run_result *r)
{
	struct simulation *s = ctx;
	struct sim_config c;
	const char *why;

	if (stopped())
		return -1;
	configure(s->g, p, e, round, &c);
	why = sim_check(&c);
	if (!why)
		why = sim_run(&c, &s->result);
	if (why)
		return fail("bench grid: cannot simulate %s at W_P %llu, W_C %llu ns, L %u: %s",
			    s->g->who.of[e->competitor].name, (unsigned long long)p->wp_ns,
			    (unsigned long long)p->wc_ns, p->queue_len, why);
	sim_run_result(&c, &s->result, 1, r);
	r->params.dmax_ns = c.dmax_ns;
	return 0;
}

const struct grid_lane grid_sim = {
	.name = "sim",
	.open = sim_open,
	.close = free,
	.measure = sim_measure,
};
