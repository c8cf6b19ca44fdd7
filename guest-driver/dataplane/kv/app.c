// SPDX-License-Identifier: GPL-2.0-or-later
/* The key-value server as an application with TCP: sessions on connections. */
#include "app.h"

#include "conn.h"
#include "ctx.h"
#include "mem.h"
#include "session.h"

static u32 send_on(void *c, const u8 *data, u32 bytes)
{
	u32 n, sent = 0;

	/* lwIP counts to 65535. */
	do {
		n = conn_send(c, data + sent, bytes - sent < 32768 ? bytes - sent : 32768);
		sent += n;
	} while (n && sent < bytes);
	return sent;
}

static struct kv_reader *enter(struct kv_store *st)
{
	struct dp_thread *t = net_thread();

	return kv_enter(st, t->id, t->now_ns);
}

static void leave(struct kv_reader *r)
{
	struct dp_thread *t = net_thread();

	kv_leave(r);
	dp_count(&t->counts.shared, r->shared);
	r->shared = 0;
}

static void count(struct kv_store *st, enum kv_count what, s64 n)
{
	struct kv_reader *r = enter(st);

	kv_count(r, what, n);
	leave(r);
}

static int kv_opened(struct conn *c)
{
	struct kv_store *st = conn_state(c);
	struct kv_session *s = dp_mem_alloc(sizeof(*s));

	conn_set_state(c, s);
	if (!s)
		return -1;
	kv_session_init(s, st);
	count(st, KV_curr_connections, 1);
	count(st, KV_total_connections, 1);
	return 0;
}

/* What the session wants of its connection. */
static void settle(struct conn *c, const struct kv_session *s, bool all_sent)
{
	if (s->broken)
		conn_abort(c);
	else if (s->closes && all_sent)
		conn_close(c);
}

static u32 kv_data(struct conn *c, const u8 *data, u32 bytes)
{
	const struct kv_sink sink = { send_on, c };
	struct kv_session *s = conn_state(c);
	u32 n = bytes;

	/* Behind a quit nothing counts; read it is, lest lwIP resets what was answered. */
	if (!s->closes) {
		struct kv_reader *r = enter(s->store);

		n = kv_session_input(s, r, &sink, data, bytes);
		leave(r);
	}
	settle(c, s, kv_session_output(s, &sink));
	return s->closes ? bytes : n;
}

static void kv_sent(struct conn *c)
{
	const struct kv_sink sink = { send_on, c };
	struct kv_session *s = conn_state(c);

	settle(c, s, kv_session_output(s, &sink));
}

static void kv_ended(struct conn *c)
{
	struct kv_session *s = conn_state(c);

	s->closes = true;
	kv_sent(c);
}

static void kv_closed(struct conn *c)
{
	struct kv_session *s = conn_state(c);

	if (!s)
		return;
	count(s->store, KV_curr_connections, -1);
	kv_session_end(s);
	dp_mem_free(s);
}

const struct conn_app conn_kv = {
	.name = "kv",
	.opened = kv_opened,
	.data = kv_data,
	.sent = kv_sent,
	.ended = kv_ended,
	.closed = kv_closed,
};
