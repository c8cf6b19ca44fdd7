// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets that leave in pieces, as no frame of the port is long enough for them. */
#include <linux/if_ether.h>

#include "frag.h"

/* @bytes at @at of the body, and whether more follow. false: there is no frame. */
static bool send_piece(struct net *net, struct dp_thread *t, const struct dp_pkt *whole,
		       struct iphdr ip, u32 at, u32 bytes, bool more)
{
	struct dp_pkt *p = net->port->ops->alloc(net->port, t->id);

	if (!p)
		return false;
	ip.tot_len = htons((u16)(sizeof(ip) + bytes));
	ip.frag_off = htons((u16)(at / 8 | (more ? IP_MF : 0)));
	ip.check = 0;
	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	memcpy(p->data, whole->data, ETH_HLEN);
	memcpy(p->data + ETH_HLEN, &ip, sizeof(ip));
	memcpy(p->data + ETH_HLEN + sizeof(ip), whole->data + ETH_HLEN + sizeof(ip) + at, bytes);
	p->bytes = ETH_HLEN + (u32)sizeof(ip) + bytes;
	dp_send(t, p);
	return true;
}

void net_send_whole(struct net *net, struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	u32 most = (net_mtu(net) - (u32)sizeof(struct iphdr)) & ~7u, at, bytes, total;
	struct iphdr ip;

	/* What came in one frame leaves in it. */
	if (!p->drop) {
		dp_send(t, p);
		return;
	}
	memcpy(&ip, p->data + ETH_HLEN, sizeof(ip));
	total = p->bytes - ETH_HLEN - (u32)sizeof(ip);
	for (at = 0; at < total; at += bytes) {
		bytes = total - at < most ? total - at : most;
		if (!send_piece(net, t, p, ip, at, bytes, at + bytes < total)) {
			if (g)
				dp_count(&net_group_counts(g)->no_memory, 1);
			break;
		}
	}
	dp_release(t, p);
}
