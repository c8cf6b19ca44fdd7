// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The load generator's connections as UDP over IPv4 from a guest of our own at a port of
 * ringpaced: one source port each. There is no ARP: the addresses are the user's. One
 * thread, as answers may come by any pair of queues.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdlib.h>

#include "load/load.h"
#include "native/net_end.h"

#define FIRST_PORT	10000u
#define SLOTS		1024u
#define BATCH		64u
#define FRAME_MAX	1514u
#define OPEN_MS		5000u

struct head {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

_Static_assert(FIRST_PORT + LOAD_CONNECTIONS_MAX <= 65535, "each has a port");

struct got {
	u32 conn, bytes;
	bool taken;
	u8 data[FRAME_MAX];
};

struct port {
	struct load_transport t;
	const struct load_target *target;
	u32 conns;
	struct net_end end;
	bool *opening;
	u32 unsent;		/* frames that wait for a kick */
	u32 next_opening;
	u32 n;			/* datagrams of the last wait() */
	struct got got[BATCH];
};

static struct port *of(struct load_transport *t)
{
	return (struct port *)t;
}

static const struct sockaddr_in *server(const struct port *p)
{
	return (const struct sockaddr_in *)&p->target->addr;
}

/* ---- Frames ---- */

static u16 ip_checksum(struct iphdr ip)
{
	u16 words[sizeof(ip) / 2];
	u32 sum = 0, i;

	memcpy(words, &ip, sizeof(words));
	for (i = 0; i < sizeof(words) / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~(sum + (sum >> 16));
}

/* Without a checksum of UDP, as IPv4 allows it. */
static u32 write_frame(const struct port *p, u32 conn, const u8 *data, size_t n, u8 *at)
{
	struct head h = {
		.eth.h_proto = htons(ETH_P_IP),
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
			.tot_len = htons((u16)(sizeof(h.ip) + sizeof(h.udp) + n)),
			.saddr = p->target->own_ip.s_addr, .daddr = server(p)->sin_addr.s_addr },
		.udp = { .source = htons((u16)(FIRST_PORT + conn)), .dest = server(p)->sin_port,
			 .len = htons((u16)(sizeof(h.udp) + n)) },
	};
	u32 bytes = (u32)(sizeof(h) + n);

	memcpy(h.eth.h_source, p->target->mac[0], ETH_ALEN);
	memcpy(h.eth.h_dest, p->target->mac[1], ETH_ALEN);
	h.ip.check = ip_checksum(h.ip);
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), data, n);
	if (bytes >= ETH_ZLEN)
		return bytes;
	memset(at + bytes, 0, ETH_ZLEN - bytes);
	return ETH_ZLEN;
}

/* Is it to one of ours, whole, and from the server? */
static bool read_frame(const struct port *p, const u8 *frame, u32 bytes, struct got *g)
{
	struct head h;
	u32 dest, len;

	if (bytes < sizeof(h))
		return false;
	memcpy(&h, frame, sizeof(h));
	dest = ntohs(h.udp.dest);
	len = ntohs(h.udp.len);
	if (h.eth.h_proto != htons(ETH_P_IP) || h.ip.version != 4 || h.ip.ihl != 5 ||
	    h.ip.protocol != IPPROTO_UDP || h.ip.frag_off & htons(IP_MF | IP_OFFMASK) ||
	    h.ip.daddr != p->target->own_ip.s_addr ||
	    h.ip.saddr != server(p)->sin_addr.s_addr || h.udp.source != server(p)->sin_port)
		return false;
	if (dest < FIRST_PORT || dest - FIRST_PORT >= p->conns || len < sizeof(h.udp) ||
	    len - sizeof(h.udp) > bytes - sizeof(h) || len > sizeof(g->data))
		return false;
	g->conn = dest - FIRST_PORT;
	g->bytes = len - (u32)sizeof(h.udp);
	g->taken = false;
	memcpy(g->data, frame + sizeof(h), g->bytes);
	return true;
}

/* ---- Connections, of which nobody else knows ---- */

