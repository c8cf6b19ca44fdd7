// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames between a guest of our own and the dataplane's station. They are copied: those of
 * a ring are in it for a turn only, and the station may keep one.
 */
#include "load/end_port.h"

#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#define FRAMES		8192u
/* So many the station may keep of what it receives, and so many are left to be sent. */
#define KEPT		(FRAMES / 4)
#define TCP_SUM_AT	offsetof(struct tcphdr, th_sum)

static struct end_port *of(struct dp_port *port)
{
	return (struct end_port *)port;
}

static u32 hash(struct dp_port *port, u32 src_ip, u32 dst_ip, u16 src_port, u16 dst_port)
{
	return dp_port_mix(src_ip, dst_ip, src_port, dst_port);
}

static u32 hash_ip(struct dp_port *port, u32 src_ip, u32 dst_ip)
{
	return dp_port_mix(src_ip, dst_ip, 0, 0);
}

/* As a network card does: of a whole TCP segment or datagram with its ports. */
static void classify(struct dp_pkt *p)
{
	struct ethhdr eth;
	struct iphdr ip;
	u16 ports[2] = { 0 };
	u32 l4;

	p->loose = true;
	p->hash = 0;
	if (p->bytes < sizeof(eth) + sizeof(ip))
		return;
	memcpy(&eth, p->data, sizeof(eth));
	memcpy(&ip, p->data + sizeof(eth), sizeof(ip));
	if (eth.h_proto != htons(ETH_P_IP) || ip.version != 4)
		return;
	p->loose = false;
	l4 = sizeof(eth) + ip.ihl * 4u;
	if ((ip.protocol == IPPROTO_TCP || ip.protocol == IPPROTO_UDP) &&
	    !(ip.frag_off & htons(IP_MF | IP_OFFMASK)) && p->bytes >= l4 + sizeof(ports))
		memcpy(ports, p->data + l4, sizeof(ports));
	p->hash = dp_port_mix(ip.saddr, ip.daddr, ports[0], ports[1]);
}

static u32 rx(struct dp_port *port, u32 queue, struct dp_pkt **p, u32 max)
{
	struct end_port *ep = of(port);
	const u8 *frame;
	u32 bytes, taken = 0, n = 0;

	while (n < max && ep->spare.count > KEPT && (frame = net_rx_take(&ep->end, 0, &bytes))) {
		taken++;
		if (bytes > END_PORT_FRAME_BYTES)
			continue;
		p[n] = dp_list_pop(&ep->spare);
		memcpy(p[n]->data, frame, bytes);
		p[n]->bytes = bytes;
		p[n]->seg_bytes = 0;
		p[n]->drop = NULL;
		/* Who sends to it on this host may leave sums to a card that there is not. */
		p[n]->sound = true;
		classify(p[n]);
		n++;
	}
	if (taken)
		net_rx_publish(&ep->end, 0);
	return n;
}

static void release(struct dp_port *port, u32 queue, struct dp_pkt *p)
{
	dp_list_add(&of(port)->spare, p);
}

static u32 tx(struct dp_port *port, u32 queue, struct dp_pkt **p, u32 n)
{
	struct end_port *ep = of(port);
	u32 i;
	u8 *at;

	for (i = 0; i < n && (at = net_tx_next(&ep->end, 0)); i++) {
		memcpy(at, p[i]->data, p[i]->bytes);
		net_tx_sum(&ep->end, p[i]->sum_from, p[i]->sum_from ? TCP_SUM_AT : 0);
		net_tx_add(&ep->end, 0, p[i]->bytes);
		release(port, queue, p[i]);
	}
	ep->unsent += i;
	return i;
}

static int steer(struct dp_port *port, const struct dp_steer *s, u32 n)
{
	return 0;	/* all groups are the one thread's */
}

static struct dp_pkt *alloc(struct dp_port *port, u32 queue)
{
	struct dp_pkt *p = dp_list_pop(&of(port)->spare);

	if (p) {
		p->sum_from = p->seg_bytes = 0;
		p->drop = NULL;
	}
	return p;
}

static const struct dp_port_ops ops = {
	.name = "guest", .rx = rx, .tx = tx, .release = release, .steer = steer,
	.alloc = alloc, .hash = hash, .hash_ip = hash_ip,
};

void end_port_publish(struct end_port *ep)
{
	if (ep->unsent)
		net_tx_publish(&ep->end, 0);
	ep->unsent = 0;
	net_reclaim(&ep->end, 0);
}

int end_port_open(struct end_port *ep, const char *socket, const u8 mac[6], u32 slots,
		  u32 timeout_ms)
{
	const struct net_end_options o = {
		.socket = socket, .pairs = 1, .slots = slots, .station = 1,
		.frame_bytes = END_PORT_FRAME_BYTES, .rx_bytes = 2048, .pieces = 1,
		.timeout_ms = timeout_ms,
		.without = 1ULL << VIRTIO_NET_F_GUEST_TSO4 | 1ULL << VIRTIO_NET_F_GUEST_TSO6,
	};
	u32 i;

	memset(ep, 0, sizeof(*ep));
	ep->port = (struct dp_port){
		.ops = &ops, .cards = 1, .queues = 1, .slots = slots, .fenced = true,
		.frame_bytes = END_PORT_FRAME_BYTES, .spare = KEPT,
	};
	memcpy(ep->port.mac[0], mac, sizeof(ep->port.mac[0]));
	ep->frame = calloc(FRAMES, sizeof(*ep->frame));
	if (!ep->frame)
		abort();
	for (i = 0; i < FRAMES; i++) {
		ep->frame[i].p.data = ep->frame[i].data;
		dp_list_add(&ep->spare, &ep->frame[i].p);
	}
	if (net_end_open(&ep->end, &o))
		return -1;
	ep->port.sums = fe_has(&ep->end.fe, VIRTIO_NET_F_CSUM);
	return 0;
}

void end_port_close(struct end_port *ep)
{
	net_end_close(&ep->end);
	free(ep->frame);
	ep->frame = NULL;
}
