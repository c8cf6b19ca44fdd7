/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A forwarder of IPv4 at one port: what has another destination than this station goes on
 * to the next hop of the longest prefix that matches. State is a flow group's counters.
 */
#ifndef DP_NF_FORWARD_H
#define DP_NF_FORWARD_H

#include "net/net.h"
#include "packet.h"

struct forward {
	/* Answers ARP for the address, and is what ICMP comes from. */
	struct net station;
	/* The next hop to @ip, as on the wire; false: there is none. Any thread. */
	bool (*find)(const void *routes, u32 ip, u8 mac[ETH_ALEN]);
	const void *routes;
};

/* All but the routes. The station's address and network are @cfg's. */
void forward_init(struct forward *fw, const struct net_config *cfg, struct dp_port *port);

/* As dp_config.app, with a struct forward as app_arg. */
extern const struct dp_app nf_forward;

#endif /* DP_NF_FORWARD_H */
