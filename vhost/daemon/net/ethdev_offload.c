// SPDX-License-Identifier: GPL-2.0-or-later
/* Headers of TCP and UDP, for a device that completes checksums and makes segments. */
#include <netinet/in.h>

#include "eth/vlan_head.h"
#include "ethdev_offload.h"
#include "gso.h"

#define IP4_BYTES	20u
#define IP6_BYTES	40u
#define TCP_BYTES	20u
#define TCP_SUM		16u
#define UDP_BYTES	8u
#define UDP_SUM		6u

static u32 get16(const u8 *at)
{
	return (u32)at[0] << 8 | at[1];
}

/* ->l2 and the type of what follows; 0: there is nothing. */
static u32 find_l3(struct ethdev_l4 *l, const u8 *frame, u32 have)
{
	u32 at = VLAN_ADDRESS_BYTES, tags;

	for (tags = 0; tags < 2 && at + 2 <= have; tags++, at += VLAN_TAG_BYTES)
		if (!vlan_is_type(frame + at, VLAN_TYPE) && !vlan_is_type(frame + at, 0x88a8))
			break;
	l->l2 = (u16)(at + 2);
	return l->l2 + IP4_BYTES <= have ? get16(frame + at) : 0;
}

/* ->l3 and the protocol; 0: none, a fragment, or one behind other headers. */
static u32 find_l4(struct ethdev_l4 *l, const u8 *frame, u32 have)
{
	u32 type = find_l3(l, frame, have);
	const u8 *ip = frame + l->l2;

	l->ip6 = type == 0x86dd;
	if (l->ip6) {
		l->l3 = IP6_BYTES;
		return l->l2 + IP6_BYTES <= have && ip[0] >> 4 == 6 ? ip[6] : 0;
	}
	if (type != 0x0800 || ip[0] >> 4 != 4)
		return 0;
	l->l3 = (u16)((ip[0] & 15u) * 4);
	return l->l3 >= IP4_BYTES && !(get16(ip + 6) & 0x3fff) ? ip[9] : 0;
}

static bool find_tcp(struct ethdev_l4 *l, const u8 *frame, u32 have, u32 start)
{
	if (start + TCP_BYTES > have)
		return false;
	l->l4 = (u16)((frame[start + 12] >> 4) * 4);
	return l->l4 >= TCP_BYTES && start + l->l4 <= have;
}

static bool segments_ok(const struct ethdev_l4 *l, u32 bytes, const struct virtio_net_hdr_v1 *h)
{
	u32 headers = (u32)l->l2 + l->l3 + l->l4;
	bool ip6 = (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV6;

	return ip6 == l->ip6 && l->l4 && h->gso_size >= GSO_MIN_BYTES &&
	       bytes > headers + h->gso_size &&
	       (bytes - headers + h->gso_size - 1) / h->gso_size <= GSO_SEGMENTS_MAX;
}

bool ethdev_offload(struct ethdev_l4 *l, const u8 *frame, u32 have, u32 bytes,
		    const struct virtio_net_hdr_v1 *h)
{
	u32 protocol, start;

	*l = (struct ethdev_l4){ 0 };
	protocol = find_l4(l, frame, have);
	start = (u32)l->l2 + l->l3;
	if (!protocol || start != h->csum_start)
		return false;
	if (protocol == IPPROTO_TCP ? h->csum_offset != TCP_SUM || !find_tcp(l, frame, have, start) :
	    protocol != IPPROTO_UDP || h->csum_offset != UDP_SUM || start + UDP_BYTES > have)
		return false;
	if (!h->gso_type)
		return true;
	l->segment = h->gso_size;
	return segments_ok(l, bytes, h);
}
