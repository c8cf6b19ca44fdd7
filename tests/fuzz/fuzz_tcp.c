// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is what a peer sends to a station with TCP that echoes,
 * and how time passes: raw frames, and segments whose numbers are about those that the
 * station expects. Crashes, hangs and sanitizer reports count, and memory that is gone.
 */
#include <stdarg.h>
#include <stddef.h>

#include "../unit/tcp_fixture.h"

#define PORTS	4u

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

/* What the peer knows of a connection of its own: numbers as the station sees them. */
static struct {
	u32 next, ack;
} known[PORTS];

static const u8 *in;
static size_t left;

static u32 take(u32 n)
{
	u32 v = 0;

	for (; n && left; n--, left--)
		v = v << 8 | *in++;
	return v;
}

static bool look(struct wire *w, u32 to, struct frame *f)
{
	struct tcphdr th;
	u32 port;

	if (to || f->p.bytes < ETH_HLEN + sizeof(struct iphdr) + sizeof(th) || f->p.data[12] != 8)
		return false;
	memcpy(&th, f->data + ETH_HLEN + sizeof(struct iphdr), sizeof(th));
	port = ntohs(th.dest) % PORTS;
	known[port].next = ntohl(th.ack_seq);
	known[port].ack = ntohl(th.seq) + th.syn + th.fin + f->p.bytes - ETH_HLEN -
			  (u32)sizeof(struct iphdr) - th.doff * 4u;
	return false;
}

static void input(struct wire *w, struct frame *f)
{
	steer_frame(&w->end[1], &f->p);
	f->p.sound = true;
	if (!soft_port_input(w->end[1].sp, &f->p))
		dp_list_add(&w->spare, &f->p);
}

static void raw(struct wire *w)
{
	struct frame *f = (struct frame *)dp_list_pop(&w->spare);
	u32 n = take(1);

	n = n < left ? n : (u32)left;
	memcpy(f->data, (u8[]){ 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0 }, ETH_HLEN);
	memcpy(f->data + (n & 1 ? 0 : ETH_HLEN), in, n);
	in += n;
	left -= n;
	f->p.bytes = ETH_HLEN + n;
	input(w, f);
}

static void segment(struct wire *w)
{
	struct frame *f = (struct frame *)dp_list_pop(&w->spare);
	u32 flags = take(1), port = take(1) % PORTS, options = take(1) % 11 * 4;
	u32 seq = known[port].next + (u32)(s32)(int16_t)take(2);
	u32 ack = known[port].ack + (u32)(s32)(int16_t)take(2);
	u32 n = take(2) % 1400, i;
	struct tcphdr th = {
		.source = htons((u16)(40000 + port)), .dest = htons(SERVICE), .seq = htonl(seq),
		.ack_seq = htonl(ack), .window = htons((u16)take(2)), .doff = (5 + options / 4) & 15,
	};
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .saddr = end_ip(0),
		.daddr = end_ip(1), .tot_len = htons((u16)(sizeof(ip) + sizeof(th) + options + n)),
	};

	((u8 *)&th)[13] = (u8)flags;
	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	memcpy(f->data, (u8[]){ 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0 }, ETH_HLEN);
	memcpy(f->data + ETH_HLEN, &ip, sizeof(ip));
	memcpy(f->data + ETH_HLEN + sizeof(ip), &th, sizeof(th));
	for (i = 0; i < options; i++)
		f->data[ETH_HLEN + sizeof(ip) + sizeof(th) + i] = (u8)take(1);
	memset(f->data + ETH_HLEN + sizeof(ip) + sizeof(th) + options, (int)n, n);
	f->p.bytes = ETH_HLEN + (u32)(sizeof(ip) + sizeof(th)) + options + n;
	input(w, f);
}

static void time_passes(struct wire *w)
{
	atomic_fetch_add(&w->clock_ns, take(1) * take(1) * 1000000ULL);
}

static struct wire *set_up(void)
{
	static const u8 mac[] = { 2, 0, 0, 0, 0, 1 };
	struct wire *w = wire_new(1, &conn_echo, &conn_echo, wire_now);

	w->look = look;
	arp_learn(&w->end[1].net->arp, end_ip(0), mac, true, wire_now(w));
	return w;
}

static void turn(struct wire *w)
{
	wire_serve(w, 1, 0);
	dp_thread_turn(w->end[1].dp, 0);
}

/* All that is inside comes to an end by itself, or is ended. */
static void come_to_rest(struct wire *w)
{
	struct dp *dp = w->end[1].dp;
	u32 i;

	for (i = 0; i < 100; i++) {
		atomic_fetch_add(&w->clock_ns, 1000000000);
		turn(w);
	}
	for (i = 0; i < GROUPS; i++) {
		net_app.close(dp, &dp->groups[i]);
		if (dp->groups[i].wheel.timers || net_app.open(dp, &dp->groups[i]))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static struct wire *w;
	u64 used;

	if (!w)
		w = set_up();
	used = dp_mem_used();
	in = data;
	left = bytes;
	memset(known, 0, sizeof(known));
	while (left) {
		u32 what = take(1) % 8;

		if (!what)
			raw(w);
		else if (what == 1)
			time_passes(w);
		else
			segment(w);
		turn(w);
	}
	come_to_rest(w);
	if (dp_mem_used() != used)
		abort();
	return 0;
}
