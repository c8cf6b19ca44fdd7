// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The consumer of a fwd queue: takes the items that the driver sends, checks
 * their numbers, does their work and measures their latency.
 */
#include "pc_item.h"
#include "queue.h"

/* Items that share one reading of the counter when they need no work. */
#define BATCH		64u
#define KNOWN_FLAGS	(VIRTIO_PC_ITEM_FIRST | VIRTIO_PC_ITEM_CLOCK | \
			 VIRTIO_PC_ITEM_WAITED)

enum take {
	TAKE_ITEM,
	TAKE_CLOCK,
	TAKE_NONE,	/* empty, or broken */
};

/* NULL, or what is wrong with an item in a buffer of @buf_bytes. */
static inline const char *check(const struct queue *q,
				const struct virtio_pc_item *item, u32 buf_bytes)
{
	if (unlikely(item->bytes < sizeof(*item) || item->bytes > buf_bytes))
		return "an item whose size is not its buffer's";
	if (unlikely(item->bytes > q->item_max_bytes))
		return "an item larger than item_max_bytes";
	if (unlikely(item->flags & ~KNOWN_FLAGS))
		return "an item with unknown flags";
	return NULL;
}

/* The checks are on the copy: the compiler must not read the original again. */
static inline void pin_copy(struct virtio_pc_item *item)
{
	__asm__ __volatile__("" : "+m"(*item));
}

/* Takes a buffer of any shape; @item is a copy of its head. */
static enum take take(struct queue *q, struct rp_chain *c,
		      struct virtio_pc_item *item)
{
	const char *why = "an item that is shorter than its head";

	if (!rp_dev_get(&q->dev, c)) {
		if (unlikely(q->dev.broken))
			queue_break(q, q->dev.broken);
		return TAKE_NONE;
	}
	if (unlikely(c->cut)) {
		why = PC_CHAIN_CUT;
	} else if (likely(c->out_bytes >= sizeof(*item))) {
		chain_read(c, 0, item, sizeof(*item));
		pin_copy(item);
		why = check(q, item, c->out_bytes);
	}
	if (likely(!why))
		return unlikely(item->flags & VIRTIO_PC_ITEM_CLOCK) ?
			TAKE_CLOCK : TAKE_ITEM;
	rp_dev_unget(&q->dev, 1);
	queue_break(q, why);
	return TAKE_NONE;
}

/*
 * A clock exchange: what the driver knows so far comes in, our counter goes
 * out. The driver may tell nonsense; that spoils its own statistics only.
 */
static void exchange_clocks(struct queue *q, const struct rp_chain *c)
{
	struct rp_party *p = &q->party;
	struct virtio_pc_clock_reply reply = {
		.rx_tsc = rp_tsc(),
		.tsc_hz = p->clock.tsc_hz,
	};
	struct virtio_pc_clock told;
	u32 written = 0;

	if (c->out_bytes >= sizeof(struct virtio_pc_item) + sizeof(told)) {
		chain_read(c, sizeof(struct virtio_pc_item), &told, sizeof(told));
		if (told.error_tsc <= INT64_MAX) {	/* ~0: nothing known */
			rp_store(&p->clock_offset_tsc, (s64)told.offset_tsc);
			rp_store(&q->clock_error_tsc, told.error_tsc);
			rp_store(&q->clock_known, true);
		}
	}
	if (c->in_bytes >= sizeof(reply)) {
		reply.tx_tsc = rp_tsc();
		chain_write(c, &reply, sizeof(reply));
		written = sizeof(reply);
	}
	rp_dev_put(&q->dev, c->head, written);
	rp_dev_publish(&q->dev);
	/* Not an item, so the party's loop does not see it: call from here. */
	if (rp_dev_need_call(&q->dev))
		queue_call(q);
	p->woken = false;
}

/* Notes the number of an item; false numbering is the driver's loss. */
static inline void note_seq(struct queue *q, const struct virtio_pc_item *item)
{
	bool first = item->flags & VIRTIO_PC_ITEM_FIRST;

	rp_party_seq(&q->party, item->seq, first);
	if (unlikely(item->flags & VIRTIO_PC_ITEM_WAITED))
		rp_party_peer_waited(&q->party);
	if (unlikely(first || !q->seq_seen)) {
		rp_store(&q->first_seq, item->seq);
		rp_store(&q->seq_seen, true);
	}
}

