// SPDX-License-Identifier: GPL-2.0-or-later
/* Finds who holds up a chain, from the figures. */
#include "chain/bottleneck.h"

#include "pacing/pacing.h"

/* Of packets; less than one wait in so many tells nothing of who is faster. */
#define WAITS_SEEN	1e-4

int bottleneck_busiest(const struct chain_server *s, u32 n)
{
	int best = -1;
	u32 i;

	for (i = 0; i < n; i++)
		if (is_known(s[i].utilisation) &&
		    (best < 0 || s[i].utilisation > s[best].utilisation))
			best = (int)i;
	return best;
}

int bottleneck_find(const struct chain_server *s, u32 n, enum bottleneck_why *why)
{
	int i;

	for (i = (int)n - 1; i >= 0; i--)
		if (is_known(s[i].in_fill) && s[i].in_fill >= BOTTLENECK_FULL) {
			*why = BOTTLENECK_RING_FULL;
			return i;
		}
	i = bottleneck_busiest(s, n);
	if (i >= 0 && s[i].utilisation >= BOTTLENECK_BUSY) {
		*why = BOTTLENECK_IS_BUSY;
		return i;
	}
	*why = BOTTLENECK_NONE;
	return -1;
}

const char *bottleneck_regime(u32 strategy, double waits_c, double waits_p)
{
	bool c = waits_c >= WAITS_SEEN, p = waits_p >= WAITS_SEEN;

	if (strategy == RP_BUSY)
		return "BW";
	if (!c && !p)
		return NULL;
	if (strategy == RP_NOTIFY)
		return c && p ? "nS*" : c ? "nFC" : "nFP";
	if (strategy == RP_SLEEP)
		return c && p ? "sLS" : c ? "sFC" : "sFP";
	return NULL;
}
