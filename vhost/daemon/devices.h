/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio-pc devices of a daemon, which come and go. The main thread's. */
#ifndef RINGPACED_DEVICES_H
#define RINGPACED_DEVICES_H

#include "device.h"

#define DEVICES_MAX	64u

struct reload;

struct devices {
	u32 count;
	struct device *dev[DEVICES_MAX];
	struct net *net;		/* NULL: there are no ports */
	struct reload *reload;		/* NULL: there is no file to read again */
};

/* The device of that name, or NULL. */
struct device *devices_find(const struct devices *d, const char *name);
/* One more, which listens. NULL: one line of why. */
struct device *devices_add(struct devices *d, const struct device_options *o, struct loop *loop,
			   gid_t gid, char *why, size_t why_bytes);
void devices_remove(struct devices *d, struct device *dev);
void devices_fini(struct devices *d);

#endif /* RINGPACED_DEVICES_H */
