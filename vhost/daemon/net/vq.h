/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtqueue of a virtio-net device as a port's queue: the device's side, with
 * the guest in lib/vring's hands.
 *
 * Threat model: the guest is hostile (vring/device.h). What breaks the ring's
 * rules ends this queue, with a reason; a header that makes no sense costs its
 * packet. Nothing that a guest writes is read twice where it is checked, but
 * the frame, which is its own affair.
 */
#ifndef RINGPACED_VQ_H
#define RINGPACED_VQ_H

#include "port_ops.h"
#include "queue_ring.h"

struct vq {
	struct port_queue q;
	struct rp_dev dev;
	struct offloads can;
	int call_fd, err_fd;
	/* The peer was caught with an eventfd that blocks (watchdog.h). Relaxed: many queues'. */
	bool *suspect;
	bool suspect_alone;	/* what it is while no port shares one */
	const char *barred;	/* why it is given up until its connection ends; or NULL */
	bool err_owed;		/* err_fd is to be told by who calls notify(); relaxed */
	u32 posted;		/* RX: most buffers that were there at once, of late */
	u32 asked;		/* RX: so many were waited for; 0: none were */
	/* RX: a packet of so many bytes or more needs so many buffers at least. */
	u32 short_bytes, short_of;	/* 0: nothing is known */
	/* Dirty logging; see struct queue_ring. */
	const struct dirty_log *log;
	bool log_used;
	u64 log_used_gpa;
	u32 log_hint;
};

/* Device-readable (the guest's TX), or writable (its RX). */
extern const struct rp_port_ops vq_ops;

/* A virtio-net queue: even ones are the guest's RX (sec. 5.1.2). */
void vq_init(struct vq *v, const char *port, u32 index);
/* -EINVAL: the ring does not lie in guest memory. */
int vq_attach(struct vq *v, const struct queue_ring *ring, const struct offloads *can);
void vq_new_fds(struct vq *v, const struct queue_ring *ring);
void vq_detach(struct vq *v);
/* The peer has gone: what it did is no matter to the next one. */
void vq_forget(struct vq *v);
/*
 * Gives the ring up, if lib/vring found a fault in it. @why: ours, or NULL. Of the
 * thread that has the queue.
 */
void vq_check_broken(struct vq *v, const char *why);

#endif /* RINGPACED_VQ_H */
