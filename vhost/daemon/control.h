/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control protocol (docs/control.md), apart from its sockets. */
#ifndef RINGPACED_CONTROL_H
#define RINGPACED_CONTROL_H

#include <stddef.h>

#include "devices.h"

#define CONTROL_LINE_MAX	65536

struct capture_slot;

/*
 * Carries out one request and returns the reply, a line to free(); NULL when
 * there is no memory for it.
 */
char *control_handle(struct devices *devices, const char *line, size_t bytes);
/* The same for a client that may capture. */
char *control_handle_of(struct devices *devices, struct capture_slot *slot, const char *line,
			size_t bytes);
/* The reply to a line of more than CONTROL_LINE_MAX bytes. */
char *control_too_long(void);

#endif /* RINGPACED_CONTROL_H */
