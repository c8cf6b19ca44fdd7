// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The controller's actuators on a real host, in the order in which a tenant grows: it is
 * said which cores are whose, batch tenants leave them, their clock is set, the tenant
 * is placed on them, its dataplane uses them.
 */
#include <stdio.h>

#include "../batch.h"
#include "log/log.h"
#include "now.h"
#include "world.h"

struct world_tenant *world_of(struct world *w, u32 place)
{
	u32 i;

	for (i = 0; i < w->tenants; i++)
		if (w->tenant[i].place == (s32)place)
			return &w->tenant[i];
	return NULL;
}

/* ---- Cores ---- */

static enum hc_enforced set_cores(void *ctx, const struct hc_change *c)
{
	struct world *w = ctx;

	cores_set(&w->cores, c->tenant, c->to.cores);
	world_save(w, c->tenant, &c->to);
	return w->cores.count[c->tenant] == c->to.cores ? HC_ENFORCED : HC_FAILED;
}

/* ---- Batch tenants ---- */

/* It may have been stopped before this world began, or as one of another class. */
static enum hc_enforced confine_and_run(struct world_tenant *t, const cpu_set_t *cpus)
{
	enum hc_enforced e = native_confine(&t->native, cpus);

	return e == HC_FAILED ? e : native_stop(&t->native, false);
}

static enum hc_enforced move_batch(struct world *w, struct world_tenant *t, const cpu_set_t *cpus)
{
	bool pause = CPU_COUNT(cpus) == 0;
	struct virt_want want = { .confine = !pause, .cpus = *cpus, .vcpus = (u32)CPU_COUNT(cpus),
				  .suspend = pause, .resume = !pause,
				  .shares = t->conf->cpu_shares,
				  .quota_percent = t->conf->quota_percent };
	enum hc_enforced e;

	if (t->placed && CPU_EQUAL(cpus, &t->cpus))
		return HC_ENFORCED;
	t->cpus = *cpus;
	t->paused = pause;
	t->placed = true;
	if (t->is_domain)
		return virt_want(&w->virt, t->domain, &want);
	if (pause) {
		e = native_stop(&t->native, true);
		t->placed = e != HC_FAILED;
		return e;
	}
	e = confine_and_run(t, cpus);
	t->placed = e != HC_FAILED;	/* else again next time */
	return e;
}

/* Those of all batch tenants, in the order of w->tenant[]. */
static void share_out(const struct world *w, struct hc_batch *b, u32 cores)
{
	u32 i, n = 0;

	for (i = 0; i < w->tenants; i++) {
		const struct conf_tenant *c = w->tenant[i].conf;

		if (w->tenant[i].place < 0)
			b[n++] = (struct hc_batch){ .priority = (s32)c->priority,
						    .min_cores = c->min_cores,
						    .max_cores = c->max_cores };
	}
	hc_share_out(b, n, cores);
}

static enum hc_enforced set_batch(void *ctx, const struct hc_change *c)
{
	struct world *w = ctx;
	enum hc_enforced all = HC_NOBODY, e;
	struct hc_batch of[CONF_TENANTS_MAX], *b = of;
	u16 core[TOPO_CORES_MAX];
	cpu_set_t cpus;
	u32 i;

	share_out(w, of, cores_free(&w->cores, c->tenant, c->to.cores, core));
	for (i = 0; i < w->tenants; i++) {
		if (w->tenant[i].place >= 0)
			continue;
		cores_cpus(&w->cores, core + b->first, b->cores, 2, &cpus);
		b++;
		e = move_batch(w, &w->tenant[i], &cpus);
		if (e == HC_FAILED)
			return HC_FAILED;
		if (e == HC_PENDING || all == HC_NOBODY)
			all = e;
	}
	return all;
}

static enum hc_enforced batch_state(struct world *w, struct world_tenant *t, char why[160])
{
	enum hc_enforced all = HC_ENFORCED, e;
	u32 i;

