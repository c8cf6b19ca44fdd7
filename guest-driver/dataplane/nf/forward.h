/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A forwarder of IPv4: what has another destination than this station goes on to the next hop
 * of the longest prefix that matches, by the card that this one is at. State is a flow group's
 * counters.
 */
#ifndef DP_NF_FORWARD_H
#define DP_NF_FORWARD_H

#include "net/net.h"
#include "packet.h"

struct forward_hop {
	u8 mac[ETH_ALEN];
	u8 card;
};

struct forward {
	struct dp_port *port;
	/* At each card: answers ARP for the address, and is what ICMP comes from. */
	struct net station[DP_CARDS_MAX];
	/* The next hop to @ip, as on the wire; false: there is none. Any thread. */
	bool (*find)(const void *routes, u32 ip, struct forward_hop *hop);
	const void *routes;
};

/* All but the routes. The address and network at each of the port's cards are @cfg's. */
void forward_init(struct forward *fw, const struct net_config *cfg, struct dp_port *port);

/* As dp_config.app, with a struct forward as app_arg. */
extern const struct dp_app nf_forward;

#endif /* DP_NF_FORWARD_H */
