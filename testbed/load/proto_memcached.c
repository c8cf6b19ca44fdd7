// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The memcached text protocol, with Facebook's mix USR (Atikoglu et al., SIGMETRICS 2012, as
 * 000 uses it): nearly all requests are GETs, of keys below 20 bytes and values of 2.
 * All keys are set before the load, and a value follows from its key for ever.
 */
#include <stdio.h>

#include "load/proto.h"

#define VALUE_BYTES	2u
#define KEY_MIN_BYTES	16u
/* What an item of memcached may have. */
#define ITEM_MAX	(1u << 20)

enum { OP_GET, OP_SET };
enum { HEAD, DATA, DATA_END, END };

static u32 setup_count(const struct load_proto *p)
{
	return p->opt.keys;
}

static void setup(const struct load_proto *p, struct load_request *r, u32 i)
{
	r->op = OP_SET;
	r->key = i;
}

static void choose(const struct load_proto *p, struct load_request *r, u64 random)
{
	r->op = random % 100 < p->opt.get_percent ? OP_GET : OP_SET;
	r->key = (u32)((random >> 32) % p->opt.keys);
}

/* 16 to 19 bytes. */
static int key_text(char *to, size_t room, u32 key)
{
	return snprintf(to, room, "ringpace:%0*u", (int)(KEY_MIN_BYTES - 9 + key % 4), key);
}

static char value_byte(u32 key, u64 at)
{
	return (char)('a' + (key >> at * 4) % 26);
}

static u32 write_request(const struct load_proto *p, const struct load_request *r, u8 *to)
{
	char key[32];
	int n;

	key_text(key, sizeof(key), r->key);
	if (r->op == OP_GET)
		n = snprintf((char *)to, LOAD_REQUEST_MAX, "get %s\r\n", key);
	else
		n = snprintf((char *)to, LOAD_REQUEST_MAX, "set %s 0 0 %u\r\n%c%c\r\n", key,
			     VALUE_BYTES, value_byte(r->key, 0), value_byte(r->key, 1));
	return (u32)n;
}

static bool begins(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* "VALUE KEY FLAGS BYTES[ CAS]" */
static enum load_outcome value_head(struct load_parser *s, const struct load_request *r)
{
	char expected[48];
	const char *at = s->line;
	u64 flags, bytes;
	int n = snprintf(expected, sizeof(expected), "VALUE ");

	n += key_text(expected + n, sizeof(expected) - (size_t)n, r->key);
	snprintf(expected + n, sizeof(expected) - (size_t)n, " ");
	if (!begins(at, expected))
		return LOAD_GARBAGE;
	at += strlen(expected);
	if (!load_digits(&at, 10, UINT32_MAX, &flags) || *at++ != ' ' ||
	    !load_digits(&at, 10, ITEM_MAX, &bytes) || (*at && *at != ' '))
		return LOAD_GARBAGE;
	s->outcome = bytes == VALUE_BYTES && !flags ? LOAD_OK : LOAD_WRONG;
	s->left = bytes;
	s->state = bytes ? DATA : DATA_END;
	return LOAD_MORE;
}

static enum load_outcome head(struct load_parser *s, const struct load_request *r)
{
	if (s->line_bytes >= LOAD_LINE_MAX)
		return LOAD_GARBAGE;
	if (!strcmp(s->line, "ERROR") || begins(s->line, "CLIENT_ERROR") ||
	    begins(s->line, "SERVER_ERROR"))
		return LOAD_REJECTED;
	if (r->op == OP_SET)
		return !strcmp(s->line, "STORED") ? LOAD_OK :
		       !strcmp(s->line, "NOT_STORED") ? LOAD_REJECTED : LOAD_GARBAGE;
	if (!strcmp(s->line, "END"))
		return LOAD_MISS;
	return value_head(s, r);
}

static enum load_outcome line_done(struct load_parser *s, const struct load_request *r)
{
	switch (s->state) {
	case HEAD:
		return head(s, r);
	case DATA_END:
		s->state = END;
		return s->line_bytes ? LOAD_GARBAGE : LOAD_MORE;
	default:
		return strcmp(s->line, "END") ? LOAD_GARBAGE : s->outcome;
	}
}

static enum load_outcome take_line(struct load_parser *s, const struct load_request *r,
				   const u8 *data, size_t n, size_t *used)
{
	enum load_outcome outcome;

	switch (load_line_take(s, data, n, used)) {
	case LOAD_LINE_MORE:
		return s->line_bytes > LOAD_LINE_MAX ? LOAD_GARBAGE : LOAD_MORE;
	case LOAD_LINE_BAD:
		return LOAD_GARBAGE;
	default:
		outcome = line_done(s, r);
		load_line_next(s);
		return outcome;
	}
}

static size_t take_data(struct load_parser *s, const struct load_request *r, const u8 *data,
			size_t n)
{
	size_t used;

	for (used = 0; used < n && s->left; used++, s->left--, s->at++)
		if (s->outcome == LOAD_OK && (char)data[used] != value_byte(r->key, s->at))
			s->outcome = LOAD_WRONG;
	if (!s->left)
		s->state = DATA_END;
	return used;
}

static size_t parse(struct load_proto *p, struct load_parser *s, const struct load_request *r,
		    const u8 *data, size_t n, enum load_outcome *outcome)
{
	size_t at = 0, used;

	*outcome = LOAD_MORE;
	while (at < n && *outcome == LOAD_MORE) {
		if (s->state == DATA) {
			at += take_data(s, r, data + at, n - at);
			continue;
		}
		*outcome = take_line(s, r, data + at, n - at, &used);
		at += used;
	}
	return at;
}

const struct load_proto_ops load_memcached = {
	.name = "memcached", .summary = "GET and SET of its text protocol, mix USR", .shared = true,
	.setup_count = setup_count, .setup = setup, .choose = choose, .write = write_request,
	.parse = parse,
};
