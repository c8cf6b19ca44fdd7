// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The adaptive strategy: what it hands over, and what it takes. The bytes may
 * come from anywhere, and nothing in them is trusted.
 */
#include "pacing/adaptive.h"

#define LEARNED_VERSION	2

struct learned {
	u32 version, bytes;
	u64 t_ns, own_ns, n_ns, start_ns, y_min_ns, over_ns, y_e_ns;
	u64 m_d_ns, ring_share;
	u32 mode, wait_milli;
};

_Static_assert(sizeof(struct learned) <= RP_LEARNED_BYTES, "room for what is learned");

u32 rp_adaptive_learned(const struct rp_strategy *s, void *buf)
{
	const struct adaptive *a = rp_strategy_priv(s, struct adaptive);
	struct learned l = {
		.version = LEARNED_VERSION,
		.bytes = sizeof(l),
		.t_ns = rp_mean_ns(&a->e.t.mean),
		.own_ns = rp_mean_ns(&a->e.own),
		.n_ns = rp_mean_ns(&a->e.n),
		.start_ns = rp_mean_ns(&a->e.start),
		.y_min_ns = rp_mean_ns(&a->e.y_min),
		.over_ns = rp_mean_ns(&a->e.over.mean),
		.y_e_ns = rp_mean_ns(&a->e.y_e),
		.m_d_ns = a->m_d_ns,
		.ring_share = a->ring_share,
		.mode = a->mode,
		.wait_milli = a->e.wait_milli,
	};

	if (!a->e.t.mean.n)
		return 0;
	memcpy(buf, &l, sizeof(l));
	return sizeof(l);
}

/* Costs longer than a second, or nothing at all, are not believed. */
static void take(struct rp_mean *m, u64 ns)
{
	if (ns && ns <= 1000000000)
		rp_mean_set(m, ns);
}

void rp_adaptive_learn(struct rp_strategy *s, const void *buf, u32 bytes)
{
	struct adaptive *a = rp_strategy_priv(s, struct adaptive);
	struct learned l;

	if (bytes != sizeof(l))
		return;
	memcpy(&l, buf, sizeof(l));
	if (l.version != LEARNED_VERSION || l.bytes != sizeof(l) ||
	    l.mode > RP_WAIT_BLOCK || l.wait_milli > 1024)
		return;
	take(&a->e.t.mean, l.t_ns);
	a->e.t_low = a->e.t.mean.v;
	take(&a->e.own, l.own_ns);
	take(&a->e.n, l.n_ns);
	take(&a->e.start, l.start_ns);
	take(&a->e.y_min, l.y_min_ns);
	take(&a->e.over.mean, l.over_ns);
	take(&a->e.y_e, l.y_e_ns);
	a->m_d_ns = min_u64(l.m_d_ns, s->params.dmax_ns / 2);
	a->ring_share = (u32)min_u64(l.ring_share, ADAPTIVE_RING_ALL);
	a->mode = a->now = (enum rp_wait)l.mode;
	a->e.wait_milli = l.wait_milli;
}
