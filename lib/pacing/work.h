/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the emulated work of items is distributed around W: all alike, or
 * exponential. Integers only, any context.
 */
#ifndef RP_WORK_H
#define RP_WORK_H

#include "rp.h"

/* Numbers are ABI: control protocol. */
enum rp_work_dist {
	RP_WORK_CONST = 0,
	RP_WORK_EXP = 1,
	RP_WORK_DISTS
};

/* "const", "exp". */
extern const char *const rp_work_dist_names[RP_WORK_DISTS];

/* -1 when there is none of that name. */
int rp_work_dist_by_name(const char *name);

/*
 * A random work of mean @w_tsc, exponentially distributed. *@rng: state, not 0;
 * the same one gives the same numbers. @w_tsc < 2^40.
 */
u64 rp_work_exp(u64 w_tsc, u64 *rng);

#endif /* RP_WORK_H */
