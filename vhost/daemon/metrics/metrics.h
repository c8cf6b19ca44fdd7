/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `stats` tells as metrics (docs/metrics.md): one table says which, and how. */
#ifndef RINGPACED_METRICS_H
#define RINGPACED_METRICS_H

#include "control.h"
#include "metrics/format.h"

/* All of it as text, to free(), with its @bytes; NULL: no memory. Of the main thread. */
char *metrics_text(const struct devices *d, enum metrics_format format, size_t *bytes);

#endif /* RINGPACED_METRICS_H */
