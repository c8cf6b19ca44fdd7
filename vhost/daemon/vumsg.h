/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vhost-user messages between the socket and libvhost-user.
 *
 * Threat model: the frontend is not trusted. libvhost-user reads with waits,
 * asserts that a payload comes in one piece, indexes its queues with what it
 * reads, exits on request 0 and maps what it is told to. So a message is
 * gathered here without waiting, and handed on only if it is one that this
 * device offers and everything in it that the library relies on holds.
 */
#ifndef RINGPACED_VUMSG_H
#define RINGPACED_VUMSG_H

#include <libvhost-user/libvhost-user.h>

#include "rp.h"

/* Requests and protocol features that the library does not know. */
enum {
	VUMSG_RESET_DEVICE = 34,
	VUMSG_SET_STATUS = 39,
	VUMSG_GET_STATUS = 40,
	VUMSG_REQUESTS,
	VUMSG_PROTOCOL_F_RESET_DEVICE = 13,
	VUMSG_PROTOCOL_F_STATUS = 16,
};

/* What a message may touch: the queues to halt before it is processed. */
enum vumsg_scope {
	VUMSG_NO_QUEUE,
	VUMSG_QUEUE,		/* a queue's descriptors, or whether it runs */
	VUMSG_RING,		/* where a queue's ring is */
	VUMSG_ALL_QUEUES,	/* memory, features */
};

struct vumsg_reader {
	VhostUserMsg msg;
	u32 have_bytes;		/* of header and payload */
};

enum vumsg_read {
	VUMSG_MORE,		/* not complete yet */
	VUMSG_COMPLETE,
	VUMSG_CLOSED,		/* by the peer */
	VUMSG_BAD,		/* @why tells */
};

void vumsg_init(struct vumsg_reader *r);
enum vumsg_read vumsg_read(struct vumsg_reader *r, int fd, const char **why);
/* Hands the complete message on, descriptors included, and starts anew. */
void vumsg_take(struct vumsg_reader *r, VhostUserMsg *to);
/* Drops what was gathered. */
void vumsg_reset(struct vumsg_reader *r);

/*
 * NULL when @msg is fit for the library in its present state, else why not.
 * @extra: requests that only some kinds of device offer, by number; such a
 * message is not the library's. @queue is set for VUMSG_QUEUE and VUMSG_RING.
 */
const char *vumsg_check(const VuDev *vu, const VhostUserMsg *msg, u64 extra,
			enum vumsg_scope *scope, u32 *queue);

#endif /* RINGPACED_VUMSG_H */
