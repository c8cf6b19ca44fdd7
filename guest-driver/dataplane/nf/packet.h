/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What network functions without TCP share: packets of IPv4 that pass through, and what is
 * said of those that may not.
 *
 * Who sends is hostile, and may write to a frame while it is looked at: headers are copied
 * once, checked and changed in the copy, and the copy is written back.
 */
#ifndef DP_NF_PACKET_H
#define DP_NF_PACKET_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>

#include "dataplane.h"
#include "net/icmp_tell.h"

/* What is looked at: at most an error of ICMP, with the header and 8 bytes that it quotes. */
#define NF_L4_BYTES	36u

/* Relaxed; a flow group's. */
struct nf_counts {
	_Atomic u64 passed;
	_Atomic u64 malformed;		/* too short, wrong lengths, checksums or addresses */
	_Atomic u64 refused;		/* nothing says where it may go */
	_Atomic u64 expired;		/* by its TTL */
	_Atomic u64 told;		/* of these, by ICMP */
	_Atomic u64 no_neighbour;
	_Atomic u64 full;		/* flows that had no place */
};

/* Of a flow group. */
struct nf_group {
	struct nf_counts counts;
	struct net_told told;
};

struct nf_packet {
	struct dp_pkt *p;
	u8 from_mac[ETH_ALEN], to_mac[ETH_ALEN];
	struct iphdr ip;
	u32 l4_bytes, l4_have;
	u8 l4[NF_L4_BYTES];
};

/* By Ethernet's type; all else is for nf_parse() to find out, or net_arp_input(). */
bool nf_is_ipv4(const struct dp_pkt *p);
bool nf_is_arp(const struct dp_pkt *p);
/*
 * false: it is not a whole packet of IPv4 from a station to a station, with a sound header
 * and no options (which could have it go by other ways than it should).
 */
bool nf_parse(struct nf_packet *f, struct dp_pkt *p);

static inline bool nf_is_fragment(const struct nf_packet *f)
{
	return f->ip.frag_off & htons(IP_OFFMASK | IP_MF);
}

/* RFC 1624: a checksum after @bytes, an even number, that it covers have changed. */
u16 nf_sum_changed(u16 sum, const void *was, const void *is, u32 bytes);
/* A hop less; false: that was the last. */
bool nf_hop(struct nf_packet *f);
/* Writes both headers back, and sends it to @mac, by the packet's card. */
void nf_send(struct dp_thread *t, struct nf_group *ng, struct nf_packet *f, const u8 mac[ETH_ALEN]);
/*
 * Tells the sender, from @own_ip, that the TTL was used up; not about what may not be told
 * about (RFC 1122, sec. 3.2.2), nor too often. The packet itself is released.
 */
void nf_expired(struct dp_thread *t, struct nf_group *ng, struct nf_packet *f, u32 own_ip);

static inline void nf_drop(struct dp_thread *t, struct dp_pkt *p, _Atomic u64 *counts)
{
	dp_count(counts, 1);
	dp_release(t, p);
}

#endif /* DP_NF_PACKET_H */
