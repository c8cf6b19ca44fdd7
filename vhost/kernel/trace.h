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
		__field(u32, strategy)
		__field(u32, k)
		__field(u64, y_ns)
	),
	TP_fast_assign(
		__entry->device = q->dev->id;
		__entry->queue = q->index;
		__entry->strategy = strategy;
		__entry->k = k;
		__entry->y_ns = y_ns;
	),
	TP_printk("device=%d queue=%u strategy=%s k=%u y_ns=%llu",
		  __entry->device, __entry->queue,
		  __print_symbolic(__entry->strategy, { 0, "notify" },
				   { 1, "sleep" }, { 2, "busy" }),
		  __entry->k, __entry->y_ns)
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
