// SPDX-License-Identifier: GPL-2.0-or-later
/* The Toeplitz hash of frames. */
#include <netinet/in.h>
#include <stdlib.h>

#include "eth/rss.h"
#include "eth/vlan_head.h"

#define TYPE(name)	VIRTIO_NET_RSS_HASH_TYPE_##name
/* Extension headers that are looked at. */
#define EXTENSIONS_MAX	8u
/* In a frame without a tag. */
#define PLAIN_IP4_AT	14u

/* ---- Configurations ---- */

void rss_default(struct rss_config *c, u32 entries, u32 pairs)
{
	/* "Verifying the RSS hash calculation" in Microsoft's driver documentation. */
	static const u8 key[RSS_KEY_BYTES] = {
		0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
		0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
		0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
		0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
	};
	u32 i;

	*c = (struct rss_config){ .types = RSS_TYPES, .entries = entries };
	memcpy(c->key, key, sizeof(key));
	for (i = 0; i < entries; i++)
		c->pair[i] = (u16)(i % pairs);
}

const char *rss_check(const struct rss_config *c, u32 pairs)
{
	u32 i;

	if (!c->entries || c->entries > RSS_ENTRIES_MAX || c->entries & (c->entries - 1))
		return "the table's entries are not a power of two in 1..512";
	if (c->types & ~RSS_TYPES)
		return "a hash type that is not offered";
	if (c->unclassified >= pairs)
		return "the pair for frames without a hash is none of the port's";
	for (i = 0; i < c->entries; i++)
		if (c->pair[i] >= pairs)
			return "an entry of the table names a pair that the port does not have";
	return NULL;
}

/* ---- The hash ---- */

/* 32 bits of the key from bit @at on. */
static u32 key_window(const u8 *key, u32 at)
{
	u64 bits = 0;
	u32 i;

	for (i = 0; i < 5; i++)
		bits = bits << 8 | (at / 8 + i < RSS_KEY_BYTES ? key[at / 8 + i] : 0);
	return (u32)(bits >> (8 - at % 8));
}

static void make_parts(struct rss *r, const u8 *key)
{
	u32 half, value, bit;

	for (half = 0; half < 2 * RSS_INPUT_BYTES; half++)
		for (value = 0; value < 16; value++)
			for (bit = 0; bit < 4; bit++)
				if (value & 8u >> bit)
					r->part[half][value] ^= key_window(key, 4 * half + bit);
}

struct rss *rss_new(const struct rss_config *c)
{
	struct rss *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->types = c->types;
	r->entries = c->entries;
	r->unclassified = c->unclassified;
	memcpy(r->pair, c->pair, sizeof(r->pair));
	r->table = r->pair;
	make_parts(r, c->key);
	return r;
}

void rss_free(struct rss *r)
{
	if (r)
		sealed_unmake(&r->shared);
	free(r);
}

u32 rss_hash(const struct rss *r, const u8 *input, u32 bytes)
{
	u32 hash = 0, i;

	for (i = 0; i < bytes; i++)
		hash ^= r->part[2 * i][input[i] >> 4] ^ r->part[2 * i + 1][input[i] & 15];
	return hash;
}

/* ---- Frames ---- */

/* What of a frame is hashed: addresses, and ports or nothing. */
struct input {
	u8 byte[RSS_INPUT_BYTES];
	u32 bytes;
};

static void take(struct input *in, const u8 *from, u32 bytes)
{
	memcpy(in->byte + in->bytes, from, bytes);
	in->bytes += bytes;
}

/* @ports: NULL if there are none. An input of nothing: the frame has no hash. */
static void choose(struct input *in, const u8 *addresses, u32 bytes, const u8 *ports,
		   bool with_ports, bool without)
{
	in->bytes = 0;
	if (ports && with_ports) {
		take(in, addresses, bytes);
		take(in, ports, 4);
	} else if (without) {
		take(in, addresses, bytes);
	}
}

static bool with_ports(u32 types, u8 protocol, u32 tcp, u32 udp)
{
	return protocol == IPPROTO_TCP ? types & tcp : protocol == IPPROTO_UDP && types & udp;
}

static void of_ip4(struct input *in, const u8 *ip, u32 have, u32 types)
{
	u32 header = (ip[0] & 15u) * 4;
	bool fragment = (ip[6] & 0x3f) | ip[7];
	const u8 *ports = !fragment && header >= 20 && header + 4 <= have ? ip + header : NULL;

	choose(in, ip + 12, 8, ports, with_ports(types, ip[9], TYPE(TCPv4), TYPE(UDPv4)),
	       types & TYPE(IPv4));
}

/*
 * Where the transport's header is, behind extension headers (RFC 8200, sec. 4);
 * 0: not known. *@protocol is the last header's that was found.
 */
static u32 skip_extensions(const u8 *ip, u32 have, u8 *protocol)
{
	u32 at = 40, i;

	*protocol = ip[6];
	for (i = 0; i < EXTENSIONS_MAX; i++) {
		bool fragment = *protocol == IPPROTO_FRAGMENT;

		if (!fragment && *protocol != IPPROTO_HOPOPTS && *protocol != IPPROTO_ROUTING &&
		    *protocol != IPPROTO_DSTOPTS)
			return at;
		if (at + 8 > have)
			return 0;
		/* All but an atomic one, RFC 6946. */
		if (fragment && (ip[at + 2] || ip[at + 3] & 0xf9))
			return 0;
		*protocol = ip[at];
		at += fragment ? 8 : 8 + 8u * ip[at + 1];
	}
	return 0;
}

static void of_ip6(struct input *in, const u8 *ip, u32 have, u32 types)
{
	u8 protocol;
	u32 at = skip_extensions(ip, have, &protocol);
	const u8 *ports = at && at + 4 <= have ? ip + at : NULL;

	choose(in, ip + 8, 32, ports, with_ports(types, protocol, TYPE(TCPv6), TYPE(UDPv6)),
	       types & TYPE(IPv6));
}

bool rss_hash_plain(const struct rss *r, const u8 front[RSS_PLAIN_BYTES], u32 *hash)
{
	const u8 *ip = front + PLAIN_IP4_AT;

	if (front[12] != 0x08 || front[13] || ip[0] != 0x45 || (ip[6] & 0x3f) | ip[7] ||
	    !with_ports(r->types, ip[9], TYPE(TCPv4), TYPE(UDPv4)))
		return false;
	/* Addresses, and right behind them ports. */
	*hash = rss_hash(r, ip + 12, 12);
	return true;
}

bool rss_hash_front(const struct rss *r, const u8 *front, u32 have, u32 *hash)
{
	struct vlan_head h;
	struct input in;
	const u8 *ip;
	u32 left;

	if (have >= RSS_PLAIN_BYTES && rss_hash_plain(r, front, hash))
		return true;
	if (!vlan_parse(&h, front, have))
		return false;
	ip = front + h.bytes;
	left = have - h.bytes;
	if (h.type[0] == 0x08 && h.type[1] == 0x00 && left >= 20 && ip[0] >> 4 == 4)
		of_ip4(&in, ip, left, r->types);
	else if (h.type[0] == 0x86 && h.type[1] == 0xdd && left >= 40 && ip[0] >> 4 == 6)
		of_ip6(&in, ip, left, r->types);
	else
		return false;
	if (!in.bytes)
		return false;
	*hash = rss_hash(r, in.byte, in.bytes);
	return true;
}
