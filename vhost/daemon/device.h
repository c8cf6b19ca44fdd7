/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio-pc device: a vhost-user session and a thread for each of its queues. */
#ifndef RINGPACED_DEVICE_H
#define RINGPACED_DEVICE_H

#include "queue.h"
#include "session.h"

struct device_options {
	char name[SESSION_NAME_MAX + 1];
	const char *socket;	/* of a device, its own */
	u32 pairs;
	u32 item_bytes;
};

struct device {
	struct device_options opt;
	struct session session;
	u32 queue_count;
	struct queue *queues;
};

/*
 * Parses NAME,socket=PATH[,pairs=N][,item-bytes=N] in place. NULL, or one line
 * of what is wrong.
 */
const char *device_parse(char *arg, struct device_options *opt);

/* Queues, but no socket yet: session_listen() comes next. 0 or -errno. */
int device_init(struct device *d, const struct device_options *opt);
void device_fini(struct device *d);

#endif /* RINGPACED_DEVICE_H */
