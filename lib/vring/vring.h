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
#include "vring/event.h"

#define RP_VRING_MAX_NUM	32768u
/* Descriptors and pieces of one chain that we take; of a longer one it is the beginning. */
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
