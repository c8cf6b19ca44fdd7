/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets into a virtio-net queue's receive buffers, where one plain buffer will not do. */
#ifndef RINGPACED_VQ_FILL_H
#define RINGPACED_VQ_FILL_H

#include "copy.h"
#include "vq.h"

enum put { PUT_OK, PUT_FULL, PUT_DROP };

/* Where the next byte of a packet is. */
struct cursor {
	const struct rp_seg *seg;
	u32 at;			/* in *seg */
};

static inline void copy_from(struct cursor *c, u8 *to, u32 bytes)
{
	while (bytes) {
		u32 n = c->seg->bytes - c->at;

		n = n < bytes ? n : bytes;
		copy_bytes(to, (const u8 *)c->seg->base + c->at, n);
		to += n;
		bytes -= n;
		c->at += n;
		if (c->at == c->seg->bytes) {
			c->seg++;
			c->at = 0;
		}
	}
}

/* Into buffers of any shape and number. The packet's ->drop says why if it is dropped. */
enum put vq_put_any(struct vq *v, struct packet *p);
/* A packet of which the receiver must get the segments: all of them, or none. */
enum put vq_put_segments(struct vq *v, struct packet *p);

#endif /* RINGPACED_VQ_FILL_H */
