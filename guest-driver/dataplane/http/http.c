// SPDX-License-Identifier: GPL-2.0-or-later
/* A connection of HTTP: requests are taken one at a time, each answered before the next. */
#include "http.h"

#include <http_parser.h>
#include <stdio.h>
#include <strings.h>

#include "net/mem.h"
#include "target.h"

#define NAME_BYTES	20u

/* Of a request that comes what has come. */
struct request {
	u16 wrong;			/* the status to refuse it with; 0: none yet */
	bool in_value, has_head;
	u8 hosts;
	u8 name_bytes, since_bytes;	/* more than there is room for: it is too long */
	u32 target_bytes;
	char name[NAME_BYTES];		/* of the field that comes */
	char since[SITE_DATE_BYTES];	/* If-Modified-Since */
	char target[HTTP_TARGET_BYTES];
};

struct http_conn {
	http_parser parser;
	const struct site *site;
	struct request *req;		/* NULL: none has begun */
	/* On its way; status 0: none is. */
	struct reply reply;
	u64 sent;			/* of its file */
	bool head_sent, with_body;
	bool peer_ended, over;
};

static struct http_conn *http_of(http_parser *p)
{
	return (struct http_conn *)p;
}

/* ---- What the parser finds ---- */

static int on_begin(http_parser *p)
{
	struct http_conn *h = http_of(p);

	h->req = dp_mem_alloc(sizeof(*h->req));
	if (!h->req)
		return -1;
	memset(h->req, 0, offsetof(struct request, target));
	return 0;
}

static int refuse(struct request *req, u16 status)
{
	req->wrong = status;
	return -1;
}

static int on_target(http_parser *p, const char *at, size_t bytes)
{
	struct request *req = http_of(p)->req;

	if (bytes > sizeof(req->target) - req->target_bytes)
		return refuse(req, 414);
	memcpy(req->target + req->target_bytes, at, bytes);
	req->target_bytes += (u32)bytes;
	return 0;
}

/* Keeps what fits; the length tells that it did not. */
static void append(char *to, u8 *have, u32 room, const char *from, size_t bytes)
{
	if (bytes > room - *have) {
		*have = (u8)room;
		return;
	}
	memcpy(to + *have, from, bytes);
	*have += (u8)bytes;
}

static bool is_named(const struct request *req, const char *name)
{
	return req->name_bytes == strlen(name) && !strncasecmp(req->name, name, req->name_bytes);
}

static int on_name(http_parser *p, const char *at, size_t bytes)
{
	struct request *req = http_of(p)->req;

	if (req->in_value)
		req->name_bytes = 0;
	req->in_value = false;
	append(req->name, &req->name_bytes, sizeof(req->name), at, bytes);
	return 0;
}

static int on_value(http_parser *p, const char *at, size_t bytes)
{
	struct request *req = http_of(p)->req;
	bool begins = !req->in_value;

	req->in_value = true;
	/* Trailers say nothing that counts here. */
	if (req->has_head)
		return 0;
	if (is_named(req, "if-modified-since")) {
		append(req->since, &req->since_bytes, sizeof(req->since), at, bytes);
	} else if (begins && is_named(req, "host") && ++req->hosts > 1) {
		return refuse(req, 400);
	}
	return 0;
}

static int on_head(http_parser *p)
{
	struct request *req = http_of(p)->req;

	if (p->http_major != 1)
		return refuse(req, 505);
	if (p->method != HTTP_GET && p->method != HTTP_HEAD)
		return refuse(req, 405);
	if (p->http_minor && !req->hosts)
		return refuse(req, 400);
	/* Whatever it would be upgraded to, nobody does that here. */
	p->upgrade = 0;
	req->has_head = true;
	return 0;
}

/* So that the next one is not begun before this one has its reply. */
static int on_whole(http_parser *p)
{
	http_parser_pause(p, 1);
	return 0;
}

static const http_parser_settings events = {
	.on_message_begin = on_begin,
	.on_url = on_target,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_message_complete = on_whole,
};

/* ---- What is replied ---- */

static void begin_reply(struct http_conn *h, u16 status, const struct site_file *f, bool last)
{
	h->reply = (struct reply){
		.status = status, .file = f, .last = last,
		.asked_to_stay = !last && !h->parser.http_minor,
	};
	h->with_body = h->parser.method != HTTP_HEAD;
	h->head_sent = false;
	h->sent = 0;
	dp_mem_free(h->req);
	h->req = NULL;
}

static void answer(struct http_conn *h)
{
	char path[HTTP_TARGET_BYTES];
	const struct request *req = h->req;
	const struct site_file *f;
	u32 n = target_path(req->target, req->target_bytes, path);
	bool last = !http_should_keep_alive(&h->parser);

	f = n ? site_find(h->site, path, n) : NULL;
	if (!f)
		begin_reply(h, n ? 404 : 400, NULL, last);
	else if (req->since_bytes == SITE_DATE_BYTES - 1 &&
		 !memcmp(req->since, f->modified, req->since_bytes))
		begin_reply(h, 304, f, last);
	else
		begin_reply(h, 200, f, last);
}

