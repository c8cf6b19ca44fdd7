// SPDX-License-Identifier: GPL-2.0-or-later
/* A tap with one queue as a NIC's wire. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "nic_wire.h"
#include "tap_port.h"

struct tap_wire {
	struct nic_wire wire;
	const char *address;
	struct tap_queue queue[2];	/* to it, from it; one descriptor */
	unsigned int offloads;		/* TUN_F_... that the kernel was told */
};

static struct tap_wire *of_wire(const struct nic_wire *w)
{
	return container_of(w, struct tap_wire, wire);
}

static const char *check(const struct port_options *o)
{
	if (!tap_name_ok(o->address))
		return "nic: not the name of an interface, 1 to 15 characters";
	return o->mtu ? "mtu: a NIC has that of its interface, see ip link set NAME mtu BYTES" :
		NULL;
}

static void destroy(struct nic_wire *wire)
{
	struct tap_wire *w = of_wire(wire);

	tap_queue_fini(&w->queue[0]);
	tap_queue_fini(&w->queue[1]);
	free(w);
}

static struct nic_wire *create(const struct port_options *o)
{
	struct tap_wire *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->wire = (struct nic_wire){ &tap_wire_kind, &w->queue[0].q, &w->queue[1].q };
	w->address = o->address;
	if (tap_queue_init(&w->queue[0], o->name, 0) == 0 &&
	    tap_queue_init(&w->queue[1], o->name, 1) == 0)
		return &w->wire;
	destroy(&w->wire);
	return NULL;
}

static int start(struct nic_wire *wire, char *why, size_t why_bytes)
{
	struct tap_wire *w = of_wire(wire);
	int fd = tap_open(w->address, true);

	if (fd < 0) {
		snprintf(why, why_bytes, "cannot use interface %s: %s: %s", w->address,
			 strerror(-fd), tap_advice(-fd));
		return -1;
	}
	w->offloads = 0;
	tap_queue_set(&w->queue[0], fd);
	tap_queue_set(&w->queue[1], fd);
	rp_store(&w->queue[0].q.broken, NULL);
	rp_store(&w->queue[1].q.broken, NULL);
	return 0;
}

static void end(struct nic_wire *wire)
{
	struct tap_wire *w = of_wire(wire);
	int fd = w->queue[0].fd;

	tap_queue_set(&w->queue[0], -1);
	tap_queue_set(&w->queue[1], -1);
	if (fd >= 0)
		close(fd);
}

/* Its interface was deleted. */
static bool gone(const struct nic_wire *wire)
{
	return rp_load(&wire->to->broken) || rp_load(&wire->from->broken);
}

static bool link_up(const struct nic_wire *wire)
{
	return wire->to->attached && !gone(wire);
}

static void peers_can(struct nic_wire *wire, const struct offloads *can)
{
	struct tap_wire *w = of_wire(wire);

	tap_tell_offloads(w->queue, &w->offloads, can);
}

const struct nic_wire_kind tap_wire_kind = {
	.check = check,
	.create = create,
	.destroy = destroy,
	.open = start,
	.close = end,
	.link_up = link_up,
	.gone = gone,
	.peers_can = peers_can,
	/* The kernel segments and completes checksums itself. */
	.rx_can = { .csum = true, .tso4 = true, .tso6 = true, .ecn = true, .mergeable = true },
};
