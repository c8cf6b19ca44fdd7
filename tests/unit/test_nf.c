// SPDX-License-Identifier: GPL-2.0-or-later
/* The forwarder and NAT, turn by turn, with a clock of their own. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "nf_fixture.h"

#define THREADS		2u
#define FLOWS_MAX	16u
#define STREAMS		100u

#define SYN	2
#define ACK	16
#define FIN	1
#define RST	4

static const u8 hop_mac[2][ETH_ALEN] = { { 2, 0, 0, 0, 2, 0 }, { 2, 0, 0, 0, 2, 1 } };
static struct bed *b;
static struct nat nat;
static struct forward fw;
static struct frame out;	/* the last that was sent */
static u32 outs;
static u64 used;
static bool mute;		/* nobody answers ARP */

static const u8 host_mac[ETH_ALEN] = { 2, 0, 0, 0, 3, 0 }, gate_mac[ETH_ALEN] = { 2, 0, 0, 0, 3, 1 };

/* A neighbour that is asked again, after a minute, is there still. */
static bool answered(const struct frame *f)
{
	u32 ip;

	if (mute || f->data[12] != 8 || f->data[13] != 6)
		return false;
	memcpy(&ip, f->data + ETH_HLEN + 24, sizeof(ip));
	if (ip == nat.outside.cfg.gateway)
		arp_learn(&nat.outside.arp, ip, gate_mac, true, bed_now(b));
	else
		arp_learn(&nat.inside.arp, ip, host_mac, true, bed_now(b));
	return true;
}

static void keep(struct bed *bed, struct frame *f)
{
	if (answered(f))
		return;
	out = *f;
	out.p.data = out.data;
	outs++;
	/* Whatever it is, it is whole. */
	if (out.data[12] == 8 && !out.data[13]) {
		struct iphdr ip = frame_ip(&out);

		assert_int_equal(net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0)), 0);
		assert_int_equal(out.p.bytes, ETH_HLEN + ntohs(ip.tot_len));
	}
}

/* One frame in; how many come out. */
static u32 pass(struct frame *f)
{
	outs = 0;
	bed_input(b, f);
	bed_turn(b);
	bed_turn(b);
	return outs;
}

static u64 counted(size_t at)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < GROUPS; i++)
		n += dp_noted((_Atomic u64 *)((char *)b->dp->groups[i].state + at));
	return n;
}

#define count(what)	counted(offsetof(struct nf_group, counts.what))

static void end(void)
{
	assert_int_equal(dp_missing(b->dp), 0);
	bed_free(b);
	assert_int_equal(dp_mem_used(), used);
}

/* ---- The forwarder ---- */

/* 10.0.0.0/8 to the first hop, of that 10.1.0.0/16 to the second. */
/* What begins with 10.1 is at the second card, if there are two. */
static bool find(const void *routes, u32 ip, struct forward_hop *hop)
{
	u32 host = ntohl(ip);

	if (host >> 24 != 10)
		return false;
	hop->card = b->sp->port.cards > 1 && (host >> 16 & 255) == 1;
	memcpy(hop->mac, hop_mac[(host >> 16 & 255) == 1], ETH_ALEN);
	return true;
}

static void begin_forward(u32 cards)
{
	const struct net_config cfg[2] = {
		{ .ip = ip_of(10, 0, 0, 1), .mask = ip_of(255, 255, 255, 0) },
		{ .ip = ip_of(10, 1, 0, 1), .mask = ip_of(255, 255, 255, 0) },
	};

	used = dp_mem_used();
	b = bed_new(THREADS);
	b->sp->port.cards = cards;
	b->sent = keep;
	forward_init(&fw, cfg, &b->sp->port);
	fw.find = find;
	bed_start(b, &nf_forward, &fw);
	bed_turn(b);
}

static struct frame *udp_frame(u32 src, u32 dst, u16 sport, u16 dport, bool sum)
{
	struct frame *f = bed_frame(b, src, dst, IPPROTO_UDP, 40);
	struct udphdr uh = { .source = htons(sport), .dest = htons(dport), .len = htons(40) };

