/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders to a virtio-pc device's host side, whoever that is: ringpaced, by its
 * control socket, or vhost_pc.ko, by its control file. The commands are those
 * of docs/control.md.
 */
#ifndef TESTBED_ORDERS_H
#define TESTBED_ORDERS_H

#include "ctl.h"

struct orders {
	struct ctl ctl;		/* to ringpaced */
	int kernel_fd;		/* vhost_pc's control file, or -1 */
};

/* Nothing open; orders_close() is harmless then. */
void orders_init(struct orders *o);
/* See ctl_open(). */
int orders_open_daemon(struct orders *o, const char *path, u32 timeout_ms);
/* 0, or -1 after fail(). */
int orders_open_kernel(struct orders *o);
void orders_close(struct orders *o);
/* As ctl_call(). The kernel answers at once. */
json_t *orders_call(struct orders *o, const char *cmd, json_t *args, u32 timeout_ms);

#endif /* TESTBED_ORDERS_H */
