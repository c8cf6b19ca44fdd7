// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads durations from the traces, and matches the two sides' events. */
#include "spans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* From one event to a later one of the same party. */
struct span {
	double begin_tsc, end_tsc;
};

struct spans {
	struct span *v;
	u32 n;
};

/* An event's time on the host's counter, or UNKNOWN if it is not of @type. */
static double time_of(const json_t *ev, const char *type, double offset)
{
	const char *name = json_string_value(json_array_get(ev, 1));
	const json_t *tsc = json_array_get(ev, 0);

	if (!name || strcmp(name, type) || !json_is_integer(tsc))
		return UNKNOWN;
	return json_number_value(tsc) + offset;
}

/* The spans from an event @first to the next @last; free ->v. */
static struct spans collect(const json_t *trace, const char *first, const char *last,
			    double offset)
{
	const json_t *events = json_object_get(trace, "events"), *ev;
	struct spans out = { calloc(json_array_size(events) + 1, sizeof(*out.v)), 0 };
	double begin = UNKNOWN, t;
	size_t i;

	if (!out.v)
		abort();
	json_array_foreach(events, i, ev) {
		t = time_of(ev, first, offset);
		if (is_known(t))
			begin = t;
		t = time_of(ev, last, offset);
		if (!is_known(t) || !is_known(begin))
			continue;
		out.v[out.n++] = (struct span){ begin, t };
		begin = UNKNOWN;
	}
	return out;
}

static double to_ns(const json_t *trace, double ticks)
{
	return ticks * 1e9 / json_number_at(trace, "tsc_hz");
}

static void own_spans(const json_t *trace, const char *first, const char *last,
		      struct samples *out)
{
	struct spans s = collect(trace, first, last, 0);
	u32 i;

	for (i = 0; i < s.n; i++)
		samples_add(out, to_ns(trace, s.v[i].end_tsc - s.v[i].begin_tsc));
	free(s.v);
}

/* Waits and notices are in order of time. */
static void match(const json_t *clock, const struct spans *notices, const struct spans *waits,
		  struct samples *out)
{
	const struct span *no = notices->v, *wa = waits->v;
	u32 i, j = 0, used = 0;

	for (i = 0; i < waits->n; i++) {
		while (j < notices->n && no[j].begin_tsc < wa[i].end_tsc)
			j++;
		/* no[j - 1] is the last that began before this wake-up. */
		if (j == used || no[j - 1].end_tsc < wa[i].begin_tsc)
			continue;
		used = j;
		samples_add(out, to_ns(clock, fmax(0, wa[i].end_tsc - no[j - 1].end_tsc)));
	}
}

static void startups(const json_t *from, double from_offset, const json_t *to, double to_offset,
		     struct samples *out)
{
	struct spans notices = collect(from, "notify_start", "notify_end", from_offset);
	struct spans waits = collect(to, "block", "wake", to_offset);

	match(from, &notices, &waits, out);
	free(notices.v);
	free(waits.v);
}

/* Host's counter minus the driver's, as either side knows it. */
static double clock_offset(const struct run_sides *s)
{
	double p = json_number_at(s->trace_p, "clock_offset_tsc");

	return is_known(p) ? p : json_number_at(s->trace_c, "clock_offset_tsc");
}

static void startups_of(const struct run_params *p, const struct run_sides *s, bool of_p,
			struct samples *out)
{
	double offset = clock_offset(s);
	double offset_p = p->dir == RUN_FWD ? offset : 0;
	double offset_c = p->dir == RUN_FWD ? 0 : offset;

	if (!is_known(offset))
		return;
	if (of_p)
		startups(s->trace_c, offset_c, s->trace_p, offset_p, out);
	else
		startups(s->trace_p, offset_p, s->trace_c, offset_c, out);
}

void spans_collect(const struct run_params *p, const struct run_sides *s, enum span_kind kind,
		   struct samples *out)
{
	switch (kind) {
	case SPAN_NP:
		own_spans(s->trace_p, "notify_start", "notify_end", out);
		break;
	case SPAN_NC:
		own_spans(s->trace_c, "notify_start", "notify_end", out);
		break;
	case SPAN_YP:
		own_spans(s->trace_p, "sleep", "slept", out);
		break;
	case SPAN_YC:
		own_spans(s->trace_c, "sleep", "slept", out);
		break;
	case SPAN_WINDOW:
		own_spans(s->trace_c, "arm", "block", out);
		break;
	case SPAN_SP:
	case SPAN_SC:
		startups_of(p, s, kind == SPAN_SP, out);
		break;
	default:
		break;
	}
}
