/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients for a server that echoes: each sends a stream of pseudo-random bytes of its
 * own, and compares what comes back. What a client writes is protected by nothing but
 * the ownership of its flow group.
 */
#ifndef TCP_STREAMS_H
#define TCP_STREAMS_H

#include "tcp_fixture.h"

struct stream {
	struct conn *c;
	u64 seed, goal;
	const _Atomic bool *enough;	/* not NULL: it goes on until then */
	u64 sent, got;			/* bytes */
	bool opened, mute, wrong;
	_Atomic bool runs, closed;
};

/* Byte @at of the stream. */
static inline u8 stream_byte(const struct stream *s, u64 at)
{
	u64 v = (at ^ s->seed) * 0x9e3779b97f4a7c15ULL;

	return (u8)(v >> 56);
}

static inline void stream_send(struct stream *s)
{
	u8 part[1000];

	if (s->enough)
		s->goal = atomic_load(s->enough) ? s->sent : ~0ULL;
	while (s->sent < s->goal) {
		u32 room = conn_room(s->c), n = s->goal - s->sent < sizeof(part) ?
			   (u32)(s->goal - s->sent) : (u32)sizeof(part), i;

		if (n > room)
			n = room;
		for (i = 0; i < n; i++)
			part[i] = stream_byte(s, s->sent + i);
		n = conn_send(s->c, part, n);
		s->sent += n;
		if (!n)
			return;
	}
}

/* Sends on, or ends it. */
static inline void stream_go_on(struct stream *s)
{
	stream_send(s);
	if (s->got == s->goal)
		conn_close(s->c);
}

static inline int stream_opened(struct conn *c)
{
	struct stream *s = conn_state(c);

	s->c = c;
	s->opened = true;
	stream_go_on(s);
	return 0;
}

static inline u32 stream_data(struct conn *c, const u8 *data, u32 bytes)
{
	struct stream *s = conn_state(c);
	u32 i;

	if (s->mute)
		return 0;
	for (i = 0; i < bytes; i++)
		s->wrong |= data[i] != stream_byte(s, s->got + i);
	s->got += bytes;
	atomic_store(&s->runs, true);
	stream_go_on(s);
	return bytes;
}

static inline void stream_room(struct conn *c)
{
	stream_go_on(conn_state(c));
}

static inline void stream_ended(struct conn *c)
{
	conn_close(c);
}

static inline void stream_closed(struct conn *c)
{
	struct stream *s = conn_state(c);

	atomic_store(&s->closed, true);
}

static const struct conn_app stream_app = {
	.name = "stream", .opened = stream_opened, .data = stream_data,
	.sent = stream_room, .ended = stream_ended,
	.closed = stream_closed,
};

/* In group @g of end 0, whose owner's thread this is. */
static inline bool stream_open(struct wire *w, struct stream *s, u32 g, u64 goal)
{
	struct dp *dp = w->end[0].dp;

	*s = (struct stream){ .seed = test_rand(&w->rng), .goal = goal };
	s->c = conn_open(&dp->threads[dp_owner(dp, g)], &dp->groups[g], end_ip(1), SERVICE,
			 &stream_app, s);
	return s->c;
}

#endif /* TCP_STREAMS_H */
