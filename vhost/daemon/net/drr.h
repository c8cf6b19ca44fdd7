/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deficit round robin: which of many queues sends next, so that those that have
 * something to send share the line by their weights, in bytes (Shreedhar and
 * Varghese, Efficient Fair Queuing using Deficit Round Robin, 1995).
 *
 * Theory of operation. Queues are visited round and round. A visit gives the
 * queue a quantum, in proportion to its weight; it sends while what it has been
 * given and not used, its deficit, is enough for its first frame, and keeps the rest
 * for its next visit. A queue that is found empty keeps nothing. So of two queues that
 * are never empty neither gets ahead of the other by more than a quantum and a frame
 * each, whatever the others do and however large the frames are.
 *
 * The queue with the least weight gets DRR_UNIT_BYTES a visit. Where frames are longer
 * than that (GSO), rounds in which nobody can send are skipped by arithmetic: choosing
 * a frame takes at most three looks at each queue that is not empty.
 *
 * There is no clock here, and no thread but the caller's.
 */
#ifndef RINGPACED_DRR_H
#define RINGPACED_DRR_H

#include "rp.h"

#define DRR_QUEUES_MAX	64u
#define DRR_WEIGHT_MAX	10000u
#define DRR_UNIT_BYTES	1518u

struct drr {
	u32 queues;
	u32 at;				/* who is visited, or was last */
	bool visiting;
	u64 active;			/* a bit each: it may have something to send */
	struct drr_queue {
		u64 quantum;
		u64 deficit;
	} queue[DRR_QUEUES_MAX];
};

/* Bytes of the first frame of @queue; 0: it is empty. */
typedef u32 drr_head(void *ctx, u32 queue);

/* All weigh the same. @queues: 1..DRR_QUEUES_MAX. */
void drr_init(struct drr *d, u32 queues);
/* A weight is in 1..DRR_WEIGHT_MAX: nobody starves. */
static inline bool drr_weight_ok(u64 weight)
{
	return weight >= 1 && weight <= DRR_WEIGHT_MAX;
}
/* Each queue's weight, checked; in force from its next visit on. */
void drr_weigh(struct drr *d, const u16 *weight);
/* The queues of these bits are not empty any more. */
static inline void drr_activate(struct drr *d, u64 queues)
{
	d->active |= queues;
}
/* Whose first frame is to be sent, and is accounted for; -1: all are empty. */
int drr_next(struct drr *d, drr_head *head, void *ctx);

#endif /* RINGPACED_DRR_H */
