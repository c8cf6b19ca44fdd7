// SPDX-License-Identifier: GPL-2.0-or-later
/* The two policies' tables, and whether a table fits a host. */
#include "policy.h"

/* Cores first, then their second threads, then the clock, turbo last. */
const struct hc_policy hc_policy_energy = {
	.name = "energy",
	.steps = 22,
	.step = {
		{ 1, 1, 0 }, { 2, 1, 0 }, { 3, 1, 0 }, { 4, 1, 0 },
		{ 5, 1, 0 }, { 6, 1, 0 }, { 7, 1, 0 }, { 8, 1, 0 },
		{ 8, 2, 0 },
		{ 8, 2, 1 }, { 8, 2, 2 }, { 8, 2, 3 }, { 8, 2, 4 },
		{ 8, 2, 5 }, { 8, 2, 6 }, { 8, 2, 7 }, { 8, 2, 8 },
		{ 8, 2, 9 }, { 8, 2, 10 }, { 8, 2, 11 }, { 8, 2, 12 },
		{ 8, 2, 13 },
	},
};

/* Whole cores at the nominal clock, turbo last. */
const struct hc_policy hc_policy_consolidate = {
	.name = "consolidate",
	.steps = 9,
	.step = {
		{ 1, 2, 12 }, { 2, 2, 12 }, { 3, 2, 12 }, { 4, 2, 12 },
		{ 5, 2, 12 }, { 6, 2, 12 }, { 7, 2, 12 }, { 8, 2, 12 },
		{ 8, 2, 13 },
	},
};

double hc_nominal(const struct hc_host *h, const struct hc_config *c)
{
	return c->cores * (c->threads > 1 ? h->smt : 1.0) * h->ghz[c->freq];
}

static const char *check_step(const struct hc_config *c, const struct hc_host *h)
{
	if (c->cores < 1 || c->cores > h->cores)
		return "a step has no cores, or more than the host";
	if (c->threads < 1 || c->threads > 2)
		return "a step has neither 1 nor 2 threads per core";
	if (c->freq >= h->freqs)
		return "a step has a frequency that the host has not";
	return NULL;
}

const char *hc_policy_check(const struct hc_policy *p, const struct hc_host *h)
{
	const char *why;
	u32 i;

	if (p->steps < 1 || p->steps > HC_STEPS_MAX)
		return "a policy has 1 to 64 steps";
	for (i = 0; i < p->steps; i++) {
		why = check_step(&p->step[i], h);
		if (why)
			return why;
		if (i && hc_nominal(h, &p->step[i]) <= hc_nominal(h, &p->step[i - 1]))
			return "a step is not stronger than the one before";
	}
	return NULL;
}
