/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option values that several benchmarks take; what is wrong is an argp error (exit 2). */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <argp.h>

#include "bench/competitor.h"

/* A whole number in @min..@max. */
u64 opt_between(struct argp_state *state, const char *opt, const char *arg, u64 min, u64 max);
/* --strategies. */
void opt_strategies(struct argp_state *state, const char *arg, struct competitors *who);

#endif /* BENCH_OPTIONS_H */
