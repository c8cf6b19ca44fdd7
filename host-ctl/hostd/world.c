// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes a world, and keeps it going. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>

#include "../decision.h"
#include "log/log.h"
#include "now.h"

#define SECOND_NS	1000000000ULL
#define STOP_MS		1000u
#define TOO_MANY_CORES	"min-cores: more than cpus: has: give it less, or the host more"

/* ---- Decisions ---- */

void world_text(const struct world *w, const struct hc_decision *d, char *line, size_t bytes)
{
	int n = hc_decision_text(d, &w->topo.host, line, bytes);

	if (w->topo.emulated && n > 0 && (size_t)n < bytes)
		snprintf(line + n, bytes - (size_t)n, "; clock emulated by a quota");
}

static u64 bit_of(const struct world_tenant *t)
{
	return t->place < 0 ? 0 : 1ULL << t->place;
}

static void tell(const struct world *w, const struct hc_decision *d, enum log_level level)
{
	char line[512];

	if (!log_wants(level))
		return;
	world_text(w, d, line, sizeof(line));
	log_line(level, "%s", line);
}

static void record(void *ctx, const struct hc_decision *d)
{
	struct world *w = ctx;
	struct world_tenant *t = NULL;
	u32 i;

	for (i = 0; i < w->tenants && !t; i++)
		if (!strcmp(w->tenant[i].conf->name, d->tenant))
			t = &w->tenant[i];
	if (!t)
		return;
	if (d->to != d->from)
		w->calm &= ~bit_of(t);
	t->decisions++;
	/* That it goes on as it is is no news, unless the reason has changed. */
	if (d->to == d->from && d->why == t->last.why && d->basis == t->last.basis &&
	    d->wanted == t->last.wanted && t->decisions > 1) {
		t->last = *d;
		return;
	}
	t->last = *d;
	t->history[t->changes++ % HISTORY] = *d;
	tell(w, d, d->why >= HC_ADD_DELAY ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG);
}

/* ---- Tenants ---- */

static void make_policy(const struct world *w, struct world_tenant *t)
{
	const struct conf_tenant *c = t->conf;
	u32 cores = c->max_cores && c->max_cores < w->topo.cores ? c->max_cores : w->topo.cores;
	u32 threads = c->threads_per_core && c->threads_per_core < w->topo.threads ?
		c->threads_per_core : w->topo.threads;

	if (c->policy == CONF_ENERGY)
		hc_policy_make_energy(&t->policy, &w->topo.host, cores, threads);
	else
		hc_policy_make_consolidate(&t->policy, &w->topo.host, cores, threads,
					   w->topo.nominal);
}

static void add_sensors(struct world_tenant *t, struct hc_tenant_config *cfg)
{
	struct world *w = t->world;

	if (*t->conf->dataplane) {
		dataplane_init(&t->dataplane, t->conf, w->conf.timeout_ns, w->loop);
		cfg->sensor[cfg->sensors++] = (struct hc_sensor){ &dataplane_ops, &t->dataplane };
	}
	if (t->conf->ports) {
		backlogs_add(&w->backlogs, &t->backlog, t->conf, &t->busy);
		w->ports |= bit_of(t);
		cfg->sensor[cfg->sensors++] = (struct hc_sensor){ &backlog_ops, &t->backlog };
	}
}

/* NULL, or why not. */
static const char *add_latency(struct world_tenant *t)
{
	struct world *w = t->world;
	struct hc_tenant_config cfg = { .policy = &t->policy, .bound_ns = t->conf->bound_ns,
					.priority = (s32)t->conf->priority };
	u16 core[TOPO_CORES_MAX];
	const char *why;
	u32 n = 0;

	make_policy(w, t);
	snprintf(cfg.name, sizeof(cfg.name), "%s", t->conf->name);
	while (cfg.min_step + 1 < t->policy.steps &&
	       t->policy.step[cfg.min_step].cores < t->conf->min_cores)
		cfg.min_step++;
	cfg.max_step = t->policy.steps - 1;
	if (t->policy.step[cfg.min_step].cores < t->conf->min_cores)
		return TOO_MANY_CORES;
	t->place = (s32)w->hc.tenants;
	add_sensors(t, &cfg);
	if (!world_saved(w, t, &cfg.first_step, core, &n) || cfg.first_step < cfg.min_step) {
		cfg.first_step = cfg.max_step;
		n = 0;
	}
	why = hc_add_tenant(&w->hc, &cfg);
	if (!why)
		cores_adopt(&w->cores, (u32)t->place, core, n);
	return why;
}

