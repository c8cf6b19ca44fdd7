/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the main thread does about a port's egress (egress.h): the flow that takes from
 * its queues, where that runs, its weights and its rate.
 *
 * The flow is beside those of the port's TX queues. It belongs to the first of the
 * port's pacers, also in a switch, until it is moved; its queues are written by others'.
 */
#ifndef RINGPACED_NET_EGRESS_H
#define RINGPACED_NET_EGRESS_H

#include "args.h"
#include "egress.h"
#include "net.h"

struct net_egress {
	struct egress egress;
	struct flow flow;
	struct pacer *at;		/* NULL: the main thread has it */
	u32 pacer;			/* where it belongs */
	struct limit limit;		/* of the flow: the line's rate */
};

/* Of a port that port_init() made, @wire: where it goes. 0 or -errno; net_egress_fini() undoes it. */
int net_egress_init(struct net_egress *e, struct port *p, struct port_queue *wire);
void net_egress_fini(struct net_egress *e);

/* For net.c. The flow runs if it can, where it belongs; of a port without egress: nothing. */
void net_egress_settle(struct port *p);
void net_egress_halt(struct port *p);

static inline u32 net_egress_weight(const struct port *p, u32 i)
{
	return i < p->opt.nic.weights ? p->opt.nic.weight[i] : 1;
}

/* Other weights and another rate, which were checked. Frames that wait, wait until net_settle(). */
void net_egress_set(struct port *p, const struct nic_options *o);
/* It belongs to another pacer, after net_settle(). */
void net_egress_place(struct port *p, u32 pacer);

/* The order `weight`: EGRESS, after it was set; NULL: @e says what is wrong. */
json_t *net_egress_control(struct net *n, const json_t *args, struct ctl_error *e);

#endif /* RINGPACED_NET_EGRESS_H */
