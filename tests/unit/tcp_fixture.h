/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two dataplanes with TCP and a wire between them, which may lose, double and hold back
 * frames:
 *
 *	end 0, 10.0.0.1 ══ wire ══ end 1, 10.0.0.2
 *
 * Whoever plays the wire has all frames but those that an end has.
 */
#ifndef TCP_FIXTURE_H
#define TCP_FIXTURE_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sodium/randombytes.h>
#include <stdlib.h>

#include "mem.h"
#include "net.h"
#include "port_soft.h"
#include "rand.h"

#define ENDS		2u
#define GROUPS		128u
#ifndef SLOTS
#define SLOTS		256u
#endif
#define FRAMES		8192u
#define FRAME_BYTES	1514u
#define HELD_BACK	16u
#define SERVICE		7u
/* What the ports cut, and then they compute checksums, too; 0: neither. */
#ifndef SUPER_BYTES
#define SUPER_BYTES	0u
#endif

struct frame {
	struct dp_pkt p;
	u8 data[FRAME_BYTES];
};

struct end {
	struct soft_port *sp;
	struct net *net;
	struct dp *dp;
	u32 given[DP_THREADS_MAX];	/* spare frames that each queue has, or less */
};

struct wire {
	struct end end[ENDS];
	struct frame frame[FRAMES];
	struct dp_list spare;
	struct frame *back[HELD_BACK];	/* to overtake */
	u32 back_to[HELD_BACK];
	u32 lose, twice, overtake;	/* of a thousand */
	bool starves[ENDS];		/* it is given no frames */
	u64 lost, passed;
	u64 rng;
	u32 threads;
	_Atomic u64 clock_ns;
	/* Sees each frame before it is passed on; false: it is not. May be NULL. */
	bool (*look)(struct wire *w, u32 to, struct frame *f);
};

static inline u32 end_ip(u32 i)
{
	return htonl(0x0a000001 + i);
}

static inline u64 wire_now(void *arg)
{
	struct wire *w = arg;

	return atomic_load(&w->clock_ns);
}

static inline bool end_open(struct wire *w, u32 i, const struct conn_app *app, void *app_arg,
			    u64 (*now_ns)(void *arg))
{
	struct end *e = &w->end[i];
	const char *why;
	const struct net_config nc = {
		.ip = end_ip(i), .mask = htonl(0xffffff00), .port = SERVICE, .app = app,
		.udp = &udp_echo, .app_arg = app_arg,
	};
	struct dp_config dc = {
		.threads = w->threads, .groups = GROUPS, .batch = 32, .stall_ns = 60000000000ULL,
		.app = &net_app, .now_ns = now_ns, .arg = w,
	};

	e->sp = soft_port_new(w->threads, GROUPS, SLOTS, FRAMES, true);
	if (!e->sp)
		return false;
	dc.port = &e->sp->port;
	e->sp->port.frame_bytes = FRAME_BYTES;
	e->sp->port.spare = 4 * GROUPS;
	e->sp->port.sums = SUPER_BYTES;
	e->sp->port.super_bytes = SUPER_BYTES;
	memcpy(e->sp->port.mac[0], (u8[]){ 2, 0, 0, 0, 0, (u8)(i + 1) }, 6);
	e->net = net_new(&nc, &e->sp->port, GROUPS);
	dc.app_arg = e->net;
	e->dp = e->net ? dp_new(&dc, &why) : NULL;
	return e->dp;
}

/* What libsodium gives the ends in place of random numbers, which no seed repeats. */
static u64 not_random;

static inline const char *not_random_name(void)
{
	return "splitmix64";
}

static inline u32 not_random_u32(void)
{
	return (u32)test_rand(&not_random);
}

static inline void not_random_buf(void *buf, size_t bytes)
{
	u8 *at = buf;

	while (bytes--)
		*at++ = (u8)test_rand(&not_random);
}

/*
 * Before wire_new(): ports, keys and sequence numbers follow from @seed. Not where ends
 * have threads: they all draw from one state.
 */
static inline void wire_seed(u64 seed)
{
	static struct randombytes_implementation splitmix = {
		.implementation_name = not_random_name,
		.random = not_random_u32,
		.buf = not_random_buf,
	};

	not_random = seed;
	randombytes_set_implementation(&splitmix);
}

