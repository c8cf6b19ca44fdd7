/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chain's packets: Ethernet frames with flow, number and the time at which they
 * were to be sent. Every CHAIN_SAMPLE-th of a flow is filled with a pattern of its number.
 */
#ifndef CHAIN_FRAME_H
#define CHAIN_FRAME_H

#include "native/net_end.h"

#define CHAIN_MAGIC		0x52504348u	/* "RPCH" */
#define CHAIN_SAMPLE		64u
#define CHAIN_FRAME_MAX_BYTES	1514u

struct chain_head {
	u8 to[6], from[6];
	u16 type_be;
	u32 magic;
	u32 flow;
	u64 seq;		/* of the flow */
	u64 due_tsc;		/* when it was to be sent */
	u32 bytes;
	u64 sent_tsc;		/* when it was written into the ring of this hop */
} __attribute__((packed));

_Static_assert(sizeof(struct chain_head) <= NET_FRAME_MIN_BYTES, "a head fits every frame");

static inline void chain_frame_write(u8 *at, u32 bytes, u32 flow, u64 seq, u64 due_tsc)
{
	const struct chain_head h = {
		.to = { 2, 0, 0, 0, 0, 1 }, .from = { 2, 0, 0, 0, 0, 2 },
		.type_be = NET_ETHERTYPE_BE, .magic = CHAIN_MAGIC, .flow = flow, .seq = seq,
		.due_tsc = due_tsc, .bytes = bytes,
	};

	memcpy(at, &h, sizeof(h));
	if (!(seq % CHAIN_SAMPLE))
		net_pattern_write(at, sizeof(h), bytes, seq);
}

/* Of a frame that is written: it is sent now. */
static inline void chain_frame_stamp(u8 *at, u64 now_tsc)
{
	memcpy(at + offsetof(struct chain_head, sent_tsc), &now_tsc, sizeof(now_tsc));
}

/* Its head, a copy; false: it is none of a chain with @flows flows. */
static inline bool chain_frame_read(const u8 *at, u32 bytes, u32 flows, struct chain_head *h)
{
	if (bytes < sizeof(*h))
		return false;
	memcpy(h, at, sizeof(*h));
	return h->magic == CHAIN_MAGIC && h->bytes == bytes && h->flow < flows;
}

/* Of one that was read: is its pattern whole, if it has one? */
static inline bool chain_frame_whole(const u8 *at, const struct chain_head *h)
{
	return h->seq % CHAIN_SAMPLE || net_pattern_ok(at, sizeof(*h), h->bytes, h->seq);
}

#endif /* CHAIN_FRAME_H */
