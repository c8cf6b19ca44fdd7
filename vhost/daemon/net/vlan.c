// SPDX-License-Identifier: GPL-2.0-or-later
/* Tags of frames that come into a switch, and leave it. */
#include "vlan.h"

#define ADDRESS_BYTES	12u
#define PLAIN_BYTES	14u
#define VLAN_MASK	0xfffu

static bool is_type(const u8 *at, u16 type)
{
	return at[0] == type >> 8 && at[1] == (type & 0xff);
}

static bool is_ctag(const u8 *at)
{
	return is_type(at, 0x8100);
}

/* Any that a guest would take for one. */
static bool is_tag(const u8 *at)
{
	return is_ctag(at) || is_type(at, 0x88a8);
}

bool vlan_parse(struct vlan_head *h, const u8 *frame, u32 have)
{
	const u8 *type = frame + ADDRESS_BYTES;

	if (have < PLAIN_BYTES)
		return false;
	h->tag = is_ctag(type);
	h->tci = 0;
	h->bytes = PLAIN_BYTES;
	if (h->tag) {
		if (have < VLAN_HEAD_BYTES)
			return false;
		h->tci = (u16)(type[2] << 8 | type[3]);
		h->bytes = VLAN_HEAD_BYTES;
		type += VLAN_TAG_BYTES;
	}
	memcpy(h->mac, frame, sizeof(h->mac));
	memcpy(h->type, type, sizeof(h->type));
	return true;
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
	u8 *at = frame + ADDRESS_BYTES;

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
