// SPDX-License-Identifier: GPL-2.0-or-later
/* What the controller has, sees and has done, as JSON (docs/host.md). */
#include <stdio.h>

#include "../decision.h"
#include "cpulist.h"
#include "daemon.h"
#include "learned.h"
#include "now.h"

static json_t *number(u64 v)
{
	return json_integer((json_int_t)v);
}

static json_t *text_or_null(const char *s)
{
	return s && *s ? json_string(s) : json_null();
}

static json_t *age_of(u64 taken_ns, u64 now)
{
	return taken_ns && taken_ns <= now ? number(now - taken_ns) : json_null();
}

static json_t *list_of(const cpu_set_t *set)
{
	char text[CPULIST_TEXT];

	cpulist_print(set, text);
	return json_string(text);
}

/* ---- Sensors ---- */

static json_t *sensor(const struct world *w, const char *name, u64 taken, const char *why, u64 now)
{
	bool fresh = taken && now - taken <= w->conf.stale_ns;

	return json_pack("{s:s,s:s,s:o,s:o}", "sensor", name, "state",
			 fresh ? "fresh" : taken ? "stale" : "absent", "age_ns", age_of(taken, now),
			 "why", fresh ? json_null() : text_or_null(why));
}

static json_t *sensors(struct world_tenant *t, u64 now)
{
	struct world *w = t->world;
	struct virt_stats s = { 0 };
	json_t *list = json_array(), *v;

	if (*t->conf->dataplane) {
		v = sensor(w, "dataplane", t->dataplane.sample.taken_ns, t->dataplane.why, now);
		json_object_set_new(v, "by", json_string(t->dataplane.page.page ? "page" : "orders"));
		json_array_append_new(list, v);
	}
	if (t->conf->ports)
		json_array_append_new(list, sensor(w, "ringpaced", t->backlog.sample.taken_ns,
						   t->backlog.why, now));
	if (!t->is_domain)
		return list;
	virt_stats(&w->virt, t->domain, &s);
	json_array_append_new(list, sensor(w, "libvirt", s.taken_ns,
					   "libvirtd does not answer, or has no such domain", now));
	return list;
}

/* ---- Tenants ---- */

static json_t *actions(struct world_tenant *t)
{
	struct world *w = t->world;
	json_t *v = json_object();
	char why[160];
	enum act a;

	for (a = 0; w->acting && a < ACTS; a++)
		if (world_has(w, a))
			json_object_set_new(v, world_ops[a].name, json_string(
				hc_enforced_names[world_state(w, a, t, why)]));
	return v;
}

/* What has become of their number; null where that does not follow. */
static json_t *vcpus_json(struct world_tenant *t)
{
	const struct virt_vcpus_ops *by = t->world->virt.domain[t->domain].by;
	enum hc_enforced e;
	char why[160];
	u32 online;

	if (!by || !t->world->acting)
		return json_null();
	e = virt_vcpus_state(&t->world->virt, t->domain, &online, why);
	return json_pack("{s:s,s:s,s:o,s:o}", "by", by->name, "state", hc_enforced_names[e],
			 "online", online ? number(online) : json_null(), "why", text_or_null(why));
}

static void add_domain(json_t *v, struct world_tenant *t)
{
	struct virt_stats s;
	char why[160];

	virt_state(&t->world->virt, t->domain, why);
	virt_stats(&t->world->virt, t->domain, &s);
	json_object_set_new(v, "domain", json_string(t->conf->domain));
	json_object_set_new(v, "running", json_boolean(s.running));
	json_object_set_new(v, "vcpu_ns", number(s.cpu_ns));
	json_object_set_new(v, "steal_ns", number(s.steal_ns));
	json_object_set_new(v, "libvirt_error", text_or_null(why));
	json_object_set_new(v, "vcpus", vcpus_json(t));
}

static json_t *latency_json(struct world_tenant *t, u64 now)
{
	struct world *w = t->world;
	const struct hc_tenant *hc = &w->hc.tenant[t->place];
	const struct hc_config *c = &hc->cfg.policy->step[hc->step];
	cpu_set_t cpus;

	cores_cpus(&w->cores, w->cores.core[t->place], w->cores.count[t->place], c->threads, &cpus);
	return json_pack("{s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:o,s:o,s:b,s:s,s:o,s:o,s:f,s:f,s:I,s:f,s:f,"
			 "s:I,s:I,s:o,s:o,s:b}",
			 "tenant", t->conf->name, "class", "latency", "policy", t->policy.name,
			 "priority", hc->cfg.priority, "step", (int)hc->step,
			 "steps", (int)t->policy.steps, "cores", (int)c->cores,
			 "threads_per_core", (int)c->threads,
			 "khz", w->topo.clocks ? number(w->topo.khz[c->freq]) : json_null(),
			 "cpus", list_of(&cpus), "pending", hc->pending,
			 "basis", hc_basis_names[hc->basis], "sensor", text_or_null(hc->sensor),
			 "age_ns", age_of(hc->last.taken_ns, now),
			 "delay_ns", hc->delay_ns[1], "worst_ns", hc->worst_ns,
			 "bound_ns", (json_int_t)hc->cfg.bound_ns, "load_pps", hc->load[1],
			 "capacity_pps", hc_capacity(&hc->cap, hc->step),
			 "decisions", (json_int_t)t->decisions, "changes", (json_int_t)t->changes,
			 "actions", actions(t), "sensors", sensors(t, now),
			 "emulated", w->topo.emulated);
}