	for (i = 0; i < w->tenants && all == HC_ENFORCED; i++) {
		if (w->tenant[i].place >= 0 || !w->tenant[i].is_domain)
			continue;
		e = virt_state(&w->virt, w->tenant[i].domain, why);
		if (e != HC_NOBODY)
			all = e;
	}
	return all;
}

/* ---- Clocks ---- */

/* Does any tenant have turbo, once @c is done? */
static bool turbo(const struct world *w, const struct hc_change *c)
{
	bool wanted = c->to.freq > w->topo.nominal;
	u32 i;

	for (i = 0; i < w->hc.tenants; i++) {
		const struct hc_tenant *t = &w->hc.tenant[i];

		wanted |= i != c->tenant && t->cfg.policy->step[t->step].freq > w->topo.nominal;
	}
	return wanted;
}

/* Of all CPUs that the tenant has, in percent of one; 0: as it was, at the highest clock. */
static u32 quota_of(const struct world *w, const struct hc_config *c)
{
	u32 percent = topo_percent(&w->topo, c->freq);

	return percent < 100 ? percent * hc_config_threads(c) : 0;
}

static enum hc_enforced emulated(enum hc_enforced e)
{
	return e == HC_ENFORCED ? HC_EMULATED : e;
}

static enum hc_enforced emulate_clock(struct world *w, const struct hc_change *c)
{
	struct world_tenant *t = world_of(w, c->tenant);

	/* A domain's goes with its pins, see set_place(). */
	return t->is_domain ? HC_PENDING : emulated(quota_set(&t->quota, quota_of(w, &c->to)));
}

static enum hc_enforced set_clock(void *ctx, const struct hc_change *c)
{
	struct world *w = ctx;
	u16 core[TOPO_CORES_MAX];
	u32 n = cores_with(&w->cores, c->tenant, c->to.cores, core), i;

	if (w->topo.emulated)
		return emulate_clock(w, c);
	if (clock_turbo(&w->clock, turbo(w, c)))
		return HC_FAILED;
	for (i = 0; i < n; i++)
		if (clock_set(&w->clock, core[i], c->to.freq))
			return HC_FAILED;
	for (i = n; i < w->cores.count[c->tenant]; i++)
		clock_give_back(&w->clock, w->cores.core[c->tenant][i]);
	return HC_ENFORCED;
}

static enum hc_enforced clock_state(struct world *w, struct world_tenant *t, char why[160])
{
	if (!w->topo.emulated)
		return HC_ENFORCED;
	return emulated(t->is_domain ? virt_state(&w->virt, t->domain, why) : t->quota.state);
}

/* ---- Places ---- */

/*
 * A dataplane's thread is pinned to its vCPU: it leaves that before the guest takes it off
 * line, and comes when it is on line.
 */
static void in_turn(struct world_tenant *t, struct virt_want *want, u32 threads)
{
	bool both = *t->conf->dataplane && t->conf->vcpus != CONF_PARK;

	t->vcpus_wait = want->hold_vcpus = both && want->vcpus < threads;
	t->dataplane.held = both && !t->vcpus_wait;
}

static enum hc_enforced set_place(void *ctx, const struct hc_change *c)
{
	struct world *w = ctx;
	struct world_tenant *t = world_of(w, c->tenant);
	struct virt_want want = { .confine = true, .resume = true,
				  .vcpus = hc_config_threads(&c->to),
				  .shares = t->conf->cpu_shares, .limit = w->topo.emulated,
				  .limit_percent = w->topo.emulated ? quota_of(w, &c->to) : 0 };
	u16 core[TOPO_CORES_MAX];
	u32 n = cores_with(&w->cores, c->tenant, c->to.cores, core);

	cores_cpus(&w->cores, core, n, c->to.threads, &want.cpus);
	in_turn(t, &want, hc_config_threads(&c->from));
	return t->is_domain ? virt_want(&w->virt, t->domain, &want) :
			      confine_and_run(t, &want.cpus);
}

static enum hc_enforced place_state(struct world *w, struct world_tenant *t, char why[160])
{
	enum hc_enforced e = t->is_domain ? virt_state(&w->virt, t->domain, why) : HC_ENFORCED;
	u32 online;

