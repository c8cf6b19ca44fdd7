/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VLANs at a switch's ports (IEEE 802.1Q): which one a frame belongs to, and how
 * it leaves.
 *
 * A port has at most one VLAN whose frames are untagged, and any number whose
 * frames are tagged; a frame that is tagged for another one, or for the untagged
 * one, is not taken. A tag with VLAN 0 is a priority only. Within the switch a
 * frame has no tag, but may have had one below: such a frame does not leave
 * untagged, where the inner tag would be taken for the switch's.
 */
#ifndef RINGPACED_VLAN_H
#define RINGPACED_VLAN_H

#include "eth/vlan_head.h"

#define VLAN_MAX		4094u

struct vlan_port {
	u16 untagged;			/* 0: none */
	u64 tagged[(VLAN_MAX + 1) / 64 + 1];
};

enum vlan_out { VLAN_NOT, VLAN_UNTAGGED, VLAN_TAGGED };

/* The VLAN of a frame that comes in at @p; 0: it may not. */
u16 vlan_in(const struct vlan_port *p, const struct vlan_head *h);
/* How a frame of @vlan leaves by @p. */
enum vlan_out vlan_out(const struct vlan_port *p, const struct vlan_head *h, u16 vlan);
/* Writes the front that @h has when it leaves so; its bytes. */
u32 vlan_write(u8 *frame, const struct vlan_head *h, u16 vlan, enum vlan_out how);

/* Is the address one of a group, the broadcast address among them? */
static inline bool mac_is_group(const u8 *mac)
{
	return mac[0] & 1;
}

static inline void vlan_allow(struct vlan_port *p, u32 vlan)
{
	p->tagged[vlan / 64] |= 1ULL << vlan % 64;
}

static inline bool vlan_allowed(const struct vlan_port *p, u32 vlan)
{
	return p->tagged[vlan / 64] >> vlan % 64 & 1;
}

#endif /* RINGPACED_VLAN_H */
