// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulated host as the host controller's sensor and actuators. */
#include "hostsim.h"

/* The load that the threads are given, the busiest over the mean. */
static double unevenness(const struct hs *h)
{
	double max = 0;
	u32 t, n = 0;

	for (t = 0; t < HS_THREADS; t++) {
		n += h->share[t] > 0;
		if (h->share[t] > max)
			max = h->share[t];
	}
	return max * n;
}

static int read_sample(void *ctx, struct hc_sample *s)
{
	const struct hs *h = ctx;
	u32 t, worst = 0;

	*s = (struct hc_sample){
		.taken_ns = h->now_ns, .batch = HS_BATCH, .items = h->items,
		.iterations = h->iterations, .busy_ns = h->busy_ns, .peak = unevenness(h),
		.backlog = hs_held(h),
	};
	for (t = 0; t < HS_THREADS; t++) {
		s->backlog += h->queue[t];
		if (h->queue[t] > h->queue[worst])
			worst = t;
	}
	s->queue = h->queue[worst];
	s->tau_ns = h->tau_ns[worst];
	s->tau_items = h->tau_items[worst];
	return 0;
}

static enum hc_enforced set_freq(void *ctx, const struct hc_change *c)
{
	const struct hs_host *host = ctx;

	host->of[c->tenant]->config.freq = c->to.freq;
	return HC_ENFORCED;
}

/* As on a real host: what nobody has after the change, those included that are being left. */
static enum hc_enforced set_batch(void *ctx, const struct hc_change *c)
{
	struct hs_host *host = ctx;
	u32 i, used = c->to.cores;

	for (i = 0; i < host->tenants; i++)
		if (i != c->tenant)
			used += host->of[i]->config.cores;
	host->batch_cores = used < HS_CORES ? HS_CORES - used : 0;
	hc_share_out(host->batch, host->batches, host->batch_cores);
	/* Who is alone counts the job itself. */
	if (host->tenants == 1)
		host->of[0]->batch_cores = host->batch_cores;
	return HC_ENFORCED;
}

static enum hc_enforced set_threads(void *ctx, const struct hc_change *c)
{
	struct hs_host *host = ctx;
	struct hs *h = host->of[c->tenant];

	if (h->config.cores == c->to.cores && h->config.threads == c->to.threads)
		return HC_ENFORCED;
	h->growing = hc_config_threads(&c->to) > hc_config_threads(&h->config);
	h->config.cores = c->to.cores;
	h->config.threads = c->to.threads;
	h->ordered = true;
	return HC_PENDING;
}

static bool threads_settled(void *ctx, u32 tenant)
{
	const struct hs_host *host = ctx;
	const struct hs *h = host->of[tenant];

	return !h->ordered && h->plan == HS_REFINE;
}

const struct hc_sensor_ops hs_sensor_ops = { .name = "dataplane", .read = read_sample };
const struct hc_actuator_ops hs_freq_ops = { .name = "frequency", .apply = set_freq };
const struct hc_actuator_ops hs_batch_ops = { .name = "batch", .apply = set_batch };
const struct hc_actuator_ops hs_threads_ops = {
	.name = "threads", .apply = set_threads, .settled = threads_settled,
};
