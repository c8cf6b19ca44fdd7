/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON that may be incomplete: what is absent or null is UNKNOWN, not 0. */
#ifndef TESTBED_JSON_H
#define TESTBED_JSON_H

#include <jansson.h>

#include "pacing/report.h"
#include "trace/trace.h"
#include "util.h"

/* Of an object (NULL is an empty one): the number at @key, or UNKNOWN. */
double json_number_at(const json_t *obj, const char *key);
/* null when unknown; an integer when @decimals is 0. New reference. */
json_t *json_number_or_null(double v, int decimals);
/* Adds the whole numbers of object @v to those of object @sum. */
void json_add_numbers(json_t *sum, const json_t *v);
/* One line to @to, keys in the order of insertion. Takes the reference. */
void json_print(json_t *v, FILE *to);

/* The fields of RP_REPORT_FIELDS under their names (docs/control.md, STATS). */
json_t *json_report(const struct rp_report *r);
/* [[tsc,type,arg]...]; types that have no name are left out. */
json_t *json_events(const struct rp_event *ev, u32 n);
/* The result of the `trace` command: {"tsc_hz",...,"events":[[tsc,type,arg]...]}. */
json_t *json_trace(const struct rp_trace *t, u64 hz);

#endif /* TESTBED_JSON_H */
