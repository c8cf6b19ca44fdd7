/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A control socket in the loop: lines in, a line out for each. A client that does not
 * read its replies, or sends a line without an end, loses its connection.
 */
#ifndef HOSTD_SERVE_H
#define HOSTD_SERVE_H

#include "loop/loop.h"

#define SERVE_CLIENTS	16u
#define SERVE_LINE_MAX	4096u

struct server;

struct serve_client {
	struct loop_source src;		/* .fd -1: nobody */
	struct server *server;
	size_t bytes;
	char line[SERVE_LINE_MAX];
};

struct server {
	struct loop *loop;
	struct loop_source src;		/* .fd -1: not open */
	const char *path;
	char *(*handle)(void *ctx, const char *line, size_t bytes);
	void *ctx;
	struct serve_client client[SERVE_CLIENTS];
};

/* 0, or -1 with one line of why. */
int serve_open(struct server *s, const char *path, struct loop *loop,
	       char *(*handle)(void *, const char *, size_t), void *ctx, char *why,
	       size_t why_bytes);
void serve_close(struct server *s);

#endif /* HOSTD_SERVE_H */
