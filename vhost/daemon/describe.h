/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices, queues and their statistics as JSON (docs/control.md). */
#ifndef RINGPACED_DESCRIBE_H
#define RINGPACED_DESCRIBE_H

#include <jansson.h>

#include "device.h"

json_t *describe_device(const struct device *d);
json_t *describe_queue(const struct queue *q);
json_t *describe_stats(const struct queue *q);
/* All about a trace but its events. */
json_t *describe_trace(const struct queue *q);
/*
 * The newest events, at most @max, as the text of a JSON array, which the
 * caller frees: as objects they would take 300 bytes each. NULL when there is
 * no memory.
 */
char *describe_events(const struct queue *q, u32 max);

#endif /* RINGPACED_DESCRIBE_H */
