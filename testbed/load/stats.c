// SPDX-License-Identifier: GPL-2.0-or-later
/* Counting what became of requests. */
#include "load/stats.h"

#include <stdlib.h>

bool load_stats_init(struct load_stats *s, u64 measured_ns, u64 interval_ns, u64 late_ns)
{
	*s = (struct load_stats){ .interval_ns = interval_ns, .late_ns = late_ns };
	s->points = (u32)((measured_ns + interval_ns - 1) / interval_ns);
	s->point = calloc(s->points, sizeof(*s->point));
	return s->point;
}

void load_stats_free(struct load_stats *s)
{
	u32 i;

	for (i = 0; s->point && i < s->points; i++)
		free(s->point[i].latency);
	free(s->point);
	s->point = NULL;
}

void load_stats_begin(struct load_stats *s, u64 begin_ns, u64 warmup_ns)
{
	s->begin_ns = begin_ns;
	s->measure_ns = begin_ns + warmup_ns;
}

/* What comes after the end belongs to the last one. */
static struct load_point *point_at(struct load_stats *s, u64 at_ns)
{
	u64 i = (at_ns - s->measure_ns) / s->interval_ns;

	return &s->point[i < s->points ? i : s->points - 1];
}

void load_stats_sent(struct load_stats *s, const struct load_request *r)
{
	u64 behind = r->sent_ns > r->due_ns ? r->sent_ns - r->due_ns : 0;
	bool late = behind > s->late_ns;

	if (!r->measured)
		return;
	rp_add(&s->offered, 1);
	rp_add(&s->sent, 1);
	rp_add(&s->late, late);
	rp_hist_add(&s->behind, behind);
	point_at(s, r->due_ns)->offered++;
	point_at(s, r->due_ns)->missed += late;
	point_at(s, r->sent_ns)->sent++;
}

void load_stats_unsent(struct load_stats *s, u64 due_ns)
{
	if (!load_stats_counts(s, due_ns))
		return;
	rp_add(&s->offered, 1);
	rp_add(&s->unsent, 1);
	point_at(s, due_ns)->offered++;
	point_at(s, due_ns)->missed++;
}

/* Without memory for it the interval's percentiles are missing, nothing else. */
static void note_latency(struct load_stats *s, const struct load_request *r, u64 latency_ns)
{
	struct load_point *p = point_at(s, r->due_ns);

	rp_hist_add(&s->latency, latency_ns);
	if (!p->latency)
		p->latency = calloc(1, sizeof(*p->latency));
	if (p->latency)
		rp_hist_add(p->latency, latency_ns);
}

void load_stats_ended(struct load_stats *s, const struct load_request *r, enum load_outcome outcome,
		      u64 now_ns)
{
	if (!r->measured)
		return;
	if (outcome != LOAD_OK) {
		rp_add(&s->failed, 1);
		rp_add(&s->errors[outcome], 1);
		point_at(s, r->due_ns)->failed++;
		return;
	}
	rp_add(&s->done, 1);
	point_at(s, now_ns)->done++;
	note_latency(s, r, now_ns > r->due_ns ? now_ns - r->due_ns : 0);
}

static bool merge_point(struct load_point *to, const struct load_point *from)
{
	to->offered += from->offered;
	to->sent += from->sent;
	to->done += from->done;
	to->failed += from->failed;
	to->missed += from->missed;
	if (!from->latency)
		return true;
	if (!to->latency)
		to->latency = calloc(1, sizeof(*to->latency));
	if (to->latency)
		rp_hist_merge(to->latency, from->latency);
	return to->latency;
}

bool load_stats_merge(struct load_stats *to, const struct load_stats *from)
{
	bool good = true;
	u32 i;

	to->offered += from->offered;
	to->sent += from->sent;
	to->done += from->done;
	to->failed += from->failed;
	to->late += from->late;
	to->unsent += from->unsent;
	to->connects += from->connects;
	to->last_errno = from->last_errno ?: to->last_errno;
	for (i = 0; i < LOAD_OUTCOMES; i++) {
		to->errors[i] += from->errors[i];
		to->connection_errors[i] += from->connection_errors[i];
	}
	rp_hist_merge(&to->latency, &from->latency);
	rp_hist_merge(&to->behind, &from->behind);
	for (i = 0; i < to->points && i < from->points; i++)
		good &= merge_point(&to->point[i], &from->point[i]);
	return good;
}

u64 load_stats_quantile(const struct load_stats *s, u32 permille)
{
	struct rp_hist all = s->latency;
	u64 v;

	if (!s->offered)
		return UINT64_MAX;
	all.bucket[RP_HIST_BUCKETS - 1] += s->offered - s->done;
	all.count = s->offered;
	all.max = UINT64_MAX;
	v = rp_hist_quantile(&all, permille);
	return v == UINT64_MAX || v < s->latency.max ? v : s->latency.max;
}
