// SPDX-License-Identifier: GPL-2.0-or-later
/* Cuts a TCP packet into segments. */
#include <netinet/in.h>

#include "csum.h"
#include "frame.h"
#include "gso.h"

/* Offsets in the headers of IPv4, IPv6 and TCP. */
enum {
	IP4_LENGTH = 2, IP4_ID = 4, IP4_FRAGMENT = 6, IP4_PROTOCOL = 9, IP4_SUM = 10,
	IP4_ADDRESSES = 12, IP4_BYTES = 20,
	IP6_LENGTH = 4, IP6_NEXT = 6, IP6_ADDRESSES = 8, IP6_BYTES = 40,
	TCP_SEQ = 4, TCP_OFFSET = 12, TCP_FLAGS = 13, TCP_SUM = 16, TCP_BYTES = 20,
};

#define TCP_FIN		0x01
#define TCP_PSH		0x08
#define TCP_CWR		0x80
#define IP4_OFFSET_OR_MORE	0x3fff

static u32 get16(const u8 *at)
{
	return (u32)at[0] << 8 | at[1];
}

static void put16(u8 *at, u32 v)
{
	at[0] = (u8)(v >> 8);
	at[1] = (u8)v;
}

static u32 get32(const u8 *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static void put32(u8 *at, u32 v)
{
	put16(at, v >> 16);
	put16(at + 2, v);
}

/* ---- What was sent ---- */

/* The type behind up to two tags; g->l3 is what follows. */
static u32 ether_type(struct gso *g)
{
	u32 at = 12, tags, type = get16(g->headers + at);

	for (tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); tags++) {
		at += 4;
		type = get16(g->headers + at);
	}
	g->l3 = at + 2;
	return type;
}

static bool check_ip4(struct gso *g, u32 have)
{
	const u8 *ip = g->headers + g->l3;

	return have >= g->l3 + IP4_BYTES && ip[0] >> 4 == 4 && ip[IP4_PROTOCOL] == IPPROTO_TCP &&
	       (ip[0] & 15u) * 4 >= IP4_BYTES && g->l3 + (ip[0] & 15u) * 4 == g->l4 &&
	       !(get16(ip + IP4_FRAGMENT) & IP4_OFFSET_OR_MORE);
}

/* TCP follows at once: nobody sends large packets with extension headers. */
static bool check_ip6(struct gso *g, u32 have)
{
	const u8 *ip = g->headers + g->l3;

	return have >= g->l3 + IP6_BYTES && ip[0] >> 4 == 6 && ip[IP6_NEXT] == IPPROTO_TCP &&
	       g->l3 + IP6_BYTES == g->l4;
}

static bool check_headers(struct gso *g, u32 have)
{
	u32 type = ether_type(g);

	g->l4 = g->from->hdr.csum_start;
	g->ip6 = (g->from->hdr.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) == VIRTIO_NET_HDR_GSO_TCPV6;
	if (g->ip6 ? type != 0x86dd || !check_ip6(g, have) : type != 0x0800 || !check_ip4(g, have))
		return false;
	if (have < g->l4 + TCP_BYTES || g->from->hdr.csum_offset != TCP_SUM)
		return false;
	g->headers_bytes = g->l4 + (g->headers[g->l4 + TCP_OFFSET] >> 4) * 4u;
	return g->headers_bytes >= g->l4 + TCP_BYTES && g->headers_bytes <= have;
}

/* The place of the payload's first byte. */
static void find_payload(struct gso *g)
{
	u32 skip = g->headers_bytes;

	for (g->seg = 0; g->seg < g->from->n_seg && skip >= g->from->seg[g->seg].bytes; g->seg++)
		skip -= g->from->seg[g->seg].bytes;
	g->at = skip;
}

static u32 segment_bytes(const struct gso *g, u32 left)
{
	return left < g->size ? left : g->size;
}

bool gso_begin(struct gso *g, const struct packet *p, const struct offloads *can)
{
	memset(g->headers, 0, sizeof(g->headers));
	g->from = p;
	g->can = *can;
	if (p->n_seg > GSO_PIECES_MAX ||
	    !check_headers(g, frame_peek(p, g->headers, sizeof(g->headers))))
		return false;
	g->payload_bytes = p->bytes - g->headers_bytes;
	g->size = p->hdr.gso_size;
	if (g->size < GSO_MIN_BYTES && g->size < g->payload_bytes)
		return false;
	g->n = g->payload_bytes ? (g->payload_bytes + g->size - 1) / g->size : 1;
	g->next = 0;
	find_payload(g);
	return g->n <= GSO_SEGMENTS_MAX &&
	       g->headers_bytes - g->l3 + segment_bytes(g, g->payload_bytes) <= UINT16_MAX;
}

