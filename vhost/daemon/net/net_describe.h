/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports, pacers and their statistics as JSON (docs/control.md). */
#ifndef RINGPACED_NET_DESCRIBE_H
#define RINGPACED_NET_DESCRIBE_H

#include <jansson.h>

#include "net.h"

/* Of queue @i: the consumer of a TX queue, the producer of an RX queue; NULL: nobody. */
const struct rp_party *port_queue_party(const struct port *p, u32 i);
/* Does it count packets that did not arrive? */
bool port_queue_drops(const struct port *p, u32 i);
/* The port as an element of `list`, and of its queue @i the statistics. */
json_t *describe_port(const struct port *p);
json_t *describe_port_stats(const struct port *p, u32 i);
/* What waits in the RX queues and came to them; @groups: and what came by each flow group. */
json_t *describe_port_backlog(const struct port *p, bool groups);
json_t *describe_pacers(const struct net *n);
json_t *describe_switches(const struct net *n);
/* The addresses that a switch has learned. */
json_t *describe_macs(struct net_switch *s);

#endif /* RINGPACED_NET_DESCRIBE_H */
