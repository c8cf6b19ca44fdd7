// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of lwIP out, into frames of the port. */
#include "ctx.h"

#include <netinet/in.h>

#include "lwip/inet_chksum.h"
#include "lwip/netif.h"

#define ETH_BYTES	14u
#define IP_BYTES	20u

/*
 * Routers do not cut it, but tell (path.c); what may be expected to pass anywhere they may cut.
 * The flag is added to the header's checksum.
 */
static void set_df(u8 *ip)
{
	u32 sum = (u16)~(ip[10] << 8 | ip[11]) + 0x4000u;

	sum = (u16)~((sum & 0xffff) + (sum >> 16));
	ip[6] |= 0x40;
	ip[10] = (u8)(sum >> 8);
	ip[11] = (u8)sum;
}

/*
 * The port sums what follows, and needs what does not follow in the checksum's place. @ip is
 * what the header was copied from: the copy itself, read so soon, would be waited for.
 */
static void start_sum(struct dp_pkt *p, const u8 *ip)
{
	struct tcp_hdr *th = (void *)(p->data + ETH_BYTES + IP_BYTES);
	u16 sum = (u16)~net_sum_end(net_pseudo_sum(ip, IPPROTO_TCP,
						   p->bytes - ETH_BYTES - IP_BYTES));

	memcpy(&th->chksum, &sum, sizeof(sum));
	p->sum_from = ETH_BYTES + IP_BYTES;
}

err_t net_output(struct netif *nif, struct pbuf *p, const ip4_addr_t *to)
{
	struct net *net = nif->state;
	struct dp_thread *t = net_thread();
	struct dp_pkt *pkt;
	u8 mac[6];

	if (!t || p->tot_len + ETH_BYTES > net->port->frame_bytes)
		return ERR_IF;
	if (net_join(net, t, p))
		return ERR_OK;
	if (!net_neighbour(net, t, to->addr, mac)) {
		dp_count(&net_group_of(lwip_ctx)->counts.no_neighbour, 1);
		return ERR_RTE;
	}
	pkt = net->port->ops->alloc(net->port, t->id);
	if (!pkt) {
		dp_count(&net_group_of(lwip_ctx)->counts.no_memory, 1);
		return ERR_MEM;
	}
	net_ethernet(pkt->data, mac, net->port->mac[0]);
	pbuf_copy_partial(p, pkt->data + ETH_BYTES, p->tot_len, 0);
	pkt->bytes = p->tot_len + ETH_BYTES;
	if (p->tot_len > NET_MTU_MIN)
		set_df(pkt->data + ETH_BYTES);
	if (net->port->sums)
		start_sum(pkt, p->payload);
	dp_send(t, pkt);
	return ERR_OK;
}
