// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: two stations echo a stream over TCP, and the input is what somebody else
 * sends to both: packets in pieces, datagrams, errors of ICMP about segments that are on their
 * way, and how time passes. Crashes and sanitizer reports count, streams that end otherwise
 * than whole, answers that are not sound, and buffers, memory and frames that are gone.
 */
#include <stdarg.h>
#include <stddef.h>

#define SUPER_BYTES	(14u + 65535u)
#include "../unit/tcp_streams.h"

#include <netinet/ip_icmp.h>

#include "frag.h"

#define L4_AT	(ETH_HLEN + sizeof(struct iphdr))
#define GOAL	40000u

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static struct wire *w;
static struct frame last[ENDS];		/* segment to each end */
static struct stream stream;

static const u8 *in;
static size_t left;

static u32 take(u32 n)
{
	u32 v = 0;

	for (; n && left; n--, left--)
		v = v << 8 | *in++;
	return v;
}

static struct frame *packet(u32 to, u32 from, u8 protocol, u32 id_off, u32 bytes)
{
	struct frame *f = (struct frame *)dp_list_pop(&w->spare);
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = protocol, .saddr = from,
		.daddr = end_ip(to), .tot_len = htons((u16)(sizeof(ip) + bytes)),
		.id = (u16)(id_off >> 16), .frag_off = htons((u16)id_off),
	};

	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	memcpy(f->data, (u8[]){ 2, 0, 0, 0, 0, (u8)(to + 1), 2, 0, 0, 0, 0, 9, 8, 0 }, ETH_HLEN);
	memcpy(f->data + ETH_HLEN, &ip, sizeof(ip));
	f->p.bytes = (u32)L4_AT + bytes;
	return f;
}

static void input(u32 to, struct frame *f)
{
	steer_frame(&w->end[to], &f->p);
	if (!soft_port_input(w->end[to].sp, &f->p))
		dp_list_add(&w->spare, &f->p);
}

static void set_sum(struct frame *f, u32 at, u32 before)
{
	u16 sum;

	memset(f->data + L4_AT + at, 0, 2);
	sum = net_sum_end(net_sum(f->data + L4_AT, f->p.bytes - (u32)L4_AT, before));
	memcpy(f->data + L4_AT + at, &sum, 2);
}

/* Of ICMP, mostly in pieces whose bytes are the same, and whose sum then is right. */
static void piece(u32 to)
{
	static const u8 protocols[] = { IPPROTO_ICMP, IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP };
	u32 what = take(1), off = take(1) % 8 * take(1), bytes = take(1) % 16 * (what & 1 ? 8 : 7);
	struct frame *f = packet(to, end_ip(9 + (what >> 1 & 1)), protocols[what >> 2 & 3],
				 (what >> 4 & 3) << 16 | (what & 64 ? IP_MF : 0) | (off & IP_OFFMASK),
				 bytes);

	memset(f->data + L4_AT, what & 128 ? (int)take(1) : 0, bytes);
	if (!off && bytes >= 8 && what & 128)
		memcpy(f->data + L4_AT, (u8[]){ ICMP_ECHO, 0, 0xf7, 0xff }, 4);
	input(to, f);
}

static void datagram(u32 to)
{
	u32 bytes = 8 + take(1) % 100, what = take(1), i;
	struct frame *f = packet(to, end_ip(9), IPPROTO_UDP, 0, bytes);
	u8 *l4 = f->data + L4_AT;

	for (i = 0; i < bytes; i++)
		l4[i] = (u8)take(1);
	l4[3] = what & 1 ? SERVICE : l4[3];
	l4[2] = what & 1 ? 0 : l4[2];
	if (what & 2)
		memcpy(l4 + 4, &(u16){ htons((u16)bytes) }, 2);
	if (what & 4)
		set_sum(f, 6, net_pseudo_sum(f->data + ETH_HLEN, IPPROTO_UDP, bytes));
	input(to, f);
}

