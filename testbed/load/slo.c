// SPDX-License-Identifier: GPL-2.0-or-later
/* Searching for the highest rate that keeps a bound. */
#include "load/slo.h"

#include <math.h>

#include "util.h"

/* @n rates, in turns, into trials behind those that are there. */
static bool try_all(const struct load_slo *s, const double *rate, u32 n, struct load_slo_result *r)
{
	double p99[2][LOAD_SLO_REPEATS_MAX];
	struct load_slo_trial *t;
	u32 i, round;

	for (round = 0; round < s->repeats; round++)
		for (i = 0; i < n; i++)
			if (!s->try(s->ctx, rate[i], &p99[i][round]))
				return false;
	for (i = 0; i < n; i++) {
		t = &r->trial[r->trials++];
		t->rate = rate[i];
		t->p99_ns = median(p99[i], s->repeats);
		t->kept = t->p99_ns <= s->bound_ns;
	}
	return true;
}

static void keep(struct load_slo_result *r, const struct load_slo_trial *t)
{
	r->rate = t->rate;
	r->p99_ns = t->p99_ns;
}

bool load_slo_search(const struct load_slo *s, struct load_slo_result *r)
{
	double ends[2] = { s->low, s->high }, low = s->low, high = s->high, third, mid[2];
	const struct load_slo_trial *t;

	*r = (struct load_slo_result){ 0 };
	if (!try_all(s, ends, 2, r))
		return false;
	if (!r->trial[0].kept)
		return true;
	r->open = r->trial[1].kept;
	keep(r, &r->trial[r->open]);
	while (!r->open && high / low > s->ratio && r->trials + 2 <= LOAD_SLO_TRIALS_MAX) {
		third = pow(high / low, 1.0 / 3);
		mid[0] = low * third;
		mid[1] = low * third * third;
		if (!try_all(s, mid, 2, r))
			return false;
		t = &r->trial[r->trials - 2];
		/* The higher one counts only if the lower one keeps the bound as well. */
		if (!t[0].kept) {
			high = mid[0];
			continue;
		}
		keep(r, &t[t[1].kept]);
		low = t[1].kept ? mid[1] : mid[0];
		high = t[1].kept ? high : mid[1];
	}
	return true;
}
