// SPDX-License-Identifier: GPL-2.0-or-later
/* Heads of replies. */
#include "http.h"

#include <stdio.h>
#include <time.h>

struct meaning {
	u16 status;
	const char *reason;
	const char *also;
};

static const struct meaning meanings[] = {
	{ 200, "OK", "" },
	{ 304, "Not Modified", "" },
	{ 400, "Bad Request", "" },
	{ 404, "Not Found", "" },
	{ 405, "Method Not Allowed", "Allow: GET, HEAD\r\n" },
	{ 414, "URI Too Long", "" },
	{ 431, "Request Header Fields Too Large", "" },
	{ 503, "Service Unavailable", "" },
	{ 505, "HTTP Version Not Supported", "" },
};

static const struct meaning *meaning_of(u16 status)
{
	u32 i = 0;

	while (meanings[i].status != status)
		i++;
	return &meanings[i];
}

/* Of this second; each thread's own. */
static const char *date(void)
{
	static _Thread_local char text[SITE_DATE_BYTES];
	static _Thread_local s64 of;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec != of) {
		of = now.tv_sec;
		site_date(text, of);
	}
	return text;
}

static char *put(char *at, const char *text, u32 bytes)
{
	return (char *)memcpy(at, text, bytes) + bytes;
}

static char *put_text(char *at, const char *text)
{
	return put(at, text, (u32)strlen(text));
}

/* A line for whoever reads it. */
static char *put_words(char *at, const struct meaning *m, bool with_body)
{
	at += sprintf(at, "%sContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", m->also,
		      strlen(m->reason) + 5);
	return with_body ? at + sprintf(at, "%u %s\n", m->status, m->reason) : at;
}

/* Without sprintf() where the reply is a file: that would cost more than all else here. */
u32 reply_head(const struct reply *r, bool with_body, char head[REPLY_HEAD_BYTES])
{
	const struct meaning *m = meaning_of(r->status);
	const char code[4] = { (char)('0' + r->status / 100), (char)('0' + r->status / 10 % 10),
			       (char)('0' + r->status % 10), ' ' };
	char *at = put_text(head, "HTTP/1.1 ");

	at = put(at, code, sizeof(code));
	at = put_text(at, m->reason);
	at = put_text(at, "\r\nDate: ");
	at = put(at, date(), SITE_DATE_BYTES - 1);
	at = put_text(at, "\r\n");
	if (r->last)
		at = put_text(at, "Connection: close\r\n");
	else if (r->asked_to_stay)
		at = put_text(at, "Connection: keep-alive\r\n");
	if (r->status == 200)
		at = put(at, r->file->head, r->file->head_bytes);
	if (r->file)
		return (u32)(put_text(at, "\r\n") - head);
	return (u32)(put_words(at, m, with_body) - head);
}