/* The item that the last kick was sent for: how long until we woke? */
static void note_wake(struct queue *q, u64 enq_tsc)
{
	struct rp_party *p = &q->party;
	s64 took;

	if (--q->wake_left)
		return;
	took = (s64)(q->wake_at_tsc - enq_tsc - (u64)p->clock_offset_tsc);
	rp_add(&p->stats.wake_tsc, took > 0 ? (u64)took : 0);
	rp_add(&p->stats.wakes, 1);
}

static inline void note_item(struct queue *q, u64 seq, u64 enq_tsc, u64 now)
{
	struct rp_party *p = &q->party;

	if (unlikely(q->wake_left))
		note_wake(q, enq_tsc);
	rp_party_latency(p, enq_tsc, now);
	if (unlikely(p->trace) && p->trace->items)
		rp_trace(p->trace, RP_EV_CONSUME, now, seq);
}

/*
 * The next item, whatever its buffer looks like; clock exchanges on the way.
 * A guest that sends nothing but exchanges must not keep us from our orders.
 */
static bool next_item(struct queue *q, struct virtio_pc_item *item, u16 *head)
{
	struct rp_chain c;
	enum take t;

	while ((t = take(q, &c, item)) == TAKE_CLOCK) {
		exchange_clocks(q, &c);
		if (rp_load(&q->pending))
			return false;
	}
	*head = c.head;
	return t == TAKE_ITEM;
}

/* One item that takes w_tsc. */
static u32 work_one(struct queue *q)
{
	struct rp_party *p = &q->party;
	struct virtio_pc_item item;
	u16 head;

	if (!next_item(q, &item, &head))
		return 0;
	note_seq(q, &item);
	p->now_tsc = queue_work(q, p->now_tsc, rp_party_work_tsc(p));
	note_item(q, item.seq, item.enq_tsc, p->now_tsc);
	rp_dev_put(&q->dev, head, 0);
	return 1;
}

/* Is it an item like most: a whole one, in one buffer, nothing special? */
static inline bool copy_plain(const struct queue *q, const struct rp_buf *b,
			      struct virtio_pc_item *item)
{
	if (unlikely(b->write || b->bytes < sizeof(*item)))
		return false;
	memcpy(item, b->base, sizeof(*item));
	pin_copy(item);
	return likely(!(item->flags & VIRTIO_PC_ITEM_CLOCK) &&
		      !check(q, item, b->bytes));
}

/* Up to BATCH items without work: one reading of the counter for all. */
static u32 work_batch(struct queue *q, u32 max)
{
	struct virtio_pc_item item;
	struct rp_buf buf[BATCH];
	u64 enq_tsc[BATCH], seq[BATCH], now;
	u32 i, n, got = rp_dev_get_burst(&q->dev, buf, max);

	for (n = 0; n < got && copy_plain(q, &buf[n], &item); n++) {
		note_seq(q, &item);
		seq[n] = item.seq;
		enq_tsc[n] = item.enq_tsc;
		rp_dev_put(&q->dev, buf[n].head, 0);
	}
	if (unlikely(n < got))
		rp_dev_unget(&q->dev, got - n);
	if (!n)
		return work_one(q);
	now = rp_tsc();
	for (i = 0; i < n; i++)
		note_item(q, seq[i], enq_tsc[i], now);
	q->party.now_tsc = now;
	return n;
}

static u32 fwd_work(struct rp_party *p, u32 max)
{
	struct queue *q = p->ctx;
	u32 n = 0, got, want;

	if (unlikely(p->woken && p->armed_k)) {
		q->wake_left = p->armed_k;
		q->wake_at_tsc = p->now_tsc;
	}
	do {
		want = max - n < BATCH ? max - n : BATCH;
		got = p->w_tsc ? work_one(q) : work_batch(q, want);
		n += got;
	} while (got && n < max && !rp_load(&q->pending));
	if (n)
		rp_dev_publish(&q->dev);
	return n;
}

static bool fwd_arm(struct rp_party *p, u32 k)
{
	return queue_arm(p->ctx, k);
}

static u32 fwd_ready(struct rp_party *p)
{
	struct queue *q = p->ctx;

	return rp_dev_avail(&q->dev);
}

const struct rp_ring_ops pc_fwd_ops = {
	.work = fwd_work,
	.peer_wants = queue_peer_wants,
	.notify = queue_notify,
	.arm = fwd_arm,
	.disarm = queue_disarm,
	.ready = fwd_ready,
};