/* Both ends have @app; what it is to each connection is the end's number. */
static inline struct wire *wire_new(u32 threads, const struct conn_app *a0,
				    const struct conn_app *a1, u64 (*now_ns)(void *arg))
{
	struct wire *w = calloc(1, sizeof(*w));
	u32 i;

	if (!w)
		abort();
	w->rng = 1;
	w->threads = threads;
	atomic_store(&w->clock_ns, 1000 * DP_TICK_NS);
	for (i = 0; i < FRAMES; i++) {
		w->frame[i].p.data = w->frame[i].data;
		dp_list_add(&w->spare, &w->frame[i].p);
	}
	if (!end_open(w, 0, a0, NULL, now_ns) || !end_open(w, 1, a1, NULL, now_ns))
		abort();
	return w;
}

/* As a card does: TCP and UDP by addresses and ports, other IPv4 and pieces by addresses. */
static inline void steer_frame(const struct end *e, struct dp_pkt *p)
{
	struct iphdr ip;
	u16 port[2];
	bool ports;

	p->loose = true;
	p->sound = false;
	if (p->bytes < ETH_HLEN + sizeof(ip) + 4)
		return;
	memcpy(&ip, p->data + ETH_HLEN, sizeof(ip));
	memcpy(port, p->data + ETH_HLEN + sizeof(ip), 4);
	if (p->data[12] != 8 || p->data[13] || ip.ihl != 5)
		return;
	p->loose = false;
	ports = (ip.protocol == IPPROTO_TCP || ip.protocol == IPPROTO_UDP) &&
		!(ip.frag_off & htons(IP_OFFMASK | IP_MF));
	p->hash = e->sp->port.ops->hash(&e->sp->port, ip.saddr, ip.daddr, ports ? port[0] : 0,
					ports ? port[1] : 0);
}

static inline void wire_pass(struct wire *w, u32 to, struct frame *f)
{
	steer_frame(&w->end[to], &f->p);
	w->passed++;
	if (soft_port_input(w->end[to].sp, &f->p))
		return;
	w->lost++;
	dp_list_add(&w->spare, &f->p);
}

static inline void wire_double(struct wire *w, u32 to, const struct frame *f)
{
	struct frame *g = (struct frame *)dp_list_pop(&w->spare);

	if (!g)
		return;
	memcpy(g->data, f->data, f->p.bytes);
	g->p.bytes = f->p.bytes;
	wire_pass(w, to, g);
}

/* One that is held back goes when another takes its place. */
static inline struct frame *wire_overtake(struct wire *w, u32 *to, struct frame *f)
{
	u32 i = test_below(&w->rng, HELD_BACK), was_to = w->back_to[i];
	struct frame *was = w->back[i];

	w->back[i] = f;
	w->back_to[i] = *to;
	*to = was_to;
	return was;
}

static inline void wire_carry(struct wire *w, u32 to, struct frame *f)
{
	u32 dice = test_below(&w->rng, 1000);

	if ((w->look && !w->look(w, to, f)) || dice < w->lose) {
		w->lost++;
		dp_list_add(&w->spare, &f->p);
		return;
	}
	if (test_below(&w->rng, 1000) < w->twice)
		wire_double(w, to, f);
	if (test_below(&w->rng, 1000) < w->overtake)
		f = wire_overtake(w, &to, f);
	if (f)
		wire_pass(w, to, f);
}

/* A frame comes back, and those that were joined to it. */
static inline void wire_take_back(struct wire *w, struct dp_pkt *p)
{
	struct dp_pkt *next = p->seg_bytes ? p->next : NULL;

	p->seg_bytes = 0;
	dp_list_add(&w->spare, p);
	for (; (p = next);) {
		next = p->next;
		dp_list_add(&w->spare, p);
	}
}

/* What a port computes. */
static inline void wire_sum(struct frame *f)
{
	u8 *l4 = f->data + ETH_HLEN + sizeof(struct iphdr);
	u32 bytes = f->p.bytes - ETH_HLEN - (u32)sizeof(struct iphdr);
	u16 sum;

	memset(l4 + offsetof(struct tcphdr, check), 0, 2);
	sum = net_sum_end(net_sum(l4, bytes, net_pseudo_sum(f->data + ETH_HLEN, IPPROTO_TCP, bytes)));
	memcpy(l4 + offsetof(struct tcphdr, check), &sum, 2);
}

