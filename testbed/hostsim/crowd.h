/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the host controller itself costs: a real ringpace-hostd with many tenants, whose
 * daemons this process plays by their real protocols.
 */
#ifndef HOSTSIM_CROWD_H
#define HOSTSIM_CROWD_H

#include "json.h"

#define CROWD_TENANTS_MAX	32u

/* How the tenants are known. */
enum crowd_kind {
	CROWD_DATAPLANES,	/* each has an rp-dataplane with its page; the controller acts */
	CROWD_PORTS,		/* each has a port of one ringpaced, and threads; a dry run */
	CROWD_ORDERS,		/* as the first, but of older dataplanes, or such as are in VMs */
	CROWD_KINDS
};
extern const char *const crowd_names[CROWD_KINDS];

struct crowd_cost {
	double cpu;			/* of a core */
	double late_p50_ns, late_p99_ns, late_max_ns;	/* of turns of its loop */
	double turns, missed, changes;
	double orders, answer_bytes;	/* that it sent to the tenants' daemons, and got */
	double seconds;
};

/*
 * Runs it for @seconds after a start, with loads that rise and fall all the time. 0, or -1
 * after fail(), also when stopped().
 */
int crowd_measure(enum crowd_kind kind, u32 tenants, double seconds, struct crowd_cost *cost);

#endif /* HOSTSIM_CROWD_H */
