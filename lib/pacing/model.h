/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The papers' model: which regime a producer and a consumer are in, and the
 * time per item T, energy per item E, worst latency D and batch b it costs.
 *
 * Lettieri et al., "A Study of I/O Performance of Virtual Machines", sec. 2;
 * docs/model.md has the equations, the derivations of those that the paper
 * leaves out, and the places where its bounds do not hold. Integers only, no
 * allocation: it compiles into the kernel, and strategies may call it.
 */
#ifndef RP_MODEL_H
#define RP_MODEL_H

#include "pacing/pacing.h"

#define RP_MODEL_MAX_NS		1000000000ULL	/* of every W, N, S, Y */
#define RP_MODEL_MAX_LEN	32768u
/* Unbounded, or not known in closed form. */
#define RP_MODEL_NONE		(~0ULL)

#ifndef __KERNEL__	/* which has no floating point */
/* A time of struct rp_model in ns, a batch in items; NaN for RP_MODEL_NONE. */
static inline double rp_model_units(u64 thousandths)
{
	return thousandths == RP_MODEL_NONE ? __builtin_nan("") : (double)thousandths / 1000;
}
#endif

enum rp_regime {
	RP_BW,		/* busy waiting */
	RP_SFC,		/* sleeping, fast consumer */
	RP_SFP,		/* sleeping, fast producer */
	RP_SLS,		/* sleeping too long: both sleep */
	RP_NFC,		/* notified fast consumer */
	RP_NFP,		/* notified fast producer */
	RP_NSCS,	/* fast consumer with a slow start-up */
	RP_NSPS,	/* fast producer with a slow start-up */
	RP_NSS,		/* both start too slowly: they alternate */
	RP_REGIMES
};

extern const char *const rp_regime_names[RP_REGIMES];

struct rp_model_in {
	enum rp_strategy_id mode;	/* of both parties */
	u64 wp_ns, wc_ns;	/* work per item */
	u64 np_ns, nc_ns;	/* P's, C's cost of sending a notification */
	u64 sp_ns, sc_ns;	/* P's, C's start-up after receiving one */
	u64 yp_ns, yc_ns;	/* length of a sleep; one shorter than Y_E lasts Y_E */
	u64 ye_ns;		/* cost of a sleep */
	u32 queue_len;		/* L */
	u32 kp;			/* items at which P notifies a blocked C */
	u32 kc;			/* free slots at which C notifies a blocked P */
};

/* Times per item are picoseconds, batches thousandths of an item. */
struct rp_model {
	enum rp_regime regime;
	u64 t_ps;		/* NONE in sLS, where only the bounds are known */
	u64 t_min_ps;
	u64 t_max_ps;
	u64 e_ps;		/* in sLS a lower bound */
	u64 d_ns;		/* upper bound, while requests keep coming */
	u64 batch_milli;	/* items per notification, sleep or cycle; NONE in BW,
				 * in sLS, and where W_P = W_C makes it infinite */
};

/* NULL when @in is possible, else why not, in words that name the parameter. */
const char *rp_model_check(const struct rp_model_in *in);

/* @in must have passed rp_model_check(). */
void rp_model_solve(const struct rp_model_in *in, struct rp_model *out);

/*
 * The longest sleep of the faster party that keeps the slower one awake:
 * Y_C = (L-1) W_P - W_C if C is the faster one, else Y_P = (L-1) W_C - W_P.
 * The cheapest sleep there is; 0 when every sleep is too long.
 */
u64 rp_model_y_opt_ns(const struct rp_model_in *in);

#endif /* RP_MODEL_H */
