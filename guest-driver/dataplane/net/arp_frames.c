// SPDX-License-Identifier: GPL-2.0-or-later
/* ARP: questions and answers of this station, RFC 826. */
#include <arpa/inet.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>

#include "net.h"

struct arp_frame {
	struct ethhdr eth;
	struct arphdr head;
	u8 from_mac[ETH_ALEN];
	u32 from_ip;
	u8 to_mac[ETH_ALEN];
	u32 to_ip;
} __attribute__((packed));

/* A frame to @mac, or to all. */
static void fill(const struct net *net, struct arp_frame *f, u16 op, u32 ip, const u8 *mac)
{
	*f = (struct arp_frame){
		.eth = { .h_proto = htons(ETH_P_ARP) },
		.head = {
			.ar_hrd = htons(ARPHRD_ETHER), .ar_pro = htons(ETH_P_IP),
			.ar_hln = ETH_ALEN, .ar_pln = 4, .ar_op = htons(op),
		},
		.from_ip = net->cfg.ip, .to_ip = ip,
	};
	memset(f->eth.h_dest, 0xff, ETH_ALEN);
	if (mac) {
		memcpy(f->eth.h_dest, mac, ETH_ALEN);
		memcpy(f->to_mac, mac, ETH_ALEN);
	}
	memcpy(f->eth.h_source, net->port->mac[net->card], ETH_ALEN);
	memcpy(f->from_mac, net->port->mac[net->card], ETH_ALEN);
}

static void ask(struct net *net, struct dp_thread *t, u32 ip)
{
	struct dp_pkt *p = net->port->ops->alloc(net->port, t->id);
	struct arp_frame f;

	if (!p)
		return;
	fill(net, &f, ARPOP_REQUEST, ip, NULL);
	memcpy(p->data, &f, sizeof(f));
	p->bytes = sizeof(f);
	p->card = net->card;
	dp_send(t, p);
}

static bool is_arp(const struct arp_frame *f)
{
	return f->head.ar_hrd == htons(ARPHRD_ETHER) && f->head.ar_pro == htons(ETH_P_IP) &&
	       f->head.ar_hln == ETH_ALEN && f->head.ar_pln == 4;
}

/* An address of our network, that a station can have, at a station. */
static bool can_be(const struct net *net, const struct arp_frame *f)
{
	static const u8 none[ETH_ALEN];

	return f->from_ip && f->from_ip != net->cfg.ip &&
	       !((f->from_ip ^ net->cfg.ip) & net->cfg.mask) &&
	       !(f->from_mac[0] & 1) && memcmp(f->from_mac, none, ETH_ALEN);
}

void net_arp_input(struct net *net, struct dp_thread *t, struct dp_pkt *p)
{
	struct arp_frame f, reply;

	if (p->bytes < sizeof(f))
		goto out;
	memcpy(&f, p->data, sizeof(f));
	if (!is_arp(&f) || !can_be(net, &f))
		goto out;
	arp_learn(&net->arp, f.from_ip, f.from_mac, f.to_ip == net->cfg.ip, t->now_ns);
	dp_count(&t->counts.shared, 1);
	if (f.to_ip == net->cfg.ip && f.head.ar_op == htons(ARPOP_REQUEST)) {
		fill(net, &reply, ARPOP_REPLY, f.from_ip, f.from_mac);
		memcpy(p->data, &reply, sizeof(reply));
		p->bytes = sizeof(reply);
		dp_send(t, p);
		return;
	}
out:
	dp_release(t, p);
}

bool net_neighbour(struct net *net, struct dp_thread *t, u32 ip, u8 mac[6])
{
	enum arp_answer answer;

	if ((ip ^ net->cfg.ip) & net->cfg.mask) {
		if (!net->cfg.gateway)
			return false;
		ip = net->cfg.gateway;
	}
	answer = arp_find(&net->arp, ip, mac, t->now_ns);
	if (answer == ARP_KNOWN_ASK || answer == ARP_ASK) {
		dp_count(&t->counts.shared, 1);
		ask(net, t, ip);
	}
	return answer == ARP_KNOWN || answer == ARP_KNOWN_ASK;
}
