// SPDX-License-Identifier: GPL-2.0-or-later
/* The shapes of the two policies of 000 on hosts other than that paper's. */
#include "policy.h"

/* A step that is not stronger than the one before, or for which there is no room, is left out. */
static void add(struct hc_policy *p, const struct hc_host *h, u32 cores, u32 threads, u32 freq)
{
	const struct hc_config c = { (u16)cores, (u16)threads, (u16)freq };

	if (p->steps == HC_STEPS_MAX)
		return;
	if (p->steps && hc_nominal(h, &c) <= hc_nominal(h, &p->step[p->steps - 1]))
		return;
	p->step[p->steps++] = c;
}

/*
 * The first core, then every @stride-th and the last: steps are few enough for all clocks
 * to have room behind them.
 */
static void add_cores(struct hc_policy *p, const struct hc_host *h, u32 cores, u32 threads,
		      u32 freq, u32 room)
{
	u32 stride = (cores + room - 1) / room, n;

	for (n = 1; n < cores; n += stride)
		add(p, h, n, threads, freq);
	add(p, h, cores, threads, freq);
}

/* Cores first, then their second threads, then the clock, turbo last. */
void hc_policy_make_energy(struct hc_policy *p, const struct hc_host *h, u32 cores, u32 threads)
{
	u32 f;

	*p = (struct hc_policy){ .name = "energy" };
	add_cores(p, h, cores, 1, 0, HC_STEPS_MAX - HC_FREQS_MAX - 1);
	for (f = 0; f < h->freqs; f++)
		add(p, h, cores, threads, f);
}

/* Whole cores at the nominal clock, turbo last. */
void hc_policy_make_consolidate(struct hc_policy *p, const struct hc_host *h, u32 cores,
				u32 threads, u32 nominal)
{
	*p = (struct hc_policy){ .name = "consolidate" };
	add_cores(p, h, cores, threads, nominal, HC_STEPS_MAX - 2);
	add(p, h, cores, threads, h->freqs - 1);
}
