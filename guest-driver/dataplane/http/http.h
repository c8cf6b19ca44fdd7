/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An HTTP/1.1 server of files (RFC 9110, RFC 9112), as an application with TCP: GET and
 * HEAD, connections that stay, requests ahead of their replies. What it serves is read
 * when it starts, and sent without a copy; a connection has its parser, and, while a
 * request comes, that.
 *
 * Replies leave in the order of the requests: while there is no room for one no further
 * request is taken, and so the peer's window closes.
 */
#ifndef DP_HTTP_HTTP_H
#define DP_HTTP_HTTP_H

#include "net/conn.h"
#include "site.h"

#define HTTP_PORT		80u
/* Of a target, and of a request up to its empty line. */
#define HTTP_TARGET_BYTES	1500u
#define HTTP_REQUEST_BYTES	8192u
/* A connection ends after so long without a request, or with one that does not move. */
#define HTTP_LIMIT_MS		60000u

/* Its app_arg is what http_open() has returned. */
extern const struct conn_app conn_http;

/* Before there are threads. NULL, after a line on stderr. */
struct site *http_open(const char *root, u64 limit_bytes);

/* ---- Between the files of this directory ---- */

#define REPLY_HEAD_BYTES	512u

/* What follows the status line in front of it. */
struct reply {
	u16 status;
	bool last;			/* the connection ends with it */
	bool asked_to_stay;		/* by a client that would not take that for granted */
	const struct site_file *file;	/* of 200 and 304 */
};

/* The whole of what goes before the file's content; how long it is. */
u32 reply_head(const struct reply *r, bool with_body, char head[REPLY_HEAD_BYTES]);

#endif /* DP_HTTP_HTTP_H */
