// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Aligns the guest's counter with the host's, by exchanges over the fwd queue
 * itself (the rule is in the uapi header).
 *
 * Replies are polled for: an interrupt would only widen the error. One that
 * takes long is a bad measurement and no failure, since a busy host may let its
 * backend wait; a backend that never replies costs three seconds and no more.
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "vpc.h"

#define EXCHANGES		32
#define ENOUGH_NS		(500 * NSEC_PER_MSEC)	/* when there is a result */
#define LIMIT_NS		(3 * NSEC_PER_SEC)	/* when there is none */
#define SPIN_NS			(2 * NSEC_PER_MSEC)	/* before giving up the CPU */

/* One request and its reply; the clock slot's data. */
struct exchange {
	struct virtio_pc_item item;
	struct virtio_pc_clock known;
	struct virtio_pc_clock_reply reply;
};

/* Waits until the device gave the clock slot back, or until @limit_ns. */
static bool wait_reply(struct vpc_queue *q, u64 limit_ns)
{
	u64 begin_ns = ktime_get_ns();
	u64 now_ns;

	for (;;) {
		vpc_queue_reclaim(q);
		if (!q->clock.posted)
			return true;
		now_ns = ktime_get_ns();
		if (now_ns > limit_ns || READ_ONCE(q->dev->gone) ||
		    signal_pending(current) || virtqueue_is_broken(q->vq))
			return false;
		if (now_ns - begin_ns > SPIN_NS)
			usleep_range(50, 100);
		else
			cond_resched();
	}
}

static bool send(struct vpc_queue *q, const struct vpc_clock *c, u64 tsc_hz,
		 u64 limit_ns)
{
	struct exchange *x = q->clock.data;
	struct scatterlist out, in;
	struct scatterlist *sgs[] = { &out, &in };

	memset(x, 0, sizeof(*x));
	x->item.flags = cpu_to_le32(VIRTIO_PC_ITEM_CLOCK);
	x->item.bytes = cpu_to_le32(offsetof(struct exchange, reply));
	x->known.offset_tsc = cpu_to_le64((u64)c->offset_tsc);
	x->known.error_tsc = cpu_to_le64(c->error_tsc);
	x->known.tsc_hz = cpu_to_le64(tsc_hz);
	sg_init_one(&out, x, offsetof(struct exchange, reply));
	sg_init_one(&in, &x->reply, sizeof(x->reply));
	vpc_queue_keep_far(q);
	x->item.enq_tsc = cpu_to_le64(rp_tsc());
	if (virtqueue_add_sgs(q->vq, sgs, 1, 1, &q->clock, GFP_KERNEL))
		return false;
	vpc_queue_posted(q, &q->clock);
	/* Always: a host that waits for k_P items would let one lie. */
	virtqueue_kick_prepare(q->vq);
	virtqueue_notify(q->vq);
	return wait_reply(q, limit_ns);
}

/*
 * Keeps the exchange if it is the best so far. The host's numbers are not
 * trusted: more time between its two stamps than between ours is nonsense.
 */
static void judge(const struct exchange *x, u64 t3, struct vpc_clock *c)
{
	u64 t0 = le64_to_cpu(x->item.enq_tsc);
	u64 rx = le64_to_cpu(x->reply.rx_tsc);
	u64 tx = le64_to_cpu(x->reply.tx_tsc);
	u64 error;

	if (!rx || tx - rx > t3 - t0)
		return;
	error = (t3 - t0 - (tx - rx)) / 2;
	if (error >= c->error_tsc)
		return;
	c->error_tsc = error;
	/* The mean of two differences; their own difference is small. */
	c->offset_tsc = (s64)(tx - t3) + (s64)(rx - t0 - (tx - t3)) / 2;
}

static bool ready(struct vpc_queue *q, u64 limit_ns)
{
	if (!vpc_slot_fit(&q->clock, sizeof(struct exchange)))
		return false;
	/* An exchange of an earlier run may still be out. */
	return !q->clock.posted || wait_reply(q, limit_ns);
}

void vpc_clock_exchange(struct vpc_queue *q, u64 tsc_hz, struct vpc_clock *c)
{
	u64 begin_ns = ktime_get_ns();
	u64 limit_ns = begin_ns + LIMIT_NS;
	u32 i;

	c->offset_tsc = 0;
	c->error_tsc = ~0ULL;
	if (!ready(q, limit_ns))
		return;
	for (i = 0; i < EXCHANGES; i++) {
		if (!send(q, c, tsc_hz, limit_ns))
			return;
		judge(q->clock.data, rp_tsc(), c);
		if (c->error_tsc != ~0ULL && ktime_get_ns() - begin_ns > ENOUGH_NS)
			break;
	}
	send(q, c, tsc_hz, limit_ns);
}
