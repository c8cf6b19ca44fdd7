/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that begin connections share. */
#ifndef DP_NET_CONN_INTERNAL_H
#define DP_NET_CONN_INTERNAL_H

#include "ctx.h"

/* NULL: no memory. */
struct conn *conn_new(struct net_group *ng, const struct conn_app *app, struct tcp_pcb *pcb,
		      void *arg);
/* It stands: tells the application. */
err_t conn_opened(struct conn *c);

#endif /* DP_NET_CONN_INTERNAL_H */
