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

#include "rp.h"

#define VLAN_MAX		4094u
#define VLAN_TAG_BYTES		4u
/* Both addresses, a tag, the type of what follows. */
#define VLAN_HEAD_BYTES		18u

struct vlan_port {
	u16 untagged;			/* 0: none */
	u64 tagged[(VLAN_MAX + 1) / 64 + 1];
};

/* The front of a frame. */
struct vlan_head {
	u8 mac[12];			/* to, from */
	u8 type[2];			/* as it lies in the frame, behind a tag */
	u16 tci;			/* the tag's, 0 if there was none */
	u8 bytes;			/* of the frame's, tag included */
	bool tag;
};

enum vlan_out { VLAN_NOT, VLAN_UNTAGGED, VLAN_TAGGED };

/* The first @have bytes of a frame, VLAN_HEAD_BYTES or all of it. False: cut short. */
bool vlan_parse(struct vlan_head *h, const u8 *frame, u32 have);
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
