/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Driver side of a split virtqueue: adds buffers, reclaims used ones.
 *
 * Ring memory is the caller's. Addresses in descriptors are the caller's guest
 * addresses: gpa(base) = base + gpa_delta. The device is trusted no further
 * than needed to stay in bounds: a used id that is not outstanding, or a used
 * index that runs ahead, sets ->broken and every later call returns nothing.
 * One thread at a time.
 */
#ifndef RP_VRING_DRIVER_H
#define RP_VRING_DRIVER_H

#include "vring/vring.h"

struct rp_drv {
	struct rp_vring ring;
	bool event_idx;
	bool armed;
	const char *broken;	/* NULL, or why the ring was given up */
	u64 gpa_delta;		/* guest address of a local one, minus it */
	u16 avail_idx;		/* next to publish (shadow, runs ahead of memory) */
	u16 published;		/* what memory says */
	u16 kicked;		/* ->published at the last rp_drv_need_kick() */
	u16 last_used;		/* next used element to read */
	u16 free_head;
	u16 num_free;
	u16 *next;		/* free list and chain links, num entries */
	u16 *chain_len;		/* descriptors of the chain headed by i, 0: not outstanding */
	void **token;		/* per head */
};

/*
 * Allocates the bookkeeping and clears the rings. 0, or -ENOMEM, -EINVAL
 * (num is no power of two or over RP_VRING_MAX_NUM).
 */
int rp_drv_init(struct rp_drv *d, const struct rp_vring *ring, bool event_idx,
		u64 gpa_delta);
void rp_drv_free(struct rp_drv *d);

/*
 * Adds one buffer: @n_out device-readable segments, then @n_in writable ones.
 * Not visible to the device before rp_drv_publish(). False if there is no room.
 */
bool rp_drv_add(struct rp_drv *d, const struct rp_seg *seg, u32 n_out, u32 n_in,
		void *token);
/* Makes what was added visible (release; pairs with the device's acquire). */
void rp_drv_publish(struct rp_drv *d);
/* Full barrier, then: does the device want a kick for what was published? */
bool rp_drv_need_kick(struct rp_drv *d);

/* Next used buffer's token and written bytes, or NULL. */
void *rp_drv_get_used(struct rp_drv *d, u32 *written_bytes);
/* How many used buffers are there to get. */
u32 rp_drv_used_count(struct rp_drv *d);

/*
 * Asks for a call after @k used buffers, counted from the next to get; full
 * barrier; true if they are there already.
 */
bool rp_drv_arm(struct rp_drv *d, u32 k);
/*
 * No calls, please. With EVENT_IDX the event is put as far away as 16 bits
 * allow, and pushed on as used buffers are reclaimed, so that it never fires.
 */
void rp_drv_disarm(struct rp_drv *d);

#endif /* RP_VRING_DRIVER_H */
