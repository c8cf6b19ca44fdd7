// SPDX-License-Identifier: GPL-2.0-or-later
/* How a controller begins: with what fits, and what it knew before. */
#include "control.h"

static u32 cores_of(const struct hc_tenant *t, u32 step)
{
	return t->cfg.policy->step[step].cores;
}

static u32 cores_wanted(const struct hc *c)
{
	u32 i, sum = 0;

	for (i = 0; i < c->tenants; i++)
		sum += cores_of(&c->tenant[i], c->tenant[i].step);
	return sum;
}

/* Who has more than his minimum: the lowest priority, of equals who has most. */
static struct hc_tenant *who_gives(struct hc *c)
{
	struct hc_tenant *who = NULL;
	u32 i;

	for (i = 0; i < c->tenants; i++) {
		struct hc_tenant *t = &c->tenant[i];

		if (t->step == t->cfg.min_step)
			continue;
		if (!who || t->cfg.priority < who->cfg.priority ||
		    (t->cfg.priority == who->cfg.priority &&
		     cores_of(t, t->step) > cores_of(who, who->step)))
			who = t;
	}
	return who;
}

const char *hc_fit(struct hc *c)
{
	struct hc_tenant *t;

	while (cores_wanted(c) > c->host.cores) {
		t = who_gives(c);
		if (!t)
			return "the tenants' minima together are more cores than the host has";
		t->step--;
	}
	return NULL;
}

void hc_inherit(struct hc_tenant *t, const struct hc_tenant *before)
{
	const struct hc_policy *p = t->cfg.policy, *q = before->cfg.policy;

	if (p->steps != q->steps || memcmp(p->step, q->step, p->steps * sizeof(p->step[0])))
		return;
	t->cap = before->cap;
	t->cap.policy = p;
	t->hold_ns = before->hold_ns;
	memcpy(t->weak, before->weak, sizeof(t->weak));
	memcpy(t->delay_ns, before->delay_ns, sizeof(t->delay_ns));
	memcpy(t->load, before->load, sizeof(t->load));
	t->worst_ns = before->worst_ns;
}

bool hc_take_gains(struct hc_tenant *t, const double *gain, u32 steps)
{
	u32 i;

	if (steps != t->cfg.policy->steps)
		return false;
	for (i = 0; i < steps; i++)
		if (!(gain[i] >= HC_GAIN_MIN && gain[i] <= HC_GAIN_MAX))
			return false;
	memcpy(t->cap.gain, gain, steps * sizeof(*gain));
	return true;
}
