// SPDX-License-Identifier: GPL-2.0-or-later
/* Deficit round robin. */
#include "drr.h"

void drr_init(struct drr *d, u32 queues)
{
	u32 i;

	memset(d, 0, sizeof(*d));
	d->queues = queues;
	for (i = 0; i < queues; i++)
		d->queue[i].quantum = DRR_UNIT_BYTES;
}

void drr_weigh(struct drr *d, const u16 *weight)
{
	u32 least = DRR_WEIGHT_MAX, i;

	for (i = 0; i < d->queues; i++)
		least = weight[i] < least ? weight[i] : least;
	for (i = 0; i < d->queues; i++)
		d->queue[i].quantum = (u64)weight[i] * DRR_UNIT_BYTES / least;
}

/* The next one that is active behind @at, round and round. There is one. */
static u32 next_active(const struct drr *d, u32 at)
{
	u64 behind = at + 1 < 64 ? d->active >> (at + 1) << (at + 1) : 0;

	return (u32)__builtin_ctzll(behind ? behind : d->active);
}

/* The visit's queue if it can send; false: the visit is over. */
static bool may_send(struct drr *d, drr_head *head, void *ctx)
{
	struct drr_queue *q = &d->queue[d->at];
	u32 bytes = head(ctx, d->at);

	if (bytes && bytes <= q->deficit) {
		q->deficit -= bytes;
		return true;
	}
	if (!bytes) {
		q->deficit = 0;
		d->active &= ~(1ULL << d->at);
	}
	return false;
}

/* Rounds until @q, which could not send @bytes, can. */
static u64 rounds(const struct drr_queue *q, u32 bytes)
{
	return bytes <= q->deficit ? 0 : (bytes - q->deficit + q->quantum - 1) / q->quantum;
}

/* In a whole round nobody could send: all but the last such round are given at once. */
static void skip_rounds(struct drr *d, drr_head *head, void *ctx)
{
	u64 left, least = ~0ULL, n;

	for (left = d->active; left; left &= left - 1) {
		u32 i = (u32)__builtin_ctzll(left);

		n = rounds(&d->queue[i], head(ctx, i));
		least = n < least ? n : least;
	}
	for (left = d->active; least > 1 && left; left &= left - 1) {
		struct drr_queue *q = &d->queue[__builtin_ctzll(left)];

		q->deficit += (least - 1) * q->quantum;
	}
}

/* Goes on with the visits, for at most one round. */
static bool one_round(struct drr *d, drr_head *head, void *ctx)
{
	int left = __builtin_popcountll(d->active) + d->visiting;

	for (; left && d->active; left--) {
		if (!d->visiting) {
			d->at = next_active(d, d->at);
			d->queue[d->at].deficit += d->queue[d->at].quantum;
		}
		d->visiting = may_send(d, head, ctx);
		if (d->visiting)
			return true;
	}
	return false;
}

int drr_next(struct drr *d, drr_head *head, void *ctx)
{
	while (d->active) {
		if (one_round(d, head, ctx))
			return (int)d->at;
		skip_rounds(d, head, ctx);
	}
	return -1;
}
