/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads back what run_result_json() wrote: the results of `ringpace run` and
 * `ringpace casestudy`. Files may come from anywhere; what is not a result is
 * refused with a reason.
 */
#ifndef TESTBED_RUN_JSON_H
#define TESTBED_RUN_JSON_H

#include <jansson.h>

#include "lane.h"
#include "pacing/model.h"

struct run_json {
	/* params: strategy_p, strategy_c, dir, queue_len and dmax_ns only. */
	struct run_result r;
	char lane[16];
	char strategy[32];	/* as written: "notify", "notify/sleep" */
	char study[32];		/* of a case study, else "" */
};

/*
 * All runs of a file, in order: of one object, of an array, or of the arrays
 * of an object (one a lane). A new reference to an array that has at least
 * one; NULL, and why not in *@why (static).
 */
json_t *run_json_load(const char *path, const char **why);

/* NULL, or why @v is no run (static). */
const char *run_json_read(const json_t *v, struct run_json *r);

/*
 * The model's input as it was measured; thresholds, which a result does not
 * tell, are the defaults. NULL, or why the model cannot be asked (static).
 */
const char *run_json_model(const struct run_json *r, struct rp_model_in *in);

#endif /* TESTBED_RUN_JSON_H */
