/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steering by a ringpaced (docs/packets.md): entries are written into the page that it shares
 * by its order `rss`, or, where that has ended or cannot be had, named by the order itself.
 */
#ifndef DP_STEER_CTL_H
#define DP_STEER_CTL_H

#include "aside.h"
#include "eth/rss_page.h"
#include "port.h"

struct steer_ctl {
	int fd;			/* -1: to be connected by the next order */
	const char *path;	/* NULL: not open */
	const char *device;
	u32 entries;
	u32 id;
	struct rss_page *page;	/* NULL: each order asks for it */
	bool without;		/* it was said that there is none */
	struct rp_aside aside;
};

/* Connects, and sees that @device has a table of @entries. 0, or -1 after a line on stderr. */
int steer_ctl_open(struct steer_ctl *c, const char *path, const char *device, u32 entries);
void steer_ctl_close(struct steer_ctl *c);
/*
 * As dp_port_ops.steer; when it returns all that went by the old entries is in the
 * rings. An order that is not answered may have been carried out: then packets come
 * to a thread that hands them on.
 */
int steer_ctl_set(struct steer_ctl *c, const struct dp_steer *s, u32 n);

#endif /* DP_STEER_CTL_H */
