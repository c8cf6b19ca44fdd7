/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two formats of metrics, and who makes them. */
#ifndef RINGPACED_METRICS_FORMAT_H
#define RINGPACED_METRICS_FORMAT_H

#include <stddef.h>

enum metrics_format {
	METRICS_OPEN,		/* OpenMetrics 1.0 */
	METRICS_CLASSIC,	/* Prometheus' text format 0.0.4 */
};

extern const char *const metrics_content_type[2];

/* All of it as text, to free(), with its @bytes; NULL: no memory. Of the main thread. */
typedef char *metrics_maker(const void *of, enum metrics_format format, size_t *bytes);

#endif /* RINGPACED_METRICS_FORMAT_H */
