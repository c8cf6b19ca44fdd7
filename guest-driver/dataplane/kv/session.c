// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions: bytes in, answers out, whatever the protocol is. */
#include "session_internal.h"

#include <stdio.h>
#include <unistd.h>

#include "mem.h"

void kv_session_init(struct kv_session *s, struct kv_store *st)
{
	*s = (struct kv_session){ .store = st };
}

void kv_session_end(struct kv_session *s)
{
	if (s->in)
		kv_drop(s->store, s->in);
	if (s->out)
		kv_drop(s->store, s->out);
	dp_mem_free(s->part);
	dp_mem_free(s->late);
	kv_session_init(s, s->store);
}

/* ---- Input ---- */

enum kv_taken kv_take_line(struct kv_call *c, bool word)
{
	while (c->at < c->bytes) {
		/* Volatile: once, though the peer may write to it. */
		u8 b = *(const volatile u8 *)&c->data[c->at];

		if (c->line_bytes == KV_PART_MAX)
			return KV_LONG;
		c->at++;
		c->line[c->line_bytes++] = b;
		if (b == '\n' || (word && b == ' '))
			return KV_WHOLE;
	}
	return KV_MORE;
}

static u32 least(u64 a, u64 b)
{
	return (u32)(a < b ? a : b);
}

bool kv_take(struct kv_call *c, u32 bytes)
{
	u32 n = least(c->bytes - c->at, bytes - c->line_bytes);

	memcpy(c->line + c->line_bytes, c->data + c->at, n);
	c->line_bytes += n;
	c->at += n;
	return c->line_bytes == bytes;
}

bool kv_take_value(struct kv_call *c)
{
	struct kv_session *s = c->s;
	u32 n = least(c->bytes - c->at, s->in->value_bytes - s->in_at);

	memcpy(kv_fill(s->in) + s->in_at, c->data + c->at, n);
	s->in_at += n;
	c->at += n;
	return s->in_at == s->in->value_bytes;
}

static bool skip(struct kv_call *c)
{
	u32 n = least(c->bytes - c->at, c->s->skip);

	c->at += n;
	c->s->skip -= n;
	if (c->s->skip)
		return false;
	c->s->state = c->s->after_skip;
	return true;
}

static bool first(struct kv_call *c)
{
	if (c->at == c->bytes)
		return false;
	c->s->state = *(const volatile u8 *)&c->data[c->at] == 0x80 ? KV_BIN_HEAD : KV_TEXT_WORD;
	return true;
}

static bool step(struct kv_call *c)
{
	switch (c->s->state) {
	case KV_FIRST:
		return first(c);
	case KV_SKIP:
		return skip(c);
	case KV_BIN_HEAD:
	case KV_BIN_FRONT:
	case KV_BIN_VALUE:
		return kv_binary_step(c);
	default:
		return kv_text_step(c);
	}
}

/* ---- Answers ---- */

static void flush(struct kv_call *c)
{
	u32 n = c->gathered && !c->blocked ? c->sink->send(c->sink->to, c->gather, c->gathered) : 0;

	if (n < c->gathered) {
		c->blocked = true;
		memmove(c->gather, c->gather + n, c->gathered - n);
	}
	c->gathered -= n;
}

/* Behind a value that waits. */
static void say_after(struct kv_session *s, const void *data, u32 bytes)
{
	if (bytes > sizeof(s->after) - s->after_bytes) {
		s->broken = true;
		return;
	}
	memcpy(s->after + s->after_bytes, data, bytes);
	s->after_bytes += (u8)bytes;
}

void kv_say(struct kv_call *c, const void *data, u32 bytes)
{
	if (!bytes)
		return;
	if (c->s->out) {
		say_after(c->s, data, bytes);
		return;
	}
	/* There is room: ready() has seen to it. */
	if (bytes > KV_GATHER_BYTES - c->gathered) {
		c->s->broken = true;
		return;
	}
	memcpy(c->gather + c->gathered, data, bytes);
	c->gathered += bytes;
}

