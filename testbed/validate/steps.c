// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The staircase of sLS: with equal sleeps on both sides T goes up by about
 * W_P - W_C whenever Y grows by L (W_P - W_C) (004, sec. 5.1).
 */
#include <math.h>
#include <stdlib.h>

#include "validate/validate.h"

#define SCAN_POINTS	300u
#define LOCATE_NS	500.0	/* how exactly a step is located */

static double t_at(double wp_ns, double wc_ns, double y_ns)
{
	return predict_sleep_t(SWEEP_QUEUE_LEN, wp_ns, wc_ns, y_ns);
}

/* Halves the interval in which T crosses @mid_ns. */
static double bisect(double wp_ns, double wc_ns, double low, double high, double mid_ns)
{
	double y;

	while (high - low > LOCATE_NS) {
		y = (low + high) / 2;
		if (t_at(wp_ns, wc_ns, y) < mid_ns)
			low = y;
		else
			high = y;
	}
	return (low + high) / 2;
}

void steps_predict(struct sweep *s, double wp_ns, double wc_ns, double y_max_ns)
{
	double jump = (wp_ns - wc_ns) / 4, width = y_max_ns / SCAN_POINTS;
	double y, t, before = t_at(wp_ns, wc_ns, width);
	u32 i;

	for (i = 2; i <= SCAN_POINTS && s->steps < STEPS_MAX; i++) {
		y = width * i;
		t = t_at(wp_ns, wc_ns, y);
		if (t - before > jump)
			s->step[s->steps++] = (struct step){
				.predicted_y_ns = bisect(wp_ns, wc_ns, y - width, y,
							 (before + t) / 2),
				.t_below_ns = before,
				.t_above_ns = t,
				.measured_y_ns = UNKNOWN,
			};
		before = t;
	}
}

/* ---- In what was measured ---- */

struct spot {
	double y, t;
};

static int by_y(const void *a, const void *b)
{
	const struct spot *p = a, *q = b;

	return (p->y > q->y) - (p->y < q->y);
}

static u32 measured_spots(const struct sweep *s, struct spot *v)
{
	u32 i, n = 0;

	for (i = 0; i < s->n; i++) {
		const struct run_result *r = &s->point[i].run;

		if (is_known(r->yc_ns) && is_known(r->t_ns))
			v[n++] = (struct spot){ r->yc_ns, r->t_ns };
	}
	qsort(v, n, sizeof(*v), by_y);
	return n;
}

/* The crossing of the middle of @st that is closest to the predicted place. */
static double crossing(const struct step *st, const struct spot *v, u32 n)
{
	double mid = (st->t_below_ns + st->t_above_ns) / 2, best = UNKNOWN, y;
	u32 i;

	for (i = 1; i < n; i++) {
		if (!(v[i - 1].t < mid && v[i].t >= mid))
			continue;
		y = v[i - 1].y + (v[i].y - v[i - 1].y) * (mid - v[i - 1].t) / (v[i].t - v[i - 1].t);
		if (!is_known(best) ||
		    fabs(y - st->predicted_y_ns) < fabs(best - st->predicted_y_ns))
			best = y;
	}
	return best;
}

void steps_locate(struct sweep *s)
{
	struct spot v[POINTS_MAX];
	u32 i, n = measured_spots(s, v);

	for (i = 0; i < s->steps; i++)
		s->step[i].measured_y_ns = crossing(&s->step[i], v, n);
}
