// SPDX-License-Identifier: GPL-2.0-or-later
/* The forwarder: RFC 1812 as far as a router without options needs it. */
#include "forward.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

void forward_init(struct forward *fw, const struct net_config *cfg, struct dp_port *port)
{
	u32 i;

	fw->port = port;
	for (i = 0; i < port->cards; i++) {
		fw->station[i].cfg = cfg[i];
		fw->station[i].port = port;
		fw->station[i].card = (u8)i;
		arp_init(&fw->station[i].arp);
	}
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

static bool is_own(const struct forward *fw, u32 ip)
{
	u32 i;

	for (i = 0; i < fw->port->cards; i++)
		if (fw->station[i].cfg.ip == ip)
			return true;
	return false;
}

static void pass_on(const struct forward *fw, struct dp_thread *t, struct nf_group *ng,
		    struct dp_pkt *p)
{
	struct forward_hop hop;
	struct nf_packet f;

	if (!nf_parse(&f, p)) {
		nf_drop(t, p, &ng->counts.malformed);
	} else if (is_own(fw, f.ip.daddr) || !fw->find(fw->routes, f.ip.daddr, &hop)) {
		nf_drop(t, p, &ng->counts.refused);
	} else if (!nf_hop(&f)) {
		nf_expired(t, ng, &f, fw->station[p->card].cfg.ip);
	} else {
		p->card = hop.card;
		nf_send(t, ng, &f, hop.mac);
	}
}

static void forward(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	struct forward *fw = t->dp->cfg.app_arg;

	/* What was sent to others, or to all, is not forwarded. */
	if (g && nf_is_ipv4(p) && !memcmp(p->data, fw->port->mac[p->card], ETH_ALEN))
		pass_on(fw, t, g->state, p);
	else if (nf_is_arp(p))
		net_arp_input(&fw->station[p->card], t, p);
	else
		dp_release(t, p);
}

const struct dp_app nf_forward = {
	.name = "forward",
	.open = forward_open,
	.close = forward_close,
	.packet = forward,
};