	memcpy(f->data + FRONT, &uh, sizeof(uh));
	memset(f->data + FRONT + sizeof(uh), 0xa5, 40 - sizeof(uh));
	if (sum)
		frame_set_sum(f, offsetof(struct udphdr, check));
	return f;
}

static void test_forward(void **state)
{
	begin_forward(1);
	assert_int_equal(pass(udp_frame(ip_of(10, 2, 0, 1), ip_of(10, 1, 0, 1), 5, 6, true)), 1);
	assert_memory_equal(out.data, hop_mac[1], ETH_ALEN);
	assert_memory_equal(out.data + ETH_ALEN, bed_mac[0], ETH_ALEN);
	assert_int_equal(frame_ip(&out).ttl, 63);
	assert_int_equal(frame_sum(&out), 0);
	assert_int_equal(pass(udp_frame(ip_of(10, 2, 0, 1), ip_of(10, 3, 0, 1), 5, 6, true)), 1);
	assert_memory_equal(out.data, hop_mac[0], ETH_ALEN);
	assert_int_equal(pass(udp_frame(ip_of(10, 2, 0, 1), ip_of(11, 3, 0, 1), 5, 6, true)), 0);
	assert_int_equal(count(refused), 1);
	assert_int_equal(count(passed), 2);
	end();
}

/* @f comes by the second card, which has an address of its own. */
static struct frame *by_second(struct frame *f)
{
	f->p.card = 1;
	memcpy(f->data, bed_mac[1], ETH_ALEN);
	return f;
}

static void set_ttl(struct frame *f, u8 ttl)
{
	struct iphdr ip = frame_ip(f);

	ip.ttl = ttl;
	ip.check = 0;
	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	memcpy(f->data + ETH_HLEN, &ip, sizeof(ip));
}

/* Every TTL, whose checksum is changed and not computed. */
static void test_ttl(void **state)
{
	u32 ttl;

	begin_forward(1);
	for (ttl = 2; ttl < 256; ttl++) {
		struct frame *f = udp_frame(ip_of(10, 2, 0, (u8)ttl), ip_of(10, 1, 0, 1), 5, 6, true);

		set_ttl(f, (u8)ttl);
		assert_int_equal(pass(f), 1);
		assert_int_equal(frame_ip(&out).ttl, ttl - 1);
	}
	end();
}

static struct frame *expiring(void)
{
	struct frame *f = udp_frame(ip_of(10, 2, 0, 1), ip_of(10, 1, 0, 1), 5, 6, true);

	set_ttl(f, 1);
	return f;
}

static void test_expired(void **state)
{
	struct frame *f;
	u32 i;

	begin_forward(1);
	assert_int_equal(pass(expiring()), 1);
	assert_int_equal(frame_ip(&out).protocol, IPPROTO_ICMP);
	assert_int_equal(frame_ip(&out).saddr, ip_of(10, 0, 0, 1));
	assert_int_equal(frame_ip(&out).daddr, ip_of(10, 2, 0, 1));
	assert_int_equal(frame_sum(&out), 0);
	assert_int_equal(out.data[FRONT], ICMP_TIME_EXCEEDED);
	assert_memory_equal(out.data, ((u8[]){ 2, 0, 0, 0, 1, 0 }), ETH_ALEN);
	/* What it quotes is what was sent. */
	f = expiring();
	assert_memory_equal(out.data + FRONT + 8, f->data + ETH_HLEN, 28);
	dp_list_add(&b->spare, &f->p);
	/* Not about an error. */
	f = bed_frame(b, ip_of(10, 2, 0, 1), ip_of(10, 1, 0, 1), IPPROTO_ICMP, 40);
	f->data[FRONT] = ICMP_DEST_UNREACH;
	set_ttl(f, 1);
	assert_int_equal(pass(f), 0);
	/* Nor for ever. */
	for (i = 0; i < 100; i++)
		pass(expiring());
	assert_int_equal(count(expired), 102);
	assert_int_equal(count(told), NET_ERRORS_MAX);
	bed_pass(b, 2);
	assert_int_equal(pass(expiring()), 1);
	end();
}

