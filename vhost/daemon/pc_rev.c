// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The producer of a rev queue: fills the buffers that the driver has posted.
 *
 * The window. The device does not see the driver reclaim a buffer, only that
 * it posts one again. So what is outstanding is what was posted at most, less
 * what is there now; L is queue_len or the number of buffers that the driver
 * keeps posted, whichever is less.
 */
#include "pc_item.h"
#include "queue.h"

/* Buffers that must stay unused, so that no more than L are outstanding. */
static u32 reserve(struct queue *q, u32 avail)
{
	u32 len = q->party.strategy.params.queue_len;

	if (avail > q->posted)
		q->posted = avail;
	return q->posted > len ? q->posted - len : 0;
}

static u32 room(struct queue *q)
{
	u32 avail = rp_dev_avail(&q->dev);
	u32 keep = reserve(q, avail);

	if (unlikely(q->dev.broken))
		queue_break(q, q->dev.broken);
	return avail > keep ? avail - keep : 0;
}

static bool fill(struct queue *q, u64 now)
{
	struct rp_party *p = &q->party;
	struct virtio_pc_item item = {
		.seq = q->seq,
		.enq_tsc = now,
		.flags = q->first ? VIRTIO_PC_ITEM_FIRST : 0,
		.bytes = q->params.item_bytes,
	};
	struct rp_chain c;

	if (!rp_dev_get(&q->dev, &c)) {
		if (q->dev.broken)
			queue_break(q, q->dev.broken);
		return false;
	}
	if (unlikely(c.in_bytes < item.bytes)) {
		rp_dev_unget(&q->dev, 1);
		queue_break(q, "a buffer that is too small for an item");
		return false;
	}
	chain_write(&c, &item, sizeof(item));
	rp_dev_put(&q->dev, c.head, item.bytes);
	if (unlikely(p->trace) && p->trace->items)
		rp_trace(p->trace, RP_EV_PUBLISH, now, q->seq);
	q->first = false;
	q->seq++;
	q->items_left--;
	return true;
}

static u32 rev_work(struct rp_party *p, u32 max)
{
	struct queue *q = p->ctx;
	u32 n = 0, most = room(q);
	u64 now = rp_tsc();

	most = most < max ? most : max;
	most = most < q->items_left ? most : (u32)q->items_left;
	for (; n < most && !rp_load(&q->pending); n++) {
		/* The work comes first: an item is stamped when it is ready. */
		if (p->w_tsc)
			now = queue_work(q, n ? now : p->now_tsc, p->w_tsc);
		if (!fill(q, now))
			break;
	}
	if (!n)
		return 0;
	rp_dev_publish(&q->dev);
	p->now_tsc = p->w_tsc ? now : rp_tsc();
	if (!q->items_left) {
		rp_store(&q->producing, false);
		rp_store(&q->pending, 1);
	}
	return n;
}

static bool rev_arm(struct rp_party *p, u32 k)
{
	struct queue *q = p->ctx;

	return queue_arm(q, k + reserve(q, 0));
}

const struct rp_ring_ops pc_rev_ops = {
	.work = rev_work,
	.peer_wants = queue_peer_wants,
	.notify = queue_notify,
	.arm = rev_arm,
	.disarm = queue_disarm,
};
