/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Split virtqueue in user space: what driver and device side share.
 * Layouts are <linux/virtio_ring.h>'s; virtio 1.2, sec. 2.7. x86-64 only, so
 * little-endian fields are read as they are.
 */
#ifndef RP_VRING_H
#define RP_VRING_H

#include <linux/virtio_ring.h>

#include "rp.h"

#define RP_VRING_MAX_NUM	32768u
/* Descriptors of one chain that we take; a longer one breaks the ring. */
#define RP_CHAIN_MAX		64u

struct rp_vring {
	u32 num;			/* slots, a power of two */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
};

/* Bytes of the three parts (virtio 1.2, sec. 2.7), event index included. */
static inline size_t rp_vring_desc_bytes(u32 num)
{
	return sizeof(struct vring_desc) * num;
}

static inline size_t rp_vring_avail_bytes(u32 num)
{
	return sizeof(u16) * (3 + num);
}

static inline size_t rp_vring_used_bytes(u32 num)
{
	return sizeof(u16) * 3 + sizeof(struct vring_used_elem) * num;
}

/* The driver's wish for a notification, at the end of the avail ring. */
static inline u16 *rp_used_event(const struct rp_vring *r)
{
	return &r->avail->ring[r->num];
}

/* The device's, at the end of the used ring. */
static inline u16 *rp_avail_event(const struct rp_vring *r)
{
	return (u16 *)&r->used->ring[r->num];
}

/* Did an index that moved from @old to @now pass @event? (sec. 2.7.7.2) */
static inline bool rp_need_event(u16 event, u16 now, u16 old)
{
	return (u16)(now - event - 1) < (u16)(now - old);
}

/*
 * "No notification, please" with EVENT_IDX: the event index is put half the
 * number circle ahead of @base, the reader's index. The peer's index is never
 * more than num ahead of the reader's, so it cannot pass the event as long as
 * the event is moved on in time. Each side does that before it publishes,
 * since only what it publishes lets the peer's index move further.
 */
static inline u16 rp_event_far(u16 base)
{
	return (u16)(base + 0x8000u);
}

/* Is it time to move an event that was put far from @placed? */
static inline bool rp_event_stale(u16 placed, u16 base, u32 num)
{
	return (u16)(base - placed) + num >= 0x8000u;
}

/* Stores only what changes, so that an unchanged line stays shared. */
#define rp_store_diff(p, v) do {			\
	if (rp_load(p) != (v))				\
		rp_store(p, v);				\
} while (0)

/* One piece of a buffer, in our address space. */
struct rp_seg {
	void *base;
	u32 bytes;
};

#endif /* RP_VRING_H */
