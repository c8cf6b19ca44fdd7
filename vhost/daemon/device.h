/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtio-pc device behind a vhost-user socket.
 *
 * The device listens; one frontend at a time is its client. A message that
 * touches queues is processed with those queues' workers parked; afterwards
 * every queue that has all it needs runs again. A client that goes away or
 * breaks the protocol loses its connection, and the device listens on.
 *
 * Crash recovery: buffers are completed in order and none is held while a
 * worker is parked, so used->idx says where to resume, whoever died.
 */
#ifndef RINGPACED_DEVICE_H
#define RINGPACED_DEVICE_H

#include "loop.h"
#include "queue.h"
#include "vumsg.h"

#define DEVICE_NAME_MAX		31

struct device_options {
	char name[DEVICE_NAME_MAX + 1];
	const char *socket;
	u32 pairs;
	u32 item_bytes;
};

struct device {
	struct device_options opt;
	struct loop *loop;
	struct loop_source listener;
	struct loop_source conn;	/* .fd -1: no client */
	VuDev vu;			/* while there is a client */
	struct vumsg_reader reader;
	char panic[160];		/* what the library complained about */
	struct rp_mem mem;
	int watched[RP_MEM_REGIONS_MAX];	/* sigbus ids, mem.count of them */
	u32 queue_count;
	struct queue *queues;
};

/*
 * Parses NAME,socket=PATH[,pairs=N][,item-bytes=N] in place. NULL, or one line
 * of what is wrong.
 */
const char *device_parse(char *arg, struct device_options *opt);

/* Queues, but no socket yet. 0 or -errno. */
int device_init(struct device *d, const struct device_options *opt);
/* Listens. 0, or -1 with one line of why. */
int device_listen(struct device *d, struct loop *loop, gid_t gid, char *why,
		  size_t why_bytes);
void device_fini(struct device *d);

static inline bool device_connected(const struct device *d)
{
	return d->conn.fd >= 0;
}

/* Closes the connection if the client took guest memory away. */
void device_check_memory(struct device *d);

#endif /* RINGPACED_DEVICE_H */
