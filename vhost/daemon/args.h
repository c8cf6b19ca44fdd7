/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of requests that concern pacing. */
#ifndef RINGPACED_ARGS_H
#define RINGPACED_ARGS_H

#include "ctl/args.h"
#include "net/flow.h"
#include "queue.h"

#define ARGS_TIME_MAX_NS	1000000000ULL		/* W and Y: 1 s */
#define ARGS_DURATION_MAX_NS	3600000000000ULL	/* a run: 1 h */

/* What `set` says, over what @p has; checked as a whole. */
bool args_params(const json_t *args, const struct queue *q,
		 struct queue_params *p, struct ctl_error *e);

/* The same for a port. */
bool args_flow_params(const json_t *args, struct flow_params *p, struct ctl_error *e);

#endif /* RINGPACED_ARGS_H */
