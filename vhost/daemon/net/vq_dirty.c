// SPDX-License-Identifier: GPL-2.0-or-later
/* Dirty logging of a virtio-net queue: the pages of its buffers and of its used ring. */
#include "vq_dirty.h"

static void mark(struct vq *v, const void *at, u32 bytes)
{
	dirty_mark_at(v->log, v->dev.mem, &v->log_hint, at, bytes);
}

void vq_dirty_chain(struct vq *v, const struct rp_chain *c, u32 bytes)
{
	const struct rp_seg *s = &c->seg[c->n_out];
	u32 n;

	for (; bytes; bytes -= n, s++) {
		n = s->bytes < bytes ? s->bytes : bytes;
		mark(v, s->base, n);
	}
}

void vq_dirty_burst(struct vq *v, const struct batch *b, u32 from, u32 to,
		    const struct rp_buf *buf)
{
	u32 i;

	for (i = from; i < to; i++)
		if (!b->pkt[i].drop)
			mark(v, (buf++)->base, b->pkt[i].bytes + PACKET_HDR_BYTES);
}

/* A piece of the used ring, which has addresses of its own in the log (QEMU's IOMMU). */
static void mark_used(struct vq *v, const void *at, size_t bytes)
{
	dirty_mark(v->log, v->log_used_gpa + (u64)((const u8 *)at - (u8 *)v->dev.ring.used), bytes);
}

void vq_dirty_state(struct vq *v)
{
	const struct rp_vring *r = &v->dev.ring;

	if (!v->log_used)
		return;
	mark_used(v, r->used, offsetof(struct vring_used, ring));
	mark_used(v, rp_avail_event(r), sizeof(u16));
}

/* Elements from index @from on; they are one piece, or two where the ring begins anew. */
static void mark_elements(struct vq *v, u16 from)
{
	const struct rp_vring *r = &v->dev.ring;
	u32 at = from & (r->num - 1), left = (u16)(v->dev.used_idx - from), n;

	for (; left; left -= n, at = 0) {
		n = left < r->num - at ? left : r->num - at;
		mark_used(v, &r->used->ring[at], n * sizeof(r->used->ring[0]));
	}
}

void vq_dirty_publish(struct vq *v)
{
	if (v->log_used)
		mark_elements(v, v->dev.published);
	rp_dev_publish(&v->dev);
	/* A write like any other: its bit comes after it. */
	vq_dirty_state(v);
}
