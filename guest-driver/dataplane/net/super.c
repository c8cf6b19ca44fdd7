// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Super-segments: a segment that follows the one that leaves before it, in the same turn, goes
 * into its frame, which the port cuts again (TSO). To lwIP each is a segment of its own, so
 * that nothing changes where they are acknowledged, sent again, or moved.
 */
#include "ctx.h"

#include <linux/if_ether.h>

/* A frame that is cut into less than this saves little, and some cards do not take it. */
#define SIZE_MIN	536u
#define TCP_FIN_BIT	0x01
#define TCP_PSH_BIT	0x08
#define TCP_ACK_BIT	0x10

struct headers {
	struct iphdr ip;
	struct {
		u16 port[2];
		u32 seq, ack;
		u8 offset, flags;
		u16 window, sum, urgent;
	} tcp;
};

/* Data and no options; of flags those in @may. */
static bool is_plain(const struct headers *h, u8 may)
{
	return h->ip.ihl == 5 && h->tcp.offset == 5 << 4 && !(h->tcp.flags & ~may) &&
	       h->ip.protocol == IPPROTO_TCP;
}

static bool same_connection(const struct headers *a, const struct headers *b)
{
	return a->ip.saddr == b->ip.saddr && a->ip.daddr == b->ip.daddr &&
	       a->tcp.port[0] == b->tcp.port[0] && a->tcp.port[1] == b->tcp.port[1];
}

/* @n, of @bytes, right behind what is in @head, all of which has one size? */
static bool follows(const struct net *net, const struct dp_pkt *head, const struct headers *h,
		    const struct headers *n, u32 bytes)
{
	u32 have = ntohs(h->ip.tot_len) - (u32)sizeof(*h);
	u32 size = head->seg_bytes ? head->seg_bytes : have;

	return is_plain(h, TCP_ACK_BIT | TCP_PSH_BIT) && same_connection(h, n) &&
	       ntohl(n->tcp.seq) == ntohl(h->tcp.seq) + have &&
	       !(have % size) && bytes <= size &&
	       ETH_HLEN + sizeof(*h) + have + bytes <= net->port->super_bytes;
}

/* The headers of both: what the last one says holds. */
static void extend(struct dp_pkt *head, struct headers *h, const struct headers *n, u32 bytes)
{
	u32 have = ntohs(h->ip.tot_len);

	if (!head->seg_bytes)
		head->seg_bytes = (u16)(have - sizeof(*h));
	h->ip.tot_len = htons((u16)(have + bytes));
	h->ip.check = 0;
	h->ip.check = net_sum_end(net_sum((u8 *)&h->ip, sizeof(h->ip), 0));
	h->tcp.ack = n->tcp.ack;
	h->tcp.window = n->tcp.window;
	/* The port puts these onto the last one that it cuts. */
	h->tcp.flags |= n->tcp.flags;
	memcpy(head->data + ETH_HLEN, h, sizeof(*h));
}

bool net_join(struct net *net, struct dp_thread *t, struct pbuf *p)
{
	struct dp_pkt *head, *next;
	struct headers h, n;
	u32 bytes = p->tot_len - (u32)sizeof(n);

	if (!net->port->super_bytes || !t->unsent || p->tot_len <= sizeof(n) || p->len < sizeof(n))
		return false;
	head = t->tx[t->unsent - 1];
	/* Short answers to many connections are not looked at. */
	if (head->bytes < ETH_HLEN + sizeof(h) + SIZE_MIN || !head->sum_from)
		return false;
	memcpy(&h, head->data + ETH_HLEN, sizeof(h));
	memcpy(&n, p->payload, sizeof(n));
	if (!is_plain(&n, TCP_ACK_BIT | TCP_PSH_BIT | TCP_FIN_BIT) ||
	    !follows(net, head, &h, &n, bytes))
		return false;
	next = net->port->ops->alloc(net->port, t->id);
	if (!next)
		return false;
	pbuf_copy_partial(p, next->data, (u16)bytes, sizeof(n));
	next->bytes = bytes;
	net->port->ops->join(net->port, head, next);
	extend(head, &h, &n, bytes);
	dp_count(&net_group_of(lwip_ctx)->counts.joined, 1);
	return true;
}