/* Where the next hop is says by which card, and whose MAC it comes from. */
static void test_forward_cards(void **state)
{
	struct frame *f;
	u32 i;

	begin_forward(2);
	for (i = 0; i < 2; i++) {
		/* By the other one, and by the one that it has come by. */
		f = udp_frame(ip_of(10, 2, 0, 1), ip_of(10, (u8)i, 0, 9), 5, 6, true);
		assert_int_equal(pass(f), 1);
		assert_int_equal(out.p.card, i);
		assert_memory_equal(out.data, hop_mac[i], ETH_ALEN);
		assert_memory_equal(out.data + ETH_ALEN, bed_mac[i], ETH_ALEN);
		f = udp_frame(ip_of(10, 1, 0, 1), ip_of(10, (u8)i, 0, 9), 5, 6, true);
		assert_int_equal(pass(by_second(f)), 1);
		assert_int_equal(out.p.card, i);
		assert_memory_equal(out.data + ETH_ALEN, bed_mac[i], ETH_ALEN);
		/* To the forwarder's own address at either. */
		f = udp_frame(ip_of(10, 2, 0, 1), ip_of(10, (u8)i, 0, 1), 5, 6, true);
		assert_int_equal(pass(f), 0);
	}
	assert_int_equal(count(refused), 2);
	/* To the first one's MAC, by the second: it is not for it. */
	f = udp_frame(ip_of(10, 1, 0, 1), ip_of(10, 0, 0, 9), 5, 6, true);
	f->p.card = 1;
	assert_int_equal(pass(f), 0);
	assert_int_equal(count(passed), 4);
	/* What is said of it goes back by where it came from, from the address there. */
	f = udp_frame(ip_of(10, 1, 0, 9), ip_of(10, 0, 0, 9), 5, 6, true);
	set_ttl(f, 1);
	assert_int_equal(pass(by_second(f)), 1);
	assert_int_equal(out.p.card, 1);
	assert_int_equal(frame_ip(&out).saddr, ip_of(10, 1, 0, 1));
	assert_memory_equal(out.data + ETH_ALEN, bed_mac[1], ETH_ALEN);
	end();
}

/* Each is whole but for one thing. */
static void test_malformed(void **state)
{
	static const struct {
		u32 at;
		u8 becomes;
	} wrong[] = {
		{ ETH_HLEN, 0x55 }, { ETH_HLEN, 0x46 }, { ETH_HLEN, 0x44 },	/* version, options */
		{ ETH_HLEN + 2, 9 }, { ETH_HLEN + 3, 19 },			/* length */
		{ ETH_HLEN + 12, 127 }, { ETH_HLEN + 12, 224 }, { ETH_HLEN + 12, 0 },
		{ ETH_HLEN + 16, 239 }, { ETH_HLEN + 16, 255 },
	};
	u32 i;

	begin_forward(1);
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct frame *f = udp_frame(ip_of(10, 2, 0, 1), ip_of(10, 1, 0, 1), 5, 6, true);

		f->data[wrong[i].at] = wrong[i].becomes;
		set_ttl(f, 64);
		assert_int_equal(pass(f), 0);
		assert_int_equal(count(malformed), i + 1);
	}
	for (i = 0; i < FRONT; i++) {
		struct frame *f = udp_frame(ip_of(10, 2, 0, 1), ip_of(10, 1, 0, 1), 5, 6, true);

		f->p.bytes = i;
		assert_int_equal(pass(f), 0);
	}
	assert_int_equal(count(passed), 0);
	end();
}

/* ---- NAT: 192.168.0.0/16 behind 198.51.100.1 ---- */

static u32 host(u32 i)
{
	return ip_of(192, 168, 1, (u8)(1 + i));
}

static u32 remote(u32 i)
{
	return ip_of(203, 0, 113, (u8)(1 + i));
}

static u32 own(void)
{
	return ip_of(198, 51, 100, 1);
}