/* ---- Segments ---- */

/* The front and the next @bytes of payload; how many pieces that is. */
static u32 take_pieces(struct gso *g, u32 bytes)
{
	u32 n = 0, k;

	g->piece[n++] = (struct rp_seg){ g->front, g->headers_bytes };
	while (bytes) {
		const struct rp_seg *s = &g->from->seg[g->seg];

		k = s->bytes - g->at < bytes ? s->bytes - g->at : bytes;
		g->piece[n++] = (struct rp_seg){ (u8 *)s->base + g->at, k };
		bytes -= k;
		g->at += k;
		if (g->at == s->bytes) {
			g->seg++;
			g->at = 0;
		}
	}
	return n;
}

static void write_ip(struct gso *g, u32 tcp_bytes)
{
	u8 *ip = g->front + g->l3;
	u16 sum;

	if (g->ip6) {
		put16(ip + IP6_LENGTH, tcp_bytes);
		return;
	}
	put16(ip + IP4_LENGTH, g->l4 - g->l3 + tcp_bytes);
	put16(ip + IP4_ID, get16(ip + IP4_ID) + g->next);
	memset(ip + IP4_SUM, 0, sizeof(u16));
	sum = (u16)~csum_fold(csum_add(0, ip, g->l4 - g->l3));
	memcpy(ip + IP4_SUM, &sum, sizeof(sum));
}

/* Of addresses, protocol and length, as the sum lies in memory. */
static u16 pseudo_sum(const struct gso *g, u32 tcp_bytes)
{
	const u8 *ip = g->front + g->l3;
	u8 tail[4] = { 0, IPPROTO_TCP };

	put16(tail + 2, tcp_bytes);
	return csum_fold(csum_add(csum_add(0, tail, sizeof(tail)),
				  ip + (g->ip6 ? IP6_ADDRESSES : IP4_ADDRESSES), g->ip6 ? 32 : 8));
}

/* Of the TCP header and the payload. */
static u64 tcp_sum(const struct gso *g, u32 pieces)
{
	u64 sum = csum_add(0, g->front + g->l4, g->headers_bytes - g->l4);
	u32 at = 0, i;

	for (i = 1; i < pieces; at += g->piece[i++].bytes)
		sum = at & 1 ? csum_add_odd(sum, g->piece[i].base, g->piece[i].bytes) :
			       csum_add(sum, g->piece[i].base, g->piece[i].bytes);
	return sum;
}

static void write_tcp(struct gso *g)
{
	u8 *tcp = g->front + g->l4;

	put32(tcp + TCP_SEQ, get32(tcp + TCP_SEQ) + g->next * g->size);
	if (g->next)
		tcp[TCP_FLAGS] &= (u8)~TCP_CWR;
	if (g->next + 1 < g->n)
		tcp[TCP_FLAGS] &= (u8)~(TCP_FIN | TCP_PSH);
}

/* Left to the receiver, if it can: then the field has the pseudo header's sum. */
static void write_sum(struct gso *g, struct packet *out, u32 tcp_bytes)
{
	u16 sum = pseudo_sum(g, tcp_bytes);
	u8 *at = g->front + g->l4 + TCP_SUM;

	memcpy(at, &sum, sizeof(sum));
	if (g->can.csum) {
		out->hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		out->hdr.csum_start = (u16)g->l4;
		out->hdr.csum_offset = TCP_SUM;
		return;
	}
	sum = (u16)~csum_fold(tcp_sum(g, out->n_seg));
	memcpy(at, &sum, sizeof(sum));
}

bool gso_next(struct gso *g, struct packet *out)
{
	u32 bytes = segment_bytes(g, g->payload_bytes - g->next * g->size);
	u32 tcp_bytes = g->headers_bytes - g->l4 + bytes;

	if (g->next == g->n)
		return false;
	memcpy(g->front, g->headers, g->headers_bytes);
	*out = (struct packet){
		.bytes = g->headers_bytes + bytes, .seg = g->piece,
		.n_seg = (u16)take_pieces(g, bytes),
	};
	write_ip(g, tcp_bytes);
	write_tcp(g);
	write_sum(g, out, tcp_bytes);
	g->next++;
	return true;
}
