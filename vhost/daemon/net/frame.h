/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames as a switch sees them: its front is read once, and what was read is
 * what is sent; the rest stays where it is until it is copied.
 */
#ifndef RINGPACED_FRAME_H
#define RINGPACED_FRAME_H

#include "packet.h"
#include "vlan.h"

/* What frame_hash() looks at: Ethernet, a tag, IPv6, two ports. */
#define FRAME_HASH_BYTES	62u

/* Copies up to @bytes from the packet's front; how many there were. */
u32 frame_peek(const struct packet *p, u8 *to, u32 bytes);
/*
 * A number of the flow that the packet belongs to: of addresses, protocol and
 * ports where IP has them (a fragment's are not known), else of the Ethernet
 * addresses and type. The frame's owner may change it meanwhile; that is its affair.
 */
u32 frame_hash(const struct packet *p);
/*
 * Appends @p to @out with another front: @h's, as it leaves in @vlan. Offsets in
 * its virtio-net header follow. Its drop says if that cannot be. @front, where
 * the front is written, must stay as long as @out.
 */
void frame_append(struct batch *out, const struct packet *p, u8 *front,
		  const struct vlan_head *h, u16 vlan, enum vlan_out how);

#endif /* RINGPACED_FRAME_H */
