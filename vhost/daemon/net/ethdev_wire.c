// SPDX-License-Identifier: GPL-2.0-or-later
/* A DPDK device as a NIC's wire. */
#include <stdlib.h>

#include "ethdev_load.h"
#include "ethdev_queue.h"
#include "nic_wire.h"

/* What Ethernet can have at least and DPDK's drivers at most. */
#define MTU_MAX		9978u

struct ethdev_wire {
	struct nic_wire wire;
	const struct port_options *opt;
	const struct ethdev_api *api;
	struct ethdev *dev;		/* NULL: not open */
	struct ethdev_queue queue[2];	/* to it, from it */
};

static struct ethdev_wire *of_wire(const struct nic_wire *w)
{
	return container_of(w, struct ethdev_wire, wire);
}

static const char *check(const struct port_options *o)
{
	const char *why = ethdev_check(o->address);

	return !why && o->mtu > MTU_MAX ? "mtu: not in 68..9978, which DPDK's devices have" : why;
}

static void destroy(struct nic_wire *wire)
{
	struct ethdev_wire *w = of_wire(wire);

	ethdev_queue_fini(&w->queue[0]);
	ethdev_queue_fini(&w->queue[1]);
	free(w);
}

static struct nic_wire *create(const struct port_options *o)
{
	struct ethdev_wire *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return NULL;
	w->wire = (struct nic_wire){ &ethdev_wire_kind, &w->queue[0].q, &w->queue[1].q };
	w->opt = o;
	rc = ethdev_queue_init(&w->queue[0], o->name, 0, &o->pacing.dmax_ns);
	if (ethdev_queue_init(&w->queue[1], o->name, 1, &o->pacing.dmax_ns) < 0 || rc < 0) {
		destroy(&w->wire);
		return NULL;
	}
	ethdev_expect(o->address);
	return &w->wire;
}

static void set(struct ethdev_wire *w, const struct ethdev_info *info)
{
	ethdev_queue_set(&w->queue[0], w->api, w->dev, info);
	ethdev_queue_set(&w->queue[1], w->api, w->dev, info);
}

static int start(struct nic_wire *wire, char *why, size_t why_bytes)
{
	struct ethdev_wire *w = of_wire(wire);
	struct ethdev_info info;

	w->dev = ethdev_open(w->opt->address, w->opt->mtu, &w->api, &info, why, why_bytes);
	if (!w->dev)
		return -1;
	set(w, &info);
	return 0;
}

static void end(struct nic_wire *wire)
{
	struct ethdev_wire *w = of_wire(wire);
	struct ethdev *dev = w->dev;

	if (!dev)
		return;
	w->dev = NULL;
	set(w, NULL);
	w->api->close(dev);
}

static bool link_up(const struct nic_wire *wire)
{
	const struct ethdev_wire *w = of_wire(wire);

	return w->dev && w->api->link_up(w->dev);
}

const struct nic_wire_kind ethdev_wire_kind = {
	.check = check,
	.create = create,
	.destroy = destroy,
	.open = start,
	.close = end,
	.link_up = link_up,
	/* What the device cannot we do. */
	.rx_can = { .csum = true, .tso4 = true, .tso6 = true, .ecn = true, .mergeable = true },
};
