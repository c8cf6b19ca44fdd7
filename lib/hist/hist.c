// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a histogram: bounds, quantiles, merging. */
#include "hist/hist.h"

u64 rp_hist_upper(u32 i)
{
	u32 exp;

	if (i < RP_HIST_SUB)
		return i;
	if (i >= RP_HIST_BUCKETS - 1)
		return ~0ULL;
	exp = i / RP_HIST_SUB - 1;
	return ((u64)(i % RP_HIST_SUB + RP_HIST_SUB + 1) << exp) - 1;
}

u64 rp_hist_quantile(const struct rp_hist *h, u32 permille)
{
	u64 count = rp_load(&h->count), max = rp_load(&h->max);
	u64 rank, seen = 0;
	u32 i;

	if (!count)
		return 0;
	if (permille > 1000)
		permille = 1000;
	/* ceil(count * permille / 1000), which the product could overflow. */
	rank = count / 1000 * permille + (count % 1000 * permille + 999) / 1000;
	if (!rank)
		rank = 1;
	for (i = 0; i < RP_HIST_BUCKETS; i++) {
		seen += rp_load(&h->bucket[i]);
		if (seen >= rank)
			break;
	}
	return rp_hist_upper(i) < max ? rp_hist_upper(i) : max;
}

void rp_hist_merge(struct rp_hist *to, const struct rp_hist *from)
{
	u64 max = rp_load(&from->max);
	u32 i;

	for (i = 0; i < RP_HIST_BUCKETS; i++)
		rp_store(&to->bucket[i], to->bucket[i] + rp_load(&from->bucket[i]));
	rp_store(&to->count, to->count + rp_load(&from->count));
	if (max > to->max)
		rp_store(&to->max, max);
}

void rp_hist_reset(struct rp_hist *h)
{
	u32 i;

	/* Single stores, since a reader may be looking. */
	rp_store(&h->count, 0);
	rp_store(&h->max, 0);
	for (i = 0; i < RP_HIST_BUCKETS; i++)
		rp_store(&h->bucket[i], 0);
}
