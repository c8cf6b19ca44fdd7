// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of the text protocol, cut into words. */
#include "words.h"

bool kv_is_word(const struct word *w, const char *text)
{
	return w->bytes == strlen(text) && !memcmp(w->at, text, w->bytes);
}

u32 kv_without_end(const u8 *line, u32 bytes)
{
	bytes -= bytes && line[bytes - 1] == '\n';
	return bytes - (bytes && line[bytes - 1] == '\r');
}

void kv_split(const u8 *line, u32 bytes, struct words *ws)
{
	const char *at = (const char *)line, *end = at + kv_without_end(line, bytes);

	*ws = (struct words){ 0 };
	while (at < end) {
		const char *from = at;

		while (at < end && *at != ' ')
			at++;
		if (at > from && ws->n == KV_WORDS_MAX) {
			ws->n++;
			return;
		}
		if (at > from)
			ws->w[ws->n++] = (struct word){ from, (u32)(at - from) };
		at++;
	}
	if (ws->n > 1 && kv_is_word(&ws->w[ws->n - 1], "noreply")) {
		ws->noreply = true;
		ws->n--;
	}
}

bool kv_digits(const struct word *w, u64 max, u64 *v)
{
	u32 i;

	*v = 0;
	for (i = 0; i < w->bytes; i++)
		if (w->at[i] < '0' || w->at[i] > '9' || __builtin_mul_overflow(*v, 10, v) ||
		    __builtin_add_overflow(*v, w->at[i] - '0', v))
			return false;
	return w->bytes && *v <= max;
}

bool kv_seconds(const struct word *w, s64 *v)
{
	bool below = w->bytes && w->at[0] == '-';
	const struct word rest = { w->at + below, w->bytes - below };
	u64 u;

	if (!kv_digits(&rest, INT64_MAX, &u))
		return false;
	*v = below ? -(s64)u : (s64)u;
	return true;
}
