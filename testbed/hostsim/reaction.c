// SPDX-License-Identifier: GPL-2.0-or-later
/* Times the controller's answers to steps of the load. */
#include "reaction.h"

#include <math.h>
#include <stdlib.h>

static bool is_overloaded(const struct hs *h)
{
	double ghz = hs_host.ghz[h->config.freq], load[HS_THREADS] = { 0 };
	double full_ns = hs_item_ns(ghz) + hs_iter_ns(ghz) / HS_BATCH;
	u32 g, t;

	for (g = 0; g < HS_GROUPS; g++)
		load[h->owner[g]] += h->load * h->weight[g] / 1e9;
	for (t = 0; t < HS_THREADS; t++) {
		bool two = load[t % HS_CORES] > 0 && load[t % HS_CORES + HS_CORES] > 0;

		if (load[t] * full_ns * (two ? 2 / hs_host.smt : 1) > 1)
			return true;
	}
	return false;
}

void reaction_step(struct reaction *r, const struct hs *h)
{
	if (!r->stepped_ns && is_overloaded(h)) {
		r->stepped_ns = h->now_ns;
		r->decided_ns = 0;
	}
}

void reaction_decision(struct reaction *r, const struct hc_decision *d)
{
	if (r->stepped_ns && !r->decided_ns && d->to > d->from)
		r->decided_ns = d->now_ns;
}

void reaction_tick(struct reaction *r, const struct hs *h)
{
	struct reaction_list *l = r->list;

	if (!r->decided_ns || is_overloaded(h))
		return;
	if (l->n < REACTIONS_MAX) {
		l->decided_ns[l->n] = (double)(r->decided_ns - r->stepped_ns);
		l->placed_ns[l->n++] = (double)(h->now_ns - r->decided_ns);
	}
	r->stepped_ns = r->decided_ns = 0;
}

double reaction_max(const double *ns, u32 n)
{
	double most = NAN;
	u32 i;

	for (i = 0; i < n; i++)
		most = fmax(most, ns[i]);
	return most;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double reaction_p95(const double *ns, u32 n)
{
	double sorted[2 * REACTIONS_MAX];

	if (!n || n > 2 * REACTIONS_MAX)
		return NAN;
	memcpy(sorted, ns, n * sizeof(*ns));
	qsort(sorted, n, sizeof(*sorted), ascending);
	return sorted[(n * 95 + 99) / 100 - 1];
}
