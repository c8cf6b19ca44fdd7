// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Aligns the guest's counter with the host's, by exchanges over the fwd queue
 * itself (the rule is in the uapi header).
 *
 * Replies are polled for: an interrupt would only widen the error. Everything
 * is bounded, so that a dead backend costs a fifth of a second and no more.
 */
#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "vpc.h"

#define EXCHANGES		32
#define ONE_NS			(200 * NSEC_PER_MSEC)	/* for one reply */
#define ALL_NS			(500 * NSEC_PER_MSEC)	/* for all of them */
#define SPIN_NS			(2 * NSEC_PER_MSEC)	/* before giving up the CPU */

/* One request and its reply; the clock slot's data. */
struct exchange {
	struct virtio_pc_item item;
	struct virtio_pc_clock known;
	struct virtio_pc_clock_reply reply;
};

/* Waits until the device gave the clock slot back. */
static bool wait_reply(struct vpc_queue *q)
{
	u64 begin_ns = ktime_get_ns();
	u64 took_ns;

	for (;;) {
		vpc_queue_reclaim(q);
		if (!q->clock.posted)
			return true;
		took_ns = ktime_get_ns() - begin_ns;
		if (took_ns > ONE_NS || READ_ONCE(q->dev->gone) ||
		    signal_pending(current) || virtqueue_is_broken(q->vq))
			return false;
		if (took_ns > SPIN_NS)
			usleep_range(50, 100);
		else
			cond_resched();
	}
}

static bool send(struct vpc_queue *q, const struct vpc_clock *c, u64 tsc_hz)
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
	x->item.enq_tsc = cpu_to_le64(rp_tsc());
	if (virtqueue_add_sgs(q->vq, sgs, 1, 1, &q->clock, GFP_KERNEL))
		return false;
	vpc_queue_posted(q, &q->clock);
	virtqueue_kick(q->vq);
	return wait_reply(q);
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

static bool ready(struct vpc_queue *q)
{
	if (!vpc_slot_fit(&q->clock, sizeof(struct exchange)))
		return false;
	/* An exchange of an earlier run may still be out. */
	return !q->clock.posted || wait_reply(q);
}

void vpc_clock_exchange(struct vpc_queue *q, u64 tsc_hz, struct vpc_clock *c)
{
	u64 begin_ns = ktime_get_ns();
	u32 i;

	c->offset_tsc = 0;
	c->error_tsc = ~0ULL;
	if (!ready(q))
		return;
	for (i = 0; i < EXCHANGES; i++) {
		if (!send(q, c, tsc_hz))
			return;
		judge(q->clock.data, rp_tsc(), c);
		if (ktime_get_ns() - begin_ns > ALL_NS)
			break;
	}
	send(q, c, tsc_hz);
}
