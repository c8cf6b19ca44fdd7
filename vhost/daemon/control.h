/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control protocol (docs/control.md): what its lines mean. */
#ifndef RINGPACED_CONTROL_H
#define RINGPACED_CONTROL_H

#include <stddef.h>

#include "devices.h"
#include "sock/lines.h"

#define CONTROL_CLIENTS_MAX	64u

/*
 * Carries out one request and returns the reply, without an end of line, to free(); NULL when
 * there is no memory for it. @peer: who may capture; NULL: nobody.
 */
char *control_answer(void *devices, struct lines_peer *peer, const char *line, size_t bytes);

/* With a struct devices. */
extern const struct lines_owner control_owner;

#endif /* RINGPACED_CONTROL_H */
