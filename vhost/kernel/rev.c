// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The producer of a rev queue: fills the buffers that the driver has posted.
 *
 * The window. The device does not see the driver reclaim a buffer, only that
 * it posts one again. So what is outstanding is what was posted at most, less
 * what is there now; L is queue_len or the number of buffers that the driver
 * keeps posted, whichever is less.
 */
#include "vhpc.h"

/* Buffers that must stay unused, so that no more than L are outstanding. */
static u32 reserve(struct vhpc_queue *q, u32 avail)
{
	u32 len = rp_party_window(&q->party);

	q->posted = max(q->posted, avail);
	return q->posted > len ? q->posted - len : 0;
}

static u32 room(struct vhpc_queue *q)
{
	u32 avail = vhpc_avail(q);
	u32 keep = reserve(q, avail);

	return avail > keep ? avail - keep : 0;
}

/* The item is written and counted: only its place in the ring is left. */
static void note_sent(struct vhpc_queue *q)
{
	struct rp_party *p = &q->party;

	if (unlikely(p->trace) && p->trace->items)
		rp_trace(p->trace, RP_EV_PUBLISH, p->now_tsc, p->next_seq);
	if (unlikely(!q->seq_seen)) {
		WRITE_ONCE(q->first_seq, p->next_seq);
		WRITE_ONCE(q->seq_seen, true);
	}
	q->first = false;
	WRITE_ONCE(p->next_seq, p->next_seq + 1);
	q->items_left--;
}

/* One item in a buffer of any shape. False: none, or broken. */
static bool produce(struct vhpc_queue *q)
{
	struct rp_party *p = &q->party;
	u32 out, in, log_num;
	size_t bytes;
	struct virtio_pc_item item;
	int head;

	/* The work comes first: an item is stamped when it is ready. */
	p->now_tsc = vhpc_emulate(q, p->now_tsc);
	head = vhpc_get(q, &out, &in, &log_num);
	if (head < 0)
		return false;
	/* The driver may have posted the buffer for a run with smaller items. */
	bytes = min_t(size_t, q->params.item_bytes,
		      iov_length(q->vq.iov + out, in));
	item.seq = cpu_to_le64(p->next_seq);
	item.enq_tsc = cpu_to_le64(p->now_tsc);
	item.flags = cpu_to_le32((q->first ? VIRTIO_PC_ITEM_FIRST : 0) |
				 (rp_party_waited(p) ? VIRTIO_PC_ITEM_WAITED : 0));
	item.bytes = cpu_to_le32(bytes);
	if (bytes < VIRTIO_PC_ITEM_MIN_BYTES)
		vhpc_break(q, "a buffer that is too small for an item");
	else if (vhpc_write(q, out, in, log_num, &item, sizeof(item)))
		goto sent;
	vhpc_unget(q);
	return false;
sent:
	vhpc_put(q, head, bytes);
	note_sent(q);
	return true;
}

static u32 rev_work(struct rp_party *p, u32 max)
{
	struct vhpc_queue *q = p->ctx;
	u64 limit_tsc = p->now_tsc + rp_ns_to_tsc(&p->clock, VHPC_BURST_MAX_NS);
	u32 n = 0;

	max = min_t(u64, min(max, room(q)), q->items_left);
	while (n < max && produce(q)) {
		n++;
		if (p->now_tsc > limit_tsc || vhpc_wanted(q))
			break;
	}
	vhpc_publish(q);
	return n;
}

static bool rev_arm(struct rp_party *p, u32 k)
{
	struct vhpc_queue *q = p->ctx;

	return vhpc_arm(q, k + reserve(q, 0));
}

static u32 rev_ready(struct rp_party *p)
{
	return room(p->ctx);
}

const struct rp_ring_ops vhpc_rev_ops = {
	.work = rev_work,
	.peer_wants = vhpc_peer_wants,
	.notify = vhpc_notify,
	.arm = rev_arm,
	.disarm = vhpc_disarm,
	.ready = rev_ready,
	.owed = vhpc_owed,
};
