// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading the event ring while its writer goes on. */
#include "trace/trace.h"

const char *const rp_event_names[RP_EV_TYPES] = {
	[RP_EV_NONE] = "none",
	[RP_EV_PUBLISH] = "publish",
	[RP_EV_CONSUME] = "consume",
	[RP_EV_NOTIFY_START] = "notify_start",
	[RP_EV_NOTIFY_END] = "notify_end",
	[RP_EV_ARM] = "arm",
	[RP_EV_DOUBLE_CHECK] = "double_check",
	[RP_EV_BLOCK] = "block",
	[RP_EV_WAKE] = "wake",
	[RP_EV_SLEEP] = "sleep",
	[RP_EV_SLEPT] = "slept",
};

u32 rp_trace_snapshot(const struct rp_trace *t, struct rp_event *out, u32 max)
{
	u64 end = rp_load_acquire(&t->head), first, valid, i;
	u64 n = end < RP_TRACE_EVENTS ? end : RP_TRACE_EVENTS;

	n = n < max ? n : max;
	first = end - n;
	/* Acquire loads, so that the second look at head really comes last. */
	for (i = first; i < end; i++) {
		const struct rp_event *e = &t->ev[i % RP_TRACE_EVENTS];

		out[i - first] = (struct rp_event){
			.tsc = rp_load_acquire(&e->tsc),
			.type = rp_load_acquire(&e->type),
			.arg = rp_load_acquire(&e->arg),
		};
	}
	/* The writer may be in the middle of the event number head. */
	valid = rp_load(&t->head) + 1;
	valid = valid > RP_TRACE_EVENTS ? valid - RP_TRACE_EVENTS : 0;
	if (valid <= first)
		return (u32)n;
	if (valid >= end)
		return 0;
	memmove(out, out + (valid - first), (end - valid) * sizeof(*out));
	return (u32)(end - valid);
}
