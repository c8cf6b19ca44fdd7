/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A firewall with NAT for IPv4 (NAPT44): stations of the inside network open
 * flows to the outside, which sees them all at one address; what the outside sends passes
 * if it belongs to such a flow.
 *
 * Theory of operation. All state is the flow group's, so that it moves with it and needs no
 * lock. What the inside sends of a flow hashes to some group, whose owner opens the flow: it
 * picks a port for the outside address such that the reply, by the port's own hash, comes to
 * the very same group. Ports of one group are never those of another, since the same
 * addresses and ports have one hash. ICMP has no ports to pick: its flows are those of the
 * group that the reply comes to, and what the inside sends is given to that; so are errors of
 * ICMP, whose flow is that of the packet that they quote.
 *
 * A mapping and its filter are of one remote address and port ("address and port-dependent",
 * RFC 4787): with one that several remotes share replies would hash into many groups.
 *
 * At one card there are both networks: the inside is who sends from an address of it. With two
 * the outside is at the first one, the inside at the other, and what comes by the wrong one is
 * refused. So are fragments, which have no ports, and flows from the inside to itself.
 */
#ifndef DP_NF_NAT_H
#define DP_NF_NAT_H

#include "flow.h"
#include "net/net.h"
#include "packet.h"

struct nat {
	struct net inside, outside;	/* both answer ARP; the addresses of each side */
	struct dp_port *port;
	u32 groups;
	u32 flows_max;			/* of each group; a power of two */
	u8 secret[16];
};

struct nat_group {
	struct nf_group nf;
	struct flow_table flows;
};

/* Addresses, networks and the gateway of each side; @flows_max of each group, a power of two. */
void nat_init(struct nat *nat, const struct net_config *inside, const struct net_config *outside,
	      struct dp_port *port, u32 groups, u32 flows_max);

/* As dp_config.app, with a struct nat as app_arg. */
extern const struct dp_app nf_nat;

/* ---- Between the files of NAT ---- */

/* What replies to the flow hash to, with that port of ours. */
u32 nat_reply_hash(const struct nat *nat, const struct flow_key *k, u16 outside_port);
/* An address, and the port that is @port_at behind IPv4's header, become others. */
void nat_rewrite(struct nf_packet *f, u32 *ip, u32 new_ip, u32 port_at, u16 new_port);
void nat_send_inside(struct nat *nat, struct dp_thread *t, struct nat_group *ng, struct nf_packet *f);
/* Where the port, or identifier, of its sender is in what follows IPv4's header. */
u32 nat_sender_at(u8 proto);

/* nat_error.c: errors from the outside about what flows have sent there. */
bool nat_is_error(const struct nf_packet *f);
void nat_error(struct nat *nat, struct dp_thread *t, struct dp_group *g, struct nf_packet *f);

#endif /* DP_NF_NAT_H */