static void begin_nat_at(u32 cards, u32 flows_max)
{
	const struct net_config inside = {
		.ip = ip_of(192, 168, 0, 1), .mask = ip_of(255, 255, 0, 0),
	}, outside = {
		.ip = own(), .mask = ip_of(255, 255, 255, 0), .gateway = ip_of(198, 51, 100, 254),
	};
	u32 i;

	used = dp_mem_used();
	b = bed_new(THREADS);
	b->sp->port.cards = cards;
	b->sent = keep;
	nat_init(&nat, &inside, &outside, &b->sp->port, GROUPS, flows_max);
	bed_start(b, &nf_nat, &nat);
	for (i = 0; i < STREAMS; i++)
		arp_learn(&nat.inside.arp, host(i), host_mac, true, bed_now(b));
	arp_learn(&nat.outside.arp, outside.gateway, gate_mac, true, bed_now(b));
	bed_turn(b);
}

static void begin_nat(u32 flows_max)
{
	begin_nat_at(1, flows_max);
}

static u32 flows(void)
{
	u32 n = 0, i;

	for (i = 0; i < GROUPS; i++)
		n += ((struct nat_group *)b->dp->groups[i].state)->flows.count;
	return n;
}

static u16 port_at(const struct frame *f, u32 at)
{
	u16 port;

	memcpy(&port, f->data + FRONT + at, 2);
	return ntohs(port);
}

static struct frame *tcp_frame(u32 src, u32 dst, u16 sport, u16 dport, u8 flags)
{
	struct frame *f = bed_frame(b, src, dst, IPPROTO_TCP, 30);
	struct tcphdr th = { .source = htons(sport), .dest = htons(dport), .doff = 5 };

	((u8 *)&th)[13] = flags;
	memcpy(f->data + FRONT, &th, sizeof(th));
	memset(f->data + FRONT + sizeof(th), 0x5a, 30 - sizeof(th));
	frame_set_sum(f, offsetof(struct tcphdr, check));
	return f;
}

static struct frame *echo_frame(u32 src, u32 dst, u8 type, u16 id)
{
	struct frame *f = bed_frame(b, src, dst, IPPROTO_ICMP, 30);
	struct icmphdr h = { .type = type, .un.echo.id = htons(id) };

	memcpy(f->data + FRONT, &h, sizeof(h));
	frame_set_sum(f, offsetof(struct icmphdr, checksum));
	return f;
}

/* It went out as ours, and its reply would come to the group that has the flow. */
static u16 check_out(u32 dst)
{
	struct iphdr ip = frame_ip(&out);

	assert_memory_equal(out.data, gate_mac, ETH_ALEN);
	assert_int_equal(ip.saddr, own());
	assert_int_equal(ip.daddr, dst);
	assert_int_equal(ip.ttl, 63);
	assert_int_equal(frame_sum(&out), 0);
	return port_at(&out, 0);
}

static void check_in(u32 src, u32 dst, u16 dport)
{
	struct iphdr ip = frame_ip(&out);

	assert_memory_equal(out.data, host_mac, ETH_ALEN);
	assert_int_equal(ip.saddr, src);
	assert_int_equal(ip.daddr, dst);
	assert_int_equal(port_at(&out, 2), dport);
	assert_int_equal(frame_sum(&out), 0);
}

