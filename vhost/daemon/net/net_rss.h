/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steering of ports (rss.h) as the main thread sees it: what the host has set,
 * what the guest has, and when which is in force.
 *
 * A port steers if it was told to by the host. What the guest sets is then in
 * force until it resets it or goes; an order changes what is in force.
 *
 * A port of a link that steers has all RX queues written by all TX queues of its
 * peer, whose pacers may be several.
 */
#ifndef RINGPACED_NET_RSS_H
#define RINGPACED_NET_RSS_H

#include "net.h"

struct port_rss {
	struct rss_set {
		bool on;
		bool by_guest;		/* ->guest is in force, not ->host */
		struct rss_config host, guest;
	} set;
	struct rss *made;		/* of what is in force; NULL: not on */
	struct spread spread;		/* of a port of a link */
};

/* Of a port that was made, @entries of its options. 0 or -ENOMEM; net_rss_fini() undoes it. */
int net_rss_init(struct port *p, u32 entries);
void net_rss_fini(struct port *p);
/* Links and switches are there, or other ones: what is set comes into force. 0 or -ENOMEM. */
int net_rss_begin(struct port *p);

static inline const struct rss_config *net_rss_config(const struct port *p)
{
	const struct rss_set *s = &p->rss->set;

	return s->by_guest ? &s->guest : &s->host;
}

/*
 * Puts @c, which was checked, in place of what is in force, between two turns, or within
 * one if only pairs of entries change: afterwards everything that went by the old one has
 * been published to the guest.
 * 0 or -ENOMEM: nothing has changed.
 */
int net_rss_set(struct port *p, const struct rss_config *c, bool on);
/*
 * The descriptor of a page by which the table in force is shared with who steers
 * (rss_page.h), which stays the port's; or -errno, -ENOENT: none is in force.
 */
int net_rss_page(struct port *p);
/* What is in force has all that they have changed by now: before it is looked at. */
void net_rss_look(struct port *p);
/* What the guest says; NULL: nothing any more. The same. */
int net_rss_guest(struct port *p, const struct rss_config *c);

/* What flows of @p go into, if its peer steers; NULL: it does not, or receives nothing. */
struct spread *net_rss_spread(const struct port *p);
/* Pairs of @p have come or gone: ->spread follows, if no pacer has a flow into it. */
void net_rss_settle(struct port *p);
/* Before flows into it are given to pacers, and afterwards: have several pacers some? */
void net_rss_share(struct port *p);
void net_rss_unshare(struct port *p);

#endif /* RINGPACED_NET_RSS_H */
