/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of `ringpace load`'s options; what is wrong is an argp error (exit 2). */
#ifndef LOAD_ARGS_VALUE_H
#define LOAD_ARGS_VALUE_H

#include <argp.h>

#include "load/load.h"

/* Requests per second, from @min on. */
double load_arg_rate(struct argp_state *state, const char *opt, const char *arg, double min);
const struct shape *load_arg_shape(struct argp_state *state, const char *arg);
bool load_arg_even(struct argp_state *state, const char *arg);
void load_arg_cpus(struct argp_state *state, struct load_params *p, const char *arg);
void load_arg_macs(struct argp_state *state, struct load_target *t, const char *arg);
const struct load_transport_kind *load_arg_transport(struct argp_state *state, const char *arg);
const char *load_arg_path(struct argp_state *state, const char *arg);
const struct load_proto_ops *load_arg_proto(struct argp_state *state, const char *arg);

#endif /* LOAD_ARGS_VALUE_H */
