// SPDX-License-Identifier: GPL-2.0-or-later
/* The front of a frame: looked at, and replaced. */
#include <netinet/in.h>

#include "frame.h"

u32 frame_peek(const struct packet *p, u8 *to, u32 bytes)
{
	u32 i, n, done = 0;

	for (i = 0; i < p->n_seg && done < bytes; i++) {
		n = p->seg[i].bytes < bytes - done ? p->seg[i].bytes : bytes - done;
		memcpy(to + done, p->seg[i].base, n);
		done += n;
	}
	/* The checks are on the copy: the compiler must not read the original again. */
	__asm__ __volatile__("" : : "r"(to) : "memory");
	return done;
}

/* ---- The flow ---- */

static u32 mix(u32 hash, const u8 *data, u32 bytes)
{
	u32 word;

	for (; bytes >= sizeof(word); data += sizeof(word), bytes -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b1u;
		hash ^= hash >> 15;
	}
	for (; bytes; data++, bytes--)
		hash = (hash ^ *data) * 0x85ebca6bu;
	return hash ^ hash >> 13;
}

static bool has_ports(u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

static u32 hash_ip4(const u8 *ip, u32 have)
{
	u32 header = (ip[0] & 15u) * 4, hash = mix(ip[9], ip + 12, 8);
	bool fragment = (ip[6] & 0x3f) | ip[7];

	if (!fragment && has_ports(ip[9]) && header >= 20 && header + 4 <= have)
		hash = mix(hash, ip + header, 4);
	return hash;
}

static u32 hash_ip6(const u8 *ip, u32 have)
{
	u32 hash = mix(ip[6], ip + 8, 32);

	if (has_ports(ip[6]) && have >= 44)
		hash = mix(hash, ip + 40, 4);
	return hash;
}

u32 frame_hash(const struct packet *p)
{
	u8 at[FRAME_HASH_BYTES];
	u32 have = frame_peek(p, at, sizeof(at)), left;
	struct vlan_head h;
	const u8 *ip;

	if (!vlan_parse(&h, at, have))
		return 0;
	ip = at + h.bytes;
	left = have - h.bytes;
	if (h.type[0] == 0x08 && h.type[1] == 0x00 && left >= 20)
		return hash_ip4(ip, left);
	if (h.type[0] == 0x86 && h.type[1] == 0xdd && left >= 40)
		return hash_ip6(ip, left);
	return mix(mix(0, h.mac, sizeof(h.mac)), h.type, sizeof(h.type));
}

/* ---- Another front ---- */

/* The packet's segments without their first @skip bytes; how many are left. */
static u32 skip_bytes(const struct packet *p, u32 skip, struct rp_seg *to)
{
	u32 i, k, n = 0;

	for (i = 0; i < p->n_seg; i++) {
		k = p->seg[i].bytes < skip ? p->seg[i].bytes : skip;
		skip -= k;
		if (p->seg[i].bytes > k)
			to[n++] = (struct rp_seg){ (u8 *)p->seg[i].base + k,
						   p->seg[i].bytes - k };
	}
	return n;
}

/* Where the checksum is moves with the bytes before it. */
static enum drop shift_hdr(struct virtio_net_hdr_v1 *h, u32 was, u32 is)
{
	u32 start = h->csum_start - was + is;

	if (likely(!(h->flags | h->gso_type)))
		return DROP_NONE;
	if (h->csum_start < was || start > UINT16_MAX)
		return DROP_HEADER;
	h->csum_start = (u16)start;
	/* A hint; none if it makes no sense now. */
	h->hdr_len = h->hdr_len >= was && h->hdr_len - was + is <= UINT16_MAX ?
		(u16)(h->hdr_len - was + is) : 0;
	return DROP_NONE;
}

void frame_append(struct batch *out, const struct packet *p, u8 *front,
		  const struct vlan_head *h, u16 vlan, enum vlan_out how)
{
	struct packet *to = &out->pkt[out->n++];
	struct rp_seg *seg = &out->seg[out->n_seg];
	u32 n = vlan_write(front, h, vlan, how);

	*to = *p;
	to->seg = seg;
	to->bytes = p->bytes - h->bytes + n;
	to->drop = (u8)shift_hdr(&to->hdr, h->bytes, n);
	if (unlikely(to->bytes > PACKET_MAX_BYTES))
		to->drop = DROP_SIZE;
	seg[0] = (struct rp_seg){ front, n };
	to->n_seg = (u16)(1 + skip_bytes(p, h->bytes, seg + 1));
	out->n_seg += to->n_seg;
	out->bytes += to->bytes;
}
