// SPDX-License-Identifier: GPL-2.0-or-later
/* A look at the rings of one of DPDK's virtio devices. */
#include "virtio_look.h"

#include <linux/virtio_ring.h>
#include <rte_ethdev.h>
#include <rte_memzone.h>
#include <stdio.h>

/* Of the driver's rings, in any transport. */
#define RING_ALIGN	4096
#define SLOTS_MAX	32768u

static const struct rte_memzone *zone(u16 port, u32 vq)
{
	char name[RTE_MEMZONE_NAMESIZE];

	snprintf(name, sizeof(name), "port%u_vq%u", port, vq);
	return rte_memzone_lookup(name);
}

static bool is_virtio(u16 port)
{
	struct rte_eth_dev_info info;

	return !rte_eth_dev_info_get(port, &info) &&
	       !strncmp(info.driver_name, "net_virtio", strlen("net_virtio"));
}

/* The zone's length is the ring's, up to the next page: no two sizes have the same. */
u32 virtio_look_slots(u16 port, u32 vq)
{
	const struct rte_memzone *mz = is_virtio(port) ? zone(port, vq) : NULL;
	u32 slots = SLOTS_MAX;

	while (slots && (!mz || mz->len < vring_size(slots, RING_ALIGN)))
		slots /= 2;
	return slots;
}

/*
 * The driver fills its receive rings when it starts. A packed ring has something
 * else at that place, which is no such number.
 */
static bool is_filled(u16 port, u32 vq, u32 rx_slots)
{
	u32 slots = virtio_look_slots(port, vq);
	struct vring r;

	if (!slots)
		return false;
	vring_init(&r, slots, zone(port, vq)->addr, RING_ALIGN);
	return r.avail->idx > rx_slots / 2 && r.avail->idx <= rx_slots && !r.used->idx;
}

bool virtio_look_open(struct virtio_look *l, u16 port, u32 vq, u32 rx_slots)
{
	u32 slots = virtio_look_slots(port, vq);
	struct vring r;

	if (!slots || !is_filled(port, vq & ~1u, rx_slots))
		return false;
	vring_init(&r, slots, zone(port, vq)->addr, RING_ALIGN);
	*l = (struct virtio_look){
		.avail = &r.avail->idx, .used = &r.used->idx, .slots = (u16)slots,
	};
	return true;
}
