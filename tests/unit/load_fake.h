/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests of the load generator's core: a clock that only moves when the generator waits, and
 * an echo server behind a transport, which can be told to behave badly.
 */
#ifndef TEST_LOAD_FAKE_H
#define TEST_LOAD_FAKE_H

#include <errno.h>
#include <stdlib.h>

#include "load/gen.h"

#define FAKE_CONNS	64u
#define FAKE_CHUNKS	32u
#define FAKE_BYTES	64u
#define MSEC		1000000ULL
#define SEC		1000000000ULL

/* Bytes on their way back. */
struct fake_chunk {
	u64 at_ns;
	u32 n;
	u8 data[FAKE_BYTES];
};

struct fake_conn {
	bool opening, open, want_out, told;
	u32 n;
	struct fake_chunk chunk[FAKE_CHUNKS];
};

struct fake {
	struct load_transport transport;
	u64 now_ns;
	u64 look_ns;		/* a look at the clock takes so long */
	/* How the server behaves; the times are when it begins to, 0: never */
	u64 delay_ns;
	int refuse;		/* errno of connect */
	bool deaf;		/* connections never come to be */
	u64 reset_ns, end_ns, garbage_ns, stall_ns, stop_ns;
	bool once;		/* reset, end and garbage: of each connection's next bytes only */
	u32 drop;		/* one of so many datagrams */
	u32 take, give;		/* bytes at a time; 0: all */
	/* What it has seen */
	u32 connects, datagrams, dropped, out, out_max;
	u64 last_connect_ns;
	struct load_gen *gen;	/* to be stopped at stop_ns */
	struct fake_conn conn[FAKE_CONNS];
};

static inline u64 fake_now(void *ctx)
{
	struct fake *f = ctx;

	f->now_ns += f->look_ns;
	return f->now_ns;
}

static inline struct fake_conn *fake_conn(struct load_transport *t, u32 conn)
{
	return &((struct fake *)t)->conn[conn];
}

static inline int fake_connect(struct load_transport *t, u32 conn)
{
	struct fake *f = (struct fake *)t;

	f->connects++;
	f->last_connect_ns = f->now_ns;
	if (f->refuse)
		return -f->refuse;
	*fake_conn(t, conn) = (struct fake_conn){ .opening = true };
	return 0;
}

static inline int fake_connected(struct load_transport *t, u32 conn)
{
	fake_conn(t, conn)->opening = false;
	fake_conn(t, conn)->open = true;
	return 0;
}

static inline bool fake_since(const struct fake *f, u64 ns)
{
	return ns && f->now_ns >= ns;
}

static inline ssize_t fake_send(struct load_transport *t, u32 conn, const u8 *data, size_t n)
{
	struct fake *f = (struct fake *)t;
	struct fake_conn *c = fake_conn(t, conn);
	struct fake_chunk *k = &c->chunk[c->n];

	if (f->take && n > f->take)
		n = f->take;
	if (c->n == FAKE_CHUNKS || (fake_since(f, f->stall_ns) && c->n))
		return -EAGAIN;
	f->datagrams++;
	if (f->drop && f->datagrams % f->drop == 0) {
		f->dropped++;
		return (ssize_t)n;
	}
	k->at_ns = fake_since(f, f->stall_ns) ? UINT64_MAX : f->now_ns + f->delay_ns;
	k->n = (u32)n;
	memcpy(k->data, data, n);
	if (fake_since(f, f->garbage_ns) && !(f->once && c->told))
		k->data[0] ^= 0xff;
	c->n++;
	if (++f->out > f->out_max)
		f->out_max = f->out;
	return (ssize_t)n;
}

/* The first bytes that are due, of one chunk. */
static inline ssize_t fake_receive(struct load_transport *t, u32 conn, u8 *data, size_t n)
{
	struct fake *f = (struct fake *)t;
	struct fake_conn *c = fake_conn(t, conn);
	struct fake_chunk *k = &c->chunk[0];

	if (fake_since(f, f->reset_ns))
		return f->reset_ns = f->once ? 0 : f->reset_ns, -ECONNRESET;
	if (fake_since(f, f->end_ns))
		return f->end_ns = f->once ? 0 : f->end_ns, 0;
	if (!c->n || k->at_ns > f->now_ns)
		return -EAGAIN;
	if (n > k->n)
		n = k->n;
	if (f->give && n > f->give)
		n = f->give;
	memcpy(data, k->data, n);
	k->n -= (u32)n;
	memmove(k->data, k->data + n, k->n);
	if (!k->n) {
		c->n--;
		f->out--;
		memmove(k, k + 1, c->n * sizeof(*k));
	}
	return (ssize_t)n;
}

static inline void fake_close(struct load_transport *t, u32 conn)
{
	struct fake *f = (struct fake *)t;

	f->out -= fake_conn(t, conn)->n;
	*fake_conn(t, conn) = (struct fake_conn){ 0 };
}

static inline void fake_want_out(struct load_transport *t, u32 conn, bool on)
{
	fake_conn(t, conn)->want_out = on;
}

static inline u32 fake_events(struct fake *f, struct load_event *ev, u32 max)
{
	u32 i, n = 0;

	for (i = 0; i < FAKE_CONNS && n < max; i++) {
		struct fake_conn *c = &f->conn[i];
		bool in = c->open && ((c->n && c->chunk[0].at_ns <= f->now_ns) ||
				      fake_since(f, f->reset_ns) || fake_since(f, f->end_ns));
		bool out = (c->opening && !f->deaf) ||
			   (c->want_out && !(fake_since(f, f->stall_ns) && c->n));

		if (in || out)
			ev[n++] = (struct load_event){ .conn = i, .in = in, .out = out };
	}
	return n;
}

/* Until something comes, or the time is over: the clock is moved there. */
static inline u32 fake_wait(struct load_transport *t, struct load_event *ev, u32 max,
			    u64 timeout_ns)
{
	struct fake *f = (struct fake *)t;
	u64 until = f->now_ns + timeout_ns;
	u32 i;

	if (fake_since(f, f->stop_ns))
		f->gen->stop = 1;
	for (i = 0; i < FAKE_CONNS; i++)
		if (f->conn[i].n && f->conn[i].chunk[0].at_ns < until)
			until = f->conn[i].chunk[0].at_ns;
	if (!fake_events(f, ev, max) && until > f->now_ns)
		f->now_ns = until;
	return fake_events(f, ev, max);
}

static inline void fake_free(struct load_transport *t)
{
}

static const struct load_transport_ops fake_ops = {
	.connect = fake_connect, .connected = fake_connected, .send = fake_send,
	.receive = fake_receive, .close = fake_close, .want_out = fake_want_out,
	.wait = fake_wait, .free = fake_free,
};

#endif /* TEST_LOAD_FAKE_H */
