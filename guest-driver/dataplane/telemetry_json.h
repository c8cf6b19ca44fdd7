/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The telemetry as JSON, by the names of its fields. */
#ifndef DP_TELEMETRY_JSON_H
#define DP_TELEMETRY_JSON_H

#include <jansson.h>

#include "dataplane.h"

/*
 * As of now, with each thread's if @threads, with the packets of each group if @groups. New
 * reference; NULL: no memory.
 */
json_t *telemetry_json(struct dp *dp, bool threads, bool groups);

#endif /* DP_TELEMETRY_JSON_H */
