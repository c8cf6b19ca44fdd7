/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both protocols need: input in pieces, answers together. */
#ifndef DP_KV_SESSION_INTERNAL_H
#define DP_KV_SESSION_INTERNAL_H

#include "session.h"

/* The longest line, and head with key; no more of a line is kept. */
#define KV_PART_MAX	2000u
/* Answers go to the sink in pieces of this; what is left of one is a piece of dp_mem. */
#define KV_GATHER_BYTES	2000u
/* No command answers with more, but for the value of an item. */
#define KV_ANSWER_MAX	1500u

/* What clients that choose by memcached's version see: it has all that 1.4.36 has to have. */
#define KV_VERSION	"1.4.36-ringpace"

/* One call of kv_session_input(). */
struct kv_call {
	struct kv_session *s;
	struct kv_reader *r;
	const struct kv_sink *sink;
	const u8 *data;
	u32 bytes, at;
	bool blocked;			/* the sink has taken less than was given */
	u32 line_bytes, gathered;
	u8 line[KV_PART_MAX];
	u8 gather[KV_GATHER_BYTES];
};

/* ---- Input. Each byte is copied once, and looked at in the copy ---- */

enum kv_taken { KV_WHOLE, KV_MORE, KV_LONG };

/* Into ->line, up to a \n with it, or a space, if @word. */
enum kv_taken kv_take_line(struct kv_call *c, bool word);
/* Into ->line, until it has @bytes, at most KV_PART_MAX. */
bool kv_take(struct kv_call *c, u32 bytes);
/* Into the item that comes; true: all of it is there. */
bool kv_take_value(struct kv_call *c);
/* The line was worked off. */
static inline void kv_line_done(struct kv_call *c)
{
	c->line_bytes = 0;
}

/* ---- Answers ---- */

/* At most KV_ANSWER_MAX for each command, and 8 bytes behind an item. */
void kv_say(struct kv_call *c, const void *data, u32 bytes);
/* @head and the item's value, of any size. */
void kv_say_item(struct kv_call *c, const void *head, u32 bytes, struct kv_item *it);

typedef void kv_stat_fn(struct kv_call *c, const char *name, const char *value);
void kv_each_stat(struct kv_call *c, kv_stat_fn *fn);

/* ---- The protocols: a step; false: it needs more bytes ---- */

bool kv_text_step(struct kv_call *c);
bool kv_binary_step(struct kv_call *c);

#endif /* DP_KV_SESSION_INTERNAL_H */
