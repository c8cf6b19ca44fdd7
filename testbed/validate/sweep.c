// SPDX-License-Identifier: GPL-2.0-or-later
/* The two sweeps: what is run, point by point. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "validate/validate.h"

#define QUICK_NS	(NSEC_PER_SEC / 5)
#define WARMUP_NS	(NSEC_PER_SEC / 20)
#define TRIES		3u

/* ---- A point ---- */

static void note_measured(struct point *pt)
{
	const struct run_result *r = &pt->run;
	struct outcome *o = &pt->of[SRC_MEASURED];

	o->t_ns = o->t_min_ns = o->t_max_ns = r->t_ns;
	o->batch = r->batch;
	o->kicks = r->kicks_per_s / r->items_per_s;
	o->spurious = r->spurious_kicks_per_s / r->items_per_s;
	o->calls = r->calls_per_s / r->items_per_s;
	o->sleeps = (r->sleeps_p_per_s + r->sleeps_c_per_s) / r->items_per_s;
}

static int run_once(const struct run_params *p, const struct profile *profile, struct point *pt)
{
	struct run_sides sides = { .lost_at_end = UNKNOWN };
	int rc = p->lane->run(p, &sides);

	if (!rc)
		run_merge(p, &sides, &pt->run);
	if (!rc && pt->run.items > 0) {
		note_measured(pt);
		rc = predict(pt, &sides, profile);
	}
	run_sides_free(&sides);
	return rc;
}

int sweep_point(struct sweep *s, const struct run_params *p, double nominal_ns)
{
	struct point *pt = &s->point[s->n];
	struct run_params longer = *p;
	u32 tries = 0;

	if (s->n == POINTS_MAX)
		return 0;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%s: point %u, %s %.0f ns", s->ops->name, s->n + 1,
			s->ops->swept, nominal_ns);
	pt->nominal_ns = nominal_ns;
	/* A machine that gave the parties no time gives them some of a longer run. */
	do {
		if (run_once(&longer, s->profile, pt))
			return -1;
		longer.duration_ns *= 4;
	} while (!(pt->run.items > 0) && ++tries < TRIES);
	if (!(pt->run.items > 0))
		return fail("no item moved in %u runs of a point, the last of %.1f s: the machine "
			    "is too busy to validate anything", TRIES,
			    (double)longer.duration_ns / 4e9);
	s->n++;
	return 0;
}

static void plan(const struct sweep *s, struct run_params *p, enum rp_strategy_id strategy)
{
	run_params_default(p);
	p->lane = s->lane;
	p->strategy_p = p->strategy_c = strategy;
	p->queue_len = SWEEP_QUEUE_LEN;
	p->warmup_ns = s->quick ? WARMUP_NS / 2 : WARMUP_NS;
	p->progress = false;
}

static int by_nominal(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	return (x->nominal_ns > y->nominal_ns) - (x->nominal_ns < y->nominal_ns);
}

static void finish(struct sweep *s)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	qsort(s->point, s->n, sizeof(s->point[0]), by_nominal);
}

/* ---- Sleep: figs. 6 and 7 ---- */

#define Y_MIN_NS	4000.0
#define Y_MAX_NS	3e6

static int sleep_point(struct sweep *s, double y_ns)
{
	struct run_params p;
	u64 cycles;

	plan(s, &p, RP_SLEEP);
	p.wp_ns = SLEEP_WP_NS;
	p.wc_ns = SLEEP_WC_NS;
	p.yp_ns = p.yc_ns = (u64)llround(y_ns);
	/* At least 300 sleeps: the window cuts some in two. */
	cycles = 300 * p.yc_ns;
	p.duration_ns = s->quick ? QUICK_NS : cycles > NSEC_PER_SEC * 3 / 10 ? cycles :
			NSEC_PER_SEC * 3 / 10;
	return sweep_point(s, &p, (double)p.yc_ns);
}

static int sleep_grid(struct sweep *s, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (sleep_point(s, Y_MIN_NS * pow(Y_MAX_NS / Y_MIN_NS, (double)i / (n - 1))))
			return -1;
	return 0;
}

static double median_of(const struct sweep *s, double (*get)(const struct point *pt))
{
	double v[POINTS_MAX];
	u32 i, n = 0;

	for (i = 0; i < s->n; i++)
		if (is_known(get(&s->point[i])))
			v[n++] = get(&s->point[i]);
	return median(v, n);
}

static double get_wp(const struct point *pt)
{
	return pt->run.wp_ns;
}

static double get_wc(const struct point *pt)
{
	return pt->run.wc_ns;
}

/* What long sleeps last too long: they are set by it to the effective Y wanted. */
static double get_excess(const struct point *pt)
{
	return pt->nominal_ns > 200e3 ? pt->run.yc_ns - pt->nominal_ns : UNKNOWN;
}

/* Points close to the predicted steps, where T changes. */
static int sleep_around_steps(struct sweep *s)
{
	static const double at[] = { -0.08, -0.04, -0.015, 0, 0.015, 0.04, 0.08 };
	double excess = median_of(s, get_excess);
	u32 i, k;

	for (i = 0; i < s->steps; i++)
		for (k = 0; k < sizeof(at) / sizeof(at[0]); k++)
			if (sleep_point(s, s->step[i].predicted_y_ns * (1 + at[k]) - excess))
				return -1;
	return 0;
}

static int run_sleep(struct sweep *s)
{
	if (sleep_grid(s, s->quick ? 5 : 16))
		return -1;
	steps_predict(s, median_of(s, get_wp), median_of(s, get_wc), Y_MAX_NS);
	if (!s->quick && sleep_around_steps(s))
		return -1;
	finish(s);
	steps_locate(s);
	return 0;
}

const struct sweep_ops sweep_sleep = { .name = "sleep", .swept = "y", .run = run_sleep };

/* ---- Notify: figs. 8 and 9 ---- */

static int notify_point(struct sweep *s, u32 wp_ns)
{
	struct run_params p;

	plan(s, &p, RP_NOTIFY);
	p.wp_ns = wp_ns;
	p.wc_ns = NOTIFY_WC_NS;
	p.kp = 1;
	p.kc = 384;
	p.duration_ns = s->quick ? QUICK_NS : NSEC_PER_SEC * 4 / 10;
	return sweep_point(s, &p, wp_ns);
}

static int run_notify(struct sweep *s)
{
	const u32 step_ns = s->quick ? 900 : 100;
	u32 wp_ns;

	for (wp_ns = 200; wp_ns <= 2900; wp_ns += step_ns)
		if (notify_point(s, wp_ns))
			return -1;
	finish(s);
	return 0;
}

const struct sweep_ops sweep_notify = { .name = "notify", .swept = "wp", .run = run_notify };
