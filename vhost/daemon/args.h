/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of the control protocol's requests, strictly read. */
#ifndef RINGPACED_ARGS_H
#define RINGPACED_ARGS_H

#include <jansson.h>

#include "net/flow.h"
#include "queue.h"

#define ARGS_TIME_MAX_NS	1000000000ULL		/* W and Y: 1 s */
#define ARGS_DURATION_MAX_NS	3600000000000ULL	/* a run: 1 h */

struct ctl_error {
	const char *code;	/* NULL: none yet */
	char message[256];
};

/* The message is cut to what is valid in a JSON string. */
void ctl_fail(struct ctl_error *e, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool args_known(const char *key, const char *const *keys);
/* NULL, with @e filled in, if it is not there or no string. */
const char *args_string(const json_t *args, const char *key, struct ctl_error *e);
/*
 * Leaves *out alone if @key is not there; false, with @e filled in, if its
 * value is none in @min..@max.
 */
bool args_u64(const json_t *args, const char *key, u64 min, u64 max, u64 *out,
	      struct ctl_error *e);
bool args_required_u64(const json_t *args, const char *key, u64 min, u64 max,
		       u64 *out, struct ctl_error *e);
/* What `set` says, over what @p has; checked as a whole. */
bool args_params(const json_t *args, const struct queue *q,
		 struct queue_params *p, struct ctl_error *e);

/* The same for a port. */
bool args_flow_params(const json_t *args, struct flow_params *p, struct ctl_error *e);

#endif /* RINGPACED_ARGS_H */
