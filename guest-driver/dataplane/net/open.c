// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections that this side opens: the port of its own is picked so that the replies
 * hash into the group that opens it, and so come to the thread that has it.
 */
#include "conn_internal.h"
#include "ctx.h"

#include <sodium/randombytes.h>

#define PORT_FIRST	49152u
#define PORTS		16384u

/* Of the group's replies, and free; 0: there is none. */
static u16 pick_port(const struct net_group *ng, u32 ip, u16 port)
{
	struct dp_port *dev = ng->net->port;
	const ip_addr_t local = { ng->net->cfg.ip }, remote = { ip };
	u32 first = randombytes_uniform(PORTS), i;

	for (i = 0; i < PORTS; i++) {
		u16 own = (u16)(PORT_FIRST + (first + i) % PORTS);
		u32 hash = dev->ops->hash(dev, ip, local.addr, lwip_htons(port), lwip_htons(own));

		if ((hash & (ng->net->groups - 1)) == ng->g->id &&
		    !tcp_find(&local, own, &remote, port))
			return own;
	}
	return 0;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	return conn_opened(arg);
}

struct conn *conn_open(struct dp_thread *t, struct dp_group *g, u32 ip, u16 port,
		       const struct conn_app *app, void *arg)
{
	struct net_group *ng = g->state;
	const ip_addr_t local = { ng->net->cfg.ip }, remote = { ip };
	struct tcp_pcb *pcb;
	struct conn *c;
	u16 own;

	net_enter(t, ng);
	own = pick_port(ng, ip, port);
	pcb = own ? tcp_new() : NULL;
	if (!pcb)
		return NULL;
	c = conn_new(ng, app, pcb, arg);
	if (c && tcp_bind(pcb, &local, own) == ERR_OK &&
	    tcp_connect(pcb, &remote, port, on_connected) == ERR_OK)
		return c;
	/* It tells the application that it is gone. */
	tcp_abort(pcb);
	return NULL;
}
