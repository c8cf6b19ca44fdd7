// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rev, host to guest: the consumer's ring operations.
 *
 * What the host writes is copied once and only counted: no number in it is
 * used as an index or a length.
 */
#include "vpc.h"

static bool repost(struct vpc_run *run, struct vpc_slot *slot)
{
	struct vpc_queue *q = run->q;

	if (!vpc_slot_fit(slot, run->arg.item_bytes)) {
		run->err = -ENOMEM;
		vpc_queue_put_free(q, slot);
		return false;
	}
	if (!vpc_queue_post(q, slot, run->arg.item_bytes, false)) {
		vpc_queue_put_free(q, slot);
		return false;
	}
	return true;
}

/* A run with a smaller window than the last one lets the surplus run out. */
static void give_back(struct vpc_run *run, struct vpc_slot *slot)
{
	if (run->q->inflight < run->arg.queue_len)
		repost(run, slot);
	else
		vpc_queue_put_free(run->q, slot);
}

static bool is_first(const struct vpc_slot *slot, u32 written)
{
	const struct virtio_pc_item *item = slot->data;

	return written >= sizeof(*item) &&
	       le32_to_cpu(READ_ONCE(item->flags)) & VIRTIO_PC_ITEM_FIRST;
}

/*
 * Items of an earlier run that nobody consumed are not this run's. One that
 * starts the numbering is: the host began before us. Then fills the window.
 */
void vpc_rev_begin(struct vpc_run *run)
{
	struct vpc_queue *q = run->q;
	struct vpc_slot *slot;
	u32 i, written;

	for (i = 0; i < q->num; i++) {
		slot = vpc_queue_get(q, &written);
		if (!slot)
			break;
		if (is_first(slot, written)) {
			run->held = slot;
			run->held_bytes = written;
			break;
		}
		vpc_queue_put_free(q, slot);
	}
	while (q->inflight + !!run->held < run->arg.queue_len) {
		slot = vpc_queue_take_free(q);
		if (!slot || !repost(run, slot))
			break;
	}
	virtqueue_kick(q->vq);
}

static struct vpc_slot *next_item(struct vpc_run *run, u32 *written)
{
	struct vpc_slot *slot = run->held;

	if (likely(!slot))
		return vpc_queue_get(run->q, written);
	run->held = NULL;
	*written = run->held_bytes;
	return slot;
}

/* A block ended: how long after the item that ended it was enqueued? */
static void count_wake(struct rp_party *p, u64 woken_tsc, u64 enq_tsc)
{
	s64 d = (s64)(woken_tsc - enq_tsc - (u64)p->clock_offset_tsc);

	if (!p->latency)
		return;		/* the clocks are not aligned */
	p->stats.wake_tsc += d > 0 ? (u64)d : 0;
	p->stats.wakes++;
}

static u32 rev_ready(struct rp_party *p)
{
	struct vpc_run *run = vpc_run_of(p);

	return vpc_queue_pending(run->q) + !!run->held;
}

/* An item that the run never came to is dropped, its buffer is not. */
void vpc_rev_end(struct vpc_run *run)
{
	run->arg.left_items = rev_ready(&run->party);
	if (run->held)
		vpc_queue_put_free(run->q, run->held);
	run->held = NULL;
}

/* @nth of its burst; @woken_tsc: when the burst began. */
static void consume(struct rp_party *p, const struct virtio_pc_item *item,
		    u32 nth, u64 woken_tsc)
{
	u64 seq = le64_to_cpu(item->seq);
	u64 enq_tsc = le64_to_cpu(item->enq_tsc);

	u32 flags = le32_to_cpu(item->flags);

	rp_party_seq(p, seq, flags & VIRTIO_PC_ITEM_FIRST);
	if (unlikely(flags & VIRTIO_PC_ITEM_WAITED))
		rp_party_peer_waited(p);
	if (p->armed_k == nth && p->woken)
		count_wake(p, woken_tsc, enq_tsc);
	if (p->trace->items)
		rp_trace(p->trace, RP_EV_CONSUME, p->now_tsc, seq);
	p->now_tsc = vpc_emulate(p, p->now_tsc);
	rp_party_latency(p, enq_tsc, p->now_tsc);
}

static u32 rev_work(struct rp_party *p, u32 max)
{
	struct vpc_run *run = vpc_run_of(p);
	u64 woken_tsc = p->now_tsc;
	u64 limit_tsc = woken_tsc + rp_ns_to_tsc(&p->clock, VPC_BURST_MAX_NS);
	struct virtio_pc_item item;
	struct vpc_slot *slot;
	u32 n = 0, written;

	if (run->arg.max_items)
		max = min_t(u64, max, run->arg.max_items - p->stats.items);
	while (n < max && p->now_tsc <= limit_tsc) {
		slot = next_item(run, &written);
		if (!slot)
			break;
		if (unlikely(written < sizeof(item))) {
			/* The host completed a buffer without an item in it. */
			run->err = -EIO;
			vpc_queue_put_free(run->q, slot);
			break;
		}
		memcpy(&item, slot->data, sizeof(item));
		consume(p, &item, ++n, woken_tsc);
		give_back(run, slot);
	}
	return n;
}

const struct rp_ring_ops vpc_rev_ops = {
	.work = rev_work,
	.peer_wants = vpc_ring_peer_wants,
	.notify = vpc_ring_notify,
	.arm = vpc_ring_arm,
	.disarm = vpc_ring_disarm,
	.ready = rev_ready,
};
