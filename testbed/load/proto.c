// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of protocols, and lines of text as they have them. */
#include "load/proto.h"

#include <ctype.h>

const char *const load_outcome_names[LOAD_OUTCOMES] = {
	[LOAD_WRONG] = "wrong", [LOAD_MISS] = "miss", [LOAD_REJECTED] = "rejected",
	[LOAD_GARBAGE] = "garbage", [LOAD_REFUSED] = "refused", [LOAD_RESET] = "reset",
	[LOAD_CLOSED] = "closed", [LOAD_TIMEOUT] = "timeout", [LOAD_FAULT] = "fault",
};

const struct load_proto_ops *const load_protos[] = {
	&load_echo, &load_udp_echo, &load_memcached, &load_http, NULL
};

const struct load_proto_ops *load_proto_by_name(const char *name)
{
	u32 i;

	for (i = 0; load_protos[i] && strcmp(load_protos[i]->name, name); i++)
		;
	return load_protos[i];
}

/* The last byte is kept even of a line that is cut: it must be a '\r'. */
static void keep(struct load_parser *s, char c)
{
	u32 at = s->line_bytes < LOAD_LINE_MAX - 1 ? s->line_bytes : LOAD_LINE_MAX - 1;

	s->line[at] = c;
	s->line_bytes++;
}

/* Without its '\r'. */
static enum load_line end_line(struct load_parser *s)
{
	u32 at = s->line_bytes < LOAD_LINE_MAX ? s->line_bytes : LOAD_LINE_MAX;

	if (!at || s->line[at - 1] != '\r')
		return LOAD_LINE_BAD;
	s->line[at - 1] = 0;
	s->line_bytes--;
	return LOAD_LINE_DONE;
}

enum load_line load_line_take(struct load_parser *s, const u8 *data, size_t n, size_t *used)
{
	for (*used = 0; *used < n; ) {
		char c = (char)data[(*used)++];

		if (c == '\n')
			return end_line(s);
		if (!c || s->line_bytes == LOAD_HEAD_MAX)
			return LOAD_LINE_BAD;
		keep(s, c);
	}
	return LOAD_LINE_MORE;
}

static u64 digit_of(char c)
{
	if (isdigit((unsigned char)c))
		return (u64)(c - '0');
	return isxdigit((unsigned char)c) ? (u64)(tolower((unsigned char)c) - 'a') + 10 : UINT64_MAX;
}

bool load_digits(const char **text, u32 base, u64 max, u64 *v)
{
	const char *at = *text;

	for (*v = 0; digit_of(*at) < base; at++) {
		*v = *v * base + digit_of(*at);
		if (*v > max)
			return false;
	}
	if (at == *text)
		return false;
	*text = at;
	return true;
}
