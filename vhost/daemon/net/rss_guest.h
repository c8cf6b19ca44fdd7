/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest says of RSS, by its VMM (uapi/vhost_user_net_rss.h). */
#ifndef RINGPACED_RSS_GUEST_H
#define RINGPACED_RSS_GUEST_H

#include "rss.h"
#include "uapi/vhost_user_net_rss.h"

/*
 * Reads @m, a private copy, of a port of @pairs. NULL: *@on says if there is a
 * table, which is *@c and fit for the port; else one line of what is wrong.
 */
const char *rss_guest_read(const struct vhost_user_net_rss *m, u32 pairs, struct rss_config *c,
			   bool *on);

#endif /* RINGPACED_RSS_GUEST_H */
