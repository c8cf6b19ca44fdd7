// SPDX-License-Identifier: GPL-2.0-or-later
/* Tags of frames that come into a switch, and leave it. */
#include "vlan.h"

#define VLAN_MASK	0xfffu

/* Any that a guest would take for one. */
static bool is_tag(const u8 *at)
{
	return vlan_is_type(at, VLAN_TYPE) || vlan_is_type(at, 0x88a8);
}

u16 vlan_in(const struct vlan_port *p, const struct vlan_head *h)
{
	u16 vlan = h->tci & VLAN_MASK;

	if (vlan)
		return vlan <= VLAN_MAX && vlan_allowed(p, vlan) ? vlan : 0;
	return is_tag(h->type) ? 0 : p->untagged;
}

enum vlan_out vlan_out(const struct vlan_port *p, const struct vlan_head *h, u16 vlan)
{
	if (p->untagged == vlan)
		return is_tag(h->type) ? VLAN_NOT : VLAN_UNTAGGED;
	return vlan_allowed(p, vlan) ? VLAN_TAGGED : VLAN_NOT;
}

u32 vlan_write(u8 *frame, const struct vlan_head *h, u16 vlan, enum vlan_out how)
{
	u16 tci = (u16)((h->tci & ~VLAN_MASK) | vlan);
	u8 *at = frame + VLAN_ADDRESS_BYTES;

	memcpy(frame, h->mac, sizeof(h->mac));
	if (how == VLAN_TAGGED) {
		at[0] = 0x81;
		at[1] = 0;
		at[2] = (u8)(tci >> 8);
		at[3] = (u8)tci;
		at += VLAN_TAG_BYTES;
	}
	memcpy(at, h->type, sizeof(h->type));
	return (u32)(at - frame) + (u32)sizeof(h->type);
}
