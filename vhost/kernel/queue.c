// SPDX-License-Identifier: GPL-2.0-or-later
/* A queue: its life, parameters, statistics. */
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/tsc.h>

#include "pacing/status_flat.h"
#include "trace.h"
#include "vhpc.h"

#define DEFAULT_Y_NS		50000
#define DEFAULT_ITEM_BYTES	64

void vhpc_want(struct vhpc_queue *q)
{
	atomic_inc(&q->wanted);
}

/* Pairs with prepare_to_wait() in the worker's wait(). */
void vhpc_want_no_more(struct vhpc_queue *q)
{
	if (atomic_dec_and_test(&q->wanted))
		wake_up(&q->worker->wait);
}

void vhpc_lock(struct vhpc_queue *q)
{
	vhpc_want(q);
	mutex_lock(&q->vq.mutex);
	vhpc_want_no_more(q);
}

void vhpc_unlock(struct vhpc_queue *q)
{
	mutex_unlock(&q->vq.mutex);
}

void vhpc_order(struct vhpc_queue *q)
{
	WRITE_ONCE(q->changed, true);
	wake_up(&q->worker->wait);
}

void vhpc_queue_init(struct vhpc_dev *d, u32 index)
{
	struct vhpc_queue *q = &d->queues[index];

	q->dev = d;
	q->index = index;
	q->vq.handle_kick = vhpc_kick;
	q->params = (struct vhpc_params){
		.strategy = RP_NOTIFY,
		.y_ns = DEFAULT_Y_NS,
		.burst = 1,
		.item_bytes = DEFAULT_ITEM_BYTES,
	};
	q->clock_error_tsc = ~0ULL;
	q->reset_ns = ktime_get_ns();
	q->wake_at = KTIME_MAX;
	q->party.ring = vhpc_is_rev(q) ? &vhpc_rev_ops : &vhpc_fwd_ops;
	q->party.ctx = q;
	q->party.latency = &q->latency;
	/* The statistics are read before there is a ring. */
	rp_clock_init(&q->party.clock, (u64)tsc_khz * 1000);
}

struct rp_params vhpc_queue_effective(const struct vhpc_queue *q)
{
	const struct vhpc_params *p = &q->params;
	u32 most = q->vq.private_data ? q->vq.num : VIRTIO_PC_QUEUE_MAX;
	struct rp_params rp = {
		.strategy = p->strategy,
		.role = vhpc_is_rev(q) ? RP_PRODUCER : RP_CONSUMER,
		.queue_len = min_not_zero(p->queue_len, most),
		.y_ns = p->y_ns,
		.dmax_ns = p->dmax_ns,
		.cpu_cap_percent = p->cpu_cap_percent,
	};

	rp.threshold = p->k ? min(p->k, rp.queue_len) :
		rp_default_threshold(rp.role, rp.queue_len);
	return rp;
}

void vhpc_queue_apply(struct vhpc_queue *q)
{
	struct rp_params rp = vhpc_queue_effective(q);
	struct rp_party *p = &q->party;

	rp_learned_keep(&q->learned, &p->strategy);
	rp_party_init(p, &rp, (u64)tsc_khz * 1000);
	rp_learned_give(&q->learned, &p->strategy);
	p->burst = q->params.burst;
	q->wake_left = 0;
	q->renew = false;
	if (p->strategy.ops->mode)
		q->mode = p->strategy.ops->mode(&p->strategy);
	trace_vhost_pc_mode(q, rp.strategy, rp.threshold, rp.y_ns);
}

void vhpc_queue_apply_work(struct vhpc_queue *q)
{
	struct rp_party *p = &q->party;

	p->w_tsc = rp_ns_to_tsc(&p->clock, q->params.w_ns);
	p->w_dist = q->params.w_dist;
}

bool vhpc_queue_on(const struct vhpc_queue *q)
{
	return q->vq.private_data && !q->broken &&
	       (!vhpc_is_rev(q) || q->producing);
}

/* The ring's place in memory has been checked. */
static int attach(struct vhpc_queue *q)
{
	struct vhost_virtqueue *vq = &q->vq;
	int err;

	q->event_idx = vhost_has_feature(vq, VIRTIO_RING_F_EVENT_IDX);
	q->broken = NULL;
	q->kicked = false;
	q->n_done = 0;
	q->posted = 0;
	/* Flags that are 0 with EVENT_IDX (virtio 1.2, sec. 2.7.7.1). */
	vq->used_flags = 0;
	vhost_vq_set_backend(vq, q);
	err = vhost_vq_init_access(vq);
	if (err) {
		vhost_vq_set_backend(vq, NULL);
		return err;
	}
	q->called = vq->last_used_idx;
	/* A backend that went before may have died before it called. */
	q->call_owed = true;
	q->state = VHPC_OFF;
	q->renew = true;
	q->changed = true;
	return 0;
}

