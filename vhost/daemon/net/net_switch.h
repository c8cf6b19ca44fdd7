/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switches as the main thread sees them: names, ports, and the pacers that have
 * their flows, one or several.
 */
#ifndef RINGPACED_NET_SWITCH_H
#define RINGPACED_NET_SWITCH_H

#include "net.h"

struct net_switch {
	char name[SESSION_NAME_MAX + 1];
	struct net *net;
	/* Where its ports' flows belong at first, in turn, but of ports that name their own */
	u8 pacer[NET_PACERS_MAX];
	u32 pacers;
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

/* Pacers that have flows of it, a bit each. */
u64 net_switch_served_by(const struct net_switch *s);
/* Where its ports' pairs belong, all, or those only that can be served. */
u64 net_switch_placed(const struct net_switch *s, bool ready);
/* One of those that have flows, for what a pacer is to do for it; if there is none, any. */
struct pacer *net_switch_pacer(const struct net_switch *s);
/* pacer_pass() of all that have flows of it. */
void net_switch_pass(const struct net_switch *s);
/* The port's RX queue @i is not used any more. */
void net_switch_halt(struct port *p, u32 i);
/* Every RX queue of the port that is attached may be used. */
void net_switch_settle(struct port *p);
/* Before flows of it are given to pacers, and afterwards: do several write its queues? */
void net_switch_share(struct net_switch *s);
void net_switch_unshare(struct net_switch *s);
/* Takes all of its ports' flows from their pacers. */
void net_switch_halt_senders(struct net_switch *s);
/* And has all RX queues not used. */
void net_switch_halt_all(struct net_switch *s);
/* Takes all of its ports' flows from their pacers; net_settle() has them where @o says. */
void net_switch_place(struct net_switch *s, const struct switch_options *o);
/* The same, of a port whose ->opt says other pacers; the main thread has its flows. */
void net_switch_place_port(struct port *p);
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
