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

/* Items that share one reading of the counter when they need no work. */
#define BATCH	64u

/* Buffers that must stay unused, so that no more than L are outstanding. */
static u32 reserve(struct queue *q, u32 avail)
{
	u32 len = rp_party_window(&q->party);

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

/*
 * The item for a buffer of @room bytes: smaller than was asked for when the
 * buffer is one that the driver posted for a run with smaller items.
 */
static inline struct virtio_pc_item next_item(struct queue *q, u32 room,
					      u64 now)
{
	u32 bytes = q->params.item_bytes;

	return (struct virtio_pc_item){
		.seq = q->party.next_seq,
		.enq_tsc = now,
		.flags = (q->first ? VIRTIO_PC_ITEM_FIRST : 0) |
			 (rp_party_waited(&q->party) ? VIRTIO_PC_ITEM_WAITED : 0),
		.bytes = bytes < room ? bytes : room,
	};
}

/* The item is written: give the buffer back. */
static inline void put_item(struct queue *q, u16 head, u32 bytes, u64 now)
{
	struct rp_party *p = &q->party;

	rp_dev_put(&q->dev, head, bytes);
	if (unlikely(p->trace) && p->trace->items)
		rp_trace(p->trace, RP_EV_PUBLISH, now, p->next_seq);
	if (unlikely(!q->seq_seen)) {
		rp_store(&q->first_seq, p->next_seq);
		rp_store(&q->seq_seen, true);
	}
	q->first = false;
	rp_store(&p->next_seq, p->next_seq + 1);
	q->items_left--;
}

/* One item, whatever its buffer looks like. False: none, or broken. */
static bool fill(struct queue *q, u64 now)
{
	struct virtio_pc_item item;
	struct rp_chain c;

	if (!rp_dev_get(&q->dev, &c)) {
		if (q->dev.broken)
			queue_break(q, q->dev.broken);
		return false;
	}
	if (unlikely(c.cut || c.in_bytes < VIRTIO_PC_ITEM_MIN_BYTES)) {
		rp_dev_unget(&q->dev, 1);
		queue_break(q, c.cut ? PC_CHAIN_CUT : "a buffer that is too small for an item");
		return false;
	}
	item = next_item(q, c.in_bytes, now);
	chain_write(&c, &item, sizeof(item));
	put_item(q, c.head, item.bytes, now);
	return true;
}

/* Up to BATCH items without work, which share one time stamp. */
static u32 fill_batch(struct queue *q, u32 max, u64 now)
{
	struct virtio_pc_item item;
	struct rp_buf buf[BATCH];
	u32 n, got = rp_dev_get_burst(&q->dev, buf, max < BATCH ? max : BATCH);

	for (n = 0; n < got; n++) {
		if (unlikely(!buf[n].write ||
			     buf[n].bytes < VIRTIO_PC_ITEM_MIN_BYTES))
			break;
		item = next_item(q, buf[n].bytes, now);
		memcpy(buf[n].base, &item, sizeof(item));
		put_item(q, buf[n].head, item.bytes, now);
	}
	if (unlikely(n < got))
		rp_dev_unget(&q->dev, got - n);
	return n ? n : fill(q, now);
}

static u32 work_all(struct queue *q, u32 max)
{
	struct rp_party *p = &q->party;
	u64 now = p->now_tsc;
	u32 n = 0, got;

	do {
		/* The work comes first: an item is stamped when it is ready. */
		now = p->w_tsc ? queue_work(q, now, rp_party_work_tsc(p)) : rp_tsc();
		got = p->w_tsc ? fill(q, now) : fill_batch(q, max - n, now);
		n += got;
	} while (got && n < max && !rp_load(&q->pending));
	if (n)
		p->now_tsc = p->w_tsc ? now : rp_tsc();
	return n;
}

static u32 rev_work(struct rp_party *p, u32 max)
{
	struct queue *q = p->ctx;
	u32 n, most = room(q);

	most = most < max ? most : max;
	most = most < q->items_left ? most : (u32)q->items_left;
	n = most ? work_all(q, most) : 0;
	if (!n)
		return 0;
	rp_dev_publish(&q->dev);
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

static u32 rev_ready(struct rp_party *p)
{
	return room(p->ctx);
}

static bool rev_owed(struct rp_party *p, u32 *wish)
{
	struct queue *q = p->ctx;

	return rp_dev_owes_call(&q->dev, wish);
}

const struct rp_ring_ops pc_rev_ops = {
	.work = rev_work,
	.peer_wants = queue_peer_wants,
	.notify = queue_notify,
	.arm = rev_arm,
	.disarm = queue_disarm,
	.ready = rev_ready,
	.owed = rev_owed,
};
