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
 * S comes from the two traces, as the mean over the pairs of a notification and
 * the wake-up that it caused (sec. 4.4).
 */
#include <string.h>

#include "json.h"
#include "spans.h"

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
	r->clock_error_ns = json_number_at(s->stats_c, "clock_error_ns");
	r->wp_ns = mean_if(s->stats_p, "w_ns", "items");
	r->wc_ns = mean_if(s->stats_c, "w_ns", "items");
	r->np_ns = mean_if(s->stats_p, "n_ns", "sent");
	r->nc_ns = mean_if(s->stats_c, "n_ns", "sent");
	r->yp_ns = mean_if(s->stats_p, "y_ns", "sleeps");
	r->yc_ns = mean_if(s->stats_c, "y_ns", "sleeps");
	r->lost = json_number_at(s->stats_c, "lost");
	if (is_known(s->lost_at_end))
		r->lost += s->lost_at_end;
	else if (!(r->lost > 0))	/* a gap is a loss, whatever the end was */
		r->lost = UNKNOWN;
	r->reordered = json_number_at(s->stats_c, "reordered");
}

/* Offsets are exact as integers only. A lane without KVM has none. */
static void merge_clock(const json_t *v, struct run_clock *c)
{
	const json_t *offset = json_object_get(v, "offset_tsc");
	const json_t *kvm = json_object_get(v, "kvm_offset_tsc");

	c->kvm = json_is_object(v);
	c->exchanged = json_is_integer(offset);
	c->compared = json_is_integer(kvm);
	c->agrees = json_is_true(json_object_get(v, "agrees"));
	c->offset_tsc = json_integer_value(offset);
	c->kvm_offset_tsc = json_integer_value(kvm);
	c->difference_ns = json_number_at(v, "difference_ns");
	snprintf(c->why, sizeof(c->why), "%s", json_string_value(json_object_get(v, "why")) ?: "");
}

/* Shares of the time in each mode; an aborted or empty window has none. */
static void merge_times(const json_t *pacing, double share[RP_WAITS])
{
	const json_t *times = json_object_get(pacing, "mode_ns");
	double total = 0;
	u32 i;

	for (i = 0; i < RP_WAITS; i++) {
		share[i] = json_number_at(times, rp_wait_names[i]);
		total += share[i];
	}
	for (i = 0; i < RP_WAITS; i++)
		share[i] = ratio(share[i], total);
}

static const char *text_at(const json_t *obj, const char *key)
{
	return json_string_value(json_object_get(obj, key));
}

static void merge_pacing(const struct run_params *p, const struct run_sides *s,
			 struct run_result *r)
{
	const json_t *pp = json_object_get(s->stats_p, "pacing");
	const json_t *pc = json_object_get(s->stats_c, "pacing");
	const char *a = text_at(pp, "regime"), *b = text_at(pc, "regime");

	if (a && b && strcmp(a, b))
		snprintf(r->regime, sizeof(r->regime), "%s/%s", a, b);
	else
		snprintf(r->regime, sizeof(r->regime), "%s", a ?: b ?: "");
	a = text_at(pp, "unmet");
	b = text_at(pc, "unmet");
	if (a && b && strcmp(a, b))
		snprintf(r->unmet, sizeof(r->unmet), "P: %s; C: %s", a, b);
	else
		snprintf(r->unmet, sizeof(r->unmet), "%s", a ?: b ?: "");
	r->predicted_t_ns = json_number_at(pc, "predicted_t_ns");
	if (!is_known(r->predicted_t_ns))
		r->predicted_t_ns = json_number_at(pp, "predicted_t_ns");
	merge_times(pp, r->time_p);
	merge_times(pc, r->time_c);
	r->late = p->dmax_ns ? ratio(json_number_at(s->stats_c, "late"),
				     json_number_at(s->stats_c, "lat_count")) : UNKNOWN;
}

/* Mean without the slowest hundredth, which is other processes' work. */
static double startup_ns(const struct run_params *p, const struct run_sides *s,
			 enum span_kind kind)
{
	struct samples v = { 0 };
	double sum = 0, mean;
	u32 i, keep;

	spans_collect(p, s, kind, &v);
	/* Sorts them, too. */
	median(v.v, v.n);
	keep = v.n - v.n / 100;
	for (i = 0; i < keep; i++)
		sum += v.v[i];
	mean = ratio(sum, keep);
	samples_free(&v);
	return mean;
}

void run_merge(const struct run_params *p, const struct run_sides *s, struct run_result *r)
{
	memset(r, 0, sizeof(*r));
	r->params = *p;
	snprintf(r->accel, sizeof(r->accel), "%s", s->accel);
	merge_rates(p, s, r);
	merge_measured(s, r);
	merge_pacing(p, s, r);
	merge_clock(s->clock, &r->clock);
	r->sp_ns = startup_ns(p, s, SPAN_SP);
	r->sc_ns = startup_ns(p, s, SPAN_SC);
}
