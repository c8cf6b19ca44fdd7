/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rp-dataplane at a port of ringpaced that steers, and a guest of our own:
 *
 *	guest ══ a, ringpaced, b (rss=128, a pair for each thread) ══ rp-dataplane
 *
 * The guest sends numbered UDP datagrams of many flows, and takes what comes back:
 * whole, once, in each flow's order. Functions return false, or -1 after fail(), when
 * it cannot be done in time. One thread at a time.
 */
#ifndef DATAPLANE_RIG_H
#define DATAPLANE_RIG_H

#include "native/net_daemon.h"
#include "native/net_end.h"

#define DP_RIG_FLOWS	256u
#define DP_RIG_GROUPS	128u
#define DP_RIG_SEQS	4096u
/* Fewer datagrams than any queue holds are out, so that none is ever full. */
#define DP_RIG_OUT	96u
#define DP_RIG_WAIT_NS	(60 * NSEC_PER_SEC)

struct dp_rig_options {
	const char *app;	/* with the guest: reflect or udp-echo */
	u32 threads;
	const char *pacing;	/* of port b, or NULL */
	u64 dmax_ns;		/* of both ports; 0: as ringpaced has it */
	const char *pacers;	/* ringpaced's --pacers, or NULL: one, on any CPU */
	const char *tap;	/* instead of the guest: port a is this tap, made, not up */
	bool bare;		/* no guest: ->socket[0] is for somebody else's */
	const char *more[8];	/* options of rp-dataplane, NULL ends them */
};

struct dp_rig {
	struct net_daemon daemon;
	struct net_end guest;
	struct ctl ctl;
	bool has_ctl, echo;
	pid_t pid;		/* rp-dataplane */
	char socket[2][160], control[160], log[160];
	u64 sent, back;
	u64 bad, twice, reordered;
	u32 next_seq[DP_RIG_FLOWS], next_back[DP_RIG_FLOWS];
	bool out[DP_RIG_FLOWS][DP_RIG_SEQS];
};

/* @r is zeroed. dp_rig_close() undoes it, in both cases. */
int dp_rig_open(struct dp_rig *r, const struct dp_rig_options *o);
void dp_rig_close(struct dp_rig *r);

/* One round: sends up to @goal in all, takes what has come. */
void dp_rig_play(struct dp_rig *r, u64 goal);
/* @n more go there, and come back. */
bool dp_rig_pass(struct dp_rig *r, u64 n);

/* An order to rp-dataplane: as ctl_call(). */
json_t *dp_rig_order(struct dp_rig *r, const char *cmd, json_t *args);
/* A number of `moves`, or ~0. */
u64 dp_rig_moves(struct dp_rig *r, const char *key);
/* Under load, until no group is on its way. */
bool dp_rig_settle(struct dp_rig *r);
/* So many threads, and settled. */
bool dp_rig_threads(struct dp_rig *r, u32 n);
/* Orders every group to another of @threads threads, by that many orders at once. */
bool dp_rig_shift(struct dp_rig *r, u32 by, u32 threads);

#endif /* DATAPLANE_RIG_H */
