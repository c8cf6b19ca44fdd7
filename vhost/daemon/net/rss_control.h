/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control protocol's request `rss` (docs/packets.md). */
#ifndef RINGPACED_RSS_CONTROL_H
#define RINGPACED_RSS_CONTROL_H

#include "args.h"
#include "net.h"
#include "sock/lines.h"

/*
 * Shows, and sets before that what @args name; to @peer (NULL: who cannot get any) the table's
 * page if @args want it. NULL, with @e filled in: nothing was set.
 */
json_t *rss_control(const struct net *n, const json_t *args, struct lines_peer *peer,
		    struct ctl_error *e);

#endif /* RINGPACED_RSS_CONTROL_H */
