// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ioctls of the uapi header: parameters, rev runs, statistics, clocks.
 * Called with vhost_dev.mutex held, by whoever has the file.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "vhpc.h"

#define BURST_MAX		VIRTIO_PC_QUEUE_MAX
#define DURATION_MAX_NS		(3600ULL * NSEC_PER_SEC)

/* The two fields that the structures begin with. */
struct prefix {
	u32 size_bytes;
	u32 queue;
};

static struct vhpc_queue *find_queue(struct vhpc_dev *d, u32 queue)
{
	if (queue >= d->n_queues)
		return NULL;
	return &d->queues[array_index_nospec(queue, d->n_queues)];
}

/* Copies @arg in, checks its prefix, and finds the queue that it names. */
static int fetch(struct vhpc_dev *d, void *to, const void __user *arg, u32 bytes,
		 struct vhpc_queue **q)
{
	const struct prefix *p = to;

	if (copy_from_user(to, arg, bytes))
		return -EFAULT;
	*q = p->size_bytes == bytes ? find_queue(d, p->queue) : NULL;
	return *q ? 0 : -EINVAL;
}

static long get_info(struct vhpc_dev *d, void __user *arg)
{
	struct vhost_pc_info info = {
		.size_bytes = sizeof(info),
		.version = VHOST_PC_VERSION,
		.queue_pairs = d->n_queues / 2,
		.item_max_bytes = VIRTIO_PC_ITEM_MAX_BYTES,
		.threads = d->threads,
		.running = d->running,
		.tsc_hz = (u64)tsc_khz * 1000,
	};

	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long set_threads(struct vhpc_dev *d, const u32 __user *arg)
{
	u32 threads;

	if (get_user(threads, arg))
		return -EFAULT;
	if (threads > VHOST_PC_THREAD_DEVICE)
		return -EINVAL;
	if (d->running)
		return -EBUSY;
	vhpc_workers_assign(d, threads);
	return 0;
}

/* Members of struct vhpc_params. A change of the first ones sets the party up anew. */
#define PACING_PARAMS(X) \
	X(strategy) X(k) X(y_ns) X(burst) X(queue_len) X(item_bytes) X(dmax_ns) \
	X(cpu_cap_percent)
#define WORK_PARAMS(X) \
	X(w_ns) X(w_dist)

static long get_params(struct vhpc_dev *d, void __user *arg)
{
	struct vhost_pc_params a;
	struct vhpc_queue *q;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	if (err)
		return err;
	/* Only ever changed under vhost_dev.mutex, too. */
#define X(name) a.name = q->params.name;
	PACING_PARAMS(X)
	WORK_PARAMS(X)
#undef X
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;
}

static bool params_ok(const struct vhost_pc_params *a)
{
	struct rp_params rp = {
		.strategy = a->strategy,
		.queue_len = a->queue_len ?: VIRTIO_PC_QUEUE_MAX,
		.threshold = a->k ?: 1,
		.y_ns = a->y_ns,
		.dmax_ns = a->dmax_ns,
		.cpu_cap_percent = a->cpu_cap_percent,
	};

	return !rp_params_check(&rp) && a->w_ns <= NSEC_PER_SEC && a->burst &&
	       a->burst <= BURST_MAX && a->w_dist < VIRTIO_PC_WORKS && !a->reserved &&
	       a->item_bytes >= VIRTIO_PC_ITEM_MIN_BYTES &&
	       a->item_bytes <= VIRTIO_PC_ITEM_MAX_BYTES;
}

static long set_params(struct vhpc_dev *d, const void __user *arg)
{
	struct vhost_pc_params a;
	struct vhpc_queue *q;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	if (err)
		return err;
	if (!params_ok(&a))
		return -EINVAL;
	vhpc_lock(q);
#define X(name) q->renew |= q->params.name != a.name;
	PACING_PARAMS(X)
#undef X
#define X(name) q->params.name = a.name;
	PACING_PARAMS(X)
	WORK_PARAMS(X)
#undef X
	vhpc_order(q);
	vhpc_unlock(q);
	return 0;
}

static int start(struct vhpc_queue *q, const struct vhost_pc_start *a)
{
	struct rp_party *p = &q->party;

	if (!q->vq.private_data || q->broken)
		return -ENOTCONN;
	if (q->producing)
		return -EBUSY;
	q->first = true;
	q->items_left = a->max_items ?: U64_MAX;
	q->end_tsc = 0;
	if (a->duration_ns)
		q->end_tsc = rp_tsc() + rp_ns_to_tsc(&p->clock, a->duration_ns);
	WRITE_ONCE(p->next_seq, 0);
	WRITE_ONCE(q->producing, true);
	vhpc_order(q);
	return 0;
}

static long ioc_start(struct vhpc_dev *d, const void __user *arg)
{
	struct vhost_pc_start a;
	struct vhpc_queue *q;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	if (err)
		return err;
	if (!vhpc_is_rev(q) || a.duration_ns > DURATION_MAX_NS)
		return -EINVAL;
	vhpc_lock(q);
	err = start(q, &a);
	vhpc_unlock(q);
	return err;
}

static long ioc_stop(struct vhpc_dev *d, const u32 __user *arg)
{
	struct vhpc_queue *q;
	u32 queue;

	if (get_user(queue, arg))
		return -EFAULT;
	q = find_queue(d, queue);
	if (!q || !vhpc_is_rev(q))
		return -EINVAL;
	vhpc_lock(q);
	WRITE_ONCE(q->producing, false);
	vhpc_order(q);
	vhpc_unlock(q);
	return 0;
}

static long get_stats(struct vhpc_dev *d, void __user *arg)
{
	struct vhost_pc_stats a;
	struct vhpc_queue *q;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	if (err)
		return err;
	memset(&a, 0, sizeof(a));
	a.size_bytes = sizeof(a);
	a.queue = q->index;
	vhpc_queue_stats(q, &a);
	vhpc_queue_pacing(q, &a.pacing);
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;
}

static long reset_stats(struct vhpc_dev *d, const u32 __user *arg)
{
	struct vhpc_queue *q;
	u32 queue;

	if (get_user(queue, arg))
		return -EFAULT;
	q = find_queue(d, queue);
	if (!q)
		return -EINVAL;
	vhpc_lock(q);
	rp_party_stats_reset(&q->party);
	if (q->trace)
		q->trace->head = 0;
	WRITE_ONCE(q->seq_seen, false);
	q->reset_ns = ktime_get_ns();
	q->cpu_base_ns = vhpc_worker_cpu_ns(q->worker);
	vhpc_unlock(q);
	return 0;
}

static long get_clock(struct vhpc_dev *d, void __user *arg)
{
	struct vhost_pc_clock a;
	struct vhpc_queue *q;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	if (err)
		return err;
	vhpc_lock(q);
	a.offset_tsc = q->party.clock_offset_tsc;
	a.error_tsc = q->clock_error_tsc;
	vhpc_unlock(q);
	a.tsc_hz = (u64)tsc_khz * 1000;
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;
}

static long set_clock(struct vhpc_dev *d, const void __user *arg)
{
	struct vhost_pc_clock a;
	struct vhpc_queue *q;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	if (err)
		return err;
	if (a.error_tsc > S64_MAX && a.error_tsc != ~0ULL)
		return -EINVAL;
	vhpc_lock(q);
	WRITE_ONCE(q->party.clock_offset_tsc, a.offset_tsc);
	WRITE_ONCE(q->clock_error_tsc, a.error_tsc);
	vhpc_unlock(q);
	return 0;
}

static u32 trace_flags(const struct vhpc_queue *q)
{
	if (!q->trace)
		return 0;
	return VHOST_PC_TRACE_ON | (q->trace->items ? VHOST_PC_TRACE_ITEMS : 0);
}

static long get_queue(struct vhpc_dev *d, void __user *arg)
{
	struct vhost_pc_stats st = { 0 };
	struct vhost_pc_queue a;
	struct vhpc_queue *q;
	struct rp_params rp;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	if (err)
		return err;
	memset(&a, 0, sizeof(a));
	a.size_bytes = sizeof(a);
	a.queue = q->index;
	vhpc_queue_stats(q, &st);
	a.flags = st.flags & ~VHOST_PC_STATS_SEQ;
	/* Only ever changed under vhost_dev.mutex, too. */
	rp = vhpc_queue_effective(q);
	a.queue_len = rp.queue_len;
	a.k = rp.threshold;
	a.ring_len = a.flags & VHOST_PC_STATS_READY ? q->vq.num : 0;
	a.trace = trace_flags(q);
	a.tid = q->worker->task ? task_pid_vnr(q->worker->task) : 0;
	if (a.flags & VHOST_PC_STATS_BROKEN)
		strscpy(a.broken, READ_ONCE(q->broken), sizeof(a.broken));
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;
}

static long set_trace(struct vhpc_dev *d, const void __user *arg)
{
	struct vhost_pc_trace a;
	struct vhpc_queue *q;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	if (err)
		return err;
	if (a.flags & ~(VHOST_PC_TRACE_ON | VHOST_PC_TRACE_ITEMS) || a.reserved)
		return -EINVAL;
	return vhpc_queue_set_trace(q, a.flags);
}

/* Beside the party, which goes on; the caller's memory gets a copy's copy. */
static long get_events(struct vhpc_dev *d, void __user *arg)
{
	struct vhost_pc_events a;
	struct rp_event *copy;
	struct vhpc_queue *q;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	BUILD_BUG_ON(sizeof(struct vhost_pc_event) != sizeof(*copy));
	BUILD_BUG_ON(offsetof(struct vhost_pc_event, arg) != offsetof(struct rp_event, arg));
	BUILD_BUG_ON(VHOST_PC_EV_SLEPT != (int)RP_EV_SLEPT ||
		     VHOST_PC_EV_SLEPT + 1 != (int)RP_EV_TYPES);
	BUILD_BUG_ON(VHOST_PC_EVENTS_MAX != RP_TRACE_EVENTS);
	if (err)
		return err;
	a.count = 0;
	a.max = min_t(u32, a.max, VHOST_PC_EVENTS_MAX);
	if (q->trace && a.max) {
		copy = kvmalloc_array(a.max, sizeof(*copy), GFP_KERNEL);
		if (!copy)
			return -ENOMEM;
		a.count = rp_trace_snapshot(q->trace, copy, a.max);
		if (copy_to_user(u64_to_user_ptr(a.events), copy,
				 a.count * sizeof(*copy)))
			err = -EFAULT;
		kvfree(copy);
	}
	return err ?: copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;
}

static long get_learned(struct vhpc_dev *d, void __user *arg)
{
	struct vhost_pc_learned a;
	struct vhpc_queue *q;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	BUILD_BUG_ON(sizeof(a.data) != sizeof(q->learned.data));
	if (err)
		return err;
	vhpc_lock(q);
	rp_learned_keep(&q->learned, &q->party.strategy);
	a.strategy = q->learned.strategy;
	a.bytes = q->learned.bytes;
	memcpy(a.data, q->learned.data, sizeof(a.data));
	vhpc_unlock(q);
	return copy_to_user(arg, &a, sizeof(a)) ? -EFAULT : 0;
}

/* Replaces what the last strategy would have handed over. */
static long set_learned(struct vhpc_dev *d, const void __user *arg)
{
	struct vhost_pc_learned a;
	struct vhpc_queue *q;
	int err = fetch(d, &a, arg, sizeof(a), &q);

	if (err)
		return err;
	if (!rp_strategy_by_id(a.strategy) || a.bytes > sizeof(a.data))
		return -EINVAL;
	if (d->running)
		return -EBUSY;
	vhpc_lock(q);
	q->learned.strategy = a.strategy;
	q->learned.bytes = a.bytes;
	memcpy(q->learned.data, a.data, sizeof(a.data));
	q->party.strategy.ops = NULL;
	vhpc_unlock(q);
	return 0;
}

long vhpc_control(struct vhpc_dev *d, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case VHOST_PC_SET_THREADS:
		return set_threads(d, arg);
	case VHOST_PC_GET_INFO:
		return get_info(d, arg);
	case VHOST_PC_GET_PARAMS:
		return get_params(d, arg);
	case VHOST_PC_SET_PARAMS:
		return set_params(d, arg);
	case VHOST_PC_START:
		return ioc_start(d, arg);
	case VHOST_PC_STOP:
		return ioc_stop(d, arg);
	case VHOST_PC_GET_STATS:
		return get_stats(d, arg);
	case VHOST_PC_RESET_STATS:
		return reset_stats(d, arg);
	case VHOST_PC_GET_CLOCK:
		return get_clock(d, arg);
	case VHOST_PC_SET_CLOCK:
		return set_clock(d, arg);
	case VHOST_PC_GET_QUEUE:
		return get_queue(d, arg);
	case VHOST_PC_SET_TRACE:
		return set_trace(d, arg);
	case VHOST_PC_GET_EVENTS:
		return get_events(d, arg);
	case VHOST_PC_GET_LEARNED:
		return get_learned(d, arg);
	case VHOST_PC_SET_LEARNED:
		return set_learned(d, arg);
	default:
		return -ENOIOCTLCMD;
	}
}
