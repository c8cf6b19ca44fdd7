// SPDX-License-Identifier: GPL-2.0-or-later
/* Devices, queues and their statistics as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "pacing/status_json.h"

static json_t *string_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

json_t *describe_queue(const struct queue *q)
{
	const struct queue_params *p = &q->params;
	struct rp_params rp;

	queue_effective(q, p, &rp);
	return json_pack("{s:i, s:i, s:s, s:b, s:o, s:i, s:s, s:I, s:I, s:i, s:i, "
			 "s:i, s:i, s:b, s:b, s:b, s:o, s:I, s:i, s:s}",
			 "queue", (int)q->index, "pair", (int)q->index / 2,
			 "dir", queue_is_rev(q) ? "rev" : "fwd",
			 "ready", q->attached,
			 "size", q->attached ? json_integer(q->dev.ring.num) :
				 json_null(),
			 "queue_len", (int)rp.queue_len,
			 "strategy", rp_strategy_by_id(rp.strategy)->name,
			 "w_ns", (json_int_t)p->w_ns, "y_ns", (json_int_t)p->y_ns,
			 "k", (int)rp.threshold, "burst", (int)p->burst,
			 "item_bytes", (int)p->item_bytes, "cpu", p->cpu,
			 "trace", p->trace, "trace_items", p->trace_items,
			 "producing", rp_load(&q->producing),
			 "broken", string_or_null(rp_load(&q->broken)),
			 "dmax_ns", (json_int_t)p->dmax_ns,
			 "cpu_cap_percent", (int)p->cpu_cap_percent,
			 "w_dist", rp_work_dist_names[p->w_dist]);
}

json_t *describe_device(const struct device *d)
{
	json_t *queues = json_array();
	const char *broken = NULL;
	u32 i;

	for (i = 0; i < d->queue_count; i++) {
		if (!broken)
			broken = rp_load(&d->queues[i].broken);
		json_array_append_new(queues, describe_queue(&d->queues[i]));
	}
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}",
			 "device", d->opt.name, "kind", "pc",
			 "socket", d->opt.socket,
			 "connected", session_connected(&d->session),
			 "broken", string_or_null(broken), "queues", queues);
}

static json_t *s64_or_null(bool known, s64 v)
{
	return known ? json_integer(v) : json_null();
}

/* Saturates: a guest that numbers its items wildly must not make it negative. */
static json_t *u64_or_null(bool known, u64 v)
{
	return s64_or_null(known, v < INT64_MAX ? (s64)v : INT64_MAX);
}

json_t *describe_stats(const struct queue *q)
{
	const struct rp_party *p = &q->party;
	bool seen = rp_load(&q->seq_seen), clock = rp_load(&q->clock_known);
	struct rp_report r = { 0 };
	json_t *o = json_object();

	/* Until a ring was attached the party has no clock, and nothing to tell. */
	if (p->clock.tsc_hz)
		rp_party_report(p, &r);
	json_object_set_new(o, "duration_ns", u64_or_null(true, queue_duration_ns(q)));
	json_object_set_new(o, "cpu_ns", u64_or_null(true, queue_cpu_ns(q)));
#define X(name) json_object_set_new(o, #name, u64_or_null(true, r.name));
	RP_REPORT_FIELDS(X)
#undef X
	json_object_set_new(o, "first_seq", u64_or_null(seen, rp_load(&q->first_seq)));
	json_object_set_new(o, "next_seq", u64_or_null(seen, rp_load(&p->next_seq)));
	json_object_set_new(o, "clock_offset_tsc",
		s64_or_null(clock, rp_load(&p->clock_offset_tsc)));
	json_object_set_new(o, "clock_error_ns",
		u64_or_null(clock, clock ? rp_tsc_to_ns(&p->clock,
				rp_load(&q->clock_error_tsc)) : 0));
	json_object_set_new(o, "pacing", rp_party_status_json(p));
	return o;
}

json_t *describe_trace(const struct queue *q)
{
	bool clock = rp_load(&q->clock_known);

	return json_pack("{s:I, s:o, s:o}",
			 "tsc_hz", (json_int_t)queue_tsc_hz,
			 "clock_offset_tsc",
			 s64_or_null(clock, rp_load(&q->party.clock_offset_tsc)),
			 "clock_error_ns",
			 u64_or_null(clock, clock ? rp_tsc_to_ns(&q->party.clock,
					rp_load(&q->clock_error_tsc)) : 0));
}

/* The longest event: a name of 12 letters, 20 and 10 digits, punctuation. */
#define EVENT_CHARS	64

static char *print_events(const struct rp_event *ev, u32 n)
{
	char *text = malloc((size_t)n * EVENT_CHARS + sizeof("[]"));
	char *at = text;
	u32 i;

	if (!text)
		return NULL;
	*at++ = '[';
	for (i = 0; i < n; i++) {
		u32 type = ev[i].type < RP_EV_TYPES ? ev[i].type : RP_EV_NONE;

		at += snprintf(at, EVENT_CHARS, "%s[%" PRIu64 ",\"%s\",%u]",
			       i ? "," : "", ev[i].tsc, rp_event_names[type],
			       ev[i].arg);
	}
	strcpy(at, "]");
	return text;
}

char *describe_events(const struct queue *q, u32 max)
{
	struct rp_event *ev;
	char *text;

	if (!q->trace)
		return strdup("[]");
	ev = malloc(max * sizeof(*ev));
	if (!ev)
		return NULL;
	text = print_events(ev, rp_trace_snapshot(q->trace, ev, max));
	free(ev);
	return text;
}
