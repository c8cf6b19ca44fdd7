/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Labels of metrics as text: a="b",c="d". */
#ifndef RINGPACED_METRICS_LABELS_H
#define RINGPACED_METRICS_LABELS_H

#include <stddef.h>

/*
 * Appends @name="@value" to @text, which has room for @bytes: a backslash, a quote
 * and a newline escaped (OpenMetrics 1.0). What does not fit whole is left out.
 */
void labels_add(char *text, size_t bytes, const char *name, const char *value);

#endif /* RINGPACED_METRICS_LABELS_H */
