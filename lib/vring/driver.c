// SPDX-License-Identifier: GPL-2.0-or-later
/* Driver side of a split virtqueue (virtio 1.2, sec. 2.7). */
#include "vring/driver.h"

#include <errno.h>
#include <stdlib.h>

static bool ring_ok(const struct rp_vring *r)
{
	return r->num && r->num <= RP_VRING_MAX_NUM && !(r->num & (r->num - 1)) &&
	       !((uintptr_t)r->desc % VRING_DESC_ALIGN_SIZE) &&
	       !((uintptr_t)r->avail % VRING_AVAIL_ALIGN_SIZE) &&
	       !((uintptr_t)r->used % VRING_USED_ALIGN_SIZE);
}

int rp_drv_init(struct rp_drv *d, const struct rp_vring *ring, bool event_idx,
		u64 gpa_delta)
{
	u32 i;

	memset(d, 0, sizeof(*d));
	if (!ring_ok(ring))
		return -EINVAL;
	d->slot = calloc(ring->num, sizeof(*d->slot));
	if (!d->slot)
		return -ENOMEM;
	d->ring = *ring;
	d->event_idx = event_idx;
	d->gpa_delta = gpa_delta;
	d->num_free = ring->num;
	d->free_tail = (u16)(ring->num - 1);
	for (i = 0; i < ring->num; i++)
		d->slot[i].next = (u16)(i + 1);
	memset(ring->desc, 0, rp_vring_desc_bytes(ring->num));
	memset(ring->avail, 0, rp_vring_avail_bytes(ring->num));
	memset(ring->used, 0, rp_vring_used_bytes(ring->num));
	rp_drv_disarm(d);
	return 0;
}

void rp_drv_free(struct rp_drv *d)
{
	free(d->slot);
	d->slot = NULL;
}

static void set_broken(struct rp_drv *d, const char *why)
{
	d->broken = why;
	d->used_seen = d->last_used;
}

static void set_desc(struct rp_drv *d, u16 i, const struct rp_seg *seg,
		     u16 flags)
{
	struct vring_desc *p = &d->ring.desc[i];

	rp_store_diff(&p->addr, (u64)(uintptr_t)seg->base + d->gpa_delta);
	rp_store_diff(&p->len, seg->bytes);
	rp_store_diff(&p->flags, flags);
	if (flags & VRING_DESC_F_NEXT)
		rp_store_diff(&p->next, d->slot[i].next);
}

bool rp_drv_add(struct rp_drv *d, const struct rp_seg *seg, u32 n_out, u32 n_in,
		void *token)
{
	u32 n = n_out + n_in, k, in_bytes = 0;
	u16 head = d->free_head, i = head, last = head;

	if (unlikely(!n || n > d->num_free || d->broken))
		return false;
	for (k = 0; k < n; k++) {
		u16 flags = k + 1 < n ? VRING_DESC_F_NEXT : 0;

		if (k >= n_out) {
			flags |= VRING_DESC_F_WRITE;
			in_bytes += seg[k].bytes;
		}
		set_desc(d, i, &seg[k], flags);
		last = i;
		i = d->slot[i].next;
	}
	d->free_head = d->slot[last].next;
	d->num_free -= n;
	d->slot[head].token = token;
	d->slot[head].in_bytes = in_bytes;
	d->slot[head].len = (u16)n;
	rp_store_diff(&d->ring.avail->ring[d->avail_idx & (d->ring.num - 1)], head);
	d->avail_idx++;
	return true;
}

static void put_event_far(struct rp_drv *d)
{
	d->event_base = d->last_used;
	rp_store(rp_used_event(&d->ring), rp_event_far(d->last_used));
}

void rp_drv_publish(struct rp_drv *d)
{
	if (d->event_idx && !d->armed &&
	    unlikely(rp_event_stale(d->event_base, d->last_used, d->ring.num)))
		put_event_far(d);
	/* Pairs with the device's acquire of avail->idx: entries before index. */
	rp_store_release(&d->ring.avail->idx, d->avail_idx);
	d->published = d->avail_idx;
}

bool rp_drv_need_kick(struct rp_drv *d)
{
	u16 old = d->kicked;

	/*
	 * Index before event: pairs with the barrier in the device's arm, which
	 * is between its store of the event and its second look at the index.
	 */
	rp_mb();
	d->kicked = d->published;
	if (d->published == old || d->broken)
		return false;
	if (d->event_idx)
		return rp_need_event(rp_load(rp_avail_event(&d->ring)),
				     d->published, old);
	return !(rp_load(&d->ring.used->flags) & VRING_USED_F_NO_NOTIFY);
}

bool rp_drv_owes_kick(const struct rp_drv *d, u32 *wish)
{
	u16 used = rp_load(&d->ring.used->idx), event;

	if (d->broken || used == d->published)
		return false;
	*wish = used;
	if (!d->event_idx)
		return !(rp_load(&d->ring.used->flags) & VRING_USED_F_NO_NOTIFY);
	event = rp_load(rp_avail_event(&d->ring));
	*wish |= (u32)event << 16;
	return rp_event_due(event, d->published, d->ring.num);
}

u32 rp_drv_used_count(struct rp_drv *d)
{
	u16 idx, n;

	if (unlikely(d->broken))
		return 0;
	/* Pairs with the device's release of used->idx: index before elements. */
	idx = rp_load_acquire(&d->ring.used->idx);
	n = (u16)(idx - d->last_used);
	if (unlikely(n > (u16)(d->published - d->last_used))) {
		set_broken(d, "used index runs ahead of what is outstanding");
		return 0;
	}
	d->used_seen = idx;
	return n;
}

/* Appends the chain headed by @head to the free list. */
static void free_chain(struct rp_drv *d, u16 head)
{
	struct rp_drv_slot *s = &d->slot[head];
	u16 n = s->len, last = head;

	if (d->num_free)
		d->slot[d->free_tail].next = head;
	else
		d->free_head = head;
	d->num_free += n;
	s->len = 0;
	while (--n)
		last = d->slot[last].next;
	d->free_tail = last;
}

void *rp_drv_get_used(struct rp_drv *d, u32 *written_bytes)
{
	const struct vring_used_elem *e;
	u32 id, len;

	if (d->last_used == d->used_seen && !rp_drv_used_count(d))
		return NULL;
	e = &d->ring.used->ring[d->last_used & (d->ring.num - 1)];
	id = rp_load(&e->id);
	len = rp_load(&e->len);
	if (unlikely(id >= d->ring.num || !d->slot[id].len)) {
		set_broken(d, "used id is not outstanding");
		return NULL;
	}
	*written_bytes = len < d->slot[id].in_bytes ? len : d->slot[id].in_bytes;
	free_chain(d, (u16)id);
	d->last_used++;
	return d->slot[id].token;
}

bool rp_drv_arm(struct rp_drv *d, u32 k)
{
	u32 most = (u16)(d->published - d->last_used);

	/* Without EVENT_IDX there are no thresholds. */
	k = k < most ? k : most;
	k = k && d->event_idx ? k : 1;
	d->armed = true;
	if (d->event_idx)
		rp_store(rp_used_event(&d->ring), (u16)(d->last_used + k - 1));
	else
		rp_store(&d->ring.avail->flags, 0);
	/* Event before index: pairs with the barrier in the device's need_call. */
	rp_mb();
	return rp_drv_used_count(d) >= k || d->broken;
}

void rp_drv_disarm(struct rp_drv *d)
{
	d->armed = false;
	if (d->event_idx)
		put_event_far(d);
	else
		rp_store(&d->ring.avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
}
