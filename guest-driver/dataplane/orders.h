/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be asked of rp-dataplane: docs/control.md's envelope, docs/dataplane.md's orders. */
#ifndef DP_ORDERS_H
#define DP_ORDERS_H

#include "sock/lines.h"
#include "worker.h"

#define ORDERS_CLIENTS_MAX	8u

/* The reply to one line, to free(); NULL: no memory. What goes with it is the dataplane's. */
char *orders_answer(void *workers, struct lines_peer *peer, const char *line, size_t bytes);

/* With a struct workers. */
extern const struct lines_owner orders_owner;

#endif /* DP_ORDERS_H */
