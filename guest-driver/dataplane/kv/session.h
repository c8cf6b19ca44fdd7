/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memcached's two protocols say on one connection, apart from any socket: bytes go
 * in as they come, in pieces of any size, and answers go out as a sink takes them.
 *
 * The first byte decides: 0x80 is the binary protocol, all else is text.
 *
 * A command is carried out once it is whole, and only while all answers before it could be
 * sent. What the sink does not take of an answer is kept, a value by a hold on its item;
 * no more input is taken meanwhile. So a peer that does not read costs one answer.
 *
 * The peer may write to its input while it is looked at: each byte is read once.
 */
#ifndef DP_KV_SESSION_H
#define DP_KV_SESSION_H

#include "store.h"

/* Where answers go: returns how many of the bytes it has taken, from their front. */
struct kv_sink {
	u32 (*send)(void *to, const u8 *data, u32 bytes);
	void *to;
};

enum kv_state {
	KV_FIRST,
	KV_TEXT_WORD,		/* a command's first word */
	KV_TEXT_LINE,		/* the rest of it */
	KV_TEXT_KEYS,		/* of a get, one after the other, however many */
	KV_TEXT_VALUE,
	KV_TEXT_SKIP_LINE,
	KV_BIN_HEAD,
	KV_BIN_FRONT,		/* extras and key */
	KV_BIN_VALUE,
	KV_SKIP,		/* so many bytes */
};

/* A command that is under way. */
struct kv_command {
	u8 op;			/* binary: opcode; text: of a get, what it is */
	u8 how;			/* enum kv_how */
	bool quiet;
	bool with_cas, touches, has_time;	/* of a get, text */
	u8 front_bytes;		/* binary: extras */
	u16 key_bytes;
	u32 body_bytes, opaque;
	u32 answered;		/* text: keys of a get that were looked at */
	u64 cas, expires_ns;
};

struct kv_session {
	struct kv_store *store;
	u8 state, after_skip;	/* enum kv_state */
	bool closes;		/* once all is sent */
	bool broken;		/* no memory to go on: at once */
	struct kv_command cmd;
	struct kv_item *in;	/* a value that comes */
	u32 in_at;
	u64 skip;
	u8 *part;		/* what has come of a line or head */
	u32 part_bytes;
	/* Answers that were not taken yet, in this order. */
	u8 *late;
	u32 late_at, late_bytes;
	struct kv_item *out;
	u32 out_at;
	u8 after_at, after_bytes;
	u8 after[8];		/* what ends an answer with a value */
};

void kv_session_init(struct kv_session *s, struct kv_store *st);
/* Forgets what is under way. */
void kv_session_end(struct kv_session *s);

/*
 * How many of the bytes were taken; fewer than all only while answers wait, or once it
 * closes or is broken. In the store, by @r.
 */
u32 kv_session_input(struct kv_session *s, struct kv_reader *r, const struct kv_sink *sink,
		     const u8 *data, u32 bytes);
/* Sends what waits; false: there is still some. */
bool kv_session_output(struct kv_session *s, const struct kv_sink *sink);

#endif /* DP_KV_SESSION_H */
