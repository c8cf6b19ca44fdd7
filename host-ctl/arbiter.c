// SPDX-License-Identifier: GPL-2.0-or-later
/* Arbitration by priority and marginal benefit. */
#include "arbiter.h"

static u32 cores_at(const struct hc_claim *c, u32 step)
{
	return c->cap->policy->step[step].cores;
}

/* Cores that the next step takes more; steps that only change the clock take none. */
static u32 next_cores(const struct hc_claim *c)
{
	u32 now = cores_at(c, c->granted), next = cores_at(c, c->granted + 1);

	return next > now ? next - now : 0;
}

#define KEEP		1.1	/* what somebody has counts for so much */

/* The part of the load that the next step carries more, per core. */
static double benefit(const struct hc_claim *c)
{
	double now = hc_capacity(c->cap, c->granted), next = hc_capacity(c->cap, c->granted + 1);
	u32 cores = next_cores(c);

	if (!(c->load > 0) || now >= c->load)
		return 0;
	if (next > c->load)
		next = c->load;
	return (next - now) / c->load / (cores ? cores : 0.5) * (c->granted < c->have ? KEEP : 1);
}

static void grant(struct hc_claim *c, u32 step)
{
	c->granted = step;
	c->benefit = step < c->want ? benefit(c) : 0;
}

static bool before(const struct hc_claim *a, const struct hc_claim *b)
{
	bool needs_a = a->granted < a->need, needs_b = b->granted < b->need;

	if (needs_a != needs_b)
		return needs_a;
	if (a->priority != b->priority)
		return a->priority > b->priority;
	return a->benefit > b->benefit;
}

static struct hc_claim *next_claim(struct hc_claim *claims, u32 n, u32 left)
{
	struct hc_claim *best = NULL;
	u32 i;

	for (i = 0; i < n; i++) {
		struct hc_claim *c = &claims[i];

		if (c->granted >= c->want || next_cores(c) > left)
			continue;
		if (!best || before(c, best))
			best = c;
	}
	return best;
}

int hc_arbitrate(struct hc_claim *claims, u32 n, u32 cores)
{
	struct hc_claim *c;
	u32 i, used = 0;

	for (i = 0; i < n; i++) {
		grant(&claims[i], claims[i].min);
		used += cores_at(&claims[i], claims[i].min);
	}
	if (used > cores)
		return -1;
	while ((c = next_claim(claims, n, cores - used))) {
		used += next_cores(c);
		grant(c, c->granted + 1);
	}
	return (int)(cores - used);
}
