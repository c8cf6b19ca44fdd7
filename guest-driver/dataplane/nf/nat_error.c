// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Errors of ICMP from the outside (RFC 5508, sec. 4): what they quote was sent at the outside
 * address, and is shown to the host inside as it has sent it. They keep no flow alive.
 */
#include "nat.h"

#include <netinet/ip_icmp.h>

/* In what follows IPv4's header: the header that is quoted, and what followed that. */
#define QUOTED_AT	8u
#define QUOTED_L4_AT	28u
#define QUOTED_L4_BYTES	8u

bool nat_is_error(const struct nf_packet *f)
{
	return f->ip.protocol == IPPROTO_ICMP && f->l4_have &&
	       (f->l4[0] == ICMP_DEST_UNREACH || f->l4[0] == ICMP_TIME_EXCEEDED ||
		f->l4[0] == ICMP_PARAMETERPROB);
}

/* The packet that is quoted, of which only this is known. */
static void quoted_of(const struct nf_packet *f, struct nf_packet *q)
{
	memset(q, 0, sizeof(*q));
	memcpy(&q->ip, f->l4 + QUOTED_AT, sizeof(q->ip));
	memcpy(q->l4, f->l4 + QUOTED_L4_AT, QUOTED_L4_BYTES);
}

/* false: no flow sends such. */
static bool key_of(const struct nat *nat, const struct nf_packet *q, struct flow_key *k)
{
	u8 proto = q->ip.protocol;

	if (q->ip.version != 4 || q->ip.ihl != 5 || q->ip.saddr != nat->outside.cfg.ip ||
	    nf_is_fragment(q) ||
	    (proto != IPPROTO_TCP && proto != IPPROTO_UDP && proto != IPPROTO_ICMP) ||
	    (proto == IPPROTO_ICMP && q->l4[0] != ICMP_ECHO))
		return false;
	*k = (struct flow_key){ .proto = proto, .remote_ip = q->ip.daddr };
	memcpy(&k->outside_port, q->l4 + nat_sender_at(proto), 2);
	if (proto != IPPROTO_ICMP)
		memcpy(&k->remote_port, q->l4 + 2, 2);
	return true;
}

/* As the host inside knows it: in the quotation, and where it goes to. */
static void show_inside(struct nf_packet *f, struct nf_packet *q, const struct flow_key *key)
{
	u8 was[NF_L4_BYTES - QUOTED_AT];
	u32 was_ip = f->ip.daddr;
	u16 sum;

	memcpy(was, f->l4 + QUOTED_AT, sizeof(was));
	nat_rewrite(q, &q->ip.saddr, key->inside_ip, nat_sender_at(key->proto), key->inside_port);
	memcpy(f->l4 + QUOTED_AT, &q->ip, sizeof(q->ip));
	memcpy(f->l4 + QUOTED_L4_AT, q->l4, QUOTED_L4_BYTES);
	memcpy(&sum, f->l4 + 2, 2);
	sum = nf_sum_changed(sum, was, f->l4 + QUOTED_AT, sizeof(was));
	memcpy(f->l4 + 2, &sum, 2);
	f->ip.daddr = key->inside_ip;
	f->ip.check = nf_sum_changed(f->ip.check, &was_ip, &f->ip.daddr, 4);
}

void nat_error(struct nat *nat, struct dp_thread *t, struct dp_group *g, struct nf_packet *f)
{
	struct nat_group *ng = g->state;
	struct flow *flow = NULL;
	struct nf_packet q;
	struct flow_key k;
	u32 hash;

	quoted_of(f, &q);
	if (key_of(nat, &q, &k)) {
		hash = nat_reply_hash(nat, &k, k.outside_port);
		if ((hash & (nat->groups - 1)) != g->id) {
			dp_regroup(t, f->p, hash);
			return;
		}
		flow = flow_find_out(&ng->flows, &k);
	}
	if (!flow) {
		nf_drop(t, f->p, &ng->nf.counts.refused);
	} else if (!nf_hop(f)) {
		nf_drop(t, f->p, &ng->nf.counts.expired);
	} else {
		show_inside(f, &q, &flow->key);
		nat_send_inside(nat, t, ng, f);
	}
}
