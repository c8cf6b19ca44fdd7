// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A queue's ring: the core's vhost_virtqueue, and notifications at a
 * threshold, for which the core has no words.
 *
 * vhost_enable_notify() asks for a kick at the next buffer, vhost_signal()
 * decides and calls in one. The first is not enough for k > 1, the second does
 * not tell what it did. So with EVENT_IDX this file writes avail_event itself
 * and reads used_event itself (virtio 1.2, sec. 2.7.7, 2.7.10), and the core
 * is told once that notifications are off, which is all that it then wants to
 * know. Without EVENT_IDX k is 1, by the core's functions. Chains, used
 * elements and the dirty log are the core's.
 *
 * Context: the queue's worker, with the owner's memory, under vq.mutex.
 */
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "trace.h"
#include "vhpc.h"
#include "vring/event.h"

#define EMULATE_SLICE_NS	(100 * NSEC_PER_USEC)

/* vq_err() puts this before what it says. */
#undef pr_fmt
#define pr_fmt(fmt)	KBUILD_MODNAME ": " fmt

void vhpc_break(struct vhpc_queue *q, const char *why)
{
	if (q->broken)
		return;
	WRITE_ONCE(q->broken, why);
	WRITE_ONCE(q->producing, false);
	trace_vhost_pc_broken(q, why);
	/* Not to the log: a guest could fill it. */
	vq_err(&q->vq, "queue %u: ring given up: %s\n", q->index, why);
}

u64 vhpc_emulate(struct vhpc_queue *q, u64 start_tsc)
{
	struct rp_party *p = &q->party;
	u64 slice_tsc = rp_ns_to_tsc(&p->clock, EMULATE_SLICE_NS);
	u64 w_tsc = rp_party_work_tsc(p);
	u64 now = start_tsc;

	if (likely(w_tsc <= slice_tsc))
		return rp_emulate(start_tsc, w_tsc);
	while (now - start_tsc < w_tsc && !vhpc_wanted(q)) {
		now = rp_emulate(now, min(slice_tsc, w_tsc - (now - start_tsc)));
		cond_resched();
	}
	return now;
}

u32 vhpc_avail(struct vhpc_queue *q)
{
	struct vhost_virtqueue *vq = &q->vq;
	__virtio16 raw;
	u16 idx, n;

	if (q->broken)
		return 0;
	if (get_user(raw, &vq->avail->idx)) {
		vhpc_break(q, "available index cannot be read");
		return 0;
	}
	idx = vhost16_to_cpu(vq, raw);
	n = (u16)(idx - vq->last_avail_idx);
	if (n > vq->num) {
		vhpc_break(q, "available index jumps by more than the ring's size");
		return 0;
	}
	vq->avail_idx = idx;
	/* Index before entries: pairs with the driver's release of avail->idx. */
	smp_rmb();
	return n;
}

int vhpc_get(struct vhpc_queue *q, u32 *out, u32 *in, u32 *log_num)
{
	struct vhost_virtqueue *vq = &q->vq;
	bool log = vhost_has_feature(vq, VHOST_F_LOG_ALL);
	int head;

	/*
	 * Of num descriptors, no more than num buffers can be out. The core does
	 * not count those that it has not given back, and would write their used
	 * elements beyond the ring.
	 */
	if (q->broken || (u16)(vq->last_avail_idx - vq->last_used_idx) >= vq->num)
		return -1;
	head = vhost_get_vq_desc(vq, vq->iov, ARRAY_SIZE(vq->iov), out, in,
				 log ? vq->log : NULL, log_num);
	if (head < 0) {
		vhpc_break(q, "a bad index, or a chain of buffers that makes no sense");
		return -1;
	}
	return (u32)head == vq->num ? -1 : head;
}

void vhpc_unget(struct vhpc_queue *q)
{
	vhost_discard_vq_desc(&q->vq, 1);
}

bool vhpc_read(struct vhpc_queue *q, u32 out, u32 at, void *to, u32 bytes)
{
	struct iov_iter from;

	iov_iter_init(&from, ITER_SOURCE, q->vq.iov, out,
		      iov_length(q->vq.iov, out));
	iov_iter_advance(&from, at);
	if (copy_from_iter(to, bytes, &from) == bytes)
		return true;
	vhpc_break(q, "a buffer that cannot be read");
	return false;
}

bool vhpc_write(struct vhpc_queue *q, u32 out, u32 in, u32 log_num,
		const void *from, u32 bytes)
{
	struct vhost_virtqueue *vq = &q->vq;
	struct iov_iter to;

	iov_iter_init(&to, ITER_DEST, vq->iov + out, in,
		      iov_length(vq->iov + out, in));
	if (copy_to_iter(from, bytes, &to) != bytes) {
		vhpc_break(q, "a buffer that cannot be written");
		return false;
	}
	if (!vhost_has_feature(vq, VHOST_F_LOG_ALL) ||
	    !vhost_log_write(vq, vq->log, log_num, bytes, vq->iov + out, in))
		return true;
	vhpc_break(q, "the dirty log cannot be written");
	return false;
}

