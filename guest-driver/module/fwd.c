// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fwd, guest to host: the producer's ring operations.
 *
 * The virtio core makes each buffer visible as it is added, so a burst here is
 * what is published between two looks at whether the host wants a kick.
 */
#include "vpc.h"

static void fill(struct vpc_run *run, struct vpc_slot *slot, u64 now_tsc)
{
	struct virtio_pc_item *item = slot->data;

	item->seq = cpu_to_le64(run->seq);
	item->enq_tsc = cpu_to_le64(now_tsc);
	item->flags = cpu_to_le32((run->seq ? 0 : VIRTIO_PC_ITEM_FIRST) |
				  (rp_party_waited(&run->party) ? VIRTIO_PC_ITEM_WAITED : 0));
	item->bytes = cpu_to_le32(run->arg.item_bytes);
}

/* The window's room, in items; bounded by what the run may still send. */
static u32 room(const struct vpc_run *run, u32 max)
{
	u32 window = rp_party_window(&run->party);
	u32 free = window - min(run->q->own, window);

	if (run->arg.max_items)
		max = min_t(u64, max, run->arg.max_items - run->seq);
	return min(max, free);
}

static bool produce(struct vpc_run *run)
{
	struct vpc_queue *q = run->q;
	struct rp_party *p = &run->party;
	struct vpc_slot *slot = vpc_queue_take_free(q);

	if (!slot)
		return false;
	if (!vpc_slot_fit(slot, run->arg.item_bytes)) {
		run->err = -ENOMEM;
		goto put;
	}
	p->now_tsc = vpc_emulate(p, p->now_tsc);
	fill(run, slot, p->now_tsc);
	if (!vpc_queue_post(q, slot, run->arg.item_bytes, true))
		goto put;
	if (p->trace->items)
		rp_trace(p->trace, RP_EV_PUBLISH, p->now_tsc, run->seq);
	run->seq++;
	return true;
put:
	vpc_queue_put_free(q, slot);
	return false;
}

static u32 fwd_work(struct rp_party *p, u32 max)
{
	struct vpc_run *run = vpc_run_of(p);
	u64 limit_tsc = p->now_tsc + rp_ns_to_tsc(&p->clock, VPC_BURST_MAX_NS);
	u32 n;

	vpc_queue_reclaim(run->q);
	max = room(run, max);
	for (n = 0; n < max && produce(run); n++)
		if (p->now_tsc > limit_tsc) {
			n++;
			break;
		}
	return n;
}

static u32 fwd_ready(struct rp_party *p)
{
	struct vpc_run *run = vpc_run_of(p);

	vpc_queue_reclaim(run->q);
	return room(run, run->arg.queue_len);
}

static bool fwd_owed(struct rp_party *p, u32 *wish)
{
	return vpc_queue_owes_kick(vpc_run_of(p)->q, wish);
}

const struct rp_ring_ops vpc_fwd_ops = {
	.work = fwd_work,
	.peer_wants = vpc_ring_peer_wants,
	.notify = vpc_ring_notify,
	.arm = vpc_ring_arm,
	.disarm = vpc_ring_disarm,
	.ready = fwd_ready,
	.owed = fwd_owed,
};
