/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of an experiment, for every command that runs one. */
#ifndef TESTBED_RUN_ARGS_H
#define TESTBED_RUN_ARGS_H

#include <argp.h>

#include "lane.h"

/*
 * For the .children of a command's argp; its input is a struct run_params that
 * run_params_default() has filled in.
 */
extern const struct argp run_argp;

/* Option keys of run_argp are below this; a command's own begin here. */
#define RUN_ARGS_KEYS	512

/* The backend that --backend names, else an argp error (exit 2). */
enum run_backend_id opt_backend(struct argp_state *state, const char *arg);

/* Is @p good, and can its lane run here? 0, or the exit code after fail(). */
int run_args_check(const struct run_params *p);

#endif /* TESTBED_RUN_ARGS_H */
