// SPDX-License-Identifier: GPL-2.0-or-later
/* Prints decisions. */
#include "decision.h"

#include <stdio.h>

const char *const hc_why_names[HC_WHYS] = {
	[HC_HOLD] = "hold",
	[HC_HOLD_RECENT] = "hold_recent",
	[HC_HOLD_STALE] = "hold_stale",
	[HC_HOLD_PENDING] = "hold_pending",
	[HC_ADD_DELAY] = "add_delay",
	[HC_ADD_LOAD] = "add_load",
	[HC_ADD_DANGER] = "add_danger",
	[HC_REMOVE_IDLE] = "remove_idle",
	[HC_SAFE] = "safe",
	[HC_TAKEN] = "taken",
	[HC_DENIED] = "denied",
	[HC_BEGIN] = "begin",
};

const char *const hc_basis_names[] = {
	[HC_FRESH] = "fresh", [HC_STALE] = "stale", [HC_ABSENT] = "absent",
};

const char *const hc_enforced_names[] = {
	[HC_ENFORCED] = "enforced", [HC_PENDING] = "pending", [HC_EMULATED] = "emulated",
	[HC_DRY_RUN] = "dry_run", [HC_NOBODY] = "nobody", [HC_FAILED] = "failed",
};

int hc_decision_text(const struct hc_decision *d, const struct hc_host *h, char *buf, size_t len)
{
	const struct hc_config *c = &d->to_config;

	return snprintf(buf, len,
		"%s: %s, step %u to %u (wanted %u): %u cores x %u threads at %.1f GHz; "
		"delay %.0f us, worst thread %.0f, of %.0f, load %.0f/s of %.0f, idle %.1f %%, "
		"threshold %.1f %%; sensor %s, %s",
		d->tenant, hc_why_names[d->why], d->from, d->to,
		d->wanted, c->cores, c->threads, h->ghz[c->freq], d->delay_ns[1] / 1e3,
		d->worst_ns / 1e3, d->bound_ns / 1e3, d->load, d->capacity_from, 100 * d->idle,
		100 * d->threshold,
		d->sensor ? d->sensor : "none", hc_basis_names[d->basis]);
}

static json_t *config_json(const struct hc_config *c, const struct hc_host *h)
{
	return json_pack("{s:i,s:i,s:f}", "cores", c->cores, "threads", c->threads,
			 "ghz", h->ghz[c->freq]);
}

static json_t *actuators_json(const struct hc_decision *d)
{
	json_t *v = json_object();
	u32 i;

	for (i = 0; i < d->actuators; i++)
		json_object_set_new(v, d->act[i].name,
				    json_string(hc_enforced_names[d->act[i].enforced]));
	return v;
}

json_t *hc_decision_json(const struct hc_decision *d, const struct hc_host *h)
{
	return json_pack("{s:I,s:s,s:s,s:i,s:i,s:i,s:o,s:o,s:[f,f,f],s:f,s:f,s:f,s:f,s:f,s:f,s:f,"
			 "s:s?,s:s,s:I,s:o}",
			 "now_ns", (json_int_t)d->now_ns, "tenant", d->tenant,
			 "why", hc_why_names[d->why], "from", (int)d->from,
			 "wanted", (int)d->wanted, "to", (int)d->to,
			 "from_config", config_json(&d->from_config, h),
			 "to_config", config_json(&d->to_config, h),
			 "delay_ns", d->delay_ns[0], d->delay_ns[1], d->delay_ns[2],
			 "worst_ns", d->worst_ns, "bound_ns", d->bound_ns, "load_pps", d->load,
			 "capacity_from_pps", d->capacity_from,
			 "capacity_to_pps", d->capacity_to, "idle", d->idle,
			 "threshold", d->threshold, "sensor", d->sensor,
			 "basis", hc_basis_names[d->basis], "age_ns", (json_int_t)d->age_ns,
			 "actuators", actuators_json(d));
}
