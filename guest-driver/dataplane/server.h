/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket of rp-dataplane: who may connect is the socket's mode. And
 * character devices beside it, such as virtio-serial ports: who is at their other end
 * is the host's to say.
 */
#ifndef DP_SERVER_H
#define DP_SERVER_H

#include "orders.h"

#define SERVER_CLIENTS	8u
#define SERVER_DEVICES	2u

struct server;

/* NULL after a line on stderr; server_close() undoes it. */
struct server *server_open(const char *path, struct workers *ws);
void server_close(struct server *s);
/* Takes orders from the device @path, too, SERVER_DEVICES at most. 0, or -1 after a line on stderr. */
int server_add_device(struct server *s, const char *path);
/* Waits for one of @also to be readable, an order, or @timeout_ns (-1: for ever); serves. */
void server_wait(struct server *s, const int also[2], s64 timeout_ns);

#endif /* DP_SERVER_H */
