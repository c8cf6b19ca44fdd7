/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A controller with all that it acts on, made from one configuration.
 *
 * Theory of operation. A reload makes a new world beside the old one, which adopts what
 * the state file says the tenants have, just as one does that begins after a crash; what
 * belongs to tenants that are no longer listed is given back. Only the notes of changes
 * (undo.h) outlive a world. All of it is the loop's thread's; libvirt's two threads see
 * nothing but struct virt.
 */
#ifndef HOSTD_WORLD_H
#define HOSTD_WORLD_H

#include "../control.h"
#include "cpufreq.h"
#include "conf.h"
#include "cores.h"
#include "nic.h"
#include "quota.h"
#include "rapl.h"
#include "sensor.h"
#include "undo.h"

#define HISTORY	32u

enum act { ACT_CORES, ACT_BATCH, ACT_CLOCK, ACT_PLACE, ACT_THREADS, ACTS };

struct world;

struct world_tenant {
	struct world *world;
	const struct conf_tenant *conf;
	s32 place;			/* in world.hc; -1: a batch tenant */
	bool is_domain;
	u32 domain;			/* of world.virt */
	struct native native;
	struct quota quota;
	struct hc_policy policy;
	struct busy busy;
	struct backlog backlog;
	struct dataplane dataplane;
	u64 ordered_ns;			/* when its dataplane last got an order */
	bool vcpus_wait;		/* for its threads, which leave them first */
	bool placed, paused;		/* a batch tenant; paused: it has no core */
	cpu_set_t cpus;			/* of a batch tenant */
	/* Latest decisions, and how many there were; those that hold only count. */
	struct hc_decision history[HISTORY], last;
	u64 decisions, changes;
};

struct world {
	struct conf conf;
	struct topo topo;
	struct cores cores;
	struct clock clock;
	struct rapl rapl;
	struct virt virt;
	struct link ringpaced;
	struct backlogs backlogs;
	struct nics nics;
	bool has_ringpaced, has_domains, has_batch;
	struct undo *undo;
	struct loop *loop;		/* tells which links have hung up */
	struct hc hc;
	bool acting;			/* not a dry run */
	u32 tenants;
	struct world_tenant tenant[CONF_TENANTS_MAX];
	/*
	 * Bits are places in .hc. Who is calm is looked at seldom; the others, and those whose
	 * answers are still to come, each turn: what is not looked at costs nothing.
	 */
	u64 calm, looked_at, awaited, ports;	/* ports: those that are known by them */
	u64 asked_ns, all_ns;		/* when calm ones were last asked, and all looked at */
	u64 second_at, libvirt_at;
	u64 saved_refined;		/* learned.h: what is in the file */
	bool told_learned;
};

/* A world of @conf, which is copied; @loop: NULL: none. NULL, with one line of why. */
struct world *world_new(const struct conf *conf, struct undo *undo, struct loop *loop, char *why,
			size_t why_bytes);
/* Goes on where @before was. */
void world_inherit(struct world *w, const struct world *before);
/* From now on it acts, or only tells what it would do. */
void world_act(struct world *w, bool acting, u64 now);
/* A turn: everybody is asked, and a little later, when most have answered, it is decided. */
void world_ask(struct world *w, u64 now);
/* Does anybody have to answer yet? */
bool world_awaits(const struct world *w);
void world_decide(struct world *w);
/*
 * When the next turn is due: the next multiple of fast-ns, or while all are calm of what they
 * are asked by, and of decide-ns. Multiples, so that what is due at all is due together.
 */
u64 world_next(const struct world *w, u64 now);
/* Gives nothing back. */
void world_free(struct world *w);

/* ---- Between its files ---- */

/* A decision in one line. */
void world_text(const struct world *w, const struct hc_decision *d, char *line, size_t bytes);
extern const struct hc_actuator_ops world_ops[ACTS];
/* How an actuator's last action on a latency tenant stands now. */
enum hc_enforced world_state(struct world *w, enum act act, struct world_tenant *t, char why[160]);
/* What waits for something else to be done first begins once it is. */
void world_go_on(struct world *w, struct world_tenant *t);
/* Is there anything that it would act on? */
bool world_has(const struct world *w, enum act act);
struct world_tenant *world_of(struct world *w, u32 place);

/* What the state file holds of a tenant; and its first step and cores from that. */
void world_save(struct world *w, u32 place, const struct hc_config *c);
bool world_saved(struct world *w, const struct world_tenant *t, u32 *step,
		 u16 core[TOPO_CORES_MAX], u32 *cores);
/* Gives back what nobody who is listed has. */
void world_give_back(struct world *w);

#endif /* HOSTD_WORLD_H */
