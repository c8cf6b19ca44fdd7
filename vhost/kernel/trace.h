/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tracepoints of vhost_pc.ko. Each carries the number of the device, the queue
 * and the items that its party has moved so far; a disabled one is a nop.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vhost_pc

#if !defined(VHPC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VHPC_TRACE_H

#include <linux/tracepoint.h>

#include "pacing/report.h"
#include "vhpc.h"

DECLARE_EVENT_CLASS(vhost_pc_queue,
	TP_PROTO(const struct vhpc_queue *q),
	TP_ARGS(q),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, queue)
		__field(u64, items)
	),
	TP_fast_assign(
		__entry->device = q->dev->id;
		__entry->queue = q->index;
		__entry->items = q->party.stats.items;
	),
	TP_printk("device=%d queue=%u items=%llu", __entry->device,
		  __entry->queue, __entry->items)
);

#define VHPC_QUEUE_EVENT(name)					\
	DEFINE_EVENT(vhost_pc_queue, name,			\
		TP_PROTO(const struct vhpc_queue *q),		\
		TP_ARGS(q))

/* The driver's kick has come; it need not wake anybody. */
VHPC_QUEUE_EVENT(vhost_pc_kick);
/* A kick has ended a block. */
VHPC_QUEUE_EVENT(vhost_pc_wake);
VHPC_QUEUE_EVENT(vhost_pc_block);
/* Asking for a kick found work after all. */
VHPC_QUEUE_EVENT(vhost_pc_double_check);
/* The driver is told that buffers were used. */
VHPC_QUEUE_EVENT(vhost_pc_call);

TRACE_EVENT(vhost_pc_sleep,
	TP_PROTO(const struct vhpc_queue *q, u64 y_ns),
	TP_ARGS(q, y_ns),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, queue)
		__field(u64, items)
		__field(u64, y_ns)
	),
	TP_fast_assign(
		__entry->device = q->dev->id;
		__entry->queue = q->index;
		__entry->items = q->party.stats.items;
		__entry->y_ns = y_ns;
	),
	TP_printk("device=%d queue=%u items=%llu y_ns=%llu", __entry->device,
		  __entry->queue, __entry->items, __entry->y_ns)
);

/* Parameters have come into force. */
TRACE_EVENT(vhost_pc_mode,
	TP_PROTO(const struct vhpc_queue *q, u32 strategy, u32 k, u64 y_ns),
	TP_ARGS(q, strategy, k, y_ns),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, queue)
		__string(strategy, rp_strategy_by_id(strategy)->name)
		__field(u32, k)
		__field(u64, y_ns)
	),
	TP_fast_assign(
		__entry->device = q->dev->id;
		__entry->queue = q->index;
		__assign_str(strategy, rp_strategy_by_id(strategy)->name);
		__entry->k = k;
		__entry->y_ns = y_ns;
	),
	TP_printk("device=%d queue=%u strategy=%s k=%u y_ns=%llu",
		  __entry->device, __entry->queue,
		  __get_str(strategy), __entry->k, __entry->y_ns)
);

/*
 * The strategy waits in another way from now on, by its own choice. A single wait
 * of another kind (a pause of the traffic, an experiment) is none.
 */
TRACE_EVENT(vhost_pc_mode_change,
	TP_PROTO(const struct vhpc_queue *q, enum rp_wait from, enum rp_wait to),
	TP_ARGS(q, from, to),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, queue)
		__field(u64, items)
		__string(from, rp_wait_names[from])
		__string(to, rp_wait_names[to])
	),
	TP_fast_assign(
		__entry->device = q->dev->id;
		__entry->queue = q->index;
		__entry->items = q->party.stats.items;
		__assign_str(from, rp_wait_names[from]);
		__assign_str(to, rp_wait_names[to]);
	),
	TP_printk("device=%d queue=%u items=%llu from=%s to=%s",
		  __entry->device, __entry->queue, __entry->items,
		  __get_str(from), __get_str(to))
);

TRACE_EVENT(vhost_pc_broken,
	TP_PROTO(const struct vhpc_queue *q, const char *why),
	TP_ARGS(q, why),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, queue)
		__string(why, why)
	),
	TP_fast_assign(
		__entry->device = q->dev->id;
		__entry->queue = q->index;
		__assign_str(why, why);
	),
	TP_printk("device=%d queue=%u why=%s", __entry->device, __entry->queue,
		  __get_str(why))
);

#endif /* VHPC_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
