// SPDX-License-Identifier: GPL-2.0-or-later
/* The controller's rhythms: reads the sensors, keeps the averages. */
#include "control.h"

#include <math.h>

#define NSEC_PER_SEC	1e9
#define WINDOW		(sizeof(((struct hc_tenant *)0)->window) / sizeof(double))

const struct hc_settings hc_defaults = {
	.fast_ns = 1000000,
	.metric_ns = 10000000,
	.decide_ns = 100000000,
	.alpha = { 0.05, 0.2, 0.6 },
	.add_delay = 0.3,
	.late = 0.005,
	.keep = 0.008,
	.danger = 0.5,
	.sigmas = 3,
	.drain_ns = 5000000,
	.hold_ns = 150000000,
	.hold_max_ns = 10000000000,
	.regret_ns = 20000000000,
	.regret = 0.02,
	.stale_ns = 50000000,
	.blind_ns = 1000000000,
};

static enum hc_enforced dry_run(void *ctx, const struct hc_change *c)
{
	return HC_DRY_RUN;
}

const struct hc_actuator_ops hc_dry_run_ops = { .name = "dry-run", .apply = dry_run };

void hc_init(struct hc *c, const struct hc_host *host, const struct hc_settings *set)
{
	*c = (struct hc){ .host = *host, .set = *set };
}

const char *hc_add_tenant(struct hc *c, const struct hc_tenant_config *cfg)
{
	const char *why = hc_policy_check(cfg->policy, &c->host);
	struct hc_tenant *t = &c->tenant[c->tenants];

	if (why)
		return why;
	if (c->tenants == HC_TENANTS_MAX)
		return "a host has at most 64 tenants";
	if (!cfg->bound_ns)
		return "a tenant needs a bound of the delay";
	if (cfg->min_step > cfg->max_step || cfg->max_step >= cfg->policy->steps ||
	    cfg->first_step < cfg->min_step || cfg->first_step > cfg->max_step)
		return "a tenant's steps are not within its policy's";
	if (cfg->sensors > HC_SENSORS_MAX)
		return "a tenant has at most 4 sensors";
	*t = (struct hc_tenant){ .cfg = *cfg, .step = cfg->first_step, .basis = HC_ABSENT,
				 .hold_ns = c->set.hold_ns };
	hc_capacity_init(&t->cap, cfg->policy, &c->host);
	c->tenants++;
	return NULL;
}

const char *hc_add_actuator(struct hc *c, const struct hc_actuator_ops *ops, void *ctx)
{
	if (c->actuators == HC_ACTUATORS_MAX)
		return "a host has at most 8 actuators";
	c->actuator[c->actuators++] = (struct hc_actuator){ .ops = ops, .ctx = ctx };
	return NULL;
}

/*
 * ceil(Q/B) * tau takes the last iteration for a full one, though it was shorter, and a
 * queue of one item for a batch. Where the iteration's items are known, each item counts.
 */
double hc_delay_ns(const struct hc_sample *s, double queue)
{
	if (s->tau_items > 0)
		return queue / s->tau_items * s->tau_ns;
	return ceil(queue / s->batch) * s->tau_ns;
}

static bool valid(const struct hc_sample *s, u64 now)
{
	return s->taken_ns <= now && s->batch && s->queue >= 0 && s->backlog >= 0 &&
	       s->tau_ns >= 0 && isfinite(s->queue) && isfinite(s->backlog) &&
	       isfinite(s->tau_ns) && isfinite(s->tau_items) && isfinite(s->items) &&
	       isfinite(s->busy_ns) &&
	       isfinite(s->iterations) && isfinite(s->peak);
}

/* The first sensor with a fresh sample; a tenant can tell anything, so it is checked. */
static bool read_fresh(struct hc *c, struct hc_tenant *t, u64 now, struct hc_sample *s)
{
	u32 i;

	for (i = 0; i < t->cfg.sensors; i++) {
		const struct hc_sensor *sensor = &t->cfg.sensor[i];

		*s = (struct hc_sample){ 0 };
		if (sensor->ops->read(sensor->ctx, s) || !valid(s, now) ||
		    now - s->taken_ns > c->set.stale_ns)
			continue;
		/* Another sensor's counters, or ones that restarted, are no continuation. */
		if (t->sensor != sensor->ops->name || s->items < t->last.items) {
			t->have_metric = t->have_learned = false;
			t->window_ns[0] = 0;
		}
		t->sensor = sensor->ops->name;
		return true;
	}
	return false;
}

static void look(struct hc *c, struct hc_tenant *t, u64 now)
{
	struct hc_sample s;
	u32 i;

	if (!read_fresh(c, t, now, &s)) {
		t->basis = t->last.taken_ns && now - t->last.taken_ns < c->set.blind_ns ?
			HC_STALE : HC_ABSENT;
		return;
	}
	t->basis = HC_FRESH;
	if (s.taken_ns == t->last.taken_ns)
		return;		/* nothing new */
	t->last = s;
	t->arrivals = s.items + s.backlog;
	t->worst_now_ns = hc_delay_ns(&s, s.queue);
	t->mean_now_ns = hc_delay_ns(&s, s.backlog /
				     hc_config_threads(&t->cfg.policy->step[t->step]));
	for (i = WINDOW - 1; i; i--) {
		t->window[i] = t->window[i - 1];
		t->window_ns[i] = t->window_ns[i - 1];
	}
	t->window[0] = t->arrivals;
	t->window_ns[0] = s.taken_ns;
}

