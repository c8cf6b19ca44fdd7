/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of the key-value server without a socket: what it says comes in pieces, and of
 * what is answered it takes only so much at a time.
 */
#ifndef KV_FIXTURE_H
#define KV_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>

#include "session.h"

#define KV_TEST_NS	1000000000000ULL

struct client {
	struct kv_store *store;
	struct kv_session s;
	u64 now_ns;
	u32 takes, room;		/* bytes at a time; 0: any */
	u8 *out;
	size_t out_bytes, out_size;
};

static inline void client_open(struct client *c, struct kv_store *st)
{
	*c = (struct client){ .store = st, .now_ns = KV_TEST_NS };
	kv_session_init(&c->s, st);
}

static inline void client_close(struct client *c)
{
	kv_session_end(&c->s);
	free(c->out);
	c->out = NULL;
	c->out_bytes = c->out_size = 0;
}

static inline u32 client_take(void *arg, const u8 *data, u32 bytes)
{
	struct client *c = arg;
	u32 n = c->takes && bytes > c->room ? c->room : bytes;

	if (c->out_bytes + n > c->out_size) {
		c->out_size = 2 * (c->out_bytes + n);
		c->out = realloc(c->out, c->out_size);
		if (!c->out)
			abort();
	}
	if (n)
		memcpy(c->out + c->out_bytes, data, n);
	c->out_bytes += n;
	c->room -= c->takes ? n : 0;
	return n;
}

/* One piece, in memory of its own size, so that a read beyond it is noticed. */
static inline void client_say_piece(struct client *c, const u8 *data, size_t bytes)
{
	const struct kv_sink sink = { client_take, c };
	u8 *piece = malloc(bytes ? bytes : 1);
	size_t at = 0;

	if (!piece)
		abort();
	memcpy(piece, data, bytes);
	while (at < bytes && !c->s.closes && !c->s.broken) {
		struct kv_reader *r = kv_enter(c->store, 0, c->now_ns);

		c->room = c->takes;
		at += kv_session_input(&c->s, r, &sink, piece + at, (u32)(bytes - at));
		kv_leave(r);
		if (at > bytes)
			abort();
	}
	free(piece);
}

/* In pieces of @step; 0: as one. Until all answers were taken. */
static inline void client_say(struct client *c, const void *data, size_t bytes, size_t step)
{
	const struct kv_sink sink = { client_take, c };
	size_t at, n;

	for (at = 0; at < bytes; at += n) {
		n = step && bytes - at > step ? step : bytes - at;
		client_say_piece(c, (const u8 *)data + at, n);
	}
	do {
		c->room = c->takes;
	} while (!c->s.broken && !kv_session_output(&c->s, &sink));
}

#endif /* KV_FIXTURE_H */
