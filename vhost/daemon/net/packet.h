/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets on their way from one port's queue to another's.
 *
 * A packet is not moved before it is copied into its destination: until then it
 * is a list of pieces of memory that the source has lent, and a private,
 * checked copy of its virtio-net header (virtio 1.2, sec. 5.1.6). A batch is
 * what is on its way in one turn. One thread at a time.
 */
#ifndef RINGPACED_PACKET_H
#define RINGPACED_PACKET_H

#include <linux/virtio_net.h>

#include "vring/vring.h"

#define PACKET_HDR_BYTES	((u32)sizeof(struct virtio_net_hdr_v1))
/* An Ethernet header; less is no frame. */
#define PACKET_MIN_BYTES	14u
/* 64 KiB of IP, an Ethernet header and two VLAN tags. */
#define PACKET_MAX_BYTES	(65535u + 14u + 8u)

/* Most packets, and most bytes but for the last packet's, of one turn. */
#define BATCH_PACKETS		64u
#define BATCH_BYTES		(128u << 10)
#define BATCH_SEGS		(BATCH_PACKETS + 4 * RP_CHAIN_MAX)

/* Why a packet does not arrive. Names are in drop_names[] and the JSON. */
enum drop {
	DROP_NONE,
	DROP_SIZE,	/* no frame, or one that is longer than any may be */
	DROP_HEADER,	/* offloads that were not negotiated, or make no sense */
	DROP_NO_PEER,	/* nobody is there to take it */
	DROP_FULL,	/* the peer has posted no buffer for too long */
	DROP_TOO_BIG,	/* the peer's buffers cannot hold it */
	DROP_OFFLOAD,	/* the peer cannot take it as it is, nor can we change that */
	DROP_HOST,	/* the host's stack did not take it */
	/* Of switches */
	DROP_VLAN,	/* its VLAN is none of the port's */
	DROP_SOURCE,	/* nobody can have sent it: its source is a group, or 0 */
	DROP_RESERVED,	/* for bridges only (IEEE 802.1D) */
	DROP_LOCAL,	/* it came from the port that its destination is behind */
	DROPS
};

extern const char *const drop_names[DROPS];

struct packet {
	struct virtio_net_hdr_v1 hdr;	/* num_buffers is not set */
	u32 bytes;			/* of the frame, without header */
	u16 n_seg;
	u16 head;			/* of the source's descriptor chain */
	u8 drop;			/* enum drop */
	const struct rp_seg *seg;	/* the frame; none is empty */
};

struct batch {
	u32 n;				/* packets */
	u32 n_seg;			/* of seg[] used */
	u32 bytes;
	struct packet pkt[BATCH_PACKETS];
	/* A source lends BATCH_SEGS; a switch needs one more for each packet. */
	struct rp_seg seg[BATCH_SEGS + BATCH_PACKETS];
	/* For a packet that must be changed on its way: PACKET_MAX_BYTES, or NULL. */
	u8 *bounce;
};

/*
 * A header as two whole words, for who changes it on its way. A field of two bytes that is
 * put into a copy in memory is half of a word that is loaded next: the CPU then waits until
 * every store before, hence every line of the last packet, has left for the cache.
 */
struct hdr_words {
	u64 front;
	u32 back;
};

_Static_assert(sizeof(struct virtio_net_hdr_v1) == sizeof(u64) + sizeof(u32) &&
	       offsetof(struct virtio_net_hdr_v1, num_buffers) == 10,
	       "num_buffers is the upper half of the second word");

static inline struct hdr_words hdr_load(const void *from)
{
	struct hdr_words w;

	memcpy(&w.front, from, sizeof(w.front));
	memcpy(&w.back, (const u8 *)from + sizeof(w.front), sizeof(w.back));
	return w;
}

static inline void hdr_store(void *to, struct hdr_words w)
{
	memcpy(to, &w.front, sizeof(w.front));
	memcpy((u8 *)to + sizeof(w.front), &w.back, sizeof(w.back));
}

/* What a side has agreed to, of the features that concern a single packet. */
struct offloads {
	bool csum;		/* partial checksums */
	bool tso4, tso6, ecn;
	bool mergeable;		/* RX: a packet in several buffers */
};

/*
 * Checks the header that the source gave, of a frame of @bytes, and clears what
 * means nothing. Bits that are not known are ignored (sec. 5.1.6.2.2).
 */
enum drop packet_check_offloads(struct virtio_net_hdr_v1 *h, u32 bytes,
				const struct offloads *can);

static inline enum drop packet_check(struct virtio_net_hdr_v1 *h, u32 bytes,
				     const struct offloads *can)
{
	if (unlikely(bytes < PACKET_MIN_BYTES || bytes > PACKET_MAX_BYTES))
		return DROP_SIZE;
	if (unlikely((h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) | h->gso_type))
		return packet_check_offloads(h, bytes, can);
	memset(h, 0, sizeof(*h));
	return DROP_NONE;
}

/* Can a packet with that header be given to a side that can do @can as it is? */
static inline bool packet_fits(const struct virtio_net_hdr_v1 *h, const struct offloads *can)
{
	u8 type = h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;

	if (likely(!(h->flags | h->gso_type)))
		return true;
	return can->csum &&
	       (type != VIRTIO_NET_HDR_GSO_TCPV4 || can->tso4) &&
	       (type != VIRTIO_NET_HDR_GSO_TCPV6 || can->tso6) &&
	       (!(h->gso_type & VIRTIO_NET_HDR_GSO_ECN) || can->ecn);
}

/*
 * Makes @p one that every side can take: completes its checksum, in the
 * batch's bounce buffer. False: it cannot be done.
 */
bool packet_finish(struct batch *b, struct packet *p, struct rp_seg *to);

#endif /* RINGPACED_PACKET_H */
