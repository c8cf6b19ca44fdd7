// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is what a server answers to the load generator, behind a
 * byte that chooses the protocol and one for the pieces in which it comes. Beside
 * crashes it counts when the pieces change what the replies are taken for.
 */
#include <stdlib.h>

#include "load/proto.h"

#define REPLIES_MAX	64u

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

struct seen {
	u32 n;
	struct {
		enum load_outcome outcome;
		bool last;
	} reply[REPLIES_MAX];
};

static struct load_request request(u32 i)
{
	return (struct load_request){ .id = 0x0706050403020100ULL + i, .op = i % 2, .key = i };
}

/* In memory of its own size, so that a read beyond it is noticed. */
static size_t parse(struct load_proto *p, struct load_parser *s, u32 i, const u8 *data, size_t n,
		    enum load_outcome *outcome)
{
	const struct load_request r = request(i);
	u8 *piece = malloc(n);
	size_t used;

	if (!piece)
		abort();
	memcpy(piece, data, n);
	used = p->ops->parse(p, s, &r, piece, n, outcome);
	free(piece);
	if (used > n || !used || (*outcome == LOAD_MORE && used != n) || *outcome >= LOAD_OUTCOMES)
		abort();
	return used;
}

/* Replies one after the other, as a connection would take them, in pieces of @step at most. */
static void play(const struct load_proto_ops *ops, const u8 *data, size_t bytes, size_t step,
		 struct seen *seen)
{
	struct load_proto p = { .ops = ops, .opt = {
		.bytes = 16, .keys = 1000, .get_percent = 99, .host = "h", .path = "/",
	} };
	struct load_parser s = { 0 };
	enum load_outcome outcome = LOAD_MORE;
	size_t at, n;

	seen->n = 0;
	for (at = 0; at < bytes && seen->n < REPLIES_MAX && outcome != LOAD_GARBAGE; ) {
		n = step && bytes - at > step ? step : bytes - at;
		at += parse(&p, &s, seen->n, data + at, n, &outcome);
		if (outcome == LOAD_MORE)
			continue;
		seen->reply[seen->n].outcome = outcome;
		seen->reply[seen->n++].last = outcome != LOAD_GARBAGE && s.last;
		s = (struct load_parser){ 0 };
	}
}

static bool same(const struct seen *a, const struct seen *b)
{
	u32 i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (a->reply[i].outcome != b->reply[i].outcome ||
		    a->reply[i].last != b->reply[i].last)
			return false;
	return a->n == b->n;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	static const struct load_proto_ops *const streams[] = {
		&load_echo, &load_memcached, &load_http,
	};
	const struct load_proto_ops *ops;
	struct seen whole, cut;

	if (bytes < 2)
		return 0;
	ops = streams[data[0] % (sizeof(streams) / sizeof(streams[0]))];
	play(ops, data + 2, bytes - 2, 0, &whole);
	play(ops, data + 2, bytes - 2, 1 + data[1], &cut);
	if (!same(&whole, &cut))
		abort();
	return 0;
}