static const char *add_tenant(struct world *w, const struct conf_tenant *c)
{
	struct world_tenant *t = &w->tenant[w->tenants++];

	*t = (struct world_tenant){ .world = w, .conf = c, .place = -1, .is_domain = *c->domain,
				    .native = { .conf = c, .undo = w->undo },
				    .quota = { .conf = c, .undo = w->undo } };
	if (t->is_domain)
		t->domain = virt_add(&w->virt, c);
	w->has_domains |= t->is_domain;
	t->busy = (struct busy){ .conf = c, .native = t->is_domain ? NULL : &t->native,
				 .virt = &w->virt, .domain = t->domain };
	w->has_batch |= c->class == CONF_BATCH;
	if (c->class == CONF_LATENCY)
		return add_latency(t);
	return c->min_cores > w->topo.cores ? TOO_MANY_CORES : NULL;
}

/* ---- Life ---- */

static void begin(struct world *w, const struct conf *conf, struct undo *undo)
{
	struct hc_settings set = hc_defaults;

	w->conf = *conf;
	w->undo = undo;
	set.fast_ns = conf->fast_ns;
	set.metric_ns = conf->metric_ns;
	set.decide_ns = conf->decide_ns;
	set.stale_ns = conf->stale_ns;
	set.blind_ns = conf->blind_ns;
	set.hold_ns = conf->hold_ns;
	hc_init(&w->hc, &w->topo.host, &set);
	w->hc.record = record;
	w->hc.record_ctx = w;
	w->cores.topo = &w->topo;
	w->clock = (struct clock){ .sysfs = w->conf.sysfs, .topo = &w->topo, .undo = undo };
	w->has_ringpaced = *conf->ringpaced;
	link_init(&w->ringpaced, w->conf.ringpaced, conf->timeout_ns, w->loop);
	backlogs_init(&w->backlogs, &w->ringpaced);
	virt_init(&w->virt, w->conf.libvirt, conf->timeout_ns, undo);
	if (conf->rapl)
		rapl_init(&w->rapl, w->conf.sysfs);
}

static const char *add_all(struct world *w, const char **who)
{
	const char *why;
	u32 i;

	for (i = 0; i < w->conf.tenants; i++) {
		*who = w->conf.tenant[i].name;
		why = add_tenant(w, &w->conf.tenant[i]);
		if (why)
			return why;
	}
	*who = "cpus";
	why = hc_fit(&w->hc);
	if (why)
		return why;
	/* Who was adopted with more than fits gives first. */
	for (i = 0; i < w->hc.tenants; i++) {
		const struct hc_tenant *t = &w->hc.tenant[i];
		u32 n = t->cfg.policy->step[t->step].cores;

		if (w->cores.count[i] > n)
			cores_set(&w->cores, i, n);
	}
	*who = "tenants";
	why = nics_init(&w->nics, &w->conf, w->undo, &w->ringpaced);
	if (why)
		return why;
	*who = "libvirt";
	return w->has_domains && virt_start(&w->virt) ? "its threads cannot be started" : NULL;
}

struct world *world_new(const struct conf *conf, struct undo *undo, struct loop *loop, char *why,
			size_t why_bytes)
{
	struct world *w = calloc(1, sizeof(*w));
	const char *what = "cpus", *reason;

	if (!w) {
		snprintf(why, why_bytes, "no memory");
		return NULL;
	}
	w->loop = loop;
	reason = topo_read(&w->topo, conf->sysfs, &conf->cpus, conf->clocks);
	if (!reason) {
		begin(w, conf, undo);
		reason = add_all(w, &what);
	}
	if (!reason)
		return w;
	snprintf(why, why_bytes, "%s: %s", what, reason);
	if (w->undo)
		world_free(w);
	else
		free(w);
	return NULL;
}

void world_inherit(struct world *w, const struct world *before)
{
	u32 i, k;

	w->saved_refined = before->saved_refined;
	for (i = 0; i < w->hc.tenants; i++)
		for (k = 0; k < before->hc.tenants; k++)
			if (!strcmp(w->hc.tenant[i].cfg.name, before->hc.tenant[k].cfg.name))
				hc_inherit(&w->hc.tenant[i], &before->hc.tenant[k]);
}

void world_free(struct world *w)
{
	u32 i;

	link_fini(&w->ringpaced);
	nics_fini(&w->nics);
	backlogs_fini(&w->backlogs);
	for (i = 0; i < w->tenants; i++)
		if (w->tenant[i].dataplane.conf)
			dataplane_fini(&w->tenant[i].dataplane);
	/* A call of libvirt that has not come back still has its domain: that is never freed. */
	if (!virt_stop(&w->virt, STOP_MS)) {
		log_warn("libvirt: a call has not come back: its memory is given up");
		return;
	}
	virt_fini(&w->virt);
	free(w);
}

/* ---- Going on ---- */

static void let_act(struct world *w)
{
	enum act a;

	for (a = 0; a < ACTS; a++)
		if (world_has(w, a))
			hc_add_actuator(&w->hc, &world_ops[a], w);
}

