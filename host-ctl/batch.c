// SPDX-License-Identifier: GPL-2.0-or-later
/* Shares out what is left. */
#include "batch.h"

static u32 at_most(const struct hc_batch *b, u32 left)
{
	return b->max_cores && b->max_cores < left ? b->max_cores : left;
}

/* The highest priority below @below; false: there is none. */
static bool next_priority(const struct hc_batch *b, u32 n, s64 below, s64 *priority)
{
	bool found = false;
	u32 i;

	for (i = 0; i < n; i++) {
		if (b[i].priority >= below || (found && b[i].priority <= *priority))
			continue;
		*priority = b[i].priority;
		found = true;
	}
	return found;
}

/* What the tenants of one priority can use of it together. */
static u32 usable(const struct hc_batch *b, u32 n, s64 priority, u32 left)
{
	u32 i, most = 0;

	for (i = 0; i < n; i++)
		if (b[i].priority == priority && b[i].min_cores <= left &&
		    at_most(&b[i], left) > most)
			most = at_most(&b[i], left);
	return most;
}

void hc_share_out(struct hc_batch *b, u32 n, u32 free)
{
	s64 priority = INT64_MAX;
	u32 i, cores, left = free;

	while (next_priority(b, n, priority, &priority)) {
		cores = usable(b, n, priority, left);
		left -= cores;
		for (i = 0; i < n; i++) {
			if (b[i].priority != priority)
				continue;
			b[i].first = left;
			b[i].cores = b[i].min_cores <= cores ? at_most(&b[i], cores) : 0;
		}
	}
}
