/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two stations and the wire between them, of tcp_fixture.h, for tests of IPv4 below TCP: a test
 * says what it is that comes, and looks at what is sent.
 */
#ifndef IP_FIXTURE_H
#define IP_FIXTURE_H

#define SLOTS	1024u
#include "tcp_streams.h"

#include <netinet/ip_icmp.h>

#define THREADS	2u
#define L4_AT	(ETH_HLEN + sizeof(struct iphdr))

static struct wire *w;
static u64 used;

static inline struct iphdr ip_of(const struct frame *f)
{
	struct iphdr ip;

	memcpy(&ip, f->data + ETH_HLEN, sizeof(ip));
	return ip;
}

static inline void set_ip(struct frame *f, struct iphdr ip)
{
	ip.check = 0;
	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	memcpy(f->data + ETH_HLEN, &ip, sizeof(ip));
}

/* To end @to. */
static inline struct frame *packet(u32 from, u32 to, u8 protocol, const void *body, u32 bytes)
{
	struct frame *f = (struct frame *)dp_list_pop(&w->spare);
	const struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = protocol, .saddr = from,
		.daddr = end_ip(to), .tot_len = htons((u16)(sizeof(ip) + bytes)),
	};

	assert_true(f && L4_AT + bytes <= FRAME_BYTES);
	memcpy(f->data, (u8[]){ 2, 0, 0, 0, 0, (u8)(to + 1), 2, 0, 0, 0, 0, 1, 8, 0 }, ETH_HLEN);
	set_ip(f, ip);
	memcpy(f->data + L4_AT, body, bytes);
	f->p.bytes = (u32)L4_AT + bytes;
	return f;
}

static inline void give(struct frame *f, u32 to)
{
	steer_frame(&w->end[to], &f->p);
	assert_true(soft_port_input(w->end[to].sp, &f->p));
}

static inline void turn(void)
{
	wire_turn(w);
	ends_turn(w);
	atomic_fetch_add(&w->clock_ns, 1000000);
}

static inline void turns(u32 n)
{
	while (n--)
		turn();
}

static inline void begin(bool (*look)(struct wire *wire, u32 to, struct frame *f))
{
	used = dp_mem_used();
	w = wire_new(THREADS, &stream_app, &conn_echo, wire_now);
	w->rng = test_seed();
	w->look = look;
	turns(2);
}

/* After all that waits for something: all is back. */
static inline void end(void)
{
	turns(20000);
	assert_int_equal(atomic_load(&w->end[1].net->frag_buffers), 0);
	assert_int_equal(dp_missing(w->end[1].dp), 0);
	wire_free(w);
	assert_int_equal(dp_mem_used(), used);
}

static inline bool is_ip(const struct frame *f)
{
	return f->p.data[12] == 8 && !f->p.data[13];
}

#endif /* IP_FIXTURE_H */
