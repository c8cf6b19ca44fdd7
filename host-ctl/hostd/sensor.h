/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a tenant, by the controller's ops tables (../control.h).
 *
 * Both sensors ask over a link every tick, and hand out the last whole answer; how old
 * that is the controller sees. Why there is none is in .why, for people.
 */
#ifndef HOSTD_SENSOR_H
#define HOSTD_SENSOR_H

#include "../control.h"
#include "conf.h"
#include "link.h"
#include "native.h"
#include "virt.h"

/* Processor time of a tenant: of its threads, or of its vCPUs by libvirt's statistics. */
struct busy {
	const struct conf_tenant *conf;
	struct native *native;		/* NULL: it is a domain */
	struct virt *virt;
	u32 domain;
};

/* The counter, or 0 while nothing is known, or it tells nothing of work. */
double busy_ns(struct busy *b);

/* ---- What ringpaced has for a tenant and the tenant has not taken yet ---- */

#define BACKLOG_QUEUES_MAX	128u

struct backlog_queue {
	struct backlog *all;
	u32 port, queue, slot;
	bool there;			/* it was in the last answer */
	double waiting, packets;
};

struct backlog {
	const struct conf_tenant *conf;
	struct link *link;
	struct busy *busy;
	u32 list_slot;
	bool listed;
	u32 queues, answers;		/* of this round */
	bool asking;
	struct backlog_queue queue[BACKLOG_QUEUES_MAX];
	struct hc_sample sample;	/* the last whole one */
	double done, moved;		/* items when it last moved */
	u64 moved_ns, stands_ns;	/* stands: since when none has, though some wait */
	u32 threads;			/* that the tenant has at present */
	double per_s;			/* items */
	char why[96];
};

void backlog_init(struct backlog *b, const struct conf_tenant *t, struct link *ringpaced,
		  struct busy *busy);
void backlog_tick(struct backlog *b);
extern const struct hc_sensor_ops backlog_ops;

/* ---- What a dataplane tells of itself ---- */

#define VIEW_THREADS_MAX	64u

/* A dataplane's threads, whatever telemetry it has. */
struct view {
	u32 threads, active, batch, under_way;
	bool has_queues;		/* queue, tau_ns, busy_ns are told */
	struct view_thread {
		bool parked;
		double processed, turns;
		double queue, tau_ns, tau_items, busy_ns;
	} thread[VIEW_THREADS_MAX];
};

/* From the result of `status` (docs/dataplane.md); false: it is none. */
bool view_from_status(struct view *v, const json_t *status);

struct dataplane {
	const struct conf_tenant *conf;
	struct link link;
	u32 status_slot, order_slot;
	struct view view;
	u64 taken_ns;			/* of the view; 0: none */
	struct hc_sample sample;
	u32 ordered, sent;		/* threads; 0: nothing yet */
	bool accepted;			/* that order was, since */
	char why[96];
};

void dataplane_init(struct dataplane *d, const struct conf_tenant *t, struct loop *loop,
		    u64 timeout_ns);
void dataplane_fini(struct dataplane *d);
void dataplane_tick(struct dataplane *d, u64 now);
extern const struct hc_sensor_ops dataplane_ops;

#endif /* HOSTD_SENSOR_H */
