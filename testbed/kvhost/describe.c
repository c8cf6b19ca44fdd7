// SPDX-License-Identifier: GPL-2.0-or-later
/* A queue, its statistics and its trace as JSON, by ringpaced's keys. */
#include <sched.h>
#include <stdlib.h>

#include "json.h"
#include "kvhost/internal.h"
#include "pacing/status_json.h"

/* The one CPU that a thread may use, or -1. */
static int pinned_to(pid_t tid)
{
	cpu_set_t set;
	int cpu;

	if (tid <= 0 || sched_getaffinity(tid, sizeof(set), &set) || CPU_COUNT(&set) != 1)
		return -1;
	for (cpu = 0; !CPU_ISSET(cpu, &set); cpu++)
		;
	return cpu;
}

json_t *kqueue_describe(const struct kqueue *q)
{
	struct vhost_pc_params p = { .size_bytes = sizeof(p), .queue = q->queue };
	struct vhost_pc_queue s = { .size_bytes = sizeof(s), .queue = q->queue };
	const struct rp_strategy_ops *ops;

	if (kqueue_ioctl(q, VHOST_PC_GET_PARAMS, &p, "list") ||
	    kqueue_ioctl(q, VHOST_PC_GET_QUEUE, &s, "list"))
		return NULL;
	ops = rp_strategy_by_id(p.strategy);
	return json_pack("{s:i, s:i, s:s, s:b, s:o, s:i, s:s, s:I, s:I, s:i, s:i, "
			 "s:i, s:i, s:b, s:b, s:b, s:o, s:I, s:i, s:s}",
			 "queue", (int)q->queue, "pair", (int)q->queue / 2,
			 "dir", kqueue_is_rev(q) ? "rev" : "fwd",
			 "ready", !!(s.flags & VHOST_PC_STATS_READY),
			 "size", s.ring_len ? json_integer(s.ring_len) : json_null(),
			 "queue_len", (int)s.queue_len, "strategy", ops ? ops->name : "unknown",
			 "w_ns", (json_int_t)p.w_ns, "y_ns", (json_int_t)p.y_ns, "k", (int)s.k,
			 "burst", (int)p.burst, "item_bytes", (int)p.item_bytes,
			 "cpu", pinned_to(s.tid), "trace", !!(s.trace & VHOST_PC_TRACE_ON),
			 "trace_items", !!(s.trace & VHOST_PC_TRACE_ITEMS),
			 "producing", !!(s.flags & VHOST_PC_STATS_PRODUCING),
			 "broken", s.flags & VHOST_PC_STATS_BROKEN ?
				json_stringn(s.broken, strnlen(s.broken, sizeof(s.broken))) :
				json_null(),
			 "dmax_ns", (json_int_t)p.dmax_ns,
			 "cpu_cap_percent", (int)p.cpu_cap_percent,
			 "w_dist", p.w_dist < RP_WORK_DISTS ? rp_work_dist_names[p.w_dist] : "unknown");
}

static json_t *if_known(bool known, s64 v)
{
	return known ? json_integer(v) : json_null();
}

static json_t *pacing_json(const struct virtio_pc_pacing *p)
{
	struct rp_status_flat flat;

	_Static_assert(rp_status_flat_is(struct virtio_pc_pacing), "the kernel writes ours");
	memcpy(&flat, p, sizeof(flat));
	return rp_status_flat_json(&flat);
}

json_t *kqueue_stats(const struct kqueue *q)
{
	struct vhost_pc_stats a = { .size_bytes = sizeof(a), .queue = q->queue };
	const struct virtio_pc_stats *s = &a.stats;
	bool seen, clock;
	json_t *v;

	if (kqueue_ioctl(q, VHOST_PC_GET_STATS, &a, "stats"))
		return NULL;
	seen = a.flags & VHOST_PC_STATS_SEQ;
	clock = s->clock_error_ns != ~0ULL;
	v = json_object();
	json_object_set_new(v, "duration_ns", json_integer((json_int_t)s->duration_ns));
	json_object_set_new(v, "cpu_ns", json_integer((json_int_t)s->cpu_ns));
#define X(name) json_object_set_new(v, #name, json_integer((json_int_t)s->name));
	RP_REPORT_FIELDS(X)
#undef X
	json_object_set_new(v, "first_seq", if_known(seen, (s64)a.first_seq));
	json_object_set_new(v, "next_seq", if_known(seen, (s64)a.next_seq));
	json_object_set_new(v, "clock_offset_tsc", if_known(clock, s->clock_offset_tsc));
	json_object_set_new(v, "clock_error_ns", if_known(clock, (s64)s->clock_error_ns));
	json_object_set_new(v, "pacing", pacing_json(&a.pacing));
	return v;
}

static json_t *with_clock(const struct kqueue *q, json_t *events)
{
	struct vhost_pc_clock c = { .size_bytes = sizeof(c), .queue = q->queue };
	struct rp_clock clock;
	bool known;

	if (kqueue_ioctl(q, VHOST_PC_GET_CLOCK, &c, "trace")) {
		json_decref(events);
		return NULL;
	}
	rp_clock_init(&clock, c.tsc_hz);
	known = c.error_tsc != ~0ULL;
	return json_pack("{s:I, s:o, s:o, s:o}", "tsc_hz", (json_int_t)c.tsc_hz,
			 "clock_offset_tsc", if_known(known, c.offset_tsc),
			 "clock_error_ns",
			 if_known(known, known ? (s64)rp_tsc_to_ns(&clock, c.error_tsc) : 0),
			 "events", events);
}

json_t *kqueue_trace(const struct kqueue *q, u32 max)
{
	struct rp_event *ev = calloc(max + 1, sizeof(*ev));
	struct vhost_pc_events a = {
		.size_bytes = sizeof(a), .queue = q->queue, .max = max,
		.events = (uintptr_t)ev,
	};
	json_t *events = NULL;

	_Static_assert(sizeof(struct vhost_pc_event) == sizeof(struct rp_event) &&
		       offsetof(struct vhost_pc_event, arg) == offsetof(struct rp_event, arg),
		       "the kernel writes our events");
	if (!ev)
		abort();
	if (!kqueue_ioctl(q, VHOST_PC_GET_EVENTS, &a, "trace"))
		events = json_events(ev, a.count);
	free(ev);
	return events ? with_clock(q, events) : NULL;
}
