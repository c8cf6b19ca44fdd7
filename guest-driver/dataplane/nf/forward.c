// SPDX-License-Identifier: GPL-2.0-or-later
/* The forwarder: RFC 1812 as far as a router without options and with one port needs it. */
#include "forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

void forward_init(struct forward *fw, const struct net_config *cfg, struct dp_port *port)
{
	fw->station.cfg = *cfg;
	fw->station.port = port;
	arp_init(&fw->station.arp);
}

static int forward_open(struct dp *dp, struct dp_group *g)
{
	g->state = calloc(1, sizeof(struct nf_group));
	return g->state ? 0 : -ENOMEM;
}

static void forward_close(struct dp *dp, struct dp_group *g)
{
	free(g->state);
	g->state = NULL;
}

static void pass_on(const struct forward *fw, struct dp_thread *t, struct nf_group *ng,
		    struct dp_pkt *p)
{
	u8 mac[ETH_ALEN];
	struct nf_packet f;

	if (!nf_parse(&f, p))
		nf_drop(t, p, &ng->counts.malformed);
	else if (f.ip.daddr == fw->station.cfg.ip || !fw->find(fw->routes, f.ip.daddr, mac))
		nf_drop(t, p, &ng->counts.refused);
	else if (!nf_hop(&f))
		nf_expired(t, ng, &f, fw->station.cfg.ip);
	else
		nf_send(t, ng, &f, mac);
}

static void forward(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	struct forward *fw = t->dp->cfg.app_arg;

	/* What was sent to others, or to all, is not forwarded. */
	if (g && nf_is_ipv4(p) && !memcmp(p->data, fw->station.port->mac, ETH_ALEN))
		pass_on(fw, t, g->state, p);
	else if (nf_is_arp(p))
		net_arp_input(&fw->station, t, p);
	else
		dp_release(t, p);
}

const struct dp_app nf_forward = {
	.name = "forward",
	.open = forward_open,
	.close = forward_close,
	.packet = forward,
};
