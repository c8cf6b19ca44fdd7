/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other ports, links and switches while those that stay go on.
 *
 * Theory of operation. First every port that is new is opened, and has no part in
 * anything: if one cannot be, all is as it was. Then ports that are gone, or are to
 * have other queues, are closed, as when their guests go. Now flows of links and
 * switches that change are taken from their pacers, senders first, so that their
 * packets stay in the senders' rings; ports are put together anew, where a switch
 * of the same name knows the addresses that it knew before; and net_settle()
 * begins what can run. No flow of another link or switch is touched.
 *
 * A new port whose socket or tap a present port has can be opened only after
 * that one was closed: if that fails it is left out, and the next reload tries
 * again.
 */
#ifndef RINGPACED_NET_RELOAD_H
#define RINGPACED_NET_RELOAD_H

#include "net.h"

struct net_change {
	struct net *net;
	const struct net_options *o;
	gid_t gid;
	u32 fresh_count;
	struct port *fresh[NET_PORTS_MAX];	/* open */
	u32 ended_count;
	struct net_switch *ended[NET_SWITCHES_MAX];	/* without flows; gone ports are NULL */
	/* How many ports that was (one that is opened anew is in both), and what failed */
	u32 added, removed, changed, failed;
};

/*
 * Begins to make @n what @o says; @o must stay, and has the same pacers. Sockets among
 * the @held_count of @held are somebody's who gives them up in between. 0, or -1 with
 * one line of why: all is as it was.
 */
int net_reload_begin(struct net_change *c, struct net *n, const struct net_options *o, gid_t gid,
		     const char *const *held, u32 held_count, char *why, size_t why_bytes);
/* Not after all. */
void net_reload_abort(struct net_change *c);
/* Goes on. What fails is told in @why, if anything does: the last of it. */
void net_reload_end(struct net_change *c, char *why, size_t why_bytes);

#endif /* RINGPACED_NET_RELOAD_H */
