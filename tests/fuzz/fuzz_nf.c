// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is what hosts on both sides of the NAT, or of the forwarder,
 * send, and how time passes. Crashes and sanitizer reports count, frames sent that are not
 * whole, inside addresses that get out, and memory and frames that are gone.
 */
#include <stdarg.h>
#include <stddef.h>

#include "../unit/nf_fixture.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static struct nat nat;
static struct forward fw;
static struct bed *bed[2];
static u16 known_port[4];	/* of the outside address */

static const u8 *in;
static size_t left;

static u32 take(u32 n)
{
	u32 v = 0;

	for (; n && left; n--, left--)
		v = v << 8 | *in++;
	return v;
}

static bool find(const void *routes, u32 ip, struct forward_hop *hop)
{
	memcpy(hop->mac, bed_mac[0], ETH_ALEN);
	hop->card = 0;
	return ntohl(ip) & 1;
}

static void look(struct bed *b, struct frame *f)
{
	struct iphdr ip;

	if (f->data[12] != 8 || f->data[13])
		return;
	ip = frame_ip(f);
	if (f->p.bytes != ETH_HLEN + ntohs(ip.tot_len) ||
	    net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0)))
		abort();
	if (b == bed[1])
		return;
	/* What goes to the gateway is the outside address's. */
	if (!f->data[5]) {
		if (ip.saddr != nat.outside.cfg.ip)
			abort();
		memcpy(&known_port[f->data[FRONT + 3] % 4], f->data + FRONT, 2);
	} else if ((ip.daddr ^ nat.inside.cfg.ip) & nat.inside.cfg.mask &&
		   ip.protocol != IPPROTO_ICMP) {
		abort();
	}
}

static u32 address(u32 v)
{
	const u32 some[] = {
		ip_of(192, 168, 0, 2), ip_of(192, 168, 0, 3), nat.inside.cfg.ip, nat.outside.cfg.ip,
		ip_of(203, 0, 113, 1), ip_of(203, 0, 113, 2), ip_of(224, 0, 0, 1), 0,
	};

	return some[v % 8];
}

static void raw(struct bed *b)
{
	struct frame *f = bed_frame(b, address(take(1)), address(take(1)), (u8)take(1), 0);
	u32 at = take(1) % (FRONT + 1), n = take(1);

	n = n < left ? n : (u32)left;
	memcpy(f->data + at, in, n);
	in += n;
	left -= n;
	f->p.bytes = at + n;
	bed_input(b, f);
}

/* Of what NAT may have sent. */
static void quote(u8 *at, u32 port)
{
	const struct iphdr ip = {
		.version = 4, .ihl = 5, .saddr = nat.outside.cfg.ip, .daddr = address(take(1)),
		.protocol = (u8)take(1),
	};
	u32 i;

	memcpy(at, &ip, sizeof(ip));
	for (i = 20; i < 28; i++)
		at[i] = (u8)take(1);
	memcpy(at + (ip.protocol == IPPROTO_ICMP ? 24 : 20), &known_port[port], 2);
}

/* One whose checksums are right, mostly. */
static void packet(struct bed *b, u8 proto)
{
	u32 n = proto == IPPROTO_TCP ? 20 : 8, more = take(1) % 64, v, i;
	struct frame *f = bed_frame(b, address(take(1)), address(take(1)), proto, n + more);
	u8 *l4 = f->data + FRONT;

	for (i = 0; i < n; i++)
		l4[i] = (u8)take(1);
	v = take(1);
	if (v & 1)
		memcpy(l4 + (proto == IPPROTO_ICMP ? 4 : 2), &known_port[v >> 1 & 3], 2);
	if (proto == IPPROTO_ICMP && v & 0x40 && more >= 28)
		quote(l4 + 8, v >> 1 & 3);
	if (proto == IPPROTO_TCP && v & 0x10)
		l4[12] = 0x50;
	if (proto == IPPROTO_UDP && v & 0x10)
		memcpy(l4 + 4, &(u16){ htons((u16)(n + more)) }, 2);
	if (v & 0x20)
		frame_set_sum(f, proto == IPPROTO_TCP ? 16 : proto == IPPROTO_UDP ? 6 : 2);
	bed_input(b, f);
}

static void set_up(void)
{
	const struct net_config inside = {
		.ip = ip_of(192, 168, 0, 1), .mask = ip_of(255, 255, 0, 0),
	}, outside = {
		.ip = ip_of(198, 51, 100, 1), .mask = ip_of(255, 255, 255, 0),
		.gateway = ip_of(198, 51, 100, 254),
	};
	static const u8 host[] = { 2, 0, 0, 0, 0, 7 }, gate[] = { 2, 0, 0, 0, 0, 0 };
	u32 i;

	for (i = 0; i < 2; i++) {
		bed[i] = bed_new(1);
		bed[i]->sent = look;
	}
	nat_init(&nat, &inside, &outside, &bed[0]->sp->port, GROUPS, 4);
	arp_learn(&nat.outside.arp, outside.gateway, gate, true, bed_now(bed[0]));
	arp_learn(&nat.inside.arp, address(0), host, true, bed_now(bed[0]));
	arp_learn(&nat.inside.arp, address(1), host, true, bed_now(bed[0]));
	bed_start(bed[0], &nf_nat, &nat);
	forward_init(&fw, &outside, &bed[1]->sp->port);
	fw.find = find;
	bed_start(bed[1], &nf_forward, &fw);
}

/* Flows end with their groups, and all frames are back. */
static void come_to_rest(struct bed *b, u64 used)
{
	const struct dp_app *app = b->dp->cfg.app;
	u32 i;

	bed_turn(b);
	for (i = 0; i < GROUPS; i++) {
		app->close(b->dp, &b->dp->groups[i]);
		if (b->dp->groups[i].wheel.timers)
			abort();
	}
	if (dp_mem_used() != used || dp_missing(b->dp) ||
	    b->spare.count + SLOTS < FRAMES)
		abort();
	for (i = 0; i < GROUPS; i++)
		if (app->open(b->dp, &b->dp->groups[i]))
			abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static const u8 protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP };
	struct bed *b;
	u64 used;

	if (!bed[0])
		set_up();
	used = dp_mem_used();
	in = data;
	left = bytes;
	memset(known_port, 0, sizeof(known_port));
	b = bed[take(1) & 1];
	while (left) {
		u32 what = take(1) % 8;

		if (!what)
			raw(b);
		else if (what == 1)
			atomic_fetch_add(&b->clock_ns, take(1) * 1000000000ULL);
		else
			packet(b, protos[what % 3]);
		bed_turn(b);
	}
	come_to_rest(b, used);
	return 0;
}
