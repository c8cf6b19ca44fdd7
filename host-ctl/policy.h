/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policies of the host controller, as data: sequences of configurations, each stronger. */
#ifndef HOST_CTL_POLICY_H
#define HOST_CTL_POLICY_H

#include "rp.h"

#define HC_STEPS_MAX	64u
#define HC_FREQS_MAX	32u

/* What a latency-critical tenant has; @freq is an index into hc_host.ghz. */
struct hc_config {
	u16 cores;
	u16 threads;		/* per core: 1 or 2 */
	u16 freq;
};

struct hc_policy {
	const char *name;
	u32 steps;
	struct hc_config step[HC_STEPS_MAX];
};

/*
 * The tables of 000, sec. 3.2, for 8 cores, 2 threads each, and 14 frequencies of which
 * the last is turbo and the one before it nominal.
 */
extern const struct hc_policy hc_policy_energy;
extern const struct hc_policy hc_policy_consolidate;

/* What the host has, and what is believed of its gains until they are measured. */
struct hc_host {
	u32 cores;
	u32 freqs;
	double ghz[HC_FREQS_MAX];	/* ascending */
	double smt;			/* throughput of a core's two threads over one */
};

static inline u32 hc_config_threads(const struct hc_config *c)
{
	return (u32)c->cores * c->threads;
}

/* Throughput of @c in that of one thread of a core at 1 GHz. */
double hc_nominal(const struct hc_host *h, const struct hc_config *c);

/* NULL when every step of @p exists on @h and is stronger than the one before, or why not. */
const char *hc_policy_check(const struct hc_policy *p, const struct hc_host *h);

/*
 * The same two for any host and @cores of it: index 0 of a host's clocks is the lowest,
 * @nominal the highest one that all cores keep up. @threads: 1, or 2 per core.
 */
void hc_policy_make_energy(struct hc_policy *p, const struct hc_host *h, u32 cores,
			   u32 threads);
void hc_policy_make_consolidate(struct hc_policy *p, const struct hc_host *h, u32 cores,
				u32 threads, u32 nominal);

#endif /* HOST_CTL_POLICY_H */
