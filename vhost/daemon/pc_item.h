/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes to and from a buffer, whose pieces are as the driver has cut them. */
#ifndef RINGPACED_PC_ITEM_H
#define RINGPACED_PC_ITEM_H

#include "virtio_pc.h"
#include "vring/device.h"

/* Copies the readable bytes [@at, @at + @bytes), which must exist. */
static inline void chain_read(const struct rp_chain *c, u32 at, void *to, u32 bytes)
{
	const struct rp_seg *s = c->seg;
	u8 *out = to;
	u32 n;

	for (; bytes; s++) {
		if (at >= s->bytes) {
			at -= s->bytes;
			continue;
		}
		n = s->bytes - at < bytes ? s->bytes - at : bytes;
		memcpy(out, (u8 *)s->base + at, n);
		out += n;
		bytes -= n;
		at = 0;
	}
}

/* Writes the first @bytes of the writable part, which must exist. */
static inline void chain_write(const struct rp_chain *c, const void *from, u32 bytes)
{
	const struct rp_seg *s = &c->seg[c->n_out];
	const u8 *in = from;
	u32 n;

	for (; bytes; s++) {
		n = s->bytes < bytes ? s->bytes : bytes;
		memcpy(s->base, in, n);
		in += n;
		bytes -= n;
	}
}

/* Of an item all must be there: see struct rp_chain. */
#define PC_CHAIN_CUT	"chain loops, or is longer than is taken"

#endif /* RINGPACED_PC_ITEM_H */
