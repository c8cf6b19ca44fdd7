// SPDX-License-Identifier: GPL-2.0-or-later
/* Learns the capacities of a policy's steps. */
#include "capacity.h"

#include <math.h>

#define FORGET		0.9995	/* per observation */
#define SEEN_ALPHA	0.1
#define PEAK_ALPHA	0.05
#define FIT_MIN		10	/* observations, before which there is no ratio */
#define FIT_ERROR	0.005	/* standard error, of the cost per item, above which there is none */
#define ITEMS_MIN	16	/* fewer tell nothing of their cost */
#define NSEC_PER_SEC	1e9
#define REFINE_PART	0.1	/* of what the gains are wrong by, */
#define REFINE_MAX	0.01	/* and so much at most */
#define LATELY		6000	/* observations: for longer a load does not stay the same */

void hc_capacity_init(struct hc_capacity *c, const struct hc_policy *p, const struct hc_host *h)
{
	u32 i;

	*c = (struct hc_capacity){ .policy = p, .batch = 1, .peak = 1 };
	for (i = 0; i < p->steps; i++) {
		c->nominal[i] = hc_nominal(h, &p->step[i]);
		c->gain[i] = 1;
	}
}

/* Work of one thread's second at @step, in seconds of a thread at 1 GHz. */
static double thread_speed(const struct hc_capacity *c, u32 step)
{
	return c->nominal[step] / hc_config_threads(&c->policy->step[step]);
}

/* Least squares of work = iterations * t_iter + items * t_item, once that is more than chance. */
static void solve(struct hc_capacity *c)
{
	double iter, item, error;

	if (c->nn < FIT_MIN || !(c->ii > 0))
		return;
	iter = c->iw / c->ii;
	error = sqrt(fmax(c->ww - iter * c->iw, 0) / (c->nn * c->ii));
	if (error * c->in > FIT_ERROR * c->nw)
		return;
	iter = fmax(iter, 0);
	item = (c->nw - iter * c->in) / c->nn;
	if (item > 0)
		c->ratio = iter / item;
}

/*
 * Per item, so that intervals of little and of much work count alike; by how far both are from
 * the step's averages: at another step an item costs more or less whatever the iterations.
 */
static void fit(struct hc_capacity *c, u32 step, double i, double work)
{
	double di = i - c->iterations[step], dw = work - c->work[step];

	c->ii = c->ii * FORGET + di * di;
	c->iw = c->iw * FORGET + di * dw;
	c->ww = c->ww * FORGET + dw * dw;
	c->in = c->in * FORGET + i;
	c->nw = c->nw * FORGET + work;
	c->nn = c->nn * FORGET + 1;
	solve(c);
}

void hc_capacity_learn(struct hc_capacity *c, u32 step, u32 batch, const struct hc_work *w)
{
	double work = w->busy_ns * thread_speed(c, step) / w->items;
	double i = w->iterations / w->items, alpha = c->work[step] > 0 ? SEEN_ALPHA : 1;

	if (w->items < ITEMS_MIN || w->iterations < 1 || !(work > 0))
		return;
	c->batch = batch ? batch : 1;
	if (c->work[step] > 0)
		fit(c, step, i, work);
	c->last[step] = ++c->learned;
	c->work[step] += alpha * (work - c->work[step]);
	c->iterations[step] += alpha * (i - c->iterations[step]);
	if (w->peak >= 1)
		c->peak += PEAK_ALPHA * (w->peak - c->peak);
}

/* t_item where it was seen, else 0. */
static double seen_cost(const struct hc_capacity *c, u32 step)
{
	return c->work[step] > 0 ? c->work[step] / (1 + c->ratio * c->iterations[step]) : 0;
}

/* t_item by the nearest step that was seen, the stronger of two; 0: none was. */
static double item_cost(const struct hc_capacity *c, u32 step)
{
	u32 d, s;

	for (d = 0; d < c->policy->steps; d++) {
		s = step + d;
		if (s >= c->policy->steps || !(c->work[s] > 0))
			s = step >= d ? step - d : step;
		if (c->work[s] > 0)
			return seen_cost(c, s) * c->gain[s] / c->gain[step];
	}
	return 0;
}

/* What is the same of all steps when their gains are right. */
static double level(const struct hc_capacity *c, u32 step)
{
	return log(seen_cost(c, step) * c->gain[step]);
}

bool hc_capacity_refine(struct hc_capacity *c, u32 step)
{
	double sum = 0, wrong;
	u32 i, n = 0;

	for (i = 0; i < c->policy->steps; i++) {
		if (i == step || !c->last[i] || c->learned - c->last[i] > LATELY)
			continue;
		sum += level(c, i);
		n++;
	}
	if (!n || !c->last[step])
		return false;
	wrong = (sum / n - level(c, step)) * REFINE_PART;
	wrong = fmin(fmax(wrong, -REFINE_MAX), REFINE_MAX);
	c->gain[step] = fmin(fmax(c->gain[step] * exp(wrong), HC_GAIN_MIN), HC_GAIN_MAX);
	if (c->refined[step] < UINT32_MAX)
		c->refined[step]++;
	return true;
}

double hc_capacity(const struct hc_capacity *c, u32 step)
{
	double cost = item_cost(c, step) * (1 + c->ratio / c->batch);

	return cost > 0 ? c->nominal[step] * NSEC_PER_SEC / (cost * c->peak) : 0;
}

double hc_threshold(const struct hc_capacity *c, u32 from, u32 to)
{
	double have = hc_capacity(c, from), left = hc_capacity(c, to);

	return have > 0 ? 1 - left / have :
	       1 - c->nominal[to] * c->gain[to] / (c->nominal[from] * c->gain[from]);
}
