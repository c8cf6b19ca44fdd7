// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets that come in pieces. */
#include "frag.h"

#include <linux/if_ether.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>

#define IP_MAX		65535u
#define IP_HEADER_MAX	60u
#define UNIT_BYTES	8u
#define UNITS		((IP_MAX + 1) / UNIT_BYTES)
#define WAIT_TICKS	1500u
/* Where what follows IPv4's header begins, however long that is. */
#define BODY_AT		(ETH_HLEN + IP_HEADER_MAX)

struct frag {
	struct dp_pkt whole;
	struct net *net;
	struct dp_group *g;
	struct frag *next;		/* a newer one */
	struct dp_timer timer;
	u32 src;
	u16 id;
	u8 protocol;
	bool ends;			/* ->total is known */
	u32 ip_bytes;			/* of the header; 0: the first piece has not come */
	u32 have, end, total;		/* bytes of the body */
	u64 seen[UNITS / 64];		/* units */
	u8 data[BODY_AT + IP_MAX + 1];	/* not cleared */
};

/* ---- Buffers ---- */

static void drop_whole(struct dp_pkt *p)
{
	struct frag *d = (struct frag *)((char *)p - offsetof(struct frag, whole));

	/* A mere number: relaxed. */
	atomic_fetch_sub_explicit(&d->net->frag_buffers, 1, memory_order_relaxed);
	free(d);
}

static struct frag *new_buffer(struct net *net)
{
	struct frag *d = NULL;

	if (atomic_fetch_add_explicit(&net->frag_buffers, 1, memory_order_relaxed) < FRAG_BUFFERS)
		d = malloc(sizeof(*d));
	if (!d) {
		atomic_fetch_sub_explicit(&net->frag_buffers, 1, memory_order_relaxed);
		return NULL;
	}
	memset(d, 0, offsetof(struct frag, data));
	d->net = net;
	d->whole.drop = drop_whole;
	return d;
}

/* No more of the group's; the caller has it. */
static void unlink_from(struct net_slow *s, struct frag *d)
{
	struct frag **at = &s->frags;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	s->frag_count--;
	dp_timer_stop(&d->g->wheel, &d->timer);
}

static void give_up(struct net_slow *s, struct frag *d)
{
	unlink_from(s, d);
	dp_count(&net_group_counts(d->g)->broken, 1);
	drop_whole(&d->whole);
}

/* To the host that has sent what has come of it. */
static void tell_late(struct dp_thread *t, struct frag *d)
{
	struct net_error e = {
		.type = ICMP_TIME_EXCEEDED, .code = ICMP_EXC_FRAGTIME, .own_ip = d->net->cfg.ip,
		.to_mac = d->data + ETH_ALEN, .l4 = d->data + BODY_AT, .l4_bytes = UNIT_BYTES,
	};

	memcpy(&e.ip, d->data + BODY_AT - d->ip_bytes, sizeof(e.ip));
	/* Without options, as it is quoted. */
	e.ip.ihl = sizeof(e.ip) / 4;
	net_icmp_tell(t, &net_group_slow(d->g)->told, &e);
}

static void late(struct dp_timer *tm, void *t)
{
	struct frag *d = (struct frag *)((char *)tm - offsetof(struct frag, timer));

	if (d->ip_bytes)
		tell_late(t, d);
	give_up(net_group_slow(d->g), d);
}

/* NULL: there is no buffer left, and the group has none to give up. */
static struct frag *begin(struct net *net, struct dp_group *g, const struct iphdr *ip)
{
	struct net_slow *s = net_group_slow(g);
	struct frag *d, **at;

	if (s->frag_count == FRAG_OF_GROUP)
		give_up(s, s->frags);
	d = new_buffer(net);
	if (!d && s->frags) {
		give_up(s, s->frags);
		d = new_buffer(net);
	}
	if (!d)
		return NULL;
	d->g = g;
	d->src = ip->saddr;
	d->id = ip->id;
	d->protocol = ip->protocol;
	for (at = &s->frags; *at; at = &(*at)->next)
		;
	*at = d;
	s->frag_count++;
	d->timer.fire = late;
	dp_timer_start(&g->wheel, &d->timer, WAIT_TICKS);
	return d;
}

static struct frag *find(struct net_slow *s, const struct iphdr *ip)
{
	struct frag *d = s->frags;

	while (d && (d->src != ip->saddr || d->id != ip->id || d->protocol != ip->protocol))
		d = d->next;
	return d;
}

/* ---- Pieces ---- */