/* About the last segment that the other end was sent, or nearly. */
static void error(u32 to)
{
	static const u8 types[] = {
		ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB, ICMP_SOURCE_QUENCH,
	};
	u32 what = take(1), bytes = 36 + take(1) % 8, at;
	struct frame *f = packet(to, end_ip(9), IPPROTO_ICMP, 0, bytes);
	u8 *l4 = f->data + L4_AT;
	u32 seq;

	memset(l4, 0, bytes);
	l4[0] = types[what & 3];
	l4[1] = what & 4 ? ICMP_FRAG_NEEDED : (u8)take(1);
	l4[6] = (u8)take(1);
	l4[7] = (u8)take(1);
	memcpy(l4 + 8, last[!to].data + ETH_HLEN, 28);
	memcpy(&seq, l4 + 32, 4);
	seq = htonl(ntohl(seq) + (u32)(s32)(int16_t)take(2));
	memcpy(l4 + 32, &seq, 4);
	at = take(1);
	if (what & 8)
		l4[8 + at % 28] = (u8)take(1);
	/* A quote with options, or less of it. */
	if (what & 16)
		f->p.bytes = (u32)L4_AT + 8 + at % 28;
	set_sum(f, 2, 0);
	memcpy(f->data + ETH_HLEN + 2, &(u16){ htons((u16)(f->p.bytes - ETH_HLEN)) }, 2);
	memset(f->data + ETH_HLEN + 10, 0, 2);
	memcpy(f->data + ETH_HLEN + 10,
	       &(u16){ net_sum_end(net_sum(f->data + ETH_HLEN, sizeof(struct iphdr), 0)) }, 2);
	input(to, f);
}

static bool look(struct wire *wire, u32 to, struct frame *f)
{
	struct iphdr ip;

	if (f->p.data[12] != 8 || f->p.data[13])
		return true;
	memcpy(&ip, f->data + ETH_HLEN, sizeof(ip));
	if (f->p.bytes != ETH_HLEN + ntohs(ip.tot_len) ||
	    net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0)))
		abort();
	if (ip.protocol != IPPROTO_TCP)
		return false;
	memcpy(last[to].data, f->data, f->p.bytes);
	return true;
}

static void turn(u64 ns)
{
	wire_turn(w);
	ends_turn(w);
	atomic_fetch_add(&w->clock_ns, ns);
}

static void set_up(void)
{
	static const u8 mac[ENDS][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
	u32 i;

	w = wire_new(1, &stream_app, &conn_echo, wire_now);
	w->look = look;
	for (i = 0; i < ENDS; i++)
		arp_learn(&w->end[i].net->arp, end_ip(!i), mac[!i], true, wire_now(w));
}

/* The stream is whole, unless nobody was there to begin with; what was left in pieces goes. */
static void come_to_rest(void)
{
	u32 i;

	for (i = 0; i < 100000 && !atomic_load(&stream.closed); i++)
		turn(10000000);
	if (!atomic_load(&stream.closed) || stream.wrong || (stream.opened && stream.got != GOAL))
		abort();
	/* As long as TIME-WAIT. */
	for (i = 0; i < 35; i++)
		turn(1000000000);
	for (i = 0; i < ENDS; i++)
		if (atomic_load(&w->end[i].net->frag_buffers) || dp_missing(w->end[i].dp))
			abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static u64 used;
	u32 i;

	if (!w) {
		set_up();
		used = dp_mem_used();
	}
	in = data;
	left = bytes;
	if (!stream_open(w, &stream, take(1) % GROUPS, GOAL))
		abort();
	turn(1000000);
	while (left) {
		u32 what = take(1), to = what >> 7;

		if (what % 4 == 0)
			piece(to);
		else if (what % 4 == 1)
			datagram(to);
		else if (what % 4 == 2)
			error(to);
		for (i = 0; i <= (what >> 2 & 7); i++)
			turn(what & 64 ? 1000000 : 1000);
	}
	come_to_rest();
	if (dp_mem_used() != used)
		abort();
	return 0;
}
