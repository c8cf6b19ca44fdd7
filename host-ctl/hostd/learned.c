// SPDX-License-Identifier: GPL-2.0-or-later
#include "learned.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "log/log.h"

#define VERSION	1

static const struct hc_tenant *hc_of(const struct world_tenant *t)
{
	return &t->world->hc.tenant[t->place];
}

json_t *learned_table(const struct world_tenant *t)
{
	const struct hc_capacity *cap = &hc_of(t)->cap;
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < t->policy.steps; i++) {
		const struct hc_config *c = &t->policy.step[i];

		json_array_append_new(list, json_pack("{s:i,s:i,s:i,s:i,s:f,s:i,s:f,s:f}",
			"step", (int)i, "cores", (int)c->cores, "threads_per_core", (int)c->threads,
			"khz", (int)t->world->topo.khz[c->freq], "gain", cap->gain[i],
			"refined", (int)(cap->refined[i] & INT32_MAX),
			"capacity_pps", hc_capacity(cap, i),
			"threshold", i ? hc_threshold(cap, i, i - 1) : 0.0));
	}
	return list;
}

/* ---- Reading ---- */

/* Is it of the same steps? Then their gains. */
static bool read_table(const struct world_tenant *t, const json_t *list, double *gain)
{
	const json_t *o;
	size_t i;

	if (json_array_size(list) != t->policy.steps)
		return false;
	json_array_foreach(list, i, o) {
		const struct hc_config *c = &t->policy.step[i];

		if (json_integer_value(json_object_get(o, "cores")) != c->cores ||
		    json_integer_value(json_object_get(o, "threads_per_core")) != c->threads ||
		    json_integer_value(json_object_get(o, "khz")) != t->world->topo.khz[c->freq])
			return false;
		gain[i] = json_number_value(json_object_get(o, "gain"));
	}
	return true;
}

void learned_load(struct world *w, const char *path)
{
	double gain[HC_STEPS_MAX];
	const json_t *tenants;
	json_error_t e;
	json_t *v;
	u32 i;

	if (access(path, F_OK) && errno == ENOENT)
		return;
	v = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
	if (json_integer_value(json_object_get(v, "version")) != VERSION)
		log_warn("%s: not a table of version %d: it is not used", path, VERSION);
	tenants = json_object_get(v, "tenants");
	for (i = 0; i < w->tenants; i++) {
		const struct world_tenant *t = &w->tenant[i];

		if (t->place >= 0 &&
		    read_table(t, json_object_get(tenants, t->conf->name), gain))
			hc_take_gains(&w->hc.tenant[t->place], gain, t->policy.steps);
	}
	json_decref(v);
}

/* ---- Writing ---- */

static u64 refined(const struct world *w)
{
	u64 sum = 0;
	u32 i, k;

	for (i = 0; i < w->hc.tenants; i++)
		for (k = 0; k < w->hc.tenant[i].cfg.policy->steps; k++)
			sum += w->hc.tenant[i].cap.refined[k];
	return sum;
}

static json_t *whole(const struct world *w)
{
	json_t *tenants = json_object();
	u32 i;

	for (i = 0; i < w->tenants; i++)
		if (w->tenant[i].place >= 0)
			json_object_set_new(tenants, w->tenant[i].conf->name,
					    learned_table(&w->tenant[i]));
	return json_pack("{s:i,s:o}", "version", VERSION, "tenants", tenants);
}

void learned_save(struct world *w, const char *path)
{
	char temp[CONF_PATH_MAX + 16];
	u64 now = refined(w);
	json_t *v;

	if (now == w->saved_refined)
		return;
	v = whole(w);
	snprintf(temp, sizeof(temp), "%s.new", path);
	if (json_dump_file(v, temp, JSON_COMPACT | JSON_REAL_PRECISION(6)) || rename(temp, path)) {
		if (!w->told_learned)
			log_warn("%s: cannot be written: %s: what is learned is lost at the end", path,
				 strerror(errno));
		w->told_learned = true;
	} else {
		w->saved_refined = now;
	}
	json_decref(v);
}
