/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network function on a dataplane, at a port that the test plays: frames go in steered as a
 * card would, and what is sent comes back to the test.
 */
#ifndef NF_FIXTURE_H
#define NF_FIXTURE_H

#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>

#include "net/mem.h"
#include "nf/forward.h"
#include "nf/nat.h"
#include "port_soft.h"
#include "rand.h"

#define GROUPS		128u
#define SLOTS		256u
#define FRAMES		2048u
#define FRAME_BYTES	1514u
#define FRONT		(ETH_HLEN + (u32)sizeof(struct iphdr))

struct frame {
	struct dp_pkt p;
	u8 data[FRAME_BYTES];
};

struct bed {
	struct soft_port *sp;
	struct dp *dp;
	u32 threads;
	_Atomic u64 clock_ns;
	struct frame frame[FRAMES];
	struct dp_list spare;
	/* Of each frame that was sent, before it is taken back. May be NULL. */
	void (*sent)(struct bed *b, struct frame *f);
	void *arg;
};

static inline u64 bed_now(void *arg)
{
	struct bed *b = arg;

	return atomic_load(&b->clock_ns);
}

static inline u32 ip_of(u8 a, u8 b, u8 c, u8 d)
{
	return htonl((u32)a << 24 | (u32)b << 16 | (u32)c << 8 | d);
}

/* The port has one card, unless the test says that there is a second one. */
static const u8 bed_mac[2][ETH_ALEN] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

/* The port, for the function to be made. */
static inline struct bed *bed_new(u32 threads)
{
	struct bed *b = calloc(1, sizeof(*b));
	u32 i;

	if (!b)
		abort();
	b->threads = threads;
	atomic_store(&b->clock_ns, 1000 * DP_TICK_NS);
	b->sp = soft_port_new(threads, GROUPS, SLOTS, FRAMES, true);
	if (!b->sp)
		abort();
	b->sp->port.frame_bytes = FRAME_BYTES;
	memcpy(b->sp->port.mac[0], bed_mac[0], ETH_ALEN);
	memcpy(b->sp->port.mac[1], bed_mac[1], ETH_ALEN);
	for (i = 0; i < FRAMES; i++) {
		b->frame[i].p.data = b->frame[i].data;
		dp_list_add(&b->spare, &b->frame[i].p);
	}
	return b;
}

static inline void bed_start(struct bed *b, const struct dp_app *app, void *app_arg)
{
	const char *why;

	b->dp = dp_new(&(struct dp_config){
		.threads = b->threads, .groups = GROUPS, .batch = 32, .stall_ns = 60000000000ULL,
		.port = &b->sp->port, .app = app, .app_arg = app_arg, .now_ns = bed_now, .arg = b,
	}, &why);
	if (!b->dp)
		abort();
}

static inline void bed_collect(struct bed *b, u32 queue)
{
	struct dp_pkt *p;

	while ((p = soft_port_sent(b->sp, queue))) {
		if (b->sent)
			b->sent(b, (struct frame *)p);
		dp_list_add(&b->spare, p);
	}
	while ((p = soft_port_released(b->sp, queue)))
		dp_list_add(&b->spare, p);
	while (b->spare.count > FRAMES / 2) {
		p = dp_list_pop(&b->spare);
		p->bytes = 0;
		if (!soft_port_give(b->sp, queue, p)) {
			dp_list_add(&b->spare, p);
			break;
		}
	}
}

static inline void bed_turn(struct bed *b)
{
	u32 i;

	for (i = 0; i < b->threads; i++) {
		dp_thread_turn(b->dp, i);
		bed_collect(b, i);
	}
	dp_control_turn(b->dp);
}

/* Time passes, with a turn in each tick: as it does for threads. */
static inline void bed_pass(struct bed *b, u64 seconds)
{
	u64 end = atomic_load(&b->clock_ns) + seconds * 1000000000ULL;

	while (atomic_load(&b->clock_ns) < end) {
		atomic_fetch_add(&b->clock_ns, 100000000);
		bed_turn(b);
	}
}

static inline void bed_free(struct bed *b)
{
	dp_free(b->dp);
	soft_port_free(b->sp);
	free(b);
}

/* As a card does: TCP and UDP by addresses and ports, other IPv4 by addresses. */
static inline void bed_steer(struct bed *b, struct dp_pkt *p)
{
	struct dp_port *port = &b->sp->port;
	struct iphdr ip;
	u16 l4[2];

	p->loose = p->bytes < FRONT || p->data[12] != 8 || p->data[13];
	if (p->loose)
		return;
	memcpy(&ip, p->data + ETH_HLEN, sizeof(ip));
	if (p->bytes < FRONT + 4 || ip.ihl != 5 || ip.frag_off & htons(IP_OFFMASK | IP_MF) ||
	    (ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP)) {
		p->hash = port->ops->hash_ip(port, ip.saddr, ip.daddr);
		return;
	}
	memcpy(l4, p->data + FRONT, sizeof(l4));
	p->hash = port->ops->hash(port, ip.saddr, ip.daddr, l4[0], l4[1]);
}

static inline void bed_input(struct bed *b, struct frame *f)
{
	bed_steer(b, &f->p);
	if (!soft_port_input(b->sp, &f->p))
		dp_list_add(&b->spare, &f->p);
}

/* A frame to the function, of that protocol; its checksums are the caller's. */
static inline struct frame *bed_frame(struct bed *b, u32 src, u32 dst, u8 proto, u32 l4_bytes)
{
	struct frame *f = (struct frame *)dp_list_pop(&b->spare);
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = proto, .saddr = src, .daddr = dst,
		.tot_len = htons((u16)(sizeof(ip) + l4_bytes)),
	};

	if (!f)
		abort();
	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	f->p.card = 0;
	memcpy(f->data, bed_mac[0], ETH_ALEN);
	memcpy(f->data + ETH_ALEN, (u8[]){ 2, 0, 0, 0, 1, 0, 8, 0 }, 8);
	memcpy(f->data + ETH_HLEN, &ip, sizeof(ip));
	memset(f->data + FRONT, 0, l4_bytes);
	f->p.bytes = FRONT + l4_bytes;
	return f;
}

static inline struct iphdr frame_ip(const struct frame *f)
{
	struct iphdr ip;

	memcpy(&ip, f->data + ETH_HLEN, sizeof(ip));
	return ip;
}

/* Of TCP or UDP with its pseudo header, or of ICMP; 0: it is right. */
static inline u16 frame_sum(const struct frame *f)
{
	struct iphdr ip = frame_ip(f);
	u32 bytes = ntohs(ip.tot_len) - (u32)sizeof(ip), sum = 0;
	struct {
		u32 src, dst;
		u8 zero, proto;
		u16 bytes;
	} pseudo = { ip.saddr, ip.daddr, 0, ip.protocol, htons((u16)bytes) };

	if (ip.protocol != IPPROTO_ICMP)
		sum = net_sum((u8 *)&pseudo, sizeof(pseudo), 0);
	return net_sum_end(net_sum(f->data + FRONT, bytes, sum));
}

static inline void frame_set_sum(struct frame *f, u32 at)
{
	u16 sum = frame_sum(f);

	/* UDP's 0 would say that there is none. */
	if (!sum && frame_ip(f).protocol == IPPROTO_UDP)
		sum = 0xffff;
	memcpy(f->data + FRONT + at, &sum, 2);
}

#endif /* NF_FIXTURE_H */
