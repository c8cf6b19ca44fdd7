/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a tenant, by the controller's ops tables (../control.h).
 *
 * Both sensors ask over a link every tick, by one order a daemon, or read a dataplane's page,
 * and hand out the last whole answer; how old that is the controller sees. Why there is none
 * is in .why, for people.
 */
#ifndef HOSTD_SENSOR_H
#define HOSTD_SENSOR_H

#include "../../guest-driver/dataplane/page.h"
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

struct backlogs;

struct backlog {
	const struct conf_tenant *conf;
	struct busy *busy;
	struct hc_sample sample;	/* the last whole one */
	double done, moved;		/* items when it last moved */
	u64 moved_ns, stands_ns;	/* stands: since when none has, though some wait */
	u32 threads;			/* that the tenant has at present */
	double per_s;			/* items */
	/* Of its flow groups, all ports' in turn: what came by each until .peak was told */
	double *group;
	u32 groups;
	double peak;
	char why[96];
};

/* Asks for all tenants' ports by one order (docs/packets.md, `backlog`). */
struct backlogs {
	struct link *link;
	u32 slot;
	json_t *devices;		/* names of ports, in the order of .of[] */
	char *args[2];			/* of the order, without and with flow groups */
	u32 count;
	struct backlog *of[CONF_TENANTS_MAX];
	u64 groups_at;			/* when to ask for flow groups next */
	bool groups;			/* they are in the answer that is waited for */
};

void backlogs_init(struct backlogs *all, struct link *ringpaced);
void backlogs_fini(struct backlogs *all);
void backlogs_add(struct backlogs *all, struct backlog *b, const struct conf_tenant *t,
		  struct busy *busy);
void backlogs_tick(struct backlogs *all, u64 now);
/* The result of `backlog`; of each tenant a sample, or why there is none. */
void backlogs_take(struct backlogs *all, struct scan result);
extern const struct hc_sensor_ops backlog_ops;

/* ---- What a dataplane tells of itself ---- */

/* What lies between its clock and ours. */
struct dataplane_clock {
	double between;			/* ours less its, ns */
	u64 now_ns;			/* when that was looked at; 0: never */
};

struct dataplane {
	const struct conf_tenant *conf;
	struct link link;
	u32 telemetry_slot, page_slot, status_slot, order_slot;
	struct hc_sample sample;	/* from its page, or from `telemetry` */
	struct dp_page_view page;	/* of this connection; .page NULL: there is none */
	bool page_asked;		/* on this connection */
	bool page_refused;		/* that was told */
	bool is_old;			/* `telemetry` takes no arguments there */
	struct dataplane_clock clock;
	u32 threads, active, under_way;	/* from `status`; threads 0: not told yet */
	u64 told_ns, status_at;		/* when it was asked for last, and when to ask next */
	u32 ordered, sent;		/* threads; 0: nothing yet */
	bool accepted, known;		/* that order was, since; and `status` has come since then */
	bool held;			/* it is not sent yet: what the threads run on comes first */
	char why[96];
};

/* From the result of `telemetry` (docs/dataplane.md), which came at @now; false: it is none. */
bool dataplane_sample(struct hc_sample *s, struct dataplane_clock *clock, struct scan telemetry,
		      u64 now);

/* From the result of `status`; false: it is none. */
bool dataplane_status(struct dataplane *d, struct scan status);

void dataplane_init(struct dataplane *d, const struct conf_tenant *t, u64 timeout_ns,
		    struct loop *loop);
void dataplane_fini(struct dataplane *d);
/* @wanted: a sample is. A page is read at once, of others the answer comes. */
void dataplane_tick(struct dataplane *d, u64 now, bool wanted);
/* It shall use so many threads, or all that it has; sent at once where there is a connection. */
void dataplane_order(struct dataplane *d, u32 threads);
/* It does, and all that had to move for it has. */
bool dataplane_has_done(const struct dataplane *d);
extern const struct hc_sensor_ops dataplane_ops;

#endif /* HOSTD_SENSOR_H */
