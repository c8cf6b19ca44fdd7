// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * HTTP/1.1 GETs of one page on connections that are kept. The first reply tells what
 * the page is; later ones must be the same, by length and FNV-1a hash.
 */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "load/proto.h"

#define FNV_BASIS	0xcbf29ce484222325ULL
#define FNV_PRIME	0x100000001b3ULL

enum { STATUS, HEADER, BODY, CHUNK, CHUNK_DATA, CHUNK_END, TRAILER };

static u32 setup_count(const struct load_proto *p)
{
	return 1;
}

static void setup(const struct load_proto *p, struct load_request *r, u32 i)
{
}

static void choose(const struct load_proto *p, struct load_request *r, u64 random)
{
}

static u32 write_request(const struct load_proto *p, const struct load_request *r, u8 *to)
{
	return (u32)snprintf((char *)to, LOAD_REQUEST_MAX, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n",
			     p->opt.path, p->opt.host);
}

/* ---- The body ---- */

static enum load_outcome judge(struct load_proto *p, const struct load_parser *s)
{
	if (s->status != 200)
		return LOAD_REJECTED;
	if (!p->learnt) {
		p->learnt = true;
		p->body_bytes = s->body_bytes;
		p->body_hash = s->hash;
	}
	return s->body_bytes == p->body_bytes && s->hash == p->body_hash ? LOAD_OK : LOAD_WRONG;
}

static size_t take_data(struct load_parser *s, const u8 *data, size_t n)
{
	size_t used, take = n < s->left ? n : (size_t)s->left;

	for (used = 0; used < take; used++)
		s->hash = (s->hash ^ data[used]) * FNV_PRIME;
	s->left -= take;
	s->body_bytes += take;
	return take;
}

/* ---- The head ---- */

static enum load_outcome status_line(struct load_parser *s)
{
	const char *at = s->line + 9;
	u64 status;

	if (strncmp(s->line, "HTTP/1.", 7) || !isdigit((unsigned char)s->line[7]) ||
	    s->line[8] != ' ' || !load_digits(&at, 10, 999, &status) || status < 100 ||
	    (*at && *at != ' '))
		return LOAD_GARBAGE;
	s->status = (u32)status;
	s->last = s->line[7] == '0';
	s->hash = FNV_BASIS;
	s->state = HEADER;
	return LOAD_MORE;
}

static enum load_outcome content_length(struct load_parser *s, const char *value)
{
	u64 n;

	if (!load_digits(&value, 10, LOAD_BODY_MAX, &n) || value[strspn(value, " \t")] ||
	    (s->has_length && n != s->left))
		return LOAD_GARBAGE;
	s->has_length = true;
	s->left = n;
	return LOAD_MORE;
}

static enum load_outcome header(struct load_parser *s)
{
	char *colon = strchr(s->line, ':'), *value;

	if (!colon || colon == s->line)
		return LOAD_GARBAGE;
	*colon = 0;
	value = colon + 1 + strspn(colon + 1, " \t");
	if (!strcasecmp(s->line, "Content-Length"))
		return content_length(s, value);
	if (!strcasecmp(s->line, "Transfer-Encoding")) {
		if (strcasecmp(value, "chunked"))
			return LOAD_GARBAGE;
		s->chunked = true;
	}
	if (!strcasecmp(s->line, "Connection")) {
		s->last = s->last && strcasecmp(value, "keep-alive");
		s->last = s->last || !strcasecmp(value, "close");
	}
	return LOAD_MORE;
}

/* The empty line behind the head. */
static enum load_outcome head_done(struct load_proto *p, struct load_parser *s)
{
	if (s->status < 200) {	/* another reply follows */
		s->state = STATUS;
		s->has_length = s->chunked = false;
		return LOAD_MORE;
	}
	if (s->status == 204 || s->status == 304)
		return judge(p, s);
	/* Two lengths, or none that lets the connection be kept. */
	if (s->chunked == s->has_length)
		return LOAD_GARBAGE;
	s->state = s->chunked ? CHUNK : BODY;
	return s->chunked || s->left ? LOAD_MORE : judge(p, s);
}

static enum load_outcome chunk_size(struct load_parser *s)
{
	const char *at = s->line;

	if (!load_digits(&at, 16, LOAD_BODY_MAX, &s->left) || (*at && *at != ';' && *at != ' '))
		return LOAD_GARBAGE;
	s->state = s->left ? CHUNK_DATA : TRAILER;
	return s->body_bytes + s->left > LOAD_BODY_MAX ? LOAD_GARBAGE : LOAD_MORE;
}

static enum load_outcome line_done(struct load_proto *p, struct load_parser *s)
{
	switch (s->state) {
	case STATUS:
		return status_line(s);
	case HEADER:
		return s->line_bytes ? header(s) : head_done(p, s);
	case CHUNK:
		return chunk_size(s);
	case CHUNK_END:
		s->state = CHUNK;
		return s->line_bytes ? LOAD_GARBAGE : LOAD_MORE;
	default:
		return s->line_bytes ? LOAD_MORE : judge(p, s);
	}
}

static enum load_outcome take_line(struct load_proto *p, struct load_parser *s, const u8 *data,
				   size_t n, size_t *used)
{
	enum load_line line = load_line_take(s, data, n, used);
	enum load_outcome outcome;

	/* Chunks may be without number, but a head or trailer not without end. */
	if (s->state != CHUNK && s->state != CHUNK_END)
		s->head_bytes += (u32)*used;
	if (line == LOAD_LINE_BAD || s->head_bytes > LOAD_HEAD_MAX)
		return LOAD_GARBAGE;
	if (line == LOAD_LINE_MORE)
		return LOAD_MORE;
	outcome = line_done(p, s);
	load_line_next(s);
	return outcome;
}

static size_t parse(struct load_proto *p, struct load_parser *s, const struct load_request *r,
		    const u8 *data, size_t n, enum load_outcome *outcome)
{
	size_t at = 0, used;

	*outcome = LOAD_MORE;
	while (at < n && *outcome == LOAD_MORE) {
		if (s->state != BODY && s->state != CHUNK_DATA) {
			*outcome = take_line(p, s, data + at, n - at, &used);
			at += used;
			continue;
		}
		at += take_data(s, data + at, n - at);
		if (!s->left && s->state == BODY)
			*outcome = judge(p, s);
		else if (!s->left)
			s->state = CHUNK_END;
	}
	return at;
}

const struct load_proto_ops load_http = {
	.name = "http", .summary = "HTTP/1.1 GETs of one page",
	.setup_count = setup_count, .setup = setup, .choose = choose, .write = write_request,
	.parse = parse,
};