static void answer_wrong(struct http_conn *h)
{
	enum http_errno err = HTTP_PARSER_ERRNO(&h->parser);
	u16 status = h->req ? h->req->wrong : 503;

	/* What is wrong before a request has begun is not for want of memory. */
	if (!h->req && err != HPE_CB_message_begin)
		status = 400;
	if (!status)
		status = err == HPE_HEADER_OVERFLOW ? 431 : err == HPE_INVALID_VERSION ? 505 : 400;
	begin_reply(h, status, NULL, true);
}

/* How much of it is of a request that begins, or goes on, here. */
static u32 read_request(struct conn *c, struct http_conn *h, const u8 *data, u32 bytes)
{
	bool had = h->req;
	u32 n = (u32)http_parser_execute(&h->parser, &events, (const char *)data, bytes);

	switch (HTTP_PARSER_ERRNO(&h->parser)) {
	case HPE_OK:
		/* From its first byte on all of it has to come in time. */
		if (h->req && !had)
			conn_limit(c, HTTP_LIMIT_MS);
		return n;
	case HPE_PAUSED:
		http_parser_pause(&h->parser, 0);
		answer(h);
		return n;
	default:
		answer_wrong(h);
		return n < bytes ? n : bytes;
	}
}

/* false: there is no room for all of it now. */
static bool send_reply(struct conn *c, struct http_conn *h)
{
	const struct site_file *f = h->reply.status == 200 && h->with_body ? h->reply.file : NULL;
	char head[REPLY_HEAD_BYTES];

	if (!h->head_sent) {
		u32 n = reply_head(&h->reply, h->with_body, head);

		if (conn_room(c) < n || conn_send(c, (const u8 *)head, n) < n)
			return false;
		h->head_sent = true;
	}
	while (f && h->sent < f->bytes) {
		u64 left = f->bytes - h->sent;
		u32 n = conn_send_kept(c, f->data + h->sent, left < 1 << 30 ? (u32)left : 1 << 30);

		if (!n)
			return false;
		h->sent += n;
	}
	return true;
}

/* What there is to reply goes out as far as it can. true: the next request can be taken. */
static bool go_on(struct conn *c, struct http_conn *h)
{
	if (h->over)
		return false;
	if (!h->reply.status)
		return true;
	if (!send_reply(c, h))
		return false;
	h->reply.status = 0;
	conn_limit(c, HTTP_LIMIT_MS);
	h->over = h->reply.last || h->peer_ended;
	if (h->over)
		conn_end(c);
	return !h->over;
}

/* ---- The connection ---- */

static int http_opened(struct conn *c)
{
	struct http_conn *h = dp_mem_zeroed(1, sizeof(*h));

	if (!h) {
		conn_set_state(c, NULL);
		return -1;
	}
	h->site = conn_state(c);
	http_parser_init(&h->parser, HTTP_REQUEST);
	conn_set_state(c, h);
	conn_limit(c, HTTP_LIMIT_MS);
	return 0;
}

static u32 http_data(struct conn *c, const u8 *data, u32 bytes)
{
	struct http_conn *h = conn_state(c);
	u32 used = 0;

	while (go_on(c, h) && used < bytes)
		used += read_request(c, h, data + used, bytes - used);
	return used;
}

static void http_sent(struct conn *c)
{
	struct http_conn *h = conn_state(c);

	if (h->reply.status)
		conn_limit(c, HTTP_LIMIT_MS);
	go_on(c, h);
}

static void http_ended(struct conn *c)
{
	struct http_conn *h = conn_state(c);

	h->peer_ended = true;
	if (!h->reply.status)
		conn_close(c);
}

/* One that does not read what it has asked for is not told that this is the end. */
static void http_late(struct conn *c)
{
	struct http_conn *h = conn_state(c);

	if (h->reply.status) {
		conn_abort(c);
	} else {
		h->over = true;
		conn_end(c);
	}
}

static void http_closed(struct conn *c)
{
	struct http_conn *h = conn_state(c);

	/* It was never opened. */
	if (!h)
		return;
	dp_mem_free(h->req);
	dp_mem_free(h);
}

const struct conn_app conn_http = {
	.name = "http",
	.opened = http_opened,
	.data = http_data,
	.sent = http_sent,
	.ended = http_ended,
	.late = http_late,
	.closed = http_closed,
};

struct site *http_open(const char *root, u64 limit_bytes)
{
	char why[SITE_PATH_BYTES + 256];
	struct site *s = site_open(root, limit_bytes, why, sizeof(why));

	http_parser_set_max_header_size(HTTP_REQUEST_BYTES);
	if (!s)
		fprintf(stderr, "rp-dataplane: --http-root: %s\n", why);
	return s;
}