void world_act(struct world *w, bool acting, u64 now)
{
	w->hc.actuators = 0;
	w->acting = acting;
	w->calm = 0;
	if (!acting) {
		hc_add_actuator(&w->hc, &hc_dry_run_ops, NULL);
		return;
	}
	if (w->topo.emulated)
		log_warn("clocks: no cpufreq: they are emulated by quotas of processor time");
	let_act(w);
	hc_begin(&w->hc, now);
	world_give_back(w);
}

/* Threads and domains that came meanwhile are put where they belong. */
static void every_second(struct world *w, u64 now)
{
	u32 i;

	rapl_read(&w->rapl, now);
	if (!w->acting)
		return;
	for (i = 0; i < w->tenants; i++) {
		if (w->tenant[i].is_domain)
			continue;
		native_again(&w->tenant[i].native, now);
		quota_again(&w->tenant[i].quota);
	}
	virt_again(&w->virt);
}

/* Who is calm is asked twice between two decisions. */
static u64 calm_ns(const struct world *w)
{
	return (w->conf.decide_ns < w->conf.stale_ns ? w->conf.decide_ns : w->conf.stale_ns) / 2;
}

/* The first turn of a period? @last: when the one before was. */
static bool begins(u64 *last, u64 now, u64 period)
{
	if (now / period == *last / period)
		return false;
	*last = now;
	return true;
}

static u64 everybody(const struct world *w)
{
	return w->hc.tenants < 64 ? (1ULL << w->hc.tenants) - 1 : UINT64_MAX;
}

static u64 multiple(u64 now, u64 period)
{
	return (now / period + 1) * period;
}

u64 world_next(const struct world *w, u64 now)
{
	u64 next = multiple(now, calm_ns(w)), decide = multiple(now, w->conf.decide_ns);

	if (everybody(w) & ~w->calm)
		return multiple(now, w->conf.fast_ns);
	next = decide < next ? decide : next;
	return w->has_domains && w->libvirt_at > now && w->libvirt_at < next ? w->libvirt_at : next;
}

bool world_awaits(const struct world *w)
{
	bool awaits = w->ringpaced.waiting;
	u32 i;

	for (i = 0; i < w->tenants; i++)
		if (w->looked_at & bit_of(&w->tenant[i]))
			awaits |= w->tenant[i].dataplane.link.waiting;
	return awaits;
}

/* @due: who is calm is asked, too. */
static void ask_tenant(struct world *w, struct world_tenant *t, bool due, u64 now)
{
	const struct hc_tenant *hc = &w->hc.tenant[t->place];

	t->backlog.threads = hc_config_threads(&hc->cfg.policy->step[hc->step]);
	if (*t->conf->dataplane)
		dataplane_tick(&t->dataplane, now, due || !(w->calm & bit_of(t)));
}

void world_ask(struct world *w, u64 now)
{
	bool due = begins(&w->asked_ns, now, calm_ns(w));
	bool all = begins(&w->all_ns, now, w->conf.decide_ns) || due;
	u32 i;

	w->looked_at = all ? everybody(w) : everybody(w) & (~w->calm | w->awaited);
	/* One answer tells of all of them. */
	if (w->ringpaced.waiting || w->looked_at & w->ports)
		w->looked_at |= w->ports;
	for (i = 0; i < w->tenants; i++)
		if (w->looked_at & bit_of(&w->tenant[i]))
			ask_tenant(w, &w->tenant[i], due, now);
	if (w->has_ringpaced)
		link_tick(&w->ringpaced, now);
	if (due || w->ports & ~w->calm)
		backlogs_tick(&w->backlogs, now);
	if (w->has_domains && now >= w->libvirt_at) {
		w->libvirt_at = now + w->conf.libvirt_ns;
		virt_look(&w->virt);
	}
	nics_tick(&w->nics, w->acting, now);
}

static void take_answers(struct world *w)
{
	u32 i;

	w->awaited = 0;
	for (i = 0; i < w->tenants; i++) {
		struct world_tenant *t = &w->tenant[i];

		if (!(w->looked_at & bit_of(t)) || !t->dataplane.link.waiting)
			continue;
		link_take(&t->dataplane.link);
		if (t->dataplane.link.waiting)
			w->awaited |= bit_of(t);
	}
	link_take(&w->ringpaced);
}

void world_decide(struct world *w)
{
	u64 now;
	u32 i;

	take_answers(w);
	for (i = 0; w->acting && i < w->tenants; i++)
		world_go_on(w, &w->tenant[i]);
	/* After the answers, which are dated when they are taken: none is from the future. */
	now = now_ns();
	if (now >= w->second_at) {
		w->second_at = now + SECOND_NS;
		every_second(w, now);
	}
	hc_run_some(&w->hc, now, w->looked_at);
	for (i = 0; i < w->hc.tenants; i++)
		if (w->looked_at >> i & 1)
			w->calm = (w->calm & ~(1ULL << i)) | (u64)hc_is_calm(&w->hc, i) << i;
}
