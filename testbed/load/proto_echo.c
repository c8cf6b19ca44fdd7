// SPDX-License-Identifier: GPL-2.0-or-later
/* Echo, of a stream or of datagrams: every byte follows from the request's number. */
#include "load/proto.h"

#define ID_BYTES	((u32)sizeof(u64))

/* The first eight bytes are the number itself, little-endian. */
static u8 byte_at(u64 id, u64 at)
{
	return (u8)((id >> at % ID_BYTES * 8) + at / ID_BYTES);
}

static u32 setup_count(const struct load_proto *p)
{
	return 1;
}

static void setup(const struct load_proto *p, struct load_request *r, u32 i)
{
}

static void choose(const struct load_proto *p, struct load_request *r, u64 random)
{
}

static u32 write_bytes(const struct load_proto *p, const struct load_request *r, u8 *to)
{
	u32 i;

	for (i = 0; i < p->opt.bytes; i++)
		to[i] = byte_at(r->id, i);
	return p->opt.bytes;
}

static size_t parse(struct load_proto *p, struct load_parser *s, const struct load_request *r,
		    const u8 *data, size_t n, enum load_outcome *outcome)
{
	size_t used = 0;

	while (used < n && s->at < p->opt.bytes) {
		if (data[used++] != byte_at(r->id, s->at++)) {
			*outcome = LOAD_GARBAGE;
			return used;
		}
	}
	*outcome = s->at == p->opt.bytes ? LOAD_OK : LOAD_MORE;
	return used;
}

/* One reply is one datagram: it has its length, and no other can follow. */
static size_t parse_datagram(struct load_proto *p, struct load_parser *s,
			     const struct load_request *r, const u8 *data, size_t n,
			     enum load_outcome *outcome)
{
	parse(p, s, r, data, n, outcome);
	if (n != p->opt.bytes || *outcome != LOAD_OK)
		*outcome = LOAD_WRONG;
	return n;
}

static bool answers(const u8 *data, size_t n, u64 *id)
{
	u32 i;

	if (n < ID_BYTES)
		return false;
	for (*id = 0, i = 0; i < ID_BYTES; i++)
		*id |= (u64)data[i] << i * 8;
	return true;
}

const struct load_proto_ops load_echo = {
	.name = "echo", .summary = "what comes back is what was sent, over TCP",
	.setup_count = setup_count, .setup = setup, .choose = choose, .write = write_bytes,
	.parse = parse,
};

const struct load_proto_ops load_udp_echo = {
	.name = "udp-echo", .summary = "the same in datagrams", .datagram = true,
	.setup_count = setup_count, .setup = setup, .choose = choose, .write = write_bytes,
	.parse = parse_datagram, .answers = answers,
};
