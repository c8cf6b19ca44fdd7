/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log-linear histogram of 64-bit values: 64 buckets for every power of two,
 * so that a percentile is at most 1/64 (1.6 %) too high. One writer, no locks;
 * a reader on another thread sees counts that may lag each other by a few.
 */
#ifndef RP_HIST_H
#define RP_HIST_H

#include "rp.h"

#define RP_HIST_SUB_BITS	6
#define RP_HIST_SUB		(1u << RP_HIST_SUB_BITS)
#define RP_HIST_EXPS		36	/* values from 2^41 on share the last bucket */
#define RP_HIST_BUCKETS		(RP_HIST_SUB * RP_HIST_EXPS)

struct rp_hist {
	u64 count;
	u64 max;
	u64 bucket[RP_HIST_BUCKETS];
};

static inline u32 rp_hist_index(u64 v)
{
	u32 exp, i;

	if (v < RP_HIST_SUB)
		return (u32)v;
	exp = 63 - RP_HIST_SUB_BITS - __builtin_clzll(v);
	i = (exp + 1) * RP_HIST_SUB + (u32)((v >> exp) - RP_HIST_SUB);
	return i < RP_HIST_BUCKETS ? i : RP_HIST_BUCKETS - 1;
}

static inline void rp_hist_add(struct rp_hist *h, u64 v)
{
	u64 *b = &h->bucket[rp_hist_index(v)];

	rp_store(b, *b + 1);
	rp_store(&h->count, h->count + 1);
	if (v > h->max)
		rp_store(&h->max, v);
}

/* The largest value that bucket @i counts. */
u64 rp_hist_upper(u32 i);

/*
 * The value below or at which @permille / 1000 of all values lie (rounded up
 * to its bucket's end, never above max); 0 when the histogram is empty.
 */
u64 rp_hist_quantile(const struct rp_hist *h, u32 permille);

void rp_hist_merge(struct rp_hist *to, const struct rp_hist *from);
void rp_hist_reset(struct rp_hist *h);

#endif /* RP_HIST_H */
