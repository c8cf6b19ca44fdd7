// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Applications without state. Checksums stay right, as swapping words does not
 * change their sum.
 */
#include "apps.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>

static void swap_bytes(u8 *a, u8 *b, u32 n)
{
	while (n--) {
		u8 was = a[n];

		a[n] = b[n];
		b[n] = was;
	}
}

/* A whole IPv4 header without options, behind Ethernet's? */
static bool has_ipv4(const struct dp_pkt *p, struct iphdr *ip)
{
	struct ethhdr eth;

	if (p->bytes < sizeof(eth) + sizeof(*ip))
		return false;
	/* The peer may still write to it: what is checked is a copy. */
	memcpy(&eth, p->data, sizeof(eth));
	memcpy(ip, p->data + sizeof(eth), sizeof(*ip));
	return eth.h_proto == htons(ETH_P_IP) && ip->version == 4 && ip->ihl == 5;
}

static void swap_ethernet(struct dp_pkt *p)
{
	swap_bytes(p->data, p->data + ETH_ALEN, ETH_ALEN);
}

static void swap_ipv4(struct dp_pkt *p)
{
	u8 *ip = p->data + sizeof(struct ethhdr);

	swap_bytes(ip + offsetof(struct iphdr, saddr), ip + offsetof(struct iphdr, daddr), 4);
}

static void reflect(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	struct iphdr ip;

	if (p->bytes < sizeof(struct ethhdr)) {
		dp_release(t, p);
		return;
	}
	swap_ethernet(p);
	if (has_ipv4(p, &ip))
		swap_ipv4(p);
	dp_send(t, p);
}

static void udp_echo(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	u32 at = sizeof(struct ethhdr) + sizeof(struct iphdr);
	struct iphdr ip;

	/* Only the first fragment has ports. */
	if (p->bytes < at + sizeof(struct udphdr) || !has_ipv4(p, &ip) ||
	    ip.protocol != IPPROTO_UDP || ip.frag_off & htons(IP_OFFMASK | IP_MF)) {
		dp_release(t, p);
		return;
	}
	swap_ethernet(p);
	swap_ipv4(p);
	swap_bytes(p->data + at, p->data + at + 2, 2);
	dp_send(t, p);
}

const struct dp_app dp_app_reflect = { .name = "reflect", .packet = reflect };
const struct dp_app dp_app_udp_echo = { .name = "udp-echo", .packet = udp_echo };
