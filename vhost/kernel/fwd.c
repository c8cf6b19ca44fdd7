// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The consumer of a fwd queue: takes the items that the driver sends, checks
 * their numbers, does their work and measures their latency.
 */
#include "vhpc.h"

#define KNOWN_FLAGS	(VIRTIO_PC_ITEM_FIRST | VIRTIO_PC_ITEM_CLOCK | \
			 VIRTIO_PC_ITEM_WAITED)

/* Clock exchanges in a row: our driver sends 32, one at a time. */
#define EXCHANGES_MAX	64

/* An item's head in host byte order: a private copy, checked. */
struct item {
	u64 seq;
	u64 enq_tsc;
	u32 flags;
	int head;	/* of its buffer */
};

/* What is wrong with an item in a buffer of @buf_bytes, or NULL. */
static const char *check(const struct virtio_pc_item *raw, size_t buf_bytes)
{
	u32 bytes = le32_to_cpu(raw->bytes);

	if (bytes < sizeof(*raw) || bytes > buf_bytes)
		return "an item whose size is not its buffer's";
	if (bytes > VIRTIO_PC_ITEM_MAX_BYTES)
		return "an item that is too large";
	if (le32_to_cpu(raw->flags) & ~KNOWN_FLAGS)
		return "an item with unknown flags";
	return NULL;
}

/* A buffer of any shape. False: it has no item, and the ring is broken. */
static bool read_item(struct vhpc_queue *q, u32 out, struct item *item)
{
	size_t buf_bytes = iov_length(q->vq.iov, out);
	struct virtio_pc_item raw;
	const char *why = "an item that is shorter than its head";

	if (buf_bytes >= sizeof(raw)) {
		if (!vhpc_read(q, out, 0, &raw, sizeof(raw)))
			return false;
		why = check(&raw, buf_bytes);
	}
	if (why) {
		vhpc_break(q, why);
		return false;
	}
	item->seq = le64_to_cpu(raw.seq);
	item->enq_tsc = le64_to_cpu(raw.enq_tsc);
	item->flags = le32_to_cpu(raw.flags);
	return true;
}

/* What the driver tells may be nonsense; that spoils its own statistics only. */
static void note_clock(struct vhpc_queue *q, const struct virtio_pc_clock *told)
{
	u64 error_tsc = le64_to_cpu(told->error_tsc);

	if (error_tsc > S64_MAX)
		return;		/* it knows nothing yet */
	WRITE_ONCE(q->party.clock_offset_tsc, (s64)le64_to_cpu(told->offset_tsc));
	WRITE_ONCE(q->clock_error_tsc, error_tsc);
}

/* A clock exchange: what the driver knows comes in, our counter goes out. */
static bool exchange_clocks(struct vhpc_queue *q, const struct item *item,
			    u32 out, u32 in, u32 log_num)
{
	struct vhost_virtqueue *vq = &q->vq;
	struct virtio_pc_clock_reply reply = {
		.rx_tsc = cpu_to_le64(rp_tsc()),
		.tsc_hz = cpu_to_le64(q->party.clock.tsc_hz),
	};
	struct virtio_pc_clock told;
	u32 written = 0;

	if (iov_length(vq->iov, out) >= sizeof(struct virtio_pc_item) + sizeof(told)) {
		if (!vhpc_read(q, out, sizeof(struct virtio_pc_item), &told,
			       sizeof(told)))
			return false;
		note_clock(q, &told);
	}
	if (iov_length(vq->iov + out, in) >= sizeof(reply)) {
		reply.tx_tsc = cpu_to_le64(rp_tsc());
		written = sizeof(reply);
		if (!vhpc_write(q, out, in, log_num, &reply, written))
			return false;
	}
	vhpc_put(q, item->head, written);
	vhpc_publish(q);
	/* Not an item, so the party's loop does not see it: call from here. */
	if (vhpc_peer_wants(&q->party))
		vhpc_notify(&q->party);
	q->party.woken = false;
	return true;
}

/*
 * The next item; clock exchanges on the way. A driver that sends nothing else
 * must not keep the worker from its orders and its other queues.
 */
static bool next_item(struct vhpc_queue *q, struct item *item)
{
	u32 out, in, log_num, exchanges = 0;

	do {
		item->head = vhpc_get(q, &out, &in, &log_num);
		if (item->head < 0)
			return false;
		if (!read_item(q, out, item)) {
			vhpc_unget(q);
			return false;
		}
		if (likely(!(item->flags & VIRTIO_PC_ITEM_CLOCK)))
			return true;
		if (!exchange_clocks(q, item, out, in, log_num))
			return false;
		cond_resched();
	} while (!vhpc_wanted(q) && ++exchanges < EXCHANGES_MAX);
	return false;
}

static void note_seq(struct vhpc_queue *q, const struct item *item)
{
	bool first = item->flags & VIRTIO_PC_ITEM_FIRST;

	rp_party_seq(&q->party, item->seq, first);
	if (unlikely(item->flags & VIRTIO_PC_ITEM_WAITED))
		rp_party_peer_waited(&q->party);
	if (unlikely(first || !q->seq_seen)) {
		WRITE_ONCE(q->first_seq, item->seq);
		WRITE_ONCE(q->seq_seen, true);
	}
}

/* The item that the last kick was sent for: how long until we woke? */
static void note_wake(struct vhpc_queue *q, u64 enq_tsc)
{
	struct rp_party *p = &q->party;
	s64 took;

	if (--q->wake_left)
		return;
	took = (s64)(q->wake_at_tsc - enq_tsc - (u64)p->clock_offset_tsc);
	rp_add(&p->stats.wake_tsc, took > 0 ? (u64)took : 0);
	rp_add(&p->stats.wakes, 1);
}

static void consume(struct vhpc_queue *q, const struct item *item)
{
	struct rp_party *p = &q->party;

	note_seq(q, item);
	p->now_tsc = vhpc_emulate(q, p->now_tsc);
	if (unlikely(q->wake_left))
		note_wake(q, item->enq_tsc);
	rp_party_latency(p, item->enq_tsc, p->now_tsc);
	if (unlikely(p->trace) && p->trace->items)
		rp_trace(p->trace, RP_EV_CONSUME, p->now_tsc, item->seq);
	vhpc_put(q, item->head, 0);
}

static u32 fwd_work(struct rp_party *p, u32 max)
{
	struct vhpc_queue *q = p->ctx;
	u64 limit_tsc = p->now_tsc + rp_ns_to_tsc(&p->clock, VHPC_BURST_MAX_NS);
	struct item item;
	u32 n = 0;

	if (unlikely(p->woken && p->armed_k)) {
		q->wake_left = p->armed_k;
		q->wake_at_tsc = p->now_tsc;
	}
	while (n < max && next_item(q, &item)) {
		consume(q, &item);
		n++;
		if (p->now_tsc > limit_tsc || vhpc_wanted(q))
			break;
	}
	vhpc_publish(q);
	return n;
}

static bool fwd_arm(struct rp_party *p, u32 k)
{
	return vhpc_arm(p->ctx, k);
}

static u32 fwd_ready(struct rp_party *p)
{
	return vhpc_avail(p->ctx);
}

const struct rp_ring_ops vhpc_fwd_ops = {
	.work = fwd_work,
	.peer_wants = vhpc_peer_wants,
	.notify = vhpc_notify,
	.arm = fwd_arm,
	.disarm = vhpc_disarm,
	.ready = fwd_ready,
};
