// SPDX-License-Identifier: GPL-2.0-or-later
/* The front of an Ethernet frame. */
#include "eth/vlan_head.h"

#define PLAIN_BYTES	14u

bool vlan_parse(struct vlan_head *h, const u8 *frame, u32 have)
{
	const u8 *type = frame + VLAN_ADDRESS_BYTES;

	if (have < PLAIN_BYTES)
		return false;
	h->tag = vlan_is_type(type, VLAN_TYPE);
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