static json_t *batch_json(struct world_tenant *t, u64 now)
{
	return json_pack("{s:s,s:s,s:i,s:o,s:b,s:o}", "tenant", t->conf->name, "class", "batch",
			 "priority", (int)t->conf->priority, "cpus", list_of(&t->cpus),
			 "paused", t->paused, "sensors", sensors(t, now));
}

static json_t *tenants_json(struct world *w, u64 now)
{
	json_t *list = json_array(), *v;
	u32 i;

	for (i = 0; i < w->tenants; i++) {
		struct world_tenant *t = &w->tenant[i];

		v = t->place < 0 ? batch_json(t, now) : latency_json(t, now);
		if (t->is_domain)
			add_domain(v, t);
		json_array_append_new(list, v);
	}
	return list;
}

/* ---- NICs ---- */

static json_t *count_or_null(u64 count)
{
	return count == NIC_COUNT_UNKNOWN ? json_null() : json_integer((json_int_t)count);
}

static json_t *nic_queue_json(const struct nic *n, const struct nic_queue *q)
{
	char id[16];

	nic_queue_name(q->id, id);
	return json_pack("{s:s,s:s,s:i,s:i,s:i,s:o,s:o,s:o}", "queue", id,
			 "tenant", n->of[q->tenant]->name, "weight", (int)q->weight,
			 "asked", (int)q->asked, "has", (int)q->has,
			 "flows", q->flows == NIC_FLOWS_UNKNOWN ? json_null() : number(q->flows),
			 "packets", count_or_null(q->packets), "bytes", count_or_null(q->bytes));
}

static json_t *nics_json(const struct world *w, u64 now)
{
	json_t *list = json_array(), *queues;
	u32 i, k;

	for (i = 0; i < w->nics.count; i++) {
		const struct nic *n = &w->nics.nic[i];

		queues = json_array();
		for (k = 0; k < n->queues; k++)
			json_array_append_new(queues, nic_queue_json(n, &n->queue[k]));
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:o,s:o,s:I,s:o}",
			"nic", n->name, "by", n->ops->name, "state", hc_enforced_names[n->state],
			"why", text_or_null(n->why), "age_ns", age_of(n->looked_ns, now),
			"changes", (json_int_t)n->sets, "queues", queues));
	}
	return list;
}

/* ---- The host ---- */

static json_t *loop_json(const struct daemon *d)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "ticks", (json_int_t)d->ticks,
			 "missed", (json_int_t)d->missed,
			 "late_p50_ns", (json_int_t)rp_hist_quantile(&d->late, 500),
			 "late_p99_ns", (json_int_t)rp_hist_quantile(&d->late, 990),
			 "late_max_ns", (json_int_t)d->late.max,
			 "cpu_ns", (json_int_t)daemon_cpu_ns());
}

static json_t *host_json(const struct world *w)
{
	json_t *clocks = json_array();
	u32 i;

	for (i = 0; w->topo.clocks && i < w->topo.host.freqs; i++)
		json_array_append_new(clocks, number(w->topo.khz[i]));
	return json_pack("{s:i,s:i,s:o,s:o,s:b,s:o,s:o}", "cores", (int)w->topo.cores,
			 "threads_per_core", (int)w->topo.threads, "cpus", list_of(&w->conf.cpus),
			 "clocks_khz", clocks, "emulated", w->topo.emulated,
			 "joules", w->rapl.zones ? json_real(rapl_joules(&w->rapl)) : json_null(),
			 "watts", w->rapl.zones ? json_real(w->rapl.watts) : json_null());
}

json_t *status_json(struct daemon *d)
{
	return json_pack("{s:b,s:i,s:I,s:I,s:o,s:o,s:o,s:o}", "acting", d->world->acting,
			 "changed", (int)d->undo.count, "reloads", (json_int_t)d->reloads,
			 "reloads_refused", (json_int_t)d->refused, "loop", loop_json(d),
			 "host", host_json(d->world), "nics", nics_json(d->world, now_ns()),
			 "tenants", tenants_json(d->world, now_ns()));
}

/* ---- Why ---- */

static json_t *decision_json(const struct world *w, const struct hc_decision *d)
{
	json_t *v = hc_decision_json(d, &w->topo.host);
	char line[512];

	world_text(w, d, line, sizeof(line));
	json_object_set_new(v, "text", json_string(line));
	json_object_set_new(v, "emulated", json_boolean(w->topo.emulated));
	return v;
}

static json_t *explain_one(const struct world_tenant *t)
{
	u64 n = t->changes < HISTORY ? t->changes : HISTORY, i;
	json_t *list = json_array();

	for (i = t->changes - n; i < t->changes; i++)
		json_array_append_new(list, decision_json(t->world, &t->history[i % HISTORY]));
	return json_pack("{s:s,s:o,s:o,s:o}", "tenant", t->conf->name, "decisions", list, "now",
			 t->decisions ? decision_json(t->world, &t->last) : json_null(),
			 "table", learned_table(t));
}

json_t *explain_json(struct daemon *d, const char *tenant)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < d->world->tenants; i++) {
		const struct world_tenant *t = &d->world->tenant[i];

		if (t->place >= 0 && (!tenant || !strcmp(t->conf->name, tenant)))
			json_array_append_new(list, explain_one(t));
	}
	if (!tenant || json_array_size(list))
		return json_pack("{s:o}", "tenants", list);
	json_decref(list);
	return NULL;
}
