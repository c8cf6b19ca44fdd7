/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of a DPDK device as a port's queue, of index 0 to it and 1 from it.
 *
 * From it (TX, as the port's peer sees it): the device writes a frame into memory of DPDK's,
 * which is lent until done(). What a batch could not be given of stays, and goes first next
 * time. To it (RX): a frame is copied into such memory. Segments and checksums that are left
 * to us are left to the device where it can and knows the headers, else they are made on the
 * way. When the device's queue is full the sender waits, and frames are dropped while the
 * link is down.
 *
 * How one waits. From a device with interrupts: for one of them; of the others, and for room,
 * DPDK tells nothing, so a timer that is set when we begin to wait ends it after a part of
 * D_MAX.
 */
#ifndef RINGPACED_ETHDEV_QUEUE_H
#define RINGPACED_ETHDEV_QUEUE_H

#include "ethdev_api.h"
#include "gso.h"
#include "port_ops.h"

/* A batch, and the last packet in segments. */
#define ETHDEV_STAGE	(BATCH_PACKETS + GSO_SEGMENTS_MAX)

struct ethdev_queue {
	struct port_queue q;
	const struct ethdev_api *api;
	struct ethdev *dev;		/* NULL: not open */
	const u64 *dmax_ns;		/* of the port */
	int timer_fd;
	bool interrupts;
	struct ethdev_info info;
	bool full;			/* to it: it did not take all */
	/*
	 * From it: received, [first, first + count) not yet given back. To it: while it
	 * holds up a packet some of whose segments are on their way, the rest of it.
	 */
	void *frame[ETHDEV_STAGE];
	u32 first, count;
};

extern const struct rp_port_ops ethdev_ops;

/* Detached. 0 or -errno; ethdev_queue_fini() undoes it in both cases. */
int ethdev_queue_init(struct ethdev_queue *t, const char *port, u32 index, const u64 *dmax_ns);
void ethdev_queue_fini(struct ethdev_queue *t);
/* The queue begins with @dev, which is the caller's; NULL: it ends, and gives all frames back. */
void ethdev_queue_set(struct ethdev_queue *t, const struct ethdev_api *api, struct ethdev *dev,
		      const struct ethdev_info *info);

#endif /* RINGPACED_ETHDEV_QUEUE_H */
