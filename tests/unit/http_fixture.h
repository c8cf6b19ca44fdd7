/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection without TCP, for a server of HTTP: what the server sends is collected, up to
 * a room that the test sets; and a directory to serve.
 */
#ifndef HTTP_FIXTURE_H
#define HTTP_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/http.h"

#define OUT_BYTES	(1u << 20)

struct conn {
	void *state;
	u8 out[OUT_BYTES];
	u32 bytes, room, limit_ms;
	u64 kept;			/* of it, sent without a copy */
	bool ends, closes, aborts;
};

void conn_set_state(struct conn *c, void *state)
{
	c->state = state;
}

void *conn_state(const struct conn *c)
{
	return c->state;
}

u32 conn_room(const struct conn *c)
{
	return c->ends || c->closes || c->aborts ? 0 : c->room;
}

u32 conn_send(struct conn *c, const u8 *data, u32 bytes)
{
	u32 n = bytes < conn_room(c) ? bytes : conn_room(c);

	if (n > OUT_BYTES - c->bytes)
		n = OUT_BYTES - c->bytes;
	memcpy(c->out + c->bytes, data, n);
	c->bytes += n;
	c->room -= n;
	return n;
}

u32 conn_send_kept(struct conn *c, const u8 *data, u32 bytes)
{
	u32 n = conn_send(c, data, bytes);

	c->kept += n;
	return n;
}

void conn_limit(struct conn *c, u32 ms)
{
	c->limit_ms = ms;
}

void conn_close(struct conn *c)
{
	c->closes = true;
}

void conn_end(struct conn *c)
{
	c->ends = true;
}

void conn_abort(struct conn *c)
{
	c->aborts = true;
}

static inline bool conn_goes_on(const struct conn *c)
{
	return !c->ends && !c->closes && !c->aborts;
}

/* Of a server of @s, with room for all. */
static inline void conn_begin(struct conn *c, struct site *s)
{
	memset(c, 0, sizeof(*c));
	c->state = s;
	c->room = OUT_BYTES;
	if (conn_http.opened(c))
		abort();
}

/* A directory of the test's own, to be removed by tree_remove(). */
struct tree {
	char root[64];
};

static inline void tree_make(struct tree *t)
{
	snprintf(t->root, sizeof(t->root), "/tmp/ringpace-http-XXXXXX");
	if (!mkdtemp(t->root))
		abort();
}

static inline void tree_path(const struct tree *t, const char *path, char at[256])
{
	snprintf(at, 256, "%s%s", t->root, path);
}

static inline void tree_dir(const struct tree *t, const char *path)
{
	char at[256];

	tree_path(t, path, at);
	if (mkdir(at, 0700))
		abort();
}

/* @bytes, each of its place, and none of them 0. */
static inline void tree_file(const struct tree *t, const char *path, u32 bytes)
{
	char at[256];
	FILE *f;
	u32 i;

	tree_path(t, path, at);
	f = fopen(at, "w");
	for (i = 0; f && i < bytes; i++)
		putc((int)(i * 7 % 251 + 1), f);
	if (!f || fclose(f))
		abort();
}

static inline void tree_remove(const struct tree *t)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf -- '%s'", t->root);
	if (system(command))
		abort();
}

#endif /* HTTP_FIXTURE_H */
