/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where rp-dataplane takes orders: its control socket, and character devices beside it, such
 * as virtio-serial ports: who is at their other end is the host's to say. All of it is the
 * control thread's, which waits for more than orders.
 */
#ifndef DP_SERVER_H
#define DP_SERVER_H

#include "worker.h"

struct server;

/* NULL after a line on stderr; server_close() undoes it. */
struct server *server_open(const char *path, struct workers *ws);
void server_close(struct server *s);
/* Takes orders from the device @path, too. 0, or -1 after a line on stderr. */
int server_add_device(struct server *s, const char *path);
/* Waits for one of @also to be readable, an order, or @timeout_ns (-1: for ever); serves. */
void server_wait(struct server *s, const int also[2], s64 timeout_ns);

#endif /* DP_SERVER_H */