	/* Pins are a place, too, where the vCPUs are more; but the guest has its time. */
	return e == HC_ENFORCED && t->conf->vcpus != CONF_PARK &&
	       virt_vcpus_state(&w->virt, t->domain, &online, why) == HC_PENDING ? HC_PENDING : e;
}

/* ---- Threads of a dataplane ---- */

static enum hc_enforced set_threads(void *ctx, const struct hc_change *c)
{
	struct world_tenant *t = world_of(ctx, c->tenant);
	struct dataplane *d = &t->dataplane;

	if (!*t->conf->dataplane)
		return HC_NOBODY;
	dataplane_order(d, hc_config_threads(&c->to));
	t->ordered_ns = now_ns();
	return link_up(&d->link) ? HC_PENDING : HC_NOBODY;
}

static enum hc_enforced threads_state(struct world *w, struct world_tenant *t, char why[160])
{
	const struct dataplane *d = &t->dataplane;

	if (!*t->conf->dataplane || !link_up(&d->link))
		return HC_NOBODY;
	if (dataplane_has_done(d))
		return HC_ENFORCED;
	if (d->held || now_ns() - t->ordered_ns < w->conf.timeout_ns)
		return HC_PENDING;
	snprintf(why, 160, "its dataplane has not taken the order in time");
	return HC_FAILED;
}

void world_go_on(struct world *w, struct world_tenant *t)
{
	char why[160];

	if (t->vcpus_wait && threads_state(w, t, why) != HC_PENDING) {
		t->vcpus_wait = false;
		virt_let_vcpus(&w->virt, t->domain);
	}
	if (t->dataplane.held && place_state(w, t, why) != HC_PENDING) {
		t->dataplane.held = false;
		t->ordered_ns = now_ns();
	}
}

/* ---- The tables ---- */

enum hc_enforced world_state(struct world *w, enum act act, struct world_tenant *t, char why[160])
{
	static enum hc_enforced (*const state[ACTS])(struct world *, struct world_tenant *, char *) = {
		[ACT_BATCH] = batch_state, [ACT_CLOCK] = clock_state, [ACT_PLACE] = place_state,
		[ACT_THREADS] = threads_state,
	};

	why[0] = '\0';
	return state[act] ? state[act](w, t, why) : HC_ENFORCED;
}

/* Whatever is not pending any more; what has failed is told, and tried on. */
static bool settled(struct world *w, enum act act, u32 tenant)
{
	char why[160];

	return world_state(w, act, world_of(w, tenant), why) != HC_PENDING;
}

static bool batch_settled(void *ctx, u32 tenant)
{
	return settled(ctx, ACT_BATCH, tenant);
}

static bool clock_settled(void *ctx, u32 tenant)
{
	return settled(ctx, ACT_CLOCK, tenant);
}

static bool place_settled(void *ctx, u32 tenant)
{
	return settled(ctx, ACT_PLACE, tenant);
}

static bool threads_settled(void *ctx, u32 tenant)
{
	return settled(ctx, ACT_THREADS, tenant);
}

const struct hc_actuator_ops world_ops[ACTS] = {
	[ACT_CORES] = { .name = "cores", .apply = set_cores },
	[ACT_BATCH] = { .name = "batch", .apply = set_batch, .settled = batch_settled },
	[ACT_CLOCK] = { .name = "clock", .apply = set_clock, .settled = clock_settled },
	[ACT_PLACE] = { .name = "place", .apply = set_place, .settled = place_settled },
	[ACT_THREADS] = { .name = "threads", .apply = set_threads, .settled = threads_settled },
};

bool world_has(const struct world *w, enum act act)
{
	u32 i;

	for (i = 0; act == ACT_THREADS && i < w->tenants; i++)
		if (*w->tenant[i].conf->dataplane)
			return true;
	return act == ACT_BATCH ? w->has_batch : act == ACT_CLOCK ? w->topo.clocks :
	       act != ACT_THREADS;
}
