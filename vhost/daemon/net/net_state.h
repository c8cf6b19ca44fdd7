/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the strategies of ports' queues have learned, for the state file. The main thread's. */
#ifndef RINGPACED_NET_STATE_H
#define RINGPACED_NET_STATE_H

#include "net.h"

/*
 * The flow that has the party of queue @i: the consumer of a TX queue (odd), the
 * producer of an RX queue, which is its peer's. NULL: it has none, as in a switch and
 * where others write it, too.
 */
struct port_flow *net_party_flow(const struct port *p, u32 i);
/* Where that party's knowledge is kept; NULL: it has none. */
struct rp_learned *net_learned(const struct port *p, u32 i);
/* The same, brought up to date; a party that has not moved since is left alone. */
const struct rp_learned *net_keep_learned(const struct port *p, u32 i);

#endif /* RINGPACED_NET_STATE_H */