static void test_udp(void **state)
{
	u32 i;

	begin_nat(FLOWS_MAX);
	for (i = 0; i < 100; i++) {
		u16 port, again;

		assert_int_equal(pass(udp_frame(host(i), remote(i % 7), 1000, 53, i & 1)), 1);
		if (i & 1)
			port = check_out(remote(i % 7));
		else
			port = port_at(&out, 0);
		assert_int_equal(pass(udp_frame(host(i), remote(i % 7), 1000, 53, true)), 1);
		again = check_out(remote(i % 7));
		assert_int_equal(port, again);
		assert_int_equal(pass(udp_frame(remote(i % 7), own(), 53, port, true)), 1);
		check_in(remote(i % 7), host(i), 1000);
		/* Without a checksum it stays without. */
		assert_int_equal(pass(udp_frame(remote(i % 7), own(), 53, port, false)), 1);
		assert_int_equal(port_at(&out, 6), 0);
		/* From nobody else. */
		assert_int_equal(pass(udp_frame(remote(i % 7), own(), 54, port, true)), 0);
		assert_int_equal(pass(udp_frame(remote(9), own(), 53, port, true)), 0);
	}
	assert_int_equal(flows(), 100);
	assert_int_equal(count(refused), 200);
	/* Each reply came to the thread that had the flow. */
	for (i = 0; i < THREADS; i++)
		assert_int_equal(dp_noted(&b->dp->threads[i].counts.late), 0);
	bed_pass(b, flow_seconds[FLOW_UDP] + 2);
	assert_int_equal(flows(), 0);
	end();
}

static void test_icmp(void **state)
{
	u32 i;

	begin_nat(FLOWS_MAX);
	for (i = 0; i < 50; i++) {
		u16 id;

		assert_int_equal(pass(echo_frame(host(i), remote(i % 3), ICMP_ECHO, 77)), 1);
		check_out(remote(i % 3));
		id = port_at(&out, 4);
		assert_int_equal(pass(echo_frame(remote(i % 3), own(), ICMP_ECHOREPLY, id)), 1);
		assert_int_equal(frame_ip(&out).daddr, host(i));
		assert_int_equal(port_at(&out, 4), 77);
		assert_int_equal(frame_sum(&out), 0);
		/* Nobody outside asks. */
		assert_int_equal(pass(echo_frame(remote(i % 3), own(), ICMP_ECHO, id)), 0);
		bed_pass(b, 5);
	}
	bed_pass(b, flow_seconds[FLOW_ICMP] + 2);
	assert_int_equal(flows(), 0);
	end();
}

static void test_tcp(void **state)
{
	u16 port;

	begin_nat(FLOWS_MAX);
	assert_int_equal(pass(tcp_frame(host(0), remote(0), 2000, 80, ACK)), 0);
	assert_int_equal(pass(tcp_frame(remote(0), own(), 80, 2000, SYN)), 0);
	assert_int_equal(flows(), 0);
	assert_int_equal(pass(tcp_frame(host(0), remote(0), 2000, 80, SYN)), 1);
	port = check_out(remote(0));
	/* Half open it goes soon. */
	bed_pass(b, flow_seconds[FLOW_TCP_BRIEF] + 2);
	assert_int_equal(flows(), 0);

	assert_int_equal(pass(tcp_frame(host(0), remote(0), 2000, 80, SYN)), 1);
	port = check_out(remote(0));
	assert_int_equal(pass(tcp_frame(remote(0), own(), 80, port, SYN | ACK)), 1);
	check_in(remote(0), host(0), 2000);
	bed_pass(b, flow_seconds[FLOW_TCP] - 100);
	assert_int_equal(pass(tcp_frame(remote(0), own(), 80, port, ACK)), 1);
	bed_pass(b, flow_seconds[FLOW_TCP_BRIEF] + 2);
	assert_int_equal(flows(), 1);
	/* Closed by one side it stays, by both it goes. */
	assert_int_equal(pass(tcp_frame(host(0), remote(0), 2000, 80, FIN | ACK)), 1);
	bed_pass(b, flow_seconds[FLOW_TCP_BRIEF] + 2);
	assert_int_equal(flows(), 1);
	assert_int_equal(pass(tcp_frame(remote(0), own(), 80, port, FIN | ACK)), 1);
	bed_pass(b, flow_seconds[FLOW_TCP_BRIEF] + 2);
	assert_int_equal(flows(), 0);
	end();
}

