// SPDX-License-Identifier: GPL-2.0-or-later
/* Settling. */
#include "bench/step.h"

#include <math.h>

static double rate(const struct step_sample *a, const struct step_sample *b)
{
	return (b->items - a->items) * 1e9 / (double)(b->t_ns - a->t_ns);
}

static double late_share(const struct step_sample *a, const struct step_sample *b)
{
	double timed = b->timed - a->timed;

	return timed > 0 ? (b->late - a->late) / timed : 0;
}

/* The first sample a window after the @i-th; @n: there is none. */
static u32 window_end(const struct step_sample *s, u32 n, u32 i)
{
	u32 j;

	for (j = i + 1; j < n && s[j].t_ns - s[i].t_ns < STEP_WINDOW_NS; j++)
		;
	return j;
}

/* What a window has to be like. */
struct bounds {
	double least_per_s, most_per_s, most_late;
};

static bool good(const struct step_sample *a, const struct step_sample *b, const struct bounds *is)
{
	const double per_s = rate(a, b);

	return per_s >= is->least_per_s && per_s <= is->most_per_s &&
		late_share(a, b) <= is->most_late;
}

static u32 find_settled(const struct step_sample *s, u32 n, const struct bounds *is)
{
	u32 i, j;

	for (i = 0; i < n; i++) {
		j = window_end(s, n, i);
		if (j == n)
			return n;
		if (good(&s[i], &s[j], is))
			return i;
	}
	return n;
}

/* Widens @is so that every window from sample @i on is good. */
static void widen(struct bounds *is, const struct step_sample *s, u32 n, u32 i)
{
	u32 j;

	for (; (j = window_end(s, n, i)) < n; i++) {
		is->least_per_s = fmin(is->least_per_s, rate(&s[i], &s[j]));
		is->most_per_s = fmax(is->most_per_s, rate(&s[i], &s[j]));
		is->most_late = fmax(is->most_late, late_share(&s[i], &s[j]));
	}
}

static double since_begin_ns(const struct step_sample *s, u32 n, u32 i)
{
	return i < n ? (double)(s[i].t_ns - s[0].t_ns) : UNKNOWN;
}

/* Of both sides, of those that tell; UNKNOWN: none does. */
static double changes(const struct step_sample *s)
{
	double p = s->p.mode_changes, c = s->c.mode_changes;

	return is_known(p) && is_known(c) ? p + c : is_known(p) ? p : c;
}

static bool goal_allows(const struct step_sample *s, u32 n, u32 i)
{
	if (s[i].t_ns - s[0].t_ns < STEP_GOAL_NS)
		return true;
	/* Where no more items come, none is waited for. */
	return s[i].items - s[0].items < STEP_GOAL_ITEMS && s[i].items < s[n - 1].items;
}

/* Where the steady state begins, if throughput and latency have settled at the @i-th. */
static u32 steady_from(const struct step_sample *s, u32 n, u32 i)
{
	while (i + 1 < n && goal_allows(s, n, i))
		i++;
	return i;
}

/* The last sample a window before the @i-th, or @from if that is later. */
static u32 window_begin(const struct step_sample *s, u32 from, u32 i)
{
	u32 j = i;

	while (j > from && s[i].t_ns - s[j].t_ns < STEP_WINDOW_NS)
		j--;
	return j;
}

/*
 * From sample @from on: changes of mode after a window that was good, and others, which follow
 * what throughput or latency do: somebody else had a CPU, or the strategy does harm.
 */
static void count_changes(const struct step_sample *s, u32 n, u32 from, const struct bounds *is,
			  struct step_result *r)
{
	double more;
	u32 i;

	r->mode_changes = r->odd_mode_changes = 0;
	if (!is_known(changes(&s[n - 1])))
		r->mode_changes = r->odd_mode_changes = UNKNOWN;
	for (i = from + 1; i < n; i++) {
		more = changes(&s[i]) - changes(&s[i - 1]);
		if (!(more > 0))
			continue;
		if (good(&s[window_begin(s, from, i)], &s[i], is))
			r->mode_changes += more;
		else
			r->odd_mode_changes += more;
	}
}

/* Of windows, one after the other, those that are not good. */
static double odd_share(const struct step_sample *s, u32 n, u32 from, const struct bounds *is)
{
	u32 i, j, odd = 0, all = 0;

	for (i = from; (j = window_end(s, n, i)) < n; i = j, all++)
		odd += !good(&s[i], &s[j], is);
	return all ? (double)odd / all : UNKNOWN;
}

static double last_change_ns(const struct step_sample *s, u32 n)
{
	u32 i;

	for (i = n - 1; i && !(changes(&s[i]) > changes(&s[i - 1])); i--)
		;
	return i ? (double)(s[i].t_ns - s[0].t_ns) : UNKNOWN;
}

void step_settle(const struct step_sample *s, u32 n, struct step_result *r)
{
	struct bounds is, settled;
	u32 i;

	*r = (struct step_result){
		UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN,
		UNKNOWN, UNKNOWN,
	};
	if (n < 3)
		return;
	r->final_per_s = rate(&s[n / 2], &s[n - 1]);
	if (s[n - 1].timed > s[0].timed)
		r->late_share = late_share(&s[0], &s[n - 1]);
	r->last_change_ns = last_change_ns(s, n);
	is.least_per_s = (1 - STEP_RATE_SHARE) * r->final_per_s;
	is.most_per_s = (1 + STEP_RATE_SHARE) * r->final_per_s;
	is.most_late = STEP_LATE_SHARE;
	i = find_settled(s, n, &is);
	settled = is;
	widen(&is, s, n, n / 2);
	r->like_end_ns = since_begin_ns(s, n, find_settled(s, n, &is));
	if (i == n)
		return;
	r->settle_ns = since_begin_ns(s, n, i);
	r->settle_items = s[i].items - s[0].items;
	count_changes(s, n, steady_from(s, n, i), &settled, r);
	r->odd_share = odd_share(s, n, i, &settled);
	for (r->violations = 0; i + 1 < n; i++)
		r->violations += late_share(&s[i], &s[i + 1]) > STEP_LATE_SHARE;
}
