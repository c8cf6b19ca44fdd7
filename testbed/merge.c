// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes one result of what the two parties said.
 *
 * Rates are taken from each party's own count and own window: the windows of
 * the two sides begin and end some microseconds apart, and mixing them would
 * add that to every figure. Items are the consumer's: an item counts when its
 * work is done.
 *
 * b (batch) is the papers' overall batch (004, sec. 5.1): items per
 * synchronisation, that is per sleep, kick or call of either side; there is
 * none where nobody ever slept or notified.
 *
 * S is measured between the two traces: from the end of one side's
 * notification to the other's wake-up. Of the pairs, one wake-up is matched
 * with the last notification that began before it, each used once, if the
 * sleeper had blocked before the notification ended; a wake-up inside the
 * sender's system call counts as 0. The result is the mean over the pairs, as
 * in sec. 4.4, without the slowest hundredth, which is other processes' work.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "lane.h"

/* a / b, unknown when either is or when b is 0. */
static double ratio(double a, double b)
{
	return is_known(b) && b > 0 ? a / b : UNKNOWN;
}

/* A mean that is only one if something was counted. */
static double mean_if(const json_t *stats, const char *mean, const char *count)
{
	return json_number_at(stats, count) > 0 ? json_number_at(stats, mean) : UNKNOWN;
}

static double per_s(const json_t *stats, const char *count)
{
	return ratio(json_number_at(stats, count) * 1e9, json_number_at(stats, "duration_ns"));
}

static void merge_rates(const struct run_params *p, const struct run_sides *s,
			struct run_result *r)
{
	const json_t *drv = p->dir == RUN_FWD ? s->stats_p : s->stats_c;
	const json_t *dev = p->dir == RUN_FWD ? s->stats_c : s->stats_p;
	double syncs;

	r->items = json_number_at(s->stats_c, "items");
	r->items_per_s = per_s(s->stats_c, "items");
	r->t_ns = ratio(1e9, r->items_per_s);
	r->cpu_p = ratio(json_number_at(s->stats_p, "cpu_ns"),
			 json_number_at(s->stats_p, "duration_ns"));
	r->cpu_c = ratio(json_number_at(s->stats_c, "cpu_ns"),
			 json_number_at(s->stats_c, "duration_ns"));
	r->e_ns = (r->cpu_p + r->cpu_c) * r->t_ns;
	r->kicks_per_s = per_s(drv, "sent");
	r->spurious_kicks_per_s = per_s(dev, "spurious");
	r->calls_per_s = per_s(dev, "sent");
	r->sleeps_p_per_s = per_s(s->stats_p, "sleeps");
	r->sleeps_c_per_s = per_s(s->stats_c, "sleeps");
	syncs = r->kicks_per_s + r->calls_per_s + r->sleeps_p_per_s + r->sleeps_c_per_s;
	r->batch = ratio(r->items_per_s, syncs);
}

static void merge_measured(const struct run_sides *s, struct run_result *r)
{
	r->lat_p50_ns = mean_if(s->stats_c, "lat_p50_ns", "lat_count");
	r->lat_p98_ns = mean_if(s->stats_c, "lat_p98_ns", "lat_count");
	r->lat_p99_ns = mean_if(s->stats_c, "lat_p99_ns", "lat_count");
	r->lat_max_ns = mean_if(s->stats_c, "lat_max_ns", "lat_count");
	r->wp_ns = mean_if(s->stats_p, "w_ns", "items");
	r->wc_ns = mean_if(s->stats_c, "w_ns", "items");
	r->np_ns = mean_if(s->stats_p, "n_ns", "sent");
	r->nc_ns = mean_if(s->stats_c, "n_ns", "sent");
	r->yp_ns = mean_if(s->stats_p, "y_ns", "sleeps");
	r->yc_ns = mean_if(s->stats_c, "y_ns", "sleeps");
	r->lost = json_number_at(s->stats_c, "lost");
	if (is_known(s->lost_at_end))
		r->lost += s->lost_at_end;
	r->reordered = json_number_at(s->stats_c, "reordered");
}