/* The table of a group is full: new flows wait, old ones go on. */
static void test_full(void **state)
{
	u32 i, passed = 0;
	u16 port;

	begin_nat(2);
	assert_int_equal(pass(udp_frame(host(0), remote(0), 10, 53, true)), 1);
	port = port_at(&out, 0);
	for (i = 0; i < 1000; i++)
		passed += pass(udp_frame(host(1), remote(1), (u16)(1000 + i), 53, true));
	assert_true(passed > GROUPS && passed < 2 * GROUPS);
	assert_int_equal(flows(), passed + 1);
	assert_int_equal(count(full), 1000 - passed);
	assert_int_equal(pass(udp_frame(remote(0), own(), 53, port, true)), 1);
	bed_pass(b, flow_seconds[FLOW_UDP] + 2);
	assert_int_equal(pass(udp_frame(host(1), remote(1), 5000, 53, true)), 1);
	end();
}

/* Whole, and none that may pass. */
static void test_refused(void **state)
{
	struct frame *f;
	u32 at;

	begin_nat(FLOWS_MAX);
	assert_int_equal(pass(udp_frame(remote(0), remote(1), 1, 2, true)), 0);
	assert_int_equal(pass(udp_frame(host(0), host(1), 1, 2, true)), 0);
	assert_int_equal(pass(udp_frame(host(0), own(), 1, 2, true)), 0);
	assert_int_equal(pass(udp_frame(ip_of(192, 168, 0, 1), remote(0), 1, 2, true)), 0);
	assert_int_equal(pass(bed_frame(b, host(0), remote(0), 47, 30)), 0);
	f = udp_frame(host(0), remote(0), 1, 2, true);
	f->data[ETH_HLEN + 6] = 0x20;
	set_ttl(f, 64);
	assert_int_equal(pass(f), 0);
	assert_int_equal(count(refused), 6);
	/* Headers that are longer than they can be, or shorter. */
	for (at = 0; at < 3; at++) {
		f = at ? tcp_frame(host(0), remote(0), 1, 2, SYN) :
			 udp_frame(host(0), remote(0), 1, 2, true);
		f->data[FRONT + (at ? 12 : 5)] = at == 1 ? 0x40 : at ? 0xf0 : 200;
		assert_int_equal(pass(f), 0);
	}
	assert_int_equal(pass(bed_frame(b, host(0), remote(0), IPPROTO_TCP, 19)), 0);
	assert_int_equal(pass(bed_frame(b, host(0), remote(0), IPPROTO_UDP, 7)), 0);
	assert_int_equal(pass(bed_frame(b, host(0), remote(0), IPPROTO_ICMP, 7)), 0);
	assert_int_equal(count(malformed), 6);
	assert_int_equal(flows(), 0);
	end();
}

/* Of a router outside, about what was sent out last. */
static struct frame *error_frame(u8 type, u8 code)
{
	struct frame *f = bed_frame(b, ip_of(198, 18, 0, 1), own(), IPPROTO_ICMP, 36);

	f->data[FRONT] = type;
	f->data[FRONT + 1] = code;
	memcpy(f->data + FRONT + 8, out.data + ETH_HLEN, 28);
	frame_set_sum(f, offsetof(struct icmphdr, checksum));
	return f;
}

/* The host sees its own packet quoted, as it has sent it, a hop older. */
static void check_error(const struct frame *sent, u32 of)
{
	struct iphdr quoted, was = frame_ip(sent);

	assert_int_equal(frame_ip(&out).daddr, host(of));
	assert_int_equal(frame_ip(&out).saddr, ip_of(198, 18, 0, 1));
	assert_int_equal(frame_sum(&out), 0);
	memcpy(&quoted, out.data + FRONT + 8, sizeof(quoted));
	assert_int_equal(net_sum_end(net_sum((u8 *)&quoted, sizeof(quoted), 0)), 0);
	assert_int_equal(quoted.saddr, was.saddr);
	assert_int_equal(quoted.daddr, was.daddr);
	assert_memory_equal(out.data + FRONT + 28, sent->data + FRONT, 8);
}

static struct frame *some_frame(u32 i)
{
	return i % 3 == 0 ? tcp_frame(host(i), remote(i % 5), 7000, 80, SYN) :
	       i % 3 == 1 ? udp_frame(host(i), remote(i % 5), 7000, 53, true) :
			    echo_frame(host(i), remote(i % 5), ICMP_ECHO, 7000);
}

