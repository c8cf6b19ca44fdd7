// SPDX-License-Identifier: GPL-2.0-or-later
/* What happened between two samples of a queue, per second and per item. */
#include <string.h>

#include "top/top.h"

static double ratio(double a, double b)
{
	return is_known(b) && b > 0 ? a / b : UNKNOWN;
}

/* Somebody has reset the statistics in between: all that is there came since. */
static bool began_anew(const struct top_counts *now, const struct top_counts *before)
{
	return now->duration_ns < before->duration_ns || now->items < before->items ||
	       now->cpu_ns < before->cpu_ns;
}

void top_rates(struct top_row *r, const struct top_counts *before)
{
	const struct top_counts none = { 0 }, *now = &r->counts;
	double ns;

	r->items_per_s = r->t_ns = r->kicks_per_s = r->calls_per_s = UNKNOWN;
	r->sleeps_per_s = r->batch = r->late = r->cpu_host = UNKNOWN;
	if (!before)
		return;
	if (began_anew(now, before))
		before = &none;
	ns = now->duration_ns - before->duration_ns;
	r->items_per_s = ratio((now->items - before->items) * 1e9, ns);
	r->t_ns = ratio(1e9, r->items_per_s);
	r->kicks_per_s = ratio((now->received - before->received) * 1e9, ns);
	r->calls_per_s = ratio((now->sent - before->sent) * 1e9, ns);
	r->sleeps_per_s = ratio((now->sleeps - before->sleeps) * 1e9, ns);
	r->batch = ratio(r->items_per_s, r->kicks_per_s + r->calls_per_s + r->sleeps_per_s);
	r->cpu_host = ratio(now->cpu_ns - before->cpu_ns, ns);
	if (is_known(r->dmax_ns))
		r->late = ratio(now->late - before->late, now->timed - before->timed);
}
