// SPDX-License-Identifier: GPL-2.0-or-later
/* Drives several simulated tenants by one controller; batch tenants use what is left. */
#include "tenants.h"

#include <stdio.h>

#define TICKS_PER_S	(1000000000ULL / HS_TICK_NS)

static void on_decision(void *ctx, const struct hc_decision *d)
{
	struct tenants *t = ctx;
	struct tenant_run *r;
	int direction = d->to > d->from ? 1 : -1;
	u32 i;

	if (sscanf(d->tenant, "t%u", &i) != 1 || i >= t->n)
		return;
	r = &t->of[i];
	r->denied += d->why == HC_DENIED;
	if (d->to == d->from)
		return;
	r->changes++;
	r->turns += r->direction && r->direction != direction;
	r->direction = direction;
}

static const char *add(struct tenants *t, u32 i, const struct hc_policy *policy)
{
	struct hc_tenant_config cfg = {
		.policy = policy, .bound_ns = HS_BOUND_NS,
		.priority = t->of[i].priority, .max_step = policy->steps - 1,
		.sensors = 1, .sensor = { { &hs_sensor_ops, &t->of[i].h } },
	};

	snprintf(cfg.name, sizeof(cfg.name), "t%u", i);
	t->host.of[i] = &t->of[i].h;
	return hc_add_tenant(&t->ctl, &cfg);
}

const char *tenants_init(struct tenants *t, const s32 *priority, u32 n,
			 const struct hc_policy *policy, u64 seed)
{
	const char *why = n > HS_TENANTS_MAX ? "at most 8 tenants" : NULL;
	u32 i;

	*t = (struct tenants){ .n = n, .host.tenants = n, .host.batch_cores = HS_CORES - n };
	hc_init(&t->ctl, &hs_host, &hc_defaults);
	for (i = 0; i < n && !why; i++) {
		t->of[i].priority = priority[i];
		hs_init(&t->of[i].h, &policy->step[0], seed + i);
		t->of[i].h.batch_cores = 0;
		why = add(t, i, policy);
	}
	if (!why)
		why = hc_add_actuator(&t->ctl, &hs_freq_ops, &t->host);
	if (!why)
		why = hc_add_actuator(&t->ctl, &hs_batch_ops, &t->host);
	if (!why)
		why = hc_add_actuator(&t->ctl, &hs_threads_ops, &t->host);
	t->ctl.record = on_decision;
	t->ctl.record_ctx = t;
	return why;
}

const char *tenants_batch(struct tenants *t, const struct batch_run *b)
{
	struct hs_host *host = &t->host;
	u32 i = host->batches;

	if (i == HS_TENANTS_MAX)
		return "at most 8 batch tenants";
	t->batch[i] = *b;
	host->batch[i] = (struct hc_batch){ .priority = b->priority, .min_cores = b->min_cores,
					    .max_cores = b->max_cores };
	host->batches++;
	hc_share_out(host->batch, host->batches, host->batch_cores);
	return NULL;
}

void tenants_count(struct tenants *t)
{
	u32 i;

	t->ticks = 0;
	t->batch_cores = 0;
	for (i = 0; i < t->n; i++) {
		struct tenant_run *r = &t->of[i];

		r->cores = 0;
		r->seconds = r->violations = r->changes = r->turns = r->denied = 0;
		r->direction = 0;
		hs_count_reset(&r->h);
	}
	for (i = 0; i < t->host.batches; i++) {
		t->batch[i].cores = 0;
		t->batch[i].changes = t->batch[i].turns = 0;
		t->batch[i].direction = 0;
	}
}

static void follow(struct batch_run *b, u32 from, u32 to)
{
	int direction = to > from ? 1 : -1;

	if (to == from)
		return;
	b->changes++;
	b->turns += b->direction && b->direction != direction;
	b->direction = direction;
}

static bool has_core(const struct hc_batch *b, u32 core)
{
	return core >= b->first && core < b->first + b->cores;
}

/* The work of batch tenant @i: of each core that it has its part by weight. */
static double work(const struct tenants *t, u32 i)
{
	double sum = 0, weights;
	u32 core, k;

	for (core = t->has[i].first; core < t->has[i].first + t->has[i].cores; core++) {
		for (k = 0, weights = 0; k < t->host.batches; k++)
			if (has_core(&t->has[k], core))
				weights += t->batch[k].weight;
		sum += t->batch[i].weight / weights;
	}
	return sum;
}

/*
 * @free cores are nobody's now: those that were given, less what others have not left yet, which
 * who comes last waits for.
 */
static void run_batches(struct tenants *t, u32 free)
{
	struct hc_batch now[HS_TENANTS_MAX];
	u32 i;

	memcpy(now, t->host.batch, sizeof(now));
	if (free < t->host.batch_cores)
		hc_share_out(now, t->host.batches, free);
	for (i = 0; i < t->host.batches; i++)
		follow(&t->batch[i], t->has[i].cores, now[i].cores);
	memcpy(t->has, now, sizeof(now));
	for (i = 0; i < t->host.batches; i++)
		t->batch[i].cores += (work(t, i) - t->batch[i].cores) / (double)t->ticks;
}

/* Cores that the controller has given to anybody; one that it gave to two counts twice. */
static u32 given(const struct tenants *t)
{
	u32 i, core, sum = 0;
	bool any;

	for (i = 0; i < t->n; i++)
		sum += t->of[i].h.config.cores;
	for (core = 0; core < HS_CORES; core++) {
		for (i = 0, any = false; i < t->host.batches; i++)
			any |= has_core(&t->host.batch[i], core);
		sum += any;
	}
	return sum;
}

static void tick(struct tenants *t)
{
	u32 i, held = 0, rest;

	for (i = 0; i < t->n; i++) {
		t->of[i].h.load = t->of[i].load;
		hs_tick(&t->of[i].h);
	}
	if (t->of[0].h.now_ns >= hc_next(&t->ctl))
		hc_run(&t->ctl, t->of[0].h.now_ns);
	t->ticks++;
	for (i = 0; i < t->n; i++) {
		u32 n = hs_cores_held(&t->of[i].h);

		t->of[i].cores += (n - t->of[i].cores) / (double)t->ticks;
		held += n;
	}
	if (held > t->most_held)
		t->most_held = held;
	rest = held < HS_CORES ? HS_CORES - held : 0;
	rest = rest < t->host.batch_cores ? rest : t->host.batch_cores;
	t->batch_cores += (rest - t->batch_cores) / (double)t->ticks;
	run_batches(t, rest);
	if (given(t) > t->most_given)
		t->most_given = given(t);
}

void tenants_run(struct tenants *t, u32 seconds)
{
	u64 k;
	u32 i;

	while (seconds--) {
		for (k = 0; k < TICKS_PER_S; k++)
			tick(t);
		for (i = 0; i < t->n; i++) {
			t->of[i].seconds++;
			t->of[i].violations += hs_violated(&t->of[i].h.count);
			hs_count_reset(&t->of[i].h);
		}
	}
}
