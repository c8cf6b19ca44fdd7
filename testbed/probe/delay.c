// SPDX-License-Identifier: GPL-2.0-or-later
/* What gaps do to who needs the CPU at a random moment: a pure function. */
#include <stdlib.h>

#include "probe/probe.h"

static int longest_first(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/*
 * A moment meets the rest of the gap that it falls into: of all moments the share
 * sum(max(gap - d, 0)) / total is delayed for longer than d. Solved for d, from the longest
 * gap on.
 */
static double delay(const struct samples *gaps, double total_ns, double share)
{
	double sum = 0, d;
	u32 i;

	for (i = 0; i < gaps->n; i++) {
		sum += gaps->v[i];
		d = (sum - share * total_ns) / (i + 1);
		if (d > 0 && (i + 1 == gaps->n || d >= gaps->v[i + 1]))
			return d;
	}
	return 0;
}

void probe_gaps_conclude(struct samples *gaps, double total_ns, struct probe_gaps *to)
{
	double sum = 0;
	u32 i;

	if (gaps->n)
		qsort(gaps->v, gaps->n, sizeof(*gaps->v), longest_first);
	for (i = 0; i < gaps->n; i++)
		sum += gaps->v[i];
	to->observed_ns = total_ns;
	to->n = gaps->n;
	to->lost_share = sum / total_ns;
	to->max_ns = gaps->n ? gaps->v[0] : 0;
	to->delay_p98_ns = delay(gaps, total_ns, 0.02);
	to->delay_p99_ns = delay(gaps, total_ns, 0.01);
}
