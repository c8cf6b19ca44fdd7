/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be asked of rp-dataplane: docs/control.md's envelope, docs/dataplane.md's orders. */
#ifndef DP_ORDERS_H
#define DP_ORDERS_H

#include "worker.h"

#define ORDER_LINE_MAX	65536u

/*
 * The reply to one line, to free(); NULL: no memory. *@fd: what is to be passed with it, the
 * dataplane's, or -1; @fd NULL: nothing can be passed to who asks.
 */
char *orders_handle(struct workers *ws, const char *line, size_t bytes, int *fd);
char *orders_too_long(void);

#endif /* DP_ORDERS_H */
