/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the service manager is told (sd_notify(3)): datagrams to $NOTIFY_SOCKET, and
 * nothing without one. The protocol is a few lines; libsystemd would bring more code
 * into the process than the daemon has. The main thread's.
 */
#ifndef RINGPACED_NOTIFY_H
#define RINGPACED_NOTIFY_H

#include "loop/loop.h"

struct devices;

/* Looks who wants to be told, and how often ($WATCHDOG_USEC). 0 or -errno. */
int notify_init(struct loop *loop);
void notify_ready(const struct devices *d);
void notify_reloading(void);
void notify_stopping(void);
void notify_fini(void);

#endif /* RINGPACED_NOTIFY_H */
