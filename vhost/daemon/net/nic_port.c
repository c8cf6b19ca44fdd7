// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A multiqueue NIC in software: what others send to the port waits in its transmit
 * queues and goes out by weights and a rate (egress.h); a tap is its wire.
 *
 * Only pair 0 has a TX queue: what comes in by the wire. A kind of wire is a pair of
 * a TX queue and an RX queue, of any port_ops.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "net.h"
#include "net_egress.h"
#include "tap_port.h"

struct nic_port {
	struct port port;
	struct net_egress egress;
	struct tap_queue wire[2];	/* to it, from it; one descriptor */
	struct port_queue *absent;	/* TX queues of the other pairs */
	unsigned int offloads;		/* TUN_F_... that the kernel was told */
};

static struct nic_port *of_port(const struct port *p)
{
	return container_of(p, struct nic_port, port);
}

static const char *check(const struct port_options *o)
{
	if (!tap_name_ok(o->address))
		return "nic: not the name of an interface, 1 to 15 characters";
	if (o->mtu)
		return "mtu: a NIC has that of its interface, see ip link set NAME mtu BYTES";
	if (o->nic.weights > o->pairs)
		return "weights: more than the port has pairs";
	if (o->rss && o->nic.by_source)
		return "rss: classes=source says already who has which queue";
	return NULL;
}

static void destroy(struct port *port)
{
	struct nic_port *p = of_port(port);
	u32 i;

	net_egress_fini(&p->egress);
	for (i = 0; i < 2; i++)
		tap_queue_fini(&p->wire[i]);
	free(p->absent);
	port_fini(port);
	free(p);
}

static bool init_queues(struct nic_port *p, const struct port_options *o)
{
	u32 i;

	for (i = 0; i < 2; i++)
		if (tap_queue_init(&p->wire[i], p->port.opt.name, i) < 0)
			return false;
	p->absent = calloc(o->pairs, sizeof(*p->absent));
	if (!p->absent)
		return false;
	for (i = 0; i < o->pairs; i++) {
		p->absent[i] = (struct port_queue){
			.ops = &tap_ops, .port = p->port.opt.name, .index = 2 * i + 1,
			.kick_fd = -1,
		};
		p->port.queue[2 * i] = &p->egress.egress.queue[i].q;
		p->port.queue[2 * i + 1] = i ? &p->absent[i] : &p->wire[1].q;
	}
	return true;
}

static struct port *create(const struct port_options *o)
{
	struct nic_port *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	tap_queue_set(&p->wire[0], -1);
	tap_queue_set(&p->wire[1], -1);
	p->egress.egress.out.kick_fd = -1;
	if (!port_init(&p->port, o) ||
	    net_egress_init(&p->egress, &p->port, &p->wire[0].q) < 0 || !init_queues(p, o)) {
		destroy(&p->port);
		return NULL;
	}
	port_begin(&p->port);
	/* The kernel segments and completes checksums itself. */
	p->port.rx_can = (struct offloads){
		.csum = true, .tso4 = true, .tso6 = true, .ecn = true, .mergeable = true,
	};
	return &p->port;
}

static int start(struct port *port, struct loop *loop, gid_t gid, char *why, size_t why_bytes)
{
	struct nic_port *p = of_port(port);
	int fd = tap_open(port->opt.address, true);

	if (fd < 0) {
		snprintf(why, why_bytes, "cannot use interface %s: %s: %s", port->opt.address,
			 strerror(-fd), tap_advice(-fd));
		return -1;
	}
	p->offloads = 0;
	tap_queue_set(&p->wire[0], fd);
	tap_queue_set(&p->wire[1], fd);
	egress_attach(&p->egress.egress, true);
	return 0;
}

/* Frames in the queues go by it, as those in a card's memory do. */
static void end(struct port *port)
{
	struct nic_port *p = of_port(port);
	int fd = p->wire[0].fd;
	u32 i;

	if (fd < 0)
		return;
	for (i = 0; i < 2 * port->opt.pairs; i++)
		net_halt(port, i);
	net_egress_halt(port);
	egress_attach(&p->egress.egress, false);
	tap_queue_set(&p->wire[0], -1);
	tap_queue_set(&p->wire[1], -1);
	close(fd);
}

static bool link_up(const struct port *port)
{
	const struct tap_queue *t = of_port(port)->wire;

	return t[0].q.attached && !rp_load(&t[0].q.broken) && !rp_load(&t[1].q.broken);
}

/* As of a tap: its interface was deleted. */
static int heal(struct port *port, char *why, size_t why_bytes)
{
	struct nic_port *p = of_port(port);

	if (!rp_load(&p->wire[0].q.broken) && !rp_load(&p->wire[1].q.broken))
		return 0;
	end(port);
	if (start(port, NULL, 0, why, why_bytes) < 0)
		return -1;
	rp_store(&p->wire[0].q.broken, NULL);
	rp_store(&p->wire[1].q.broken, NULL);
	return 1;
}

static void peers_can(struct port *port, const struct offloads *can)
{
	struct nic_port *p = of_port(port);

	tap_tell_offloads(p->wire, &p->offloads, can);
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
