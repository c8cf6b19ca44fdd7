/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a queue's ring is: what the vhost-user session tells a device's queue. */
#ifndef RINGPACED_QUEUE_RING_H
#define RINGPACED_QUEUE_RING_H

#include "dirty.h"

/* Holds until the session says otherwise; everything in it is the session's. */
struct queue_ring {
	struct rp_vring vring;
	const struct rp_mem *mem;
	bool event_idx;
	u16 resume_idx;
	int kick_fd;
	int call_fd;		/* -1: the driver polls */
	int err_fd;		/* -1: none */
	/* Guest pages that are written are to be marked; NULL: nobody wants to know. */
	const struct dirty_log *log;
	bool log_used;		/* the used ring, too, as if it were at ->log_used_gpa */
	u64 log_used_gpa;
};

#endif /* RINGPACED_QUEUE_RING_H */
