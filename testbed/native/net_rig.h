/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ringpaced of our own with ports a, b, ..., and a guest of our own at each: two
 * that are linked, or up to NET_RIG_PORTS in a switch. A port may be a tap instead.
 * Functions return 0, or -1 after fail(). One thread at a time.
 */
#ifndef NATIVE_NET_RIG_H
#define NATIVE_NET_RIG_H

#include "net_daemon.h"
#include "net_end.h"

#define NET_RIG_TIMEOUT_MS	NET_DAEMON_TIMEOUT_MS
#define NET_RIG_PORTS		4u

struct net_rig {
	/* Set by the caller, before net_rig_open(). */
	const char *pacing;	/* of all ports: "strategy=busy", or NULL */
	const char *pacers;	/* of --pacers, or NULL */
	const char *state;	/* of --state, or NULL */
	u32 full_ms;		/* of all ports, too */
	u32 pairs;		/* of the ports */
	u32 ports;		/* 0: two */
	const char *more[NET_RIG_PORTS];	/* options of each port, or NULL */
	const char *tap[NET_RIG_PORTS];	/* it is a tap of that name, with no guest */
	bool nic[NET_RIG_PORTS];	/* that is the wire of a NIC */
	const char *switched;	/* of --switch; NULL: a and b are linked */
	struct net_end_options end[NET_RIG_PORTS];	/* but ->socket and ->timeout_ms */

	struct net_daemon daemon;
	char socket[NET_RIG_PORTS][160];
	union {
		struct net_end at[NET_RIG_PORTS];
		struct {
			struct net_end a, b;
		};
	};
};

/* net_rig_close() undoes it, in both cases. */
int net_rig_open(struct net_rig *r);
void net_rig_close(struct net_rig *r);
/* Ends the daemon by @sig and starts it again; the guests are left as they were. */
int net_rig_restart(struct net_rig *r, int sig);
/* As ctl_call(). */
json_t *net_rig_call(struct net_rig *r, const char *cmd, json_t *args);
/* A number of a queue's STATS, by its path "dropped.full"; UNKNOWN: there is none. */
double net_rig_number(struct net_rig *r, const char *port, u32 queue, const char *key);

#endif /* NATIVE_NET_RIG_H */