/* ---- Start-up costs ---- */

/* A notification being sent, or a wait from block to wake-up. */
struct span {
	double begin_tsc, end_tsc;
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

/* Collects the spans from an event @first to the next @last. */
static u32 collect(const json_t *trace, const char *first, const char *last, double offset,
		   struct span *out)
{
	const json_t *events = json_object_get(trace, "events"), *ev;
	double begin = UNKNOWN, t;
	size_t i;
	u32 n = 0;

	json_array_foreach(events, i, ev) {
		t = time_of(ev, first, offset);
		if (is_known(t))
			begin = t;
		t = time_of(ev, last, offset);
		if (!is_known(t) || !is_known(begin))
			continue;
		out[n++] = (struct span){ begin, t };
		begin = UNKNOWN;
	}
	return n;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double mean_without_tail(double *v, u32 n)
{
	double sum = 0;
	u32 i, keep = n - n / 100;

	if (!n)
		return UNKNOWN;
	qsort(v, n, sizeof(*v), by_value);
	for (i = 0; i < keep; i++)
		sum += v[i];
	return sum / keep;
}

/* Waits and notices are in order of time; fills @s with ticks. */
static u32 match(const struct span *no, u32 n_no, const struct span *wa, u32 n_wa, double *s)
{
	u32 i, j = 0, used = 0, n = 0;

	for (i = 0; i < n_wa; i++) {
		while (j < n_no && no[j].begin_tsc < wa[i].end_tsc)
			j++;
		/* no[j - 1] is the last that began before this wake-up. */
		if (j == used || no[j - 1].end_tsc < wa[i].begin_tsc)
			continue;
		used = j;
		s[n++] = fmax(0, wa[i].end_tsc - no[j - 1].end_tsc);
	}
	return n;
}

static double startup_ns(const json_t *from, double from_offset, const json_t *to,
			 double to_offset)
{
	size_t n_from = json_array_size(json_object_get(from, "events"));
	size_t n_to = json_array_size(json_object_get(to, "events"));
	struct span *no = calloc(n_from + 1, sizeof(*no));
	struct span *wa = calloc(n_to + 1, sizeof(*wa));
	double *s = calloc(n_to + 1, sizeof(*s)), ticks = UNKNOWN;
	u32 n_no, n_wa;

	if (no && wa && s) {
		n_no = collect(from, "notify_start", "notify_end", from_offset, no);
		n_wa = collect(to, "block", "wake", to_offset, wa);
		ticks = mean_without_tail(s, match(no, n_no, wa, n_wa, s));
	}
	free(no);
	free(wa);
	free(s);
	return ratio(ticks * 1e9, json_number_at(from, "tsc_hz"));
}

/* Host's counter minus the driver's, as either side knows it. */
static double clock_offset(const struct run_sides *s)
{
	double p = json_number_at(s->trace_p, "clock_offset_tsc");

	return is_known(p) ? p : json_number_at(s->trace_c, "clock_offset_tsc");
}

static void merge_startup(const struct run_params *p, const struct run_sides *s,
			  struct run_result *r)
{
	double offset = clock_offset(s);
	double offset_p = p->dir == RUN_FWD ? offset : 0;
	double offset_c = p->dir == RUN_FWD ? 0 : offset;

	r->sc_ns = r->sp_ns = UNKNOWN;
	if (!is_known(offset))
		return;
	r->sc_ns = startup_ns(s->trace_p, offset_p, s->trace_c, offset_c);
	r->sp_ns = startup_ns(s->trace_c, offset_c, s->trace_p, offset_p);
}

void run_merge(const struct run_params *p, const struct run_sides *s, struct run_result *r)
{
	memset(r, 0, sizeof(*r));
	r->params = *p;
	snprintf(r->accel, sizeof(r->accel), "%s", s->accel);
	merge_rates(p, s, r);
	merge_measured(s, r);
	merge_startup(p, s, r);
}
