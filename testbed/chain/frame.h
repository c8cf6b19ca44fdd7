/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chain's packets: Ethernet frames with flow, number and the time at which they
 * were to be sent. Every CHAIN_SAMPLE-th of a flow is filled with a pattern of its number.
 * Bare ones have an EtherType for experiments; those that routers are to pass are UDP
 * over IPv4, without a checksum of UDP's, from and to networks for benchmarks (RFC 2544).
 */
#ifndef CHAIN_FRAME_H
#define CHAIN_FRAME_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>

#include "native/net_end.h"

#define CHAIN_MAGIC		0x52504348u	/* "RPCH" */
#define CHAIN_SAMPLE		64u
#define CHAIN_FRAME_MAX_BYTES	1514u

/* Where the head is: by how a frame begins. */
#define CHAIN_AT_BARE		((u32)sizeof(struct ethhdr))
#define CHAIN_AT_IP		((u32)(CHAIN_AT_BARE + sizeof(struct iphdr) + sizeof(struct udphdr)))

#define CHAIN_FROM_IP		0xc6120001u	/* 198.18.0.1 */
#define CHAIN_TO_IP		0xc6130001u	/* 198.19.0.1 */
#define CHAIN_UDP_PORT		9u		/* discard */
#define CHAIN_TTL		64u		/* more than there are VMs */

struct chain_head {
	u32 magic;
	u32 flow;
	u64 seq;		/* of the flow */
	u64 due_tsc;		/* when it was to be sent */
	u32 bytes;
	u64 sent_tsc;		/* when it was written into the ring of this hop */
} __attribute__((packed));

#define CHAIN_IP_MIN_BYTES	(CHAIN_AT_IP + (u32)sizeof(struct chain_head))

_Static_assert(sizeof(struct ethhdr) + sizeof(struct chain_head) <= NET_FRAME_MIN_BYTES,
	       "a head fits every bare frame");

/* IPv4's header checksum, in host order. */
static inline u16 chain_ip_sum(const struct iphdr *ip)
{
	const u8 *at = (const u8 *)ip;
	u32 sum = 0, i;

	for (i = 0; i < sizeof(*ip); i += 2)
		sum += (u32)at[i] << 8 | at[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~(sum + (sum >> 16));
}

static inline void chain_ip_write(u8 *at, u32 bytes)
{
	struct udphdr udp = {
		.source = htons(CHAIN_UDP_PORT), .dest = htons(CHAIN_UDP_PORT),
		.len = htons((u16)(bytes - sizeof(struct iphdr))),
	};
	struct iphdr ip = {
		.version = 4, .ihl = sizeof(ip) / 4, .tot_len = htons((u16)bytes),
		.frag_off = htons(IP_DF), .ttl = CHAIN_TTL, .protocol = IPPROTO_UDP,
		.saddr = htonl(CHAIN_FROM_IP), .daddr = htonl(CHAIN_TO_IP),
	};

	ip.check = htons(chain_ip_sum(&ip));
	memcpy(at, &ip, sizeof(ip));
	memcpy(at + sizeof(ip), &udp, sizeof(udp));
}

/* @head_at: CHAIN_AT_..., and with it what is before the head. */
static inline void chain_frame_write(u8 *at, u32 head_at, u32 bytes, u32 flow, u64 seq, u64 due_tsc)
{
	const struct ethhdr eth = {
		.h_dest = { 2, 0, 0, 0, 0, 1 }, .h_source = { 2, 0, 0, 0, 0, 2 },
		.h_proto = head_at == CHAIN_AT_IP ? htons(ETH_P_IP) : NET_ETHERTYPE_BE,
	};
	const struct chain_head h = {
		.magic = CHAIN_MAGIC, .flow = flow, .seq = seq, .due_tsc = due_tsc, .bytes = bytes,
	};

	memcpy(at, &eth, sizeof(eth));
	if (head_at == CHAIN_AT_IP)
		chain_ip_write(at + sizeof(eth), bytes - (u32)sizeof(eth));
	memcpy(at + head_at, &h, sizeof(h));
	if (!(seq % CHAIN_SAMPLE))
		net_pattern_write(at, head_at + (u32)sizeof(h), bytes, seq);
}

/* Of a frame that is written: it is sent now. */
static inline void chain_frame_stamp(u8 *at, u32 head_at, u64 now_tsc)
{
	memcpy(at + head_at + offsetof(struct chain_head, sent_tsc), &now_tsc, sizeof(now_tsc));
}

/*
 * Its head, a copy; false: it is none of a chain with @flows flows, or one of IPv4's that
 * has not come by way of @hops routers.
 */
static inline bool chain_frame_read(const u8 *at, u32 head_at, u32 bytes, u32 flows, u32 hops,
				    struct chain_head *h)
{
	struct iphdr ip;

	if (bytes < head_at + sizeof(*h))
		return false;
	if (head_at == CHAIN_AT_IP) {
		memcpy(&ip, at + CHAIN_AT_BARE, sizeof(ip));
		if (chain_ip_sum(&ip) || ip.ttl != CHAIN_TTL - hops)
			return false;
	}
	memcpy(h, at + head_at, sizeof(*h));
	return h->magic == CHAIN_MAGIC && h->bytes == bytes && h->flow < flows;
}

/* Of one that was read: is its pattern whole, if it has one? */
static inline bool chain_frame_whole(const u8 *at, u32 head_at, const struct chain_head *h)
{
	return h->seq % CHAIN_SAMPLE ||
	       net_pattern_ok(at, head_at + (u32)sizeof(*h), h->bytes, h->seq);
}

#endif /* CHAIN_FRAME_H */
