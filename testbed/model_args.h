/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that name the model's parameters, for every command that takes them. */
#ifndef TESTBED_MODEL_ARGS_H
#define TESTBED_MODEL_ARGS_H

#include <argp.h>

#include "pacing/model.h"

struct model_args {
	struct rp_model_in in;
	bool kp_given, kc_given, yp_given, yc_given;
	bool mode_given, queue_len_given;
	bool np_given, nc_given, sp_given, sc_given, ye_given;
	const char *profile;	/* of which lane or file N, S and Y_E are; NULL: none */
};

/*
 * For the .children of a command's argp, with a struct model_args as input.
 * Option keys are below MODEL_ARGS_KEYS; a command's own begin there.
 */
extern const struct argp model_argp;
/* N, S, Y_E and --profile alone, likewise; who takes the profile looks at .profile. */
extern const struct argp costs_argp;

#define MODEL_ARGS_KEYS		512

void model_args_default(struct model_args *a);
/* What depends on other options, after parsing. NULL, or why not, as rp_model_check(). */
const char *model_args_finish(struct model_args *a);

/* A whole number up to @max, else an argp error (exit 2). */
u64 opt_number(struct argp_state *state, const char *opt, const char *arg, u64 max);
/* A number of seconds up to an hour, in ns, likewise. */
u64 opt_seconds(struct argp_state *state, const char *opt, const char *arg);
/* A measured time as the model takes it; what is not known takes none. */
u64 model_ns(double ns);
/* An error of the library names a field: "wp_ns: ..."; as an option: "--wp-ns: ...". */
int fail_option(const char *why);

#endif /* TESTBED_MODEL_ARGS_H */