/* Of @n units from @first on those that are there; they are now. */
static u32 mark(struct frag *d, u32 first, u32 n)
{
	u32 there = 0, i;

	for (i = first; i < first + n; i++) {
		there += d->seen[i / 64] >> i % 64 & 1;
		d->seen[i / 64] |= 1ULL << i % 64;
	}
	return there;
}

/* @bytes at @at of the body; false: they contradict what has come before. */
static bool put(struct frag *d, const u8 *from, u32 at, u32 bytes, bool more)
{
	u32 end = at + bytes, units = (bytes + UNIT_BYTES - 1) / UNIT_BYTES, there;

	if (d->ends && (more ? end >= d->total : end != d->total))
		return false;
	if (!more && d->end > end)
		return false;
	there = mark(d, at / UNIT_BYTES, units);
	if (there)
		return there == units && !memcmp(d->data + BODY_AT + at, from, bytes);
	memcpy(d->data + BODY_AT + at, from, bytes);
	d->have += bytes;
	d->end = end > d->end ? end : d->end;
	if (!more) {
		d->ends = true;
		d->total = end;
	}
	return true;
}

static void put_front(struct frag *d, const struct net_frame *f)
{
	d->ip_bytes = f->ip_bytes;
	memcpy(d->data, f->front, ETH_HLEN);
	memcpy(d->data + BODY_AT - f->ip_bytes, f->front + ETH_HLEN, f->ip_bytes);
}

/* All of it is there: as if it had come so. */
static struct dp_pkt *finish(struct frag *d)
{
	u8 *at = d->data + BODY_AT - d->ip_bytes;
	struct iphdr ip;

	unlink_from(net_group_slow(d->g), d);
	memcpy(&ip, at, sizeof(ip));
	ip.tot_len = htons((u16)(d->ip_bytes + d->total));
	ip.frag_off = 0;
	ip.check = 0;
	memcpy(at, &ip, sizeof(ip));
	ip.check = net_sum_end(net_sum(at, d->ip_bytes, 0));
	memcpy(at, &ip, sizeof(ip));
	memmove(at - ETH_HLEN, d->data, ETH_HLEN);
	d->whole.data = at - ETH_HLEN;
	d->whole.bytes = ETH_HLEN + d->ip_bytes + d->total;
	dp_count(&net_group_counts(d->g)->whole, 1);
	return &d->whole;
}

/* Long enough for what it says, and no longer than a packet may be. */
static bool is_good(const struct net_frame *f, u32 at, bool more)
{
	return f->l4_bytes && at + f->l4_bytes <= IP_MAX - f->ip_bytes &&
	       !(more && f->l4_bytes % UNIT_BYTES);
}

struct dp_pkt *net_frag_add(struct dp_thread *t, struct dp_group *g, struct net_frame *f,
			    const struct iphdr *ip)
{
	u32 at = (ntohs(ip->frag_off) & IP_OFFMASK) * UNIT_BYTES;
	bool more = ip->frag_off & htons(IP_MF);
	struct net_slow *s = net_group_slow(g);
	struct net_counts *c = net_group_counts(g);
	struct dp_pkt *whole = NULL;
	struct frag *d = NULL;

	dp_count(&t->counts.shared, 1);
	dp_count(&c->pieces, 1);
	if (!is_good(f, at, more)) {
		dp_count(&c->malformed, 1);
	} else {
		d = find(s, ip);
		if (!d)
			d = begin(t->dp->cfg.app_arg, g, ip);
		if (!d)
			dp_count(&c->no_memory, 1);
	}
	if (d) {
		if (!at)
			put_front(d, f);
		if (!put(d, f->p->data + ETH_HLEN + f->ip_bytes, at, f->l4_bytes, more))
			give_up(s, d);
		else if (d->ends && d->have == d->total && d->ip_bytes + d->total <= IP_MAX)
			whole = finish(d);
	}
	dp_release(t, f->p);
	return whole;
}

u32 net_frag_hash(struct dp_port *port, const struct dp_pkt *whole)
{
	u16 ports[2];
	struct iphdr ip;
	u32 at;

	memcpy(&ip, whole->data + ETH_HLEN, sizeof(ip));
	at = ETH_HLEN + ip.ihl * 4u;
	if ((ip.protocol != IPPROTO_TCP && ip.protocol != IPPROTO_UDP) ||
	    whole->bytes < at + sizeof(ports))
		return port->ops->hash_ip(port, ip.saddr, ip.daddr);
	memcpy(ports, whole->data + at, sizeof(ports));
	return port->ops->hash(port, ip.saddr, ip.daddr, ports[0], ports[1]);
}

void net_frag_close(struct dp_group *g)
{
	struct net_slow *s = net_group_slow(g);

	while (s->frags)
		give_up(s, s->frags);
}