static void put_event(struct vhpc_queue *q, u16 event)
{
	struct vhost_virtqueue *vq = &q->vq;
	size_t at = offsetof(struct vring_used, ring[vq->num]);
	struct vhost_log log = { vq->log_addr + at, sizeof(__virtio16) };

	if (put_user(cpu_to_vhost16(vq, event),
		     (__virtio16 __user *)((char __user *)vq->used + at)))
		vhpc_break(q, "used ring cannot be written");
	else if (vq->log_used && vhost_log_write(vq, &log, 1, log.len, NULL, 0))
		vhpc_break(q, "the dirty log cannot be written");
}

static void put_event_far(struct vhpc_queue *q, u16 used_idx)
{
	q->event_base = used_idx;
	put_event(q, rp_event_far(used_idx));
}

void vhpc_put(struct vhpc_queue *q, int head, u32 written_bytes)
{
	struct vring_used_elem *e = &q->vq.heads[q->n_done++];

	e->id = cpu_to_vhost32(&q->vq, head);
	e->len = cpu_to_vhost32(&q->vq, written_bytes);
	if (q->n_done == VHPC_HEADS)
		vhpc_publish(q);
}

void vhpc_publish(struct vhpc_queue *q)
{
	struct vhost_virtqueue *vq = &q->vq;
	u16 used_idx = (u16)(vq->last_used_idx + q->n_done);

	if (!q->n_done)
		return;
	/* Before, since only what is published lets the driver's index go on. */
	if (q->event_idx && unlikely(rp_event_stale(q->event_base, used_idx, vq->num)))
		put_event_far(q, used_idx);
	if (vhost_add_used_n(vq, vq->heads, q->n_done))
		vhpc_break(q, "used ring cannot be written");
	q->n_done = 0;
}

static bool wants_call(struct vhpc_queue *q, u16 old, bool owed)
{
	struct vhost_virtqueue *vq = &q->vq;
	__virtio16 raw;

	if (get_user(raw, q->event_idx ?
		     (__virtio16 __user *)&vq->avail->ring[vq->num] :
		     (__virtio16 __user *)&vq->avail->flags)) {
		vhpc_break(q, "available ring cannot be read");
		return false;
	}
	if (!q->event_idx)
		return !(vhost16_to_cpu(vq, raw) & VRING_AVAIL_F_NO_INTERRUPT);
	return owed || rp_need_event(vhost16_to_cpu(vq, raw), q->called, old);
}

bool vhpc_peer_wants(struct rp_party *p)
{
	struct vhpc_queue *q = p->ctx;
	u16 old = q->called;
	bool owed = q->call_owed;

	/*
	 * Index before event: pairs with the barrier in the driver's arming,
	 * between its store of the event and its second look at the index.
	 */
	smp_mb();
	q->called = q->vq.last_used_idx;
	q->call_owed = false;
	if (q->called == old && !owed)
		return false;
	return wants_call(q, old, owed);
}

bool vhpc_owed(struct rp_party *p, u32 *wish)
{
	struct vhpc_queue *q = p->ctx;
	struct vhost_virtqueue *vq = &q->vq;
	__virtio16 raw;

	/* Without EVENT_IDX the driver may have taken back all there is. */
	if (!q->event_idx || q->broken ||
	    get_user(raw, (__virtio16 __user *)&vq->avail->ring[vq->num]))
		return false;
	*wish = (u32)vhost16_to_cpu(vq, raw) << 16 | vq->avail_idx;
	return rp_event_due(vhost16_to_cpu(vq, raw), vq->last_used_idx, vq->num);
}

void vhpc_notify(struct rp_party *p)
{
	struct vhpc_queue *q = p->ctx;

	trace_vhost_pc_call(q);
	if (q->vq.call_ctx.ctx)
		eventfd_signal(q->vq.call_ctx.ctx, 1);
}

/* k counts from the next buffer to take; more than the ring holds never come. */
bool vhpc_arm(struct vhpc_queue *q, u32 k)
{
	struct vhost_virtqueue *vq = &q->vq;
	u32 most = (u16)(vq->last_used_idx + vq->num - vq->last_avail_idx);
	bool hit;

	k = min(k, most);
	k = k && q->event_idx ? k : 1;
	if (q->event_idx) {
		put_event(q, (u16)(vq->last_avail_idx + k - 1));
		/* Event before index: pairs with the barrier before the driver's kick. */
		smp_mb();
	} else {
		/* Has that barrier, and looks; the look below is for errors. */
		vhost_enable_notify(vq->dev, vq);
	}
	hit = vhpc_avail(q) >= k || q->broken;
	if (hit)
		trace_vhost_pc_double_check(q);
	return hit;
}

void vhpc_disarm(struct rp_party *p)
{
	struct vhpc_queue *q = p->ctx;

	/* With EVENT_IDX this is a note to the core: it writes nothing. */
	vhost_disable_notify(q->vq.dev, &q->vq);
	if (q->event_idx)
		put_event_far(q, q->vq.last_used_idx);
}