/* The weight of a sample that stands for @ticks metric ticks: as if it had come in each. */
static double weight(double alpha, u64 ticks)
{
	double rest = 1 - alpha;

	if (ticks < 2)
		return alpha;
	while (--ticks && rest > 1e-6)
		rest *= 1 - alpha;
	return 1 - rest;
}

static void average(struct hc *c, struct hc_tenant *t, double load, u64 ns)
{
	u64 ticks = (ns + c->set.metric_ns / 2) / c->set.metric_ns;
	u32 i;

	t->worst_ns += weight(c->set.alpha[0], ticks) * (t->worst_now_ns - t->worst_ns);
	for (i = 0; i < HC_ALPHAS; i++) {
		double alpha = weight(c->set.alpha[i], ticks);

		t->delay_ns[i] += alpha * (t->mean_now_ns - t->delay_ns[i]);
		t->load[i] += alpha * (load - t->load[i]);
	}
	t->have_load = true;
}

/*
 * Busy time that is told less often than items belongs to all of them since it last moved;
 * not if the step was another one then.
 */
static void learn(struct hc *c, struct hc_tenant *t, u64 now)
{
	const struct hc_sample *s = &t->last, *p = &t->learned;
	struct hc_work w = {
		.items = s->items - p->items, .iterations = s->iterations - p->iterations,
		.busy_ns = s->busy_ns - p->busy_ns, .peak = s->peak,
	};
	bool moved = s->busy_ns > p->busy_ns;

	if (t->have_learned && moved && now >= t->quiet_ns &&
	    p->taken_ns + c->set.metric_ns >= t->quiet_ns)
		hc_capacity_learn(&t->cap, t->step, s->batch, &w);
	if (moved || !t->have_learned)
		t->learned = *s;
	t->have_learned = true;
}

static void measure(struct hc *c, struct hc_tenant *t, u64 now)
{
	const struct hc_sample *s = &t->last, *p = &t->metric;
	double arrived = t->arrivals - t->metric_arrivals;
	u64 ns = s->taken_ns - p->taken_ns;

	/* Over less time the rate is more of when a sample was taken than of the load. */
	if (t->basis != HC_FRESH || (t->have_metric && ns < c->set.metric_ns / 2))
		return;
	if (t->have_metric)
		average(c, t, arrived * NSEC_PER_SEC / (double)ns, ns);
	learn(c, t, now);
	t->metric = *s;
	t->metric_arrivals = t->arrivals;
	t->have_metric = true;
}

void hc_forget_delay(struct hc_tenant *t)
{
	t->worst_ns = 0;
	memset(t->delay_ns, 0, sizeof(t->delay_ns));
}

static void settle(struct hc *c, u32 tenant, u64 now)
{
	struct hc_tenant *t = &c->tenant[tenant];
	u32 i;

	if (!t->pending)
		return;
	for (i = 0; i < c->actuators; i++)
		if (c->actuator[i].ops->settled &&
		    !c->actuator[i].ops->settled(c->actuator[i].ctx, tenant))
			return;
	t->pending = false;
	t->quiet_ns = now + c->set.metric_ns;
	if (t->added_ns > t->removed_ns)
		hc_forget_delay(t);
	if (t->held_cores > t->cfg.policy->step[t->step].cores)
		hc_decide_awaited(c, now);
}

/* Half of what would be acted upon. */
#define CALM	0.5

bool hc_is_calm(const struct hc *c, u32 tenant)
{
	const struct hc_tenant *t = &c->tenant[tenant];
	double bound = CALM * (double)t->cfg.bound_ns;

	return t->basis == HC_FRESH && !t->pending && t->have_metric &&
	       t->last.taken_ns >= t->quiet_ns && t->worst_now_ns < c->set.danger * bound &&
	       t->worst_ns < CALM * hc_worst_limit(c, t) && t->delay_ns[1] < c->set.add_delay * bound;
}

u64 hc_next(const struct hc *c)
{
	u64 next = c->fast_at < c->metric_at ? c->fast_at : c->metric_at;

	return next < c->decide_at ? next : c->decide_at;
}

/*
 * Is @at due? Late ticks are skipped, not made up for. All are at multiples of their period, so
 * that a round goes with a metric.
 */
static bool due(u64 *at, u64 now, u64 period)
{
	if (now < *at)
		return false;
	*at = (now / period + 1) * period;
	return true;
}

void hc_run(struct hc *c, u64 now)
{
	hc_run_some(c, now, UINT64_MAX);
}

void hc_run_some(struct hc *c, u64 now, u64 tenants)
{
	bool fast = due(&c->fast_at, now, c->set.fast_ns);
	bool metric = due(&c->metric_at, now, c->set.metric_ns);
	u32 i;

	for (i = 0; i < c->tenants && (fast || metric); i++) {
		if (!(tenants >> i & 1))
			continue;
		look(c, &c->tenant[i], now);
		settle(c, i, now);
		if (metric)
			measure(c, &c->tenant[i], now);
		hc_decide_danger(c, i, now);
	}
	if (due(&c->decide_at, now, c->set.decide_ns))
		hc_decide_all(c, now);
}