void kv_say_item(struct kv_call *c, const void *head, u32 bytes, struct kv_item *it)
{
	struct kv_session *s = c->s;
	u32 sent = 0;

	kv_say(c, head, bytes);
	if (it->value_bytes <= KV_GATHER_BYTES / 2 &&
	    it->value_bytes <= KV_GATHER_BYTES - c->gathered) {
		kv_say(c, kv_value(it), it->value_bytes);
		return;
	}
	flush(c);
	if (!c->blocked)
		sent = c->sink->send(c->sink->to, kv_value(it), it->value_bytes);
	if (sent == it->value_bytes)
		return;
	c->blocked = true;
	kv_hold(it);
	s->out = it;
	s->out_at = sent;
	s->after_at = s->after_bytes = 0;
}

/* Room for any answer. */
static bool ready(struct kv_call *c)
{
	if (c->gathered > KV_GATHER_BYTES - KV_ANSWER_MAX)
		flush(c);
	return !c->blocked && !c->s->closes && !c->s->broken;
}

static bool send_late(struct kv_session *s, const struct kv_sink *sink)
{
	if (!s->late)
		return true;
	s->late_at += sink->send(sink->to, s->late + s->late_at, s->late_bytes - s->late_at);
	if (s->late_at < s->late_bytes)
		return false;
	dp_mem_free(s->late);
	s->late = NULL;
	return true;
}

static bool send_item(struct kv_session *s, const struct kv_sink *sink)
{
	if (!s->out)
		return true;
	s->out_at += sink->send(sink->to, kv_value(s->out) + s->out_at,
				s->out->value_bytes - s->out_at);
	if (s->out_at < s->out->value_bytes)
		return false;
	kv_drop(s->store, s->out);
	s->out = NULL;
	return true;
}

bool kv_session_output(struct kv_session *s, const struct kv_sink *sink)
{
	if (!send_late(s, sink) || !send_item(s, sink))
		return false;
	if (s->after_at < s->after_bytes)
		s->after_at += (u8)sink->send(sink->to, s->after + s->after_at,
					      (u32)(s->after_bytes - s->after_at));
	return s->after_at == s->after_bytes;
}

/* ---- A call ---- */

/* Keeps @bytes at @data for the next one. */
static void keep(struct kv_session *s, u8 **at, u32 *kept, const u8 *data, u32 bytes)
{
	if (!bytes)
		return;
	*at = dp_mem_alloc(bytes);
	if (!*at) {
		s->broken = true;
		return;
	}
	memcpy(*at, data, bytes);
	*kept = bytes;
}

u32 kv_session_input(struct kv_session *s, struct kv_reader *r, const struct kv_sink *sink,
		     const u8 *data, u32 bytes)
{
	struct kv_call c;

	if (!kv_session_output(s, sink))
		return 0;
	/* Not the buffers: they are large, and written before they are read. */
	c.s = s;
	c.r = r;
	c.sink = sink;
	c.data = data;
	c.bytes = bytes;
	c.at = c.gathered = 0;
	c.blocked = false;
	c.line_bytes = s->part ? s->part_bytes : 0;
	if (s->part)
		memcpy(c.line, s->part, c.line_bytes);
	dp_mem_free(s->part);
	s->part = NULL;
	while (ready(&c) && step(&c))
		;
	flush(&c);
	keep(s, &s->part, &s->part_bytes, c.line, c.line_bytes);
	keep(s, &s->late, &s->late_bytes, c.gather, c.gathered);
	s->late_at = 0;
	return c.at;
}

/* ---- What is counted ---- */

static void number(struct kv_call *c, kv_stat_fn *fn, const char *name, u64 v)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	fn(c, name, text);
}

void kv_each_stat(struct kv_call *c, kv_stat_fn *fn)
{
	static const char *const names[KV_COUNT_N] = {
#define X(name) #name,
		KV_COUNTS(X)
#undef X
	};
	struct kv_sums sums;
	u32 i;

	kv_sum(c->r, &sums);
	number(c, fn, "pid", (u64)getpid());
	number(c, fn, "uptime", sums.uptime_s);
	number(c, fn, "time", sums.wall_s);
	fn(c, "version", KV_VERSION);
	number(c, fn, "pointer_size", 8 * sizeof(void *));
	number(c, fn, "threads", sums.threads);
	number(c, fn, "limit_maxbytes", sums.limit_bytes);
	number(c, fn, "curr_items", sums.items);
	number(c, fn, "bytes", sums.bytes);
	for (i = 0; i < KV_COUNT_N; i++)
		number(c, fn, names[i], sums.count[i]);
}
