/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A port's limit as options and as JSON, by the same table. */
#ifndef RINGPACED_LIMITOPT_H
#define RINGPACED_LIMITOPT_H

#include "args.h"
#include "limit.h"

/* Is @key one of --port's about limits? Then @why is NULL, or what is wrong with @value. */
bool limit_parse(const char *key, const char *value, struct limit_params *p, const char **why);
bool limit_is_arg(const char *key);
/* Takes rate_pps and so on from an order, if they are there. False: @e says what is wrong. */
bool limit_args(const json_t *args, struct limit_params *p, struct ctl_error *e);
/* Refuses them, where there is no port. */
bool limit_no_args(const json_t *args, struct ctl_error *e);
/* New reference. */
json_t *limit_describe(const struct limit_params *p, const struct limit *l);

#endif /* RINGPACED_LIMITOPT_H */