int vhpc_queue_attach(struct vhpc_queue *q)
{
	struct vhost_virtqueue *vq = &q->vq;
	int err = 0;

	vhpc_lock(q);
	if (!vq->desc && !vq->avail && !vq->used)
		goto out;	/* the driver does not use it */
	if (!vhost_has_feature(vq, VIRTIO_F_VERSION_1) ||
	    vq->num < VIRTIO_PC_QUEUE_MIN || vq->num > VIRTIO_PC_QUEUE_MAX)
		err = -EINVAL;
	else if (!vhost_vq_is_setup(vq))
		err = -EFAULT;
	else if ((q->index < 2 || vhost_has_feature(vq, VIRTIO_PC_F_MQ)) &&
		 (!vhpc_is_rev(q) || vhost_has_feature(vq, VIRTIO_PC_F_REV)))
		err = attach(q);
out:
	vhpc_unlock(q);
	return err;
}

void vhpc_queue_detach(struct vhpc_queue *q)
{
	vhpc_lock(q);
	vhost_vq_set_backend(&q->vq, NULL);
	WRITE_ONCE(q->producing, false);
	q->state = VHPC_OFF;
	vhpc_unlock(q);
}

/* The party may be in the middle of a run, so under its mutex. */
int vhpc_queue_set_trace(struct vhpc_queue *q, u32 flags)
{
	struct rp_trace *old = q->trace, *trace = NULL;

	if (flags & VHOST_PC_TRACE_ON) {
		trace = old ?: kvzalloc(sizeof(*trace), GFP_KERNEL);
		if (!trace)
			return -ENOMEM;
	}
	vhpc_lock(q);
	if (trace) {
		trace->on = true;
		trace->items = flags & VHOST_PC_TRACE_ITEMS;
	}
	q->trace = trace;
	q->party.trace = trace;
	vhpc_unlock(q);
	if (old != trace)
		kvfree(old);
	return 0;
}

static u32 flags(const struct vhpc_queue *q)
{
	return (q->vq.private_data && !q->broken ? VHOST_PC_STATS_READY : 0) |
	       (READ_ONCE(q->producing) ? VHOST_PC_STATS_PRODUCING : 0) |
	       (READ_ONCE(q->broken) ? VHOST_PC_STATS_BROKEN : 0) |
	       (READ_ONCE(q->seq_seen) ? VHOST_PC_STATS_SEQ : 0);
}

/* Under vhost_dev.mutex, which keeps the thread alive. Does not stop it. */
void vhpc_queue_stats(struct vhpc_queue *q, struct vhost_pc_stats *out)
{
	const struct rp_party *p = &q->party;
	struct virtio_pc_stats *s = &out->stats;
	u64 error_tsc = READ_ONCE(q->clock_error_tsc);
	struct rp_report r;

	rp_party_report(p, &r);
#define X(name) s->name = r.name;
	RP_REPORT_FIELDS(X)
#undef X
	s->duration_ns = ktime_get_ns() - q->reset_ns;
	s->cpu_ns = vhpc_worker_cpu_ns(q->worker) - q->cpu_base_ns;
	s->clock_offset_tsc = READ_ONCE(p->clock_offset_tsc);
	s->clock_error_ns = error_tsc == ~0ULL ? ~0ULL :
			    rp_tsc_to_ns(&p->clock, error_tsc);
	s->tsc_hz = p->clock.tsc_hz;
	out->flags = flags(q);
	out->first_seq = READ_ONCE(q->first_seq);
	out->next_seq = READ_ONCE(p->next_seq);
}

/*
 * Under the queue's mutex, since its worker sets the party up; but that would
 * cut an item short, so not for a strategy that has nothing to say.
 */
void vhpc_queue_pacing(struct vhpc_queue *q, struct virtio_pc_pacing *out)
{
	struct rp_status_flat flat = { 0 };

	BUILD_BUG_ON(!rp_status_flat_is(struct virtio_pc_pacing));
	if (rp_strategy_by_id(q->params.strategy)->status) {
		vhpc_lock(q);
		rp_party_status_flat(&q->party, &flat);
		vhpc_unlock(q);
	}
	memcpy(out, &flat, sizeof(*out));
}
