// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is a packet that is to be segmented, its virtio-net
 * header, and how it is cut into pieces. Segments must be no more and no larger
 * than they may be, and have the whole payload. A DPDK device is told of headers and
 * segments that lie in the packet, or nothing.
 */
#include <stdlib.h>

#include "../../vhost/daemon/net/ethdev_offload.h"
#include "../../vhost/daemon/net/gso.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

struct input {
	struct virtio_net_hdr_v1 hdr;
	u8 can, pieces;
	u16 piece_bytes;
};

/* Cut as @in says; the last piece is what is left. */
static void cut(struct packet *p, struct rp_seg *seg, const struct input *in, u8 *frame)
{
	u32 left = p->bytes, n;

	while (left) {
		n = p->n_seg + 1u < 1 + in->pieces % GSO_PIECES_MAX && in->piece_bytes < left ?
			1 + in->piece_bytes % left : left;
		seg[p->n_seg++] = (struct rp_seg){ frame, n };
		frame += n;
		left -= n;
	}
	p->seg = seg;
}

static void segment(const struct packet *p, const struct offloads *can)
{
	u32 n = 0, total = 0, i, sum;
	struct packet s;
	struct gso g;

	if (!gso_begin(&g, p, can))
		return;
	for (; gso_next(&g, &s); n++, total += s.bytes - g.headers_bytes) {
		for (i = sum = 0; i < s.n_seg; i++)
			sum += s.seg[i].bytes;
		if (sum != s.bytes || s.bytes > g.headers_bytes + p->hdr.gso_size ||
		    s.hdr.gso_type || !s.hdr.flags != !can->csum)
			abort();
	}
	if (!n || n > GSO_SEGMENTS_MAX || total != p->bytes - g.headers_bytes)
		abort();
}

/* The first piece holds what is looked at. */
static void leave_to_device(const struct packet *p)
{
	u32 have = p->seg[0].bytes, headers;
	struct ethdev_l4 l;

	if (!ethdev_offload(&l, p->seg[0].base, have, p->bytes, &p->hdr))
		return;
	headers = (u32)l.l2 + l.l3 + l.l4;
	if (headers > have || (u32)l.l2 + l.l3 != p->hdr.csum_start || l.segment != p->hdr.gso_size ||
	    (l.segment && (l.segment < GSO_MIN_BYTES || headers + l.segment >= p->bytes)))
		abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static const struct offloads all = { true, true, true, true, true };
	struct rp_seg seg[GSO_PIECES_MAX];
	struct packet p = { .n_seg = 0 };
	struct input in;
	u8 *frame;

	if (bytes < sizeof(in) + PACKET_MIN_BYTES)
		return 0;
	memcpy(&in, data, sizeof(in));
	p.hdr = in.hdr;
	p.bytes = (u32)(bytes - sizeof(in));
	frame = malloc(p.bytes);
	if (!frame)
		abort();
	memcpy(frame, data + sizeof(in), p.bytes);
	cut(&p, seg, &in, frame);
	if (packet_check(&p.hdr, p.bytes, &all) == DROP_NONE && p.hdr.flags) {
		if (p.hdr.gso_type)
			segment(&p, &(struct offloads){ .csum = in.can & 1 });
		leave_to_device(&p);
	}
	free(frame);
	return 0;
}
