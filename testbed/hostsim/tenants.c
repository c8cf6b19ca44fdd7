// SPDX-License-Identifier: GPL-2.0-or-later
/* Drives several simulated tenants by one controller. */
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
