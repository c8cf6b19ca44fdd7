/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of a line of the text protocol, and the numbers that they are. */
#ifndef DP_KV_WORDS_H
#define DP_KV_WORDS_H

#include "rp.h"

#define KV_WORDS_MAX	8u

/* Within the line. */
struct word {
	const char *at;
	u32 bytes;
};

struct words {
	u32 n;			/* KV_WORDS_MAX + 1: too many */
	bool noreply;		/* was the last one, and does not count */
	struct word w[KV_WORDS_MAX];
};

bool kv_is_word(const struct word *w, const char *text);
/* Of a line's bytes, without \r\n, or \n, at its end. */
u32 kv_without_end(const u8 *line, u32 bytes);
void kv_split(const u8 *line, u32 bytes, struct words *ws);
/* Nothing but digits, at most @max. */
bool kv_digits(const struct word *w, u64 max, u64 *v);
/* The same, which may be below 0. */
bool kv_seconds(const struct word *w, s64 *v);

#endif /* DP_KV_WORDS_H */
