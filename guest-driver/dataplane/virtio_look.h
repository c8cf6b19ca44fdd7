/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look at the split rings of one of DPDK's virtio devices (PCI or virtio_user),
 * whose driver tells neither how much waits in a receive queue nor what has left
 * a send queue. The rings lie in memzones of known names, in virtio's layout, and
 * are only read; one index each, so that nothing can be torn.
 */
#ifndef DP_VIRTIO_LOOK_H
#define DP_VIRTIO_LOOK_H

#include "rp.h"

struct virtio_look {
	const u16 *avail, *used;	/* indices */
	u16 taken;			/* RX: buffers that the driver has taken back */
	u16 slots;
};

/*
 * Of the ring of queue @vq (2i receives, 2i + 1 sends) of a device that was configured.
 * 0: it is none of virtio's.
 */
u32 virtio_look_slots(u16 port, u32 vq);

/*
 * Of a device that was started, whose receive queues use @rx_slots. False: it is none of
 * virtio's, or its rings are packed.
 */
bool virtio_look_open(struct virtio_look *l, u16 port, u32 vq, u32 rx_slots);

/* Sent, and not taken by the host yet. */
static inline u16 virtio_look_out(const struct virtio_look *l)
{
	/* Acquire: what the host has done with the packets comes before it. */
	return (u16)(rp_load(l->avail) - rp_load_acquire(l->used));
}

/* Received, and not taken by the driver yet. */
static inline u16 virtio_look_in(const struct virtio_look *l)
{
	u16 n = (u16)(rp_load_acquire(l->used) - l->taken);

	return n <= l->slots ? n : 0;
}

#endif /* DP_VIRTIO_LOOK_H */
