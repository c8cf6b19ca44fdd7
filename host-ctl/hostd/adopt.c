// SPDX-License-Identifier: GPL-2.0-or-later
/* What a world leaves in the state file, takes from it, and gives back. */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

void world_save(struct world *w, u32 place, const struct hc_config *c)
{
	json_t *cpus = json_array();
	u32 i;

	for (i = 0; i < w->cores.count[place]; i++)
		json_array_append_new(cpus, json_integer(
			w->topo.core[w->cores.core[place][i]].cpu[0]));
	undo_tenant(w->undo, world_of(w, place)->conf->name,
		    json_pack("{s:o,s:i,s:i,s:i}", "cpus", cpus, "cores", c->cores,
			      "threads", c->threads, "khz", (int)w->topo.khz[c->freq]));
}

static bool find_step(const struct world *w, const struct hc_policy *p, const json_t *has,
		      u32 *step)
{
	u32 i;

	for (i = 0; i < p->steps; i++) {
		const struct hc_config *c = &p->step[i];

		if (c->cores != json_integer_value(json_object_get(has, "cores")) ||
		    c->threads != json_integer_value(json_object_get(has, "threads")) ||
		    w->topo.khz[c->freq] != json_integer_value(json_object_get(has, "khz")))
			continue;
		*step = i;
		return true;
	}
	return false;
}

/* The core that begins with this CPU; TOPO_CORES_MAX: it is none of ours now. */
static u16 core_of(const struct topo *t, json_int_t cpu)
{
	u32 i;

	for (i = 0; i < t->cores; i++)
		if (t->core[i].cpu[0] == cpu)
			return (u16)i;
	return TOPO_CORES_MAX;
}

bool world_saved(struct world *w, const struct world_tenant *t, u32 *step,
		 u16 core[TOPO_CORES_MAX], u32 *cores)
{
	const json_t *has = json_object_get(w->undo->tenants, t->conf->name);
	const json_t *cpus = json_object_get(has, "cpus"), *v;
	size_t i;

	if (!has || !find_step(w, &t->policy, has, step))
		return false;
	*cores = 0;
	json_array_foreach(cpus, i, v) {
		u16 at = core_of(&w->topo, json_integer_value(v));

		if (at == TOPO_CORES_MAX || *cores == TOPO_CORES_MAX)
			return false;
		core[(*cores)++] = at;
	}
	return *cores == t->policy.step[*step].cores;
}

/* ---- Giving back ---- */

static bool is_listed(const struct conf *c, const char *tenant)
{
	u32 i;

	for (i = 0; i < c->tenants; i++)
		if (!strcmp(c->tenant[i].name, tenant))
			return true;
	return false;
}

/* A clock of a core that is no tenant's, or of a CPU that is not ours any more. */
static bool is_loose_clock(const struct world *w, const char *target)
{
	const char *cpu = strstr(target, "/cpu/cpu");
	u32 c, k;

	if (!cpu || cpu[8] < '0' || cpu[8] > '9')
		return false;
	for (c = 0; c < w->topo.cores; c++)
		for (k = 0; k < w->topo.core[c].threads; k++)
			if (w->topo.core[c].cpu[k] == strtoul(cpu + 8, NULL, 10))
				return !w->topo.clocks || !cores_taken(&w->cores, c);
	return true;
}

static bool is_loose(void *arg, const struct undo_note *n)
{
	const struct world *w = arg;

	if (n->kind == &clock_kind)
		return is_loose_clock(w, n->target);
	if (n->kind == &quota_kind && !w->topo.emulated)
		return true;
	return !is_listed(&w->conf, n->owner);
}

/* Of domains and NICs: who is asked may be long about it, so a thread of its own asks. */
struct giver {
	struct undo *undo;
	struct conf conf;
	bool emulated;		/* clocks, by limits of domains */
};

static bool is_orphan(void *arg, const struct undo_note *n)
{
	const struct giver *g = arg;

	return n->kind->slow && (!is_listed(&g->conf, n->owner) ||
				 (!g->emulated && n->kind == &virt_kind && virt_is_limit(n->target)));
}

static void *give_slowly(void *arg)
{
	struct giver *g = arg;

	undo_some(g->undo, is_orphan, g, true);
	free(g);
	return NULL;
}

static void give_back_slow(struct world *w)
{
	struct giver *g = calloc(1, sizeof(*g));
	pthread_t thread;

	if (!g)
		return;
	g->undo = w->undo;
	g->conf = w->conf;
	g->emulated = w->topo.emulated;
	if (pthread_create(&thread, NULL, give_slowly, g))
		free(g);	/* the next reload, or the end, sees to it */
	else
		pthread_detach(thread);
}

void world_give_back(struct world *w)
{
	json_t *has, *gone = json_array();
	const char *name;
	size_t i;

	json_object_foreach(w->undo->tenants, name, has)
		if (!is_listed(&w->conf, name))
			json_array_append_new(gone, json_string(name));
	undo_some(w->undo, is_loose, w, false);
	give_back_slow(w);
	json_array_foreach(gone, i, has)
		undo_tenant(w->undo, json_string_value(has), NULL);
	json_decref(gone);
}
