// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `set`: parameters, tracing and the CPU of a queue. All or nothing, as
 * ringpaced has it: what can be refused is looked at or done first.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "kvhost/internal.h"
#include "pacing/pacing.h"
#include "pacing/work.h"

static void take_u64(const json_t *args, const char *key, __u64 *to)
{
	const json_t *v = json_object_get(args, key);

	if (v)
		*to = (__u64)json_integer_value(v);
}

static void take_u32(const json_t *args, const char *key, __u32 *to)
{
	__u64 v = *to;

	take_u64(args, key, &v);
	*to = (__u32)v;
}

static int take_params(const json_t *args, struct vhost_pc_params *p)
{
	const char *name = json_string_value(json_object_get(args, "strategy"));
	int id = name ? rp_strategy_id_by_name(name) : (int)p->strategy;

	if (id < 0)
		return fail("vhost_pc refuses 'set': there is no strategy \"%s\"", name);
	p->strategy = (__u32)id;
	name = json_string_value(json_object_get(args, "w_dist"));
	id = name ? rp_work_dist_by_name(name) : (int)p->w_dist;
	if (id < 0)
		return fail("vhost_pc refuses 'set': w_dist: \"%s\" is neither const nor exp", name);
	p->w_dist = (__u32)id;
	take_u64(args, "w_ns", &p->w_ns);
	take_u64(args, "y_ns", &p->y_ns);
	take_u64(args, "dmax_ns", &p->dmax_ns);
	take_u32(args, "cpu_cap_percent", &p->cpu_cap_percent);
	take_u32(args, "k", &p->k);
	take_u32(args, "queue_len", &p->queue_len);
	take_u32(args, "burst", &p->burst);
	take_u32(args, "item_bytes", &p->item_bytes);
	return 0;
}

/* The kernel would cut values to the ring; who asks for too much is told. */
static int check(const struct vhost_pc_params *p, const struct vhost_pc_queue *s)
{
	u32 most = s->ring_len ?: VIRTIO_PC_QUEUE_MAX;
	u32 len = p->queue_len ?: most;
	struct rp_params rp = {
		.strategy = p->strategy, .queue_len = len, .threshold = p->k ?: 1,
		.y_ns = p->y_ns, .dmax_ns = p->dmax_ns,
		.cpu_cap_percent = p->cpu_cap_percent,
	};
	const char *why;

	if (len > most)
		return fail("vhost_pc refuses 'set': queue_len: %u is more than the ring's %u",
			    len, most);
	if (p->k > len)
		return fail("vhost_pc refuses 'set': k: %u is more than queue_len %u", p->k, len);
	why = rp_params_check(&rp);
	return why ? fail("vhost_pc refuses 'set': %s", why) : 0;
}

static u32 trace_flag(const json_t *args, const char *key, u32 flag, u32 now)
{
	const json_t *v = json_object_get(args, key);

	return v ? (json_is_true(v) ? flag : 0) : now & flag;
}

static int set_trace(const struct kqueue *q, const json_t *args, u32 now)
{
	struct vhost_pc_trace t = { .size_bytes = sizeof(t), .queue = q->queue };

	t.flags = trace_flag(args, "trace", VHOST_PC_TRACE_ON, now) |
		  trace_flag(args, "trace_items", VHOST_PC_TRACE_ITEMS, now);
	/* Every single item of nothing. */
	if (!(t.flags & VHOST_PC_TRACE_ON))
		t.flags = 0;
	return t.flags == now ? 0 : kqueue_ioctl(q, VHOST_PC_SET_TRACE, &t, "set");
}

/* The thread is the kernel's, but pinned as any other. */
static int set_cpu(const struct kqueue *q, const json_t *args, pid_t tid)
{
	const json_t *v = json_object_get(args, "cpu");
	int cpu = (int)json_integer_value(v);
	cpu_set_t set;

	if (!v || (cpu < 0 && tid <= 0))
		return 0;
	if (tid <= 0)
		return fail("vhost_pc refuses 'set': cpu: no thread serves queue %u yet", q->queue);
	if (cpu < 0) {
		memset(&set, 0xff, sizeof(set));
	} else {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
	}
	if (cpu >= CPU_SETSIZE || sched_setaffinity(tid, sizeof(set), &set))
		return fail("vhost_pc refuses 'set': cpu: the thread %d of queue %u cannot use "
			    "CPU %d: %s", tid, q->queue, cpu,
			    cpu >= CPU_SETSIZE ? "no such CPU" : strerror(errno));
	return 0;
}

int kqueue_set(const struct kqueue *q, const json_t *args)
{
	struct vhost_pc_params p = { .size_bytes = sizeof(p), .queue = q->queue };
	struct vhost_pc_queue s = { .size_bytes = sizeof(s), .queue = q->queue };

	if (kqueue_ioctl(q, VHOST_PC_GET_PARAMS, &p, "set") ||
	    kqueue_ioctl(q, VHOST_PC_GET_QUEUE, &s, "set") ||
	    take_params(args, &p) || check(&p, &s) || set_cpu(q, args, s.tid) ||
	    set_trace(q, args, s.trace))
		return -1;
	return kqueue_ioctl(q, VHOST_PC_SET_PARAMS, &p, "set");
}
