// SPDX-License-Identifier: GPL-2.0-or-later
/* Regrets. */
#include "bench/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_measured(const struct figures *f)
{
	return is_known(f->x_per_s) && is_known(f->e_ns) && is_known(f->p98_ns) && f->x_per_s > 0;
}

static bool find_best(const struct figures *f, u32 n, double dmax_ns, struct best *b)
{
	bool any = false;
	u32 i;

	*b = (struct best){ 0 };
	for (i = 0; i < n; i++) {
		if (!is_measured(&f[i]))
			continue;
		if (!any || f[i].p98_ns < f[b->p98].p98_ns)
			b->p98 = i;
		any = true;
		if (f[i].p98_ns > dmax_ns)
			continue;
		if (!b->feasible || f[i].x_per_s > f[b->x].x_per_s)
			b->x = i;
		b->feasible = true;
	}
	b->e = b->x;
	for (i = 0; i < n && b->feasible; i++)
		if (is_measured(&f[i]) && f[i].p98_ns <= dmax_ns &&
		    f[i].x_per_s >= (1 - JUDGE_X_SLACK) * f[b->x].x_per_s &&
		    f[i].e_ns < f[b->e].e_ns)
			b->e = i;
	return any;
}

bool judge_cell(const struct figures *f, u32 n, double dmax_ns, struct verdict *v,
		struct best *b)
{
	bool any = find_best(f, n, dmax_ns, b);
	u32 i;

	for (i = 0; i < n; i++) {
		v[i] = (struct verdict){ .x_regret = UNKNOWN, .e_regret = UNKNOWN };
		v[i].measured = is_measured(&f[i]);
		v[i].keeps_dmax = v[i].measured && f[i].p98_ns <= dmax_ns;
		if (!v[i].measured || !b->feasible)
			continue;
		v[i].x_regret = f[b->x].x_per_s / f[i].x_per_s;
		v[i].e_regret = f[i].e_ns / f[b->e].e_ns;
		v[i].within = v[i].keeps_dmax && v[i].x_regret <= JUDGE_X_REGRET &&
			v[i].e_regret <= JUDGE_E_REGRET;
	}
	return any;
}

static void keep(struct tally *t, const struct verdict *v)
{
	if (t->kept == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->x_regret = realloc(t->x_regret, t->room * sizeof(*t->x_regret));
		t->e_regret = realloc(t->e_regret, t->room * sizeof(*t->e_regret));
		if (!t->x_regret || !t->e_regret)
			abort();
	}
	t->x_regret[t->kept] = v->x_regret;
	t->e_regret[t->kept++] = v->e_regret;
}

void tally_add(struct tally *t, const struct verdict *v)
{
	if (!v->measured || !is_known(v->x_regret))
		return;
	t->cells++;
	t->within += v->within;
	t->dmax_missed += !v->keeps_dmax;
	t->worst_x_regret = fmax(t->worst_x_regret, v->x_regret);
	t->worst_e_regret = fmax(t->worst_e_regret, v->e_regret);
	if (v->keeps_dmax)
		keep(t, v);
}

double tally_median_x(struct tally *t)
{
	return median(t->x_regret, t->kept);
}

double tally_median_e(struct tally *t)
{
	return median(t->e_regret, t->kept);
}

void tally_free(struct tally *t)
{
	free(t->x_regret);
	free(t->e_regret);
	*t = (struct tally){ 0 };
}