/* The @i-th of what a port cuts: @bytes of @body at @at. */
static inline void wire_part(struct frame *f, const u8 *front, const u8 *body, u32 i, u32 at,
			     u32 bytes, bool last)
{
	struct iphdr ip;
	struct tcphdr th;

	memcpy(&ip, front + ETH_HLEN, sizeof(ip));
	memcpy(&th, front + ETH_HLEN + sizeof(ip), sizeof(th));
	ip.tot_len = htons((u16)(sizeof(ip) + sizeof(th) + bytes));
	ip.id = htons((u16)(ntohs(ip.id) + i));
	ip.check = 0;
	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	th.seq = htonl(ntohl(th.seq) + at);
	th.psh &= last;
	th.fin &= last;
	memcpy(f->data, front, ETH_HLEN);
	memcpy(f->data + ETH_HLEN, &ip, sizeof(ip));
	memcpy(f->data + ETH_HLEN + sizeof(ip), &th, sizeof(th));
	memcpy(f->data + ETH_HLEN + sizeof(ip) + sizeof(th), body + at, bytes);
	f->p.bytes = ETH_HLEN + (u32)(sizeof(ip) + sizeof(th)) + bytes;
	wire_sum(f);
}

/* As a port cuts it: every part but the last has ->seg_bytes. */
static inline void wire_cut(struct wire *w, u32 to, struct dp_pkt *head)
{
	u32 headers = ETH_HLEN + (u32)(sizeof(struct iphdr) + sizeof(struct tcphdr));
	u32 size = head->seg_bytes, bytes = 0, at, i = 0;
	u8 front[FRAME_BYTES], body[65536];
	struct dp_pkt *p;
	struct iphdr ip;

	memcpy(front, head->data, headers);
	memcpy(&ip, front + ETH_HLEN, sizeof(ip));
	for (p = head; p; p = p->next) {
		u32 skip = p == head ? headers : 0;

		memcpy(body + bytes, p->data + skip, p->bytes - skip);
		bytes += p->bytes - skip;
	}
	if (!head->sum_from || ntohs(ip.tot_len) != headers - ETH_HLEN + bytes ||
	    bytes > SUPER_BYTES - headers || net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0)))
		abort();
	wire_take_back(w, head);
	for (at = 0; at < bytes; at += size, i++) {
		struct frame *f = (struct frame *)dp_list_pop(&w->spare);
		bool last = bytes - at <= size;

		if (!f)
			abort();
		wire_part(f, front, body, i, at, last ? bytes - at : size, last);
		wire_carry(w, to, f);
	}
}

static inline void wire_sent(struct wire *w, u32 to, struct dp_pkt *p)
{
	if (p->seg_bytes) {
		wire_cut(w, to, p);
		return;
	}
	if (p->sum_from)
		wire_sum((struct frame *)p);
	wire_carry(w, to, (struct frame *)p);
}

static inline void wire_serve(struct wire *w, u32 i, u32 queue)
{
	struct end *e = &w->end[i];
	struct dp_pkt *p;

	while ((p = soft_port_released(e->sp, queue)))
		wire_take_back(w, p);
	while ((p = soft_port_sent(e->sp, queue)))
		wire_sent(w, !i, p);
	while (!w->starves[i] && w->spare.count > FRAMES / 4) {
		p = dp_list_pop(&w->spare);
		p->bytes = 0;
		p->sum_from = 0;
		if (!soft_port_give(e->sp, queue, p)) {
			dp_list_add(&w->spare, p);
			break;
		}
	}
}

static inline void wire_turn(struct wire *w)
{
	u32 i, q;

	for (i = 0; i < ENDS; i++)
		for (q = 0; q < w->threads; q++)
			wire_serve(w, i, q);
}

static inline void ends_turn(struct wire *w)
{
	u32 i, t;

	for (i = 0; i < ENDS; i++) {
		for (t = 0; t < w->threads; t++)
			dp_thread_turn(w->end[i].dp, t);
		dp_control_turn(w->end[i].dp);
	}
}

static inline void wire_free(struct wire *w)
{
	u32 i;

	for (i = 0; i < ENDS; i++)
		dp_free(w->end[i].dp);
	for (i = 0; i < ENDS; i++) {
		net_free(w->end[i].net);
		soft_port_free(w->end[i].sp);
	}
	free(w);
}

static inline u64 end_counted(struct end *e, size_t at)
{
	u64 n = 0;
	u32 g;

	for (g = 0; g < GROUPS; g++)
		n += dp_noted((_Atomic u64 *)((char *)net_group_counts(&e->dp->groups[g]) + at));
	return n;
}

#define end_count(e, what)	end_counted(e, offsetof(struct net_counts, what))

static inline u64 end_late(struct end *e)
{
	u64 n = 0;
	u32 t;

	for (t = 0; t < e->dp->cfg.threads; t++)
		n += dp_noted(&e->dp->threads[t].counts.late);
	return n;
}

#endif /* TCP_FIXTURE_H */
