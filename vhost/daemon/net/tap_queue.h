/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of a tap as a port's queue: one file descriptor of /dev/net/tun is a
 * TX queue, which the host's stack sends into, and an RX queue, which it receives
 * from.
 *
 * TX: the kernel copies a frame into a buffer of ours, from where the batch goes
 * on as from a guest. What a batch could not be given of stays there, and goes
 * first next time. RX: the kernel copies from the sender's memory. It takes what
 * it is given, or refuses it for good: this queue is never full.
 */
#ifndef RINGPACED_TAP_QUEUE_H
#define RINGPACED_TAP_QUEUE_H

#include "port_ops.h"

/* The kernel's own default: how many frames wait in a tap. */
#define TAP_QUEUE_LEN	500u

struct tap_queue {
	struct port_queue q;
	int fd;				/* -1: not open */
	/* TX: frames that were read, [first, first + count) of them not yet given back */
	u8 *buffer;
	u32 used;
	u32 first, count;
	struct tap_frame {
		u32 at, bytes;		/* in the buffer, header included */
	} frame[BATCH_PACKETS];
};

extern const struct rp_port_ops tap_ops;

/* 0 or -ENOMEM; tap_queue_fini() undoes it in both cases. */
int tap_queue_init(struct tap_queue *t, const char *port, u32 index);
void tap_queue_fini(struct tap_queue *t);
/* The queue begins with @fd, which is the caller's; -1: it ends. */
void tap_queue_set(struct tap_queue *t, int fd);

#endif /* RINGPACED_TAP_QUEUE_H */
