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

/* What the driver knows of one descriptor; the device cannot reach it. */
struct rp_drv_slot {
	void *token;		/* of a head */
	u32 in_bytes;		/* of a head: room in the writable segments */
	u16 len;		/* of a head: descriptors in its chain; 0: not outstanding */
	u16 next;		/* in the chain or in the free list */
};

/*
 * Free descriptors are used again in the order in which they came back. With
 * one descriptor a buffer and a device that completes in order, buffer n then
 * always lands in descriptor and ring entry n % num; what does not change is
 * not written, and only the indices and the payload move between the cores.
 */
struct rp_drv {
	struct rp_vring ring;
	bool event_idx;
	bool armed;
	u16 event_base;		/* last_used when the event was put far away */
	const char *broken;	/* NULL, or why the ring was given up */
	u64 gpa_delta;		/* guest address of a local one, minus it */
	u16 avail_idx;		/* next to publish (shadow, runs ahead of memory) */
	u16 published;		/* what memory says */
	u16 kicked;		/* ->published at the last rp_drv_need_kick() */
	u16 last_used;		/* next used element to read */
	u16 used_seen;		/* used->idx as read last */
	u16 free_head;		/* valid while num_free > 0 */
	u16 free_tail;
	u32 num_free;
	struct rp_drv_slot *slot;	/* num entries */
};

/*
 * Allocates the bookkeeping and clears the rings; the ring starts disarmed.
 * 0, or -ENOMEM, -EINVAL (num is no power of two or over RP_VRING_MAX_NUM, a
 * part is misaligned).
 */
int rp_drv_init(struct rp_drv *d, const struct rp_vring *ring, bool event_idx,
		u64 gpa_delta);
void rp_drv_free(struct rp_drv *d);

/*
 * Adds one buffer: @n_out device-readable segments, then @n_in writable ones,
 * @token not NULL. Not visible to the device before rp_drv_publish(). False if
 * there is no room (or no segment).
 */
bool rp_drv_add(struct rp_drv *d, const struct rp_seg *seg, u32 n_out, u32 n_in,
		void *token);

/*
 * The hot path: rp_drv_add() of a single segment. rp_drv_next() tells which
 * head it will take: a caller with num equal buffers that uses buffer [head]
 * keeps the descriptors constant, also when fewer than num are outstanding.
 */
static inline u16 rp_drv_next(const struct rp_drv *d)
{
	return d->free_head;
}

static inline bool rp_drv_add_one(struct rp_drv *d, void *base, u32 bytes,
				  bool write, void *token)
{
	u16 head = d->free_head;
	struct rp_drv_slot *s = &d->slot[head];
	struct vring_desc *p = &d->ring.desc[head];

	if (unlikely(!d->num_free || d->broken))
		return false;
	rp_store_diff(&p->addr, (u64)(uintptr_t)base + d->gpa_delta);
	rp_store_diff(&p->len, bytes);
	rp_store_diff(&p->flags, write ? VRING_DESC_F_WRITE : 0);
	d->free_head = s->next;
	d->num_free--;
	s->token = token;
	s->in_bytes = write ? bytes : 0;
	s->len = 1;
	rp_store_diff(&d->ring.avail->ring[d->avail_idx & (d->ring.num - 1)], head);
	d->avail_idx++;
	return true;
}

/* Makes what was added visible (release; pairs with the device's acquire). */
void rp_drv_publish(struct rp_drv *d);
/* Full barrier, then: does the device want a kick for what was published? */
bool rp_drv_need_kick(struct rp_drv *d);

/*
 * Does the device still ask for a kick that was due? *@wish tells one such wish
 * from the next, and from the same one after a buffer has come back.
 */
bool rp_drv_owes_kick(const struct rp_drv *d, u32 *wish);

/*
 * Next used buffer's token and written bytes (never more than its writable
 * segments have), or NULL.
 */
void *rp_drv_get_used(struct rp_drv *d, u32 *written_bytes);
/* How many used buffers are there to get. */
u32 rp_drv_used_count(struct rp_drv *d);

/*
 * Asks for a call after @k used buffers, counted from the next to get (fewer
 * when fewer are outstanding; 1 without EVENT_IDX); full barrier; true if they
 * are there already or the ring is broken.
 */
bool rp_drv_arm(struct rp_drv *d, u32 k);
/*
 * No calls, please. With EVENT_IDX the event is put as far away as 16 bits
 * allow, and pushed on as used buffers are reclaimed, so that it never fires.
 */
void rp_drv_disarm(struct rp_drv *d);

#endif /* RP_VRING_DRIVER_H */