static int connect_one(struct load_transport *t, u32 conn)
{
	of(t)->opening[conn] = true;
	return 0;
}

static int connected(struct load_transport *t, u32 conn)
{
	of(t)->opening[conn] = false;
	return 0;
}

static void drop(struct load_transport *t, u32 conn)
{
	of(t)->opening[conn] = false;
}

static ssize_t send_one(struct load_transport *t, u32 conn, const u8 *data, size_t n)
{
	struct port *p = of(t);
	u8 *at = net_tx_next(&p->end, 0);

	if (!at)
		return -EAGAIN;
	net_tx_add(&p->end, 0, write_frame(p, conn, data, n, at));
	p->unsent++;
	return (ssize_t)n;
}

static ssize_t receive(struct load_transport *t, u32 conn, u8 *data, size_t n)
{
	struct port *p = of(t);
	struct got *g;

	for (g = p->got; g < p->got + p->n; g++) {
		if (g->taken || g->conn != conn)
			continue;
		g->taken = true;
		n = n < g->bytes ? n : g->bytes;
		memcpy(data, g->data, n);
		return (ssize_t)n;
	}
	return -EAGAIN;
}

static void want_out(struct load_transport *t, u32 conn, bool on)
{
	of(t)->opening[conn] = on;
}

/* ---- Waiting ---- */

/* Those that are opening, or wait for room, in turns. */
static u32 out_events(struct port *p, struct load_event *ev, u32 max)
{
	u32 i, n = 0;

	for (i = 0; i < p->conns && n < max; i++) {
		p->next_opening = (p->next_opening + 1) % p->conns;
		if (p->opening[p->next_opening])
			ev[n++] = (struct load_event){ .conn = p->next_opening, .out = true };
	}
	return n;
}

static u32 take_frames(struct port *p, struct load_event *ev, u32 max)
{
	const u8 *frame;
	u32 bytes, looked;

	p->n = 0;
	for (looked = 0; looked < BATCH && p->n < max; looked++) {
		frame = net_rx_take(&p->end, 0, &bytes);
		if (!frame)
			break;
		if (!read_frame(p, frame, bytes, &p->got[p->n]))
			continue;
		ev[p->n] = (struct load_event){ .conn = p->got[p->n].conn, .in = true };
		p->n++;
	}
	if (looked)
		net_rx_publish(&p->end, 0);
	return p->n;
}

static u32 wait_some(struct load_transport *t, struct load_event *ev, u32 max, u64 timeout_ns)
{
	struct port *p = of(t);
	u32 n;

	if (p->unsent)
		net_tx_publish(&p->end, 0);
	p->unsent = 0;
	net_reclaim(&p->end, 0);
	n = take_frames(p, ev, max / 2);
	n += out_events(p, ev + n, max - n);
	if (n || p->target->spin || !net_wait_ns(&p->end, 0, timeout_ns))
		return n;
	return take_frames(p, ev, max);
}

/* ---- Life ---- */

static void free_all(struct load_transport *t)
{
	struct port *p = of(t);

	net_end_close(&p->end);
	free(p->opening);
	free(p);
}

static const struct load_transport_ops ops = {
	.connect = connect_one, .connected = connected, .send = send_one, .receive = receive,
	.close = drop, .want_out = want_out, .wait = wait_some, .free = free_all,
};

static struct load_transport *make(const struct load_target *target, u32 conns)
{
	const struct net_end_options o = {
		.socket = target->socket, .pairs = 1, .slots = SLOTS, .station = 1,
		.frame_bytes = FRAME_MAX, .rx_bytes = 2048, .pieces = 1, .timeout_ms = OPEN_MS,
	};
	struct port *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	p->t.ops = &ops;
	p->target = target;
	p->conns = conns;
	p->opening = calloc(conns, sizeof(*p->opening));
	if (!p->opening)
		abort();
	if (!net_end_open(&p->end, &o))
		return &p->t;
	free_all(&p->t);
	return NULL;
}

const struct load_transport_kind load_transport_port = {
	.name = "port", .threads_max = 1, .make = make,
};
