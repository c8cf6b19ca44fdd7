/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The front of an Ethernet frame, with a VLAN's tag or without (IEEE 802.1Q). */
#ifndef RP_VLAN_HEAD_H
#define RP_VLAN_HEAD_H

#include "rp.h"

#define VLAN_TYPE		0x8100u
#define VLAN_ADDRESS_BYTES	12u	/* both */
#define VLAN_TAG_BYTES		4u
/* Both addresses, a tag, the type of what follows. */
#define VLAN_HEAD_BYTES		18u

/* The front of a frame. */
struct vlan_head {
	u8 mac[12];			/* to, from */
	u8 type[2];			/* as it lies in the frame, behind a tag */
	u16 tci;			/* the tag's, 0 if there was none */
	u8 bytes;			/* of the frame's, tag included */
	bool tag;
};

static inline bool vlan_is_type(const u8 *at, u16 type)
{
	return at[0] == type >> 8 && at[1] == (type & 0xff);
}

/* The first @have bytes of a frame, VLAN_HEAD_BYTES or all of it. False: cut short. */
bool vlan_parse(struct vlan_head *h, const u8 *frame, u32 have);

#endif /* RP_VLAN_HEAD_H */
