// SPDX-License-Identifier: GPL-2.0-or-later
/* The adaptive strategy: what it says of itself. Any thread. */
#include "pacing/adaptive.h"

static const char *regime(const struct rp_strategy *s, const struct adaptive *a,
			  enum rp_wait now)
{
	bool p = is_producer(s);

	if (!rp_load(&a->e.t.mean.n))
		return NULL;
	switch (now) {
	case RP_WAIT_BLOCK:
		return rp_load(&a->mode) != RP_WAIT_BLOCK ? "idle" : p ? "nFP" : "nFC";
	case RP_WAIT_SLEEP:
		return rp_load(&a->target_ns) < rp_mean_ns(&a->e.y_min) ? "sLS" : p ? "sFP" : "sFC";
	default:
		return "BW";
	}
}

static u64 predicted_t_ns(const struct adaptive *a)
{
	u64 t = rp_mean_ns(&a->e.t.mean), own = rp_mean_ns(&a->e.own);

	return t > own ? t : own;
}

void rp_adaptive_status(const struct rp_strategy *s, struct rp_status *st)
{
	const struct adaptive *a = rp_strategy_priv(s, struct adaptive);
	u32 window = rp_load(&s->window), i;
	enum rp_wait now = rp_load(&a->now);

	*st = (struct rp_status) {
		.regime = regime(s, a, now),
		.unmet = rp_load(&a->unmet),
		.mode = now,
		/* Not that of a trial. */
		.wait_ns = now != RP_WAIT_SLEEP ? 0 :
			   rp_load(&a->mode) == RP_WAIT_SLEEP ? rp_load(&a->y_ns) : 1,
		.threshold = is_producer(s) ? window - window / 4 : 1,
		.window = is_producer(s) ? window : 0,
		.predicted_t_ns = predicted_t_ns(a),
		.w_own_ns = rp_mean_ns(&a->e.own),
		.w_peer_ns = rp_mean_ns(&a->e.t.mean),
		.n_ns = rp_mean_ns(&a->e.n),
		.s_ns = rp_mean_ns(&a->e.start),
		.y_e_ns = rp_mean_ns(&a->e.y_e),
		.y_min_ns = rp_mean_ns(&a->e.y_min),
		.mode_changes = rp_load(&a->changes),
	};
	for (i = 0; i < 3; i++)
		st->mode_ns[i] = rp_load(&a->mode_ns[i]);
	rp_estimate_tell(&a->e, is_producer(s), window, st);
}
