/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a frame a DPDK device can be asked to do: it wants to know where its headers are,
 * where virtio says where a checksum is. So TCP and UDP over IP, behind two tags at most,
 * without extension headers of IPv6; others are for software.
 *
 * Threat model: headers and offsets are the sender's. Lengths are checked against the frame,
 * and against each other; segments are no smaller than software makes them (gso.h), as
 * there are cards that hang of less.
 */
#ifndef RINGPACED_ETHDEV_OFFLOAD_H
#define RINGPACED_ETHDEV_OFFLOAD_H

#include "ethdev_api.h"
#include "packet.h"

/*
 * @frame: the first @have bytes, a copy, of one of @bytes that has @h, which was checked. False:
 * the device is not to be asked.
 */
bool ethdev_offload(struct ethdev_l4 *l, const u8 *frame, u32 have, u32 bytes,
		    const struct virtio_net_hdr_v1 *h);

#endif /* RINGPACED_ETHDEV_OFFLOAD_H */
