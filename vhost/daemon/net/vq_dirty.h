/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a virtio-net queue writes into its guest's memory, marked in the dirty log
 * (dirty.h says in what order). Off, that is a branch a batch. Of the thread that
 * has the queue.
 */
#ifndef RINGPACED_VQ_DIRTY_H
#define RINGPACED_VQ_DIRTY_H

#include "vq.h"

static inline bool vq_logs(const struct vq *v)
{
	return unlikely(v->log != NULL);
}

/* The first @bytes of a chain's writable part. */
void vq_dirty_chain(struct vq *v, const struct rp_chain *c, u32 bytes);
/* Packets @from..@to of @b, but those that were dropped, are in @buf, one in each. */
void vq_dirty_burst(struct vq *v, const struct batch *b, u32 from, u32 to,
		    const struct rp_buf *buf);
/* As rp_dev_publish(), with the marks. */
void vq_dirty_publish(struct vq *v);
/* The used ring's flags, index and event: after rp_dev_arm() and the like. */
void vq_dirty_state(struct vq *v);

#endif /* RINGPACED_VQ_DIRTY_H */