static void test_errors(void **state)
{
	static struct frame sent;
	struct frame *f;
	u32 i;

	begin_nat(FLOWS_MAX);
	for (i = 0; i < 60; i++) {
		f = some_frame(i);
		memcpy(sent.data, f->data, f->p.bytes);
		assert_int_equal(pass(f), 1);
		assert_int_equal(pass(error_frame(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED)), 1);
		check_error(&sent, i);
	}
	assert_int_equal(flows(), 60);
	/* About what nobody has sent, or others have. */
	assert_int_equal(pass(some_frame(1)), 1);
	f = error_frame(ICMP_TIME_EXCEEDED, 0);
	f->data[FRONT + 30] ^= 0x10;
	assert_int_equal(pass(f), 0);
	assert_int_equal(pass(some_frame(1)), 1);
	f = error_frame(ICMP_TIME_EXCEEDED, 0);
	f->data[FRONT + 20]++;
	assert_int_equal(pass(f), 0);
	assert_int_equal(count(refused), 2);
	assert_int_equal(pass(some_frame(1)), 1);
	f = error_frame(ICMP_TIME_EXCEEDED, 0);
	f->data[ETH_HLEN + 3]--;
	set_ttl(f, 64);
	assert_int_equal(pass(f), 0);
	assert_int_equal(count(malformed), 1);
	end();
}

/* ---- Moves ---- */

static struct {
	u16 port;		/* outside; 0: not known yet */
	u32 sent, got;		/* by the inside, by the outside */
	u32 replied, back;
} stream[STREAMS];

static u32 number_of(const struct frame *f)
{
	u32 n;

	memcpy(&n, f->data + FRONT + sizeof(struct udphdr), sizeof(n));
	return n;
}

/* The outside answers each datagram with its number; all come in order. */
static void note(struct bed *bed, struct frame *f)
{
	bool outward = frame_ip(f).saddr == own();
	u32 n = number_of(f), i = n >> 16;
	u16 *port;

	if (answered(f))
		return;
	assert_int_equal(frame_sum(f), 0);
	assert_true(i < STREAMS);
	if (!outward) {
		assert_int_equal(n & 0xffff, stream[i].back++);
		return;
	}
	port = &stream[i].port;
	assert_int_equal(n & 0xffff, stream[i].got++);
	assert_true(!*port || *port == port_at(f, 0));
	*port = port_at(f, 0);
}

static struct frame *numbered(struct frame *f, u32 n)
{
	memcpy(f->data + FRONT + sizeof(struct udphdr), &n, sizeof(n));
	memset(f->data + FRONT + offsetof(struct udphdr, check), 0, 2);
	frame_set_sum(f, offsetof(struct udphdr, check));
	return f;
}

static void some_traffic(u32 first)
{
	u32 i;

	for (i = first; i < STREAMS; i += 10) {
		bed_input(b, numbered(udp_frame(host(i), remote(i % 5), 4000, 53, true),
				      i << 16 | stream[i].sent++));
		if (stream[i].replied < stream[i].got)
			bed_input(b, numbered(udp_frame(remote(i % 5), own(), 53, stream[i].port,
							true), i << 16 | stream[i].replied++));
	}
}

