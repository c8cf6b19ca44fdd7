/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port: 2 * pairs queues, whatever is behind them.
 *
 * What a kind of port must do beside its queues (port_ops.h) is a table, too.
 * All of it is the main thread's. A kind embeds struct port, marks its queues as
 * attached when they may be used, and calls net_halt() before it changes one and
 * net_settle() afterwards.
 */
#ifndef RINGPACED_PORT_H
#define RINGPACED_PORT_H

#include "flow.h"
#include "nic_options.h"
#include "session.h"

struct net;
struct pacer;
struct port;
struct port_options;
struct net_egress;
struct net_switch;
struct port_rss;

struct port_kind {
	const char *name;
	const char *address;		/* what its address is, in options and JSON */
	/* The address and what else it concerns. NULL, or what is wrong. */
	const char *(*check)(const struct port_options *o);
	/* A port with its queues, all of them detached; NULL: no memory. */
	struct port *(*create)(const struct port_options *o);
	void (*destroy)(struct port *p);
	/* Listens, or opens what is behind it. 0, or -1 with one line of why. */
	int (*open)(struct port *p, struct loop *loop, gid_t gid, char *why, size_t why_bytes);
	/* Detaches every queue. Also of a port that was not opened. */
	void (*close)(struct port *p);
	/* Is somebody there? */
	bool (*link_up)(const struct port *p);
	/* Memory of some process has gone: was it this one's? NULL: it shares none. */
	void (*check_memory)(struct port *p);
	/*
	 * If what it was opened on has gone, opens it again; its queues are detached
	 * meanwhile. 1: it did, 0: there was no need, -1 with one line of why, and it is
	 * detached. NULL: never needed.
	 */
	int (*heal)(struct port *p, char *why, size_t why_bytes);
	/* All those that it sends to take these offloads. NULL: no matter. */
	void (*peers_can)(struct port *p, const struct offloads *can);
};

extern const struct port_kind vhost_port_kind, tap_port_kind, nic_port_kind;

struct port_options {
	char name[SESSION_NAME_MAX + 1];
	const struct port_kind *kind;	/* NULL: not said yet */
	const char *address;		/* of a port, its own */
	u32 pairs;
	u32 mtu;			/* 0: none is told */
	struct flow_params pacing;
	u32 rss;			/* entries of its table; 0: it does not steer */
	struct limit_params limit;	/* of what it sends */
	/* Pair i is served by the one at i modulo ->pacers; none: as they come. */
	u8 pacer[SPREAD_PAIRS_MAX];
	u32 pacers;
	struct nic_options nic;
	bool full_set;			/* ->pacing.full_ns was said */
	/* In a switch */
	bool in_switch;
	bool vlan_set;			/* some of it was said */
	struct vlan_port vlan;
	u32 macs;			/* addresses that it may have; 0: not said */
};

struct port {
	struct port_options opt;
	struct net *net;
	struct port *peer;		/* NULL: not linked */
	struct net_switch *sw;		/* NULL: in none */
	struct switch_port *sw_port;
	struct port_rss *rss;		/* see net_rss.h */
	struct net_egress *egress;	/* what others send to it waits there; NULL: it has none */
	struct limit limit;		/* of the pacer that has its flows */
	struct offloads rx_can;		/* what it can be given */
	struct port_queue **queue;	/* 2 * pairs: even ones are RX, odd ones TX */
	struct port_flow {
		struct flow flow;
		struct pacer *at;	/* NULL: the main thread has it */
		u32 pacer;		/* where it belongs, in a switch or if it owns its RX queue */
		u64 kept_items[2];	/* of producer and consumer, when learned was kept last */
	} *flow;			/* pairs, by TX queue */
};

/* For a kind's create(): room for queues and flows. port_fini() undoes it in both cases. */
bool port_init(struct port *p, const struct port_options *o);
/* The queues are all filled in. */
void port_begin(struct port *p);
void port_fini(struct port *p);

static inline bool port_link_up(const struct port *p)
{
	return p->opt.kind->link_up(p);
}

#endif /* RINGPACED_PORT_H */
