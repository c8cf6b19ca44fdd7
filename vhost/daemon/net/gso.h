/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP segments of a packet that was left to us to segment, for a receiver that
 * does not do it (virtio 1.2, sec. 5.1.6.2; RFC 9293).
 *
 * Theory of operation. The packet's headers are copied once and checked; each
 * segment is a changed copy of them and a piece of the sender's payload, which
 * stays where it is: a list of pieces like any packet's. The sender may change
 * its payload meanwhile; then its checksum is wrong, and that is its affair.
 *
 * Threat model: gso_size is the sender's. Segments of less than GSO_MIN_BYTES, or
 * more than GSO_SEGMENTS_MAX of them, cost the packet: they would be much work for
 * few bytes. The lengths in its IP header are not looked at; they are made anew.
 */
#ifndef RINGPACED_GSO_H
#define RINGPACED_GSO_H

#include "packet.h"

/* Ethernet, two tags, IPv4 with options (IPv6 without), TCP with options. */
#define GSO_HEADERS_MAX		(14u + 8u + 60u + 60u)
/* An MTU of 576 is 536. */
#define GSO_MIN_BYTES		512u
#define GSO_SEGMENTS_MAX	128u
/* Of a packet: a chain's, and a front that a switch has put before it. */
#define GSO_PIECES_MAX		(RP_CHAIN_MAX + 1u)

struct gso {
	const struct packet *from;
	struct offloads can;		/* the receiver's */
	u8 headers[GSO_HEADERS_MAX];	/* as they were sent, checked */
	u32 l3, l4, headers_bytes;	/* where IP and TCP begin, and the payload */
	bool ip6;
	u32 payload_bytes, size;	/* in all, and of a segment */
	u32 n;				/* segments */
	u32 next;			/* the next one's number */
	u32 seg, at;			/* where its payload begins: a piece, and in it */
	/* The present segment's */
	u8 front[GSO_HEADERS_MAX];
	struct rp_seg piece[1 + GSO_PIECES_MAX];
};

/* False: @p cannot be segmented for such a receiver. */
bool gso_begin(struct gso *g, const struct packet *p, const struct offloads *can);
/* The next segment, valid until the next call; its ->head means nothing. False: no more. */
bool gso_next(struct gso *g, struct packet *out);

#endif /* RINGPACED_GSO_H */
