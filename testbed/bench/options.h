/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option values that several benchmarks take; what is wrong is an argp error (exit 2). */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <argp.h>

#include "bench/competitor.h"

/* A whole number in @min..@max. */
u64 opt_between(struct argp_state *state, const char *opt, const char *arg, u64 min, u64 max);
/* --seconds, of a measurement: 0.1..60. */
double opt_bench_seconds(struct argp_state *state, const char *arg);
/*
 * Of a list of names, separated by commas, a bit for each: that of @name_of(i), which is NULL
 * behind the last one.
 */
u32 opt_names(struct argp_state *state, const char *opt, const char *arg,
	      const char *(*name_of)(u32 i));
/* --strategies. */
void opt_strategies(struct argp_state *state, const char *arg, struct competitors *who);

/* What step and idle have in common; the input of bench_argp, with the defaults. */
struct bench_args {
	struct competitors who;
	u64 dmax_ns;
	u32 rounds;
	bool json;
};

/* For the .children of their argp. Option keys are below BENCH_ARGS_KEYS. */
extern const struct argp bench_argp;

#define BENCH_ARGS_KEYS	512
#define BENCH_ROUNDS_MAX	99

#endif /* BENCH_OPTIONS_H */
