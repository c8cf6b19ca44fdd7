/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a thread that moves packets does for a capture: one look a batch when there is none. */
#ifndef RINGPACED_CAPTURE_HOOK_H
#define RINGPACED_CAPTURE_HOOK_H

#include "capture/ring.h"
#include "net/port_ops.h"

/* Copies the front of packets @from to @end - 1; their drop reasons are final. */
void capture_batch(struct capture_writer *w, const struct batch *b, u32 from, u32 end);

/* By the thread that has the queue, while the batch's memory is valid. */
static inline void capture_hook(const struct port_queue *q, const struct batch *b, u32 from,
				u32 end)
{
	/* Pairs with the release where a capture begins: the ring is ready. */
	struct capture_writer *w = rp_load_acquire(&q->capture);

	if (unlikely(w))
		capture_batch(w, b, from, end);
}

#endif /* RINGPACED_CAPTURE_HOOK_H */
