// SPDX-License-Identifier: GPL-2.0-or-later
/* Offloads of a packet: what its header may say, and doing without them. */
#include "csum.h"
#include "packet.h"

const char *const drop_names[DROPS] = {
	[DROP_NONE] = "none",
	[DROP_SIZE] = "size",
	[DROP_HEADER] = "header",
	[DROP_NO_PEER] = "no_peer",
	[DROP_FULL] = "full",
	[DROP_TOO_BIG] = "too_big",
	[DROP_OFFLOAD] = "offload",
	[DROP_HOST] = "host",
	[DROP_VLAN] = "vlan",
	[DROP_SOURCE] = "source",
	[DROP_RESERVED] = "reserved",
	[DROP_LOCAL] = "local",
};

static bool gso_ok(const struct virtio_net_hdr_v1 *h, const struct offloads *can)
{
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		if (!can->tso4)
			return false;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		if (!can->tso6)
			return false;
		break;
	default:
		return false;
	}
	return h->gso_size && (can->ecn || !(h->gso_type & VIRTIO_NET_HDR_GSO_ECN));
}

enum drop packet_check_offloads(struct virtio_net_hdr_v1 *h, u32 bytes,
				const struct offloads *can)
{
	u32 end = (u32)h->csum_start + h->csum_offset + sizeof(u16);

	h->flags &= VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->num_buffers = 0;
	/* A segment needs its checksum (sec. 5.1.6.2.1). */
	if (!h->flags || !can->csum || end > bytes)
		return DROP_HEADER;
	if (h->gso_type && !gso_ok(h, can))
		return DROP_HEADER;
	if (!h->gso_type)
		h->gso_size = 0;
	if (h->hdr_len > bytes)
		h->hdr_len = 0;		/* a hint, and a bad one */
	return DROP_NONE;
}

bool packet_finish(struct batch *b, struct packet *p, struct rp_seg *to)
{
	u32 i, n = 0;

	if (p->hdr.gso_type || !b->bounce)
		return false;
	for (i = 0; i < p->n_seg; i++) {
		memcpy(b->bounce + n, p->seg[i].base, p->seg[i].bytes);
		n += p->seg[i].bytes;
	}
	csum_complete(b->bounce, p->bytes, p->hdr.csum_start, p->hdr.csum_offset);
	memset(&p->hdr, 0, sizeof(p->hdr));
	*to = (struct rp_seg){ b->bounce, p->bytes };
	p->seg = to;
	p->n_seg = 1;
	return true;
}
