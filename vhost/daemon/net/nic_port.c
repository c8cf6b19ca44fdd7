// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A multiqueue NIC in software: what others send to the port waits in its transmit
 * queues and goes out by weights and a rate (egress.h), by its wire (nic_wire.h).
 *
 * Only pair 0 has a TX queue: what comes in by the wire.
 */
#include <stdlib.h>

#include "ethdev_load.h"
#include "net_egress.h"
#include "nic_wire.h"
#include "tap_queue.h"

struct nic_port {
	struct port port;
	struct net_egress egress;
	struct nic_wire *wire;
	struct port_queue *absent;	/* TX queues of the other pairs */
};

static struct nic_port *of_port(const struct port *p)
{
	return container_of(p, struct nic_port, port);
}

static const struct nic_wire_kind *wire_kind(const struct port_options *o)
{
	return ethdev_is_address(o->address) ? &ethdev_wire_kind : &tap_wire_kind;
}

static const char *check(const struct port_options *o)
{
	const char *why = wire_kind(o)->check(o);

	if (why)
		return why;
	if (o->nic.weights > o->pairs)
		return "weights: more than the port has pairs";
	if (o->rss && o->nic.by_source)
		return "rss: classes=source says already who has which queue";
	return NULL;
}

static void destroy(struct port *port)
{
	struct nic_port *p = of_port(port);

	net_egress_fini(&p->egress);
	if (p->wire)
		p->wire->kind->destroy(p->wire);
	free(p->absent);
	port_fini(port);
	free(p);
}

static bool init_queues(struct nic_port *p, const struct port_options *o)
{
	u32 i;

	p->absent = calloc(o->pairs, sizeof(*p->absent));
	if (!p->absent)
		return false;
	for (i = 0; i < o->pairs; i++) {
		p->absent[i] = (struct port_queue){
			.ops = &tap_ops, .port = p->port.opt.name, .index = 2 * i + 1,
			.kick_fd = -1,
		};
		p->port.queue[2 * i] = &p->egress.egress.queue[i].q;
		p->port.queue[2 * i + 1] = i ? &p->absent[i] : p->wire->from;
	}
	return true;
}

static bool init(struct nic_port *p, const struct port_options *o)
{
	if (!port_init(&p->port, o))
		return false;
	p->wire = wire_kind(o)->create(&p->port.opt);
	return p->wire && net_egress_init(&p->egress, &p->port, p->wire->to) == 0 &&
	       init_queues(p, o);
}

static struct port *create(const struct port_options *o)
{
	struct nic_port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->egress.egress.out.kick_fd = -1;
	if (!init(p, o)) {
		destroy(&p->port);
		return NULL;
	}
	port_begin(&p->port);
	p->port.rx_can = p->wire->kind->rx_can;
	return &p->port;
}

static int start(struct port *port, struct loop *loop, gid_t gid, char *why, size_t why_bytes)
{
	struct nic_port *p = of_port(port);

	if (p->wire->kind->open(p->wire, why, why_bytes) < 0)
		return -1;
	egress_attach(&p->egress.egress, true);
	return 0;
}

/* Frames in the queues go by it, as those in a card's memory do. */
static void end(struct port *port)
{
	struct nic_port *p = of_port(port);
	u32 i;

	if (!p->wire->to->attached)
		return;
	for (i = 0; i < 2 * port->opt.pairs; i++)
		net_halt(port, i);
	net_egress_halt(port);
	egress_attach(&p->egress.egress, false);
	p->wire->kind->close(p->wire);
}

static bool link_up(const struct port *port)
{
	const struct nic_wire *w = of_port(port)->wire;

	return w->kind->link_up(w);
}

static int heal(struct port *port, char *why, size_t why_bytes)
{
	const struct nic_wire *w = of_port(port)->wire;

	if (!w->kind->gone || !w->kind->gone(w))
		return 0;
	end(port);
	return start(port, NULL, 0, why, why_bytes) < 0 ? -1 : 1;
}

static void peers_can(struct port *port, const struct offloads *can)
{
	struct nic_wire *w = of_port(port)->wire;

	if (w->kind->peers_can)
		w->kind->peers_can(w, can);
}

const struct port_kind nic_port_kind = {
	.name = "nic",
	.address = "nic",
	.check = check,
	.create = create,
	.destroy = destroy,
	.open = start,
	.close = end,
	.link_up = link_up,
	.heal = heal,
	.peers_can = peers_can,
};
