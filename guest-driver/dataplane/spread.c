// SPDX-License-Identifier: GPL-2.0-or-later
/* More threads, or fewer: which groups move. */
#include "internal.h"

struct load {
	u32 groups[DP_THREADS_MAX];
	u32 threads;
	u64 mask;		/* that may have groups */
};

static bool may_have(const struct load *l, u32 thread)
{
	return l->mask >> thread & 1;
}

static u32 least(const struct load *l)
{
	u32 i, at = (u32)__builtin_ctzll(l->mask);

	for (i = at + 1; i < l->threads; i++)
		if (may_have(l, i) && l->groups[i] < l->groups[at])
			at = i;
	return at;
}

/* Has more than its share while thread @to has less. */
static bool too_many(const struct load *l, u32 thread, u32 to)
{
	return !may_have(l, thread) || l->groups[thread] > l->groups[to] + 1;
}

u32 dp_spread(struct dp *dp, u64 mask, enum dp_cause cause)
{
	struct load l = { .threads = dp->cfg.threads, .mask = mask };
	u32 g, n = 0;

	if (!mask || mask & ~dp_first_threads(dp->cfg.threads))
		return 0;
	for (g = 0; g < dp->cfg.groups; g++)
		l.groups[dp_owner(dp, g)]++;
	for (g = 0; g < dp->cfg.groups; g++) {
		u32 from = dp_owner(dp, g), to = least(&l);

		if (!too_many(&l, from, to) || dp->groups[g].followed ||
		    dp_move_for(dp, g, to, cause))
			continue;
		l.groups[from]--;
		l.groups[to]++;
		n++;
	}
	dp_moves_ordered(dp);
	return n;
}
