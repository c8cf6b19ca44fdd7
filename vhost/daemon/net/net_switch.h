/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switches as the main thread sees them: names, ports, and the pacer that has
 * what belongs to its thread.
 */
#ifndef RINGPACED_NET_SWITCH_H
#define RINGPACED_NET_SWITCH_H

#include "net.h"

struct net_switch {
	char name[SESSION_NAME_MAX + 1];
	struct net *net;
	u32 pacer;			/* that has all of its flows */
	u64 age_ns;
	u32 port_count;
	struct port *port[SWITCH_PORTS_MAX];
	struct fwd_switch fwd;
};

/* An address, as it is told to people. */
struct net_mac {
	u8 mac[6];
	u16 vlan;
	u32 port;			/* in the switch */
	u64 age_ns;
};

/* Between @count ports @port. 0 or -errno; net_switch_fini() undoes it in both cases. */
int net_switch_init(struct net_switch *s, struct net *n, const struct switch_options *o,
		    struct port *const *port, u32 count);
/* It was on the heap. */
void net_switch_fini(struct net_switch *s);
struct net_switch *net_switch_find(const struct net *n, const char *name);

static inline struct pacer *net_switch_pacer(const struct net_switch *s)
{
	return &s->net->pacer[s->pacer];
}

/* The port's RX queue @i is not used any more. */
void net_switch_halt(struct port *p, u32 i);
/* Every RX queue of the port that is attached may be used. */
void net_switch_settle(struct port *p);
/* Takes all of its flows and queues from its pacer. */
void net_switch_halt_all(struct net_switch *s);
/* Takes all of its flows and queues from its pacer; net_settle() gives them to @pacer. */
void net_switch_move(struct net_switch *s, u32 pacer);
/*
 * Learns what @from had, of ports that are in both and VLANs that they still have. Neither
 * has flows; @from's ports that are gone are NULL.
 */
void net_switch_inherit(struct net_switch *s, const struct net_switch *from);
/* Forgets addresses: of a port or NULL, of a VLAN or 0. How many that was. */
u32 net_switch_flush(struct net_switch *s, const struct port *p, u16 vlan);
/* Up to @max addresses from entry *@at on, which goes on; 0: that was all. */
u32 net_switch_macs(struct net_switch *s, u32 *at, struct net_mac *mac, u32 max);

#endif /* RINGPACED_NET_SWITCH_H */
