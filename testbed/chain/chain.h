/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chain of VMs, and one run of it.
 *
 * Theory of operation. Hop k (from 1) is a link of ringpaced with a pacer of its own:
 * the port at its begin is the network card by which the generator or VM k - 1
 * sends, the one at its end that by which VM k or the sink receives.
 *
 *   generator ~> hop 1 ~> VM 1 ~> hop 2 ~> VM 2 ~> ... ~> hop N + 1 ~> sink
 *
 * The main thread sets all of it up, looks at all counters after the warm-up, at the
 * end of the load, and once the chain has drained. Rates are of the time between the
 * first two looks; what was lost or came twice is of the whole run.
 */
#ifndef CHAIN_CHAIN_H
#define CHAIN_CHAIN_H

#include <jansson.h>
#include <string.h>

#include "chain/generator.h"
#include "chain/l2fwd.h"
#include "chain/sink.h"
#include "chain/strategies.h"
#include "native/net_daemon.h"

#define CHAIN_VMS_MAX		31u	/* two ports a hop, of the 64 that ringpaced has */
#define CHAIN_HOPS_MAX		(CHAIN_VMS_MAX + 1)
#define CHAIN_FLOWS_MAX		1024u
#define CHAIN_NF_BURST_MAX	64u
#define CHAIN_WORK_MAX_NS	10000000u

#define CHAIN_NF_MAX		4u

struct chain_lane_ops;

/* What was asked for. */
struct chain_params {
	const struct chain_lane_ops *lane;
	u32 vms;
	u64 duration_ns, warmup_ns;	/* of the load; the warm-up is before that */
	u64 rate_pps;		/* 0: as fast as the first ring takes them */
	u32 frame_bytes;
	u32 flows;
	u32 queue_len;		/* slots of each ring, a power of two */
	const char *nf;		/* what a VM does with packets, of the lane's ->nf */
	bool nf_spin, nf_macs;	/* of l2fwd: does not sleep; rewrites addresses */
	u64 nf_ns;		/* a forwarder's work per packet */
	u64 nf_kick_ns;		/* what a kick costs it besides, as an exit would */
	u32 slow_hop;		/* the VM at the end of that hop is slower; 0: none */
	u64 slow_ns;
	u32 nf_burst;		/* packets that a forwarder publishes at once */
	u32 full_ms;		/* how long a receiver without buffers holds its sender up */
	bool spin;		/* the generator waits without sleeping */
	struct chain_strategy hop_strategy[CHAIN_HOPS_MAX];	/* no label: as the others */
};

/* Of one hop. An end is NULL where a VM is at the port. */
struct chain_link {
	char tx_port[16], rx_port[16];
	char tx_socket[160], rx_socket[160];
	struct net_end *tx_end, *rx_end;
};

struct chain {
	const struct chain_params *p;
	const struct chain_strategy *strategy;	/* of hops that have none of their own */
	u32 hops;
	bool pinned;
	struct net_daemon daemon;
	struct chain_link link[CHAIN_HOPS_MAX];
	struct generator generator;
	struct sink sink;
	struct net_end generator_end, sink_end;
	void *vms;		/* the lane's */
};

/* What is between two hops. Adding a lane: its file, its declaration here, a line in lane.c. */
struct chain_lane_ops {
	const char *name;
	const char *nf[CHAIN_NF_MAX];	/* names; the first is the default, NULL ends them */
	bool stamps;		/* VMs tell in a packet when they sent it */
	/* Nothing has moved for so long: nothing will. */
	u64 calm_ns;
	/* False, and why not in words in *@why (static). The rest is only called otherwise. */
	bool (*available)(const char **why);
	/* NULL, or which option it cannot take and why. */
	const char *(*check)(const struct chain_params *p);
	/* Starts all VMs; fills in ->tx_end and ->rx_end of links. 0, or -1 after fail(). */
	int (*start)(struct chain *c);
	/* Undoes start(), also half of it. */
	void (*stop)(struct chain *c);
	/* VM @vm, from 1. Any time between the two. 0, or -1 after fail(). */
	int (*look)(struct chain *c, u32 vm, struct worker_look *l);
	/* What VM @vm says that it counted in this run; NULL: nothing. May itself be NULL. */
	json_t *(*tell)(const struct chain *c, u32 vm);
};

extern const struct chain_lane_ops chain_native;
extern const struct chain_lane_ops chain_vm;

/* Ends with NULL. */
extern const struct chain_lane_ops *const chain_lanes[];
const struct chain_lane_ops *chain_lane_by_name(const char *name);

/* Are its VMs forwarders on DPDK? */
static inline bool chain_is_l2fwd(const struct chain_params *p)
{
	return !strcmp(p->nf, L2FWD_NF);
}

#define CHAIN_ROUTE_NF	"route"

/* Where a packet's head is. */
static inline u32 chain_head_at(const struct chain_params *p)
{
	return strcmp(p->nf, CHAIN_ROUTE_NF) ? CHAIN_AT_BARE : CHAIN_AT_IP;
}

/* Work per packet of VM @vm, from 1. */
static inline u64 chain_work_ns(const struct chain_params *p, u32 vm)
{
	return vm == p->slow_hop ? p->slow_ns : p->nf_ns;
}

/* That of hop @i, from 0. */
static inline const struct chain_strategy *chain_strategy_of(const struct chain *c, u32 i)
{
	const struct chain_strategy *own = &c->p->hop_strategy[i];

	return own->label[0] ? own : c->strategy;
}

/* The CPU of the @i-th thread of all, -1 if they are not pinned. */
int chain_cpu(const struct chain *c, u32 i);
/* An end of our own: of the sender of hop @hop (from 0), or of its receiver. 0 or -1. */
int chain_open_end(struct chain *c, struct net_end *e, u32 hop, enum net_dir dir);

/* Packets that ringpaced dropped of a queue, by its STATS. */
double chain_drops(const json_t *stats);

/* One run from its begin to its end: the result (docs/chain.md), or NULL after fail(). */
json_t *chain_run(const struct chain_params *p, const struct chain_strategy *s);

#endif /* CHAIN_CHAIN_H */