/* All groups, again and again, under traffic: nothing is lost, late, or out of order. */
static void test_moves(void **state)
{
	u32 i, g, moves = 0;

	begin_nat(FLOWS_MAX);
	b->sent = note;
	memset(stream, 0, sizeof(stream));
	for (i = 0; i < 2000; i++) {
		some_traffic(i % 10);
		bed_turn(b);
		atomic_fetch_add(&b->clock_ns, 1000000);
		for (g = i % 3; g < GROUPS; g += 3)
			moves += !dp_move(b->dp, g, (dp_owner(b->dp, g) + 1) % THREADS);
	}
	bed_pass(b, 1);
	for (i = 0; i < STREAMS; i++) {
		assert_int_equal(stream[i].got, stream[i].sent);
		assert_int_equal(stream[i].back, stream[i].replied);
	}
	assert_true(moves > 1000);
	assert_int_equal(b->dp->moves.dropped, 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(dp_noted(&b->dp->threads[i].counts.late), 0);
	assert_int_equal(flows(), STREAMS);
	end();
}

/* By the first card. */
static struct frame *arp_question(const u8 *mac, u32 from, u32 to)
{
	struct frame *f = (struct frame *)dp_list_pop(&b->spare);

	memset(f->data, 0xff, ETH_ALEN);
	memcpy(f->data + ETH_ALEN, mac, ETH_ALEN);
	memcpy(f->data + 12, (u8[]){ 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 }, 10);
	memcpy(f->data + 22, mac, ETH_ALEN);
	memcpy(f->data + 28, &from, 4);
	memcpy(f->data + 38, &to, 4);
	f->p.bytes = 42;
	f->p.card = 0;
	return f;
}

/* Who is not known is asked for, and then found. */
static void test_arp(void **state)
{
	begin_nat(FLOWS_MAX);
	mute = true;
	nat.outside.cfg.gateway = ip_of(198, 51, 100, 253);
	assert_int_equal(pass(udp_frame(host(0), remote(0), 1, 2, true)), 1);
	assert_int_equal(out.data[13], 6);
	assert_memory_equal(out.data + ETH_HLEN + 14, &(u32){ own() }, 4);
	assert_int_equal(count(no_neighbour), 1);
	/* A question from the inside is answered with the address there. */
	assert_int_equal(pass(arp_question(host_mac, host(5), nat.inside.cfg.ip)), 1);
	assert_memory_equal(out.data + 28, &nat.inside.cfg.ip, 4);
	assert_memory_equal(out.data, host_mac, ETH_ALEN);
	mute = false;
	end();
}

/* Outside by the first card, inside by the second; who comes by the wrong one is refused. */
static void test_nat_cards(void **state)
{
	struct frame *f;
	u16 port;

	begin_nat_at(2, FLOWS_MAX);
	assert_int_equal(pass(by_second(udp_frame(host(0), remote(0), 1000, 53, true))), 1);
	assert_int_equal(out.p.card, 0);
	assert_memory_equal(out.data + ETH_ALEN, bed_mac[0], ETH_ALEN);
	port = check_out(remote(0));
	assert_int_equal(pass(udp_frame(remote(0), own(), 53, port, true)), 1);
	assert_int_equal(out.p.card, 1);
	assert_memory_equal(out.data + ETH_ALEN, bed_mac[1], ETH_ALEN);
	check_in(remote(0), host(0), 1000);
	/* An address of the inside that comes from outside, and the other way round. */
	assert_int_equal(pass(udp_frame(host(0), remote(0), 1000, 53, true)), 0);
	assert_int_equal(pass(by_second(udp_frame(remote(0), own(), 53, port, true))), 0);
	assert_int_equal(count(refused), 2);
	/* ARP likewise: learned and asked where the network is. */
	nat.outside.cfg.gateway = ip_of(198, 51, 100, 253);
	mute = true;
	assert_int_equal(pass(by_second(udp_frame(host(0), remote(1), 1, 2, true))), 1);
	assert_int_equal(out.data[13], 6);
	assert_int_equal(out.p.card, 0);
	assert_memory_equal(out.data + ETH_ALEN, bed_mac[0], ETH_ALEN);
	f = arp_question(host_mac, host(5), nat.inside.cfg.ip);
	assert_int_equal(pass(f), 0);
	f = arp_question(host_mac, host(5), nat.inside.cfg.ip);
	f->p.card = 1;
	assert_int_equal(pass(f), 1);
	assert_int_equal(out.p.card, 1);
	assert_memory_equal(out.data + ETH_ALEN, bed_mac[1], ETH_ALEN);
	mute = false;
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forward),
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_expired),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_udp),
		cmocka_unit_test(test_icmp),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_arp),
		cmocka_unit_test(test_forward_cards),
		cmocka_unit_test(test_nat_cards),
	};

	return cmocka_run_group_tests_name("nf", tests, NULL, NULL);
}
