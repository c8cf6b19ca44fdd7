/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who forwards between two guests' network cards: ringpaced, or a peer, each with one
 * thread on the second CPU and a vhost-user socket for either guest. Adding one: a
 * file, its declaration here, a line in forwarders[].
 */
#ifndef PACKETS_FORWARDER_H
#define PACKETS_FORWARDER_H

#include <argp.h>

#include "native/net_daemon.h"

#define FORWARDER_START_NS	(60 * NSEC_PER_SEC)

struct forward_load {
	const char *name;	/* "64/b8", "load10" */
	u32 frame_bytes;
	u32 burst;		/* frames that the sender publishes at once, at most */
	u32 percent;		/* of the peak rate; 0: as fast as it goes */
};

struct forwarder_params {
	u64 dmax_ns;		/* of ringpaced's adaptive strategy */
	u32 ovs_sleep_us;	/* pmd-maxsleep */
};

struct forwarder;

struct forwarder_ops {
	const char *name;
	/* Once, before all: 0, or -1 after fail(): it cannot be measured here. Both may be NULL. */
	int (*open)(struct forwarder *f);
	/* Undoes it, also half of it. */
	void (*close)(struct forwarder *f);
	/*
	 * Begins to forward, @batch frames at once at most if it can be told so: polling,
	 * or of a load with ->percent in the way in which it saves CPU time, if it has one.
	 * 0, or -1 after fail(); stop() undoes it in both cases.
	 */
	int (*start)(struct forwarder *f, const struct forward_load *l, u32 batch);
	void (*stop)(struct forwarder *f);
};

struct forwarder {
	const struct forwarder_ops *ops;
	const char *name;	/* of its files in the run directory; its kind's if nobody says another */
	const struct forwarder_params *params;
	bool there;		/* it was opened */
	char why_not[256];
	pid_t pid;		/* of what was started: whose CPU time it takes */
	char socket[2][160];	/* from 0 to 1 */
	char log[160];
	struct net_daemon daemon;	/* ringpaced's */
	pid_t database;		/* OVS's */
};

extern const struct forwarder_ops forwarder_ringpaced;
extern const struct forwarder_ops forwarder_testpmd;
extern const struct forwarder_ops forwarder_ovs;

/* Ringpaced first. */
enum forwarder_id { RINGPACED, TESTPMD, OVS, FORWARDERS };
extern const struct forwarder_ops *const forwarders[FORWARDERS];

/* Who is to be measured beside ringpaced. */
struct peers {
	u32 who;		/* bits of enum forwarder_id */
	bool given;		/* by name */
};

#define PEERS_ALL	{ .who = 1u << TESTPMD | 1u << OVS }

/* --peers: testpmd, ovs, or none; what is wrong is an argp error. */
void opt_peers(struct argp_state *state, const char *arg, struct peers *p);

/*
 * Opens ringpaced and @p: ->there tells of each whether it can be measured, ->why_not why
 * not. 0, or -1 after fail() where ringpaced or one that was asked for by name cannot, and
 * when stopped(). forwarders_close() undoes it in both cases.
 */
int forwarders_open(struct forwarder f[FORWARDERS], const struct peers *p,
		    const struct forwarder_params *params);
void forwarders_close(struct forwarder f[FORWARDERS]);
/* Of the peers, which were measured, and why others were not. */
json_t *forwarders_json(const struct forwarder f[FORWARDERS]);

/* ---- For the kinds of them ---- */

/* ->name with 0 and 1 in the run directory as its sockets, with .log as its log. 0 or -1. */
int forwarder_paths(struct forwarder *f);
/* Waits for both sockets of @pid, which logs to ->log. */
int forwarder_await(struct forwarder *f, pid_t pid);
/* CPU time of all its threads; UNKNOWN. */
double forwarder_cpu_ns(const struct forwarder *f);

#endif /* PACKETS_FORWARDER_H */
