// SPDX-License-Identifier: GPL-2.0-or-later
/* The virtio-pc devices of a daemon, which come and go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices.h"
#include "net/net.h"
#include "sigbus.h"

_Static_assert((DEVICES_MAX + NET_PORTS_MAX) * (RP_MEM_REGIONS_MAX + 1) < SIGBUS_REGIONS,
	       "whatever all frontends share is watched");

struct device *devices_find(const struct devices *d, const char *name)
{
	u32 i;

	for (i = 0; i < d->count; i++)
		if (!strcmp(d->dev[i]->opt.name, name))
			return d->dev[i];
	return NULL;
}

static void end(struct device *dev)
{
	device_fini(dev);
	free(dev);
}

struct device *devices_add(struct devices *d, const struct device_options *o, struct loop *loop,
			   gid_t gid, char *why, size_t why_bytes)
{
	struct device *dev = d->count < DEVICES_MAX ? calloc(1, sizeof(*dev)) : NULL;
	int rc;

	if (!dev) {
		snprintf(why, why_bytes, "no room for one more device");
		return NULL;
	}
	rc = device_init(dev, o);
	if (rc < 0)
		snprintf(why, why_bytes, "cannot set up its queues: %s", strerror(-rc));
	if (rc < 0 || session_listen(&dev->session, loop, gid, why, why_bytes) < 0) {
		end(dev);
		return NULL;
	}
	return d->dev[d->count++] = dev;
}

void devices_remove(struct devices *d, struct device *dev)
{
	u32 i;

	for (i = 0; d->dev[i] != dev; i++)
		;
	for (d->count--; i < d->count; i++)
		d->dev[i] = d->dev[i + 1];
	end(dev);
}

void devices_fini(struct devices *d)
{
	while (d->count)
		devices_remove(d, d->dev[d->count - 1]);
}
