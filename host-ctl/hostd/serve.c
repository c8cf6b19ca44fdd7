// SPDX-License-Identifier: GPL-2.0-or-later
#include "serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sock/sock.h"

static void drop(struct serve_client *c)
{
	loop_del(c->server->loop, &c->src);
	close(c->src.fd);
	c->src.fd = -1;
	c->bytes = 0;
}

/* At once or not at all. */
static bool answer(struct serve_client *c, char *text)
{
	struct iovec part[2] = { { text, text ? strlen(text) : 0 }, { "\n", 1 } };
	struct msghdr m = { .msg_iov = part, .msg_iovlen = 2 };
	bool whole = text && sendmsg(c->src.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) ==
			     (ssize_t)(part[0].iov_len + 1);

	free(text);
	if (!whole)
		drop(c);
	return whole;
}

static void on_client(struct loop_source *src, u32 events)
{
	struct serve_client *c = container_of(src, struct serve_client, src);
	struct server *s = c->server;
	ssize_t n = recv(src->fd, c->line + c->bytes, sizeof(c->line) - c->bytes, MSG_DONTWAIT);
	char *end;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->bytes += (size_t)n;
	while ((end = memchr(c->line, '\n', c->bytes))) {
		size_t bytes = (size_t)(end - c->line);

		if (!answer(c, s->handle(s->ctx, c->line, bytes)))
			return;
		c->bytes -= bytes + 1;
		memmove(c->line, end + 1, c->bytes);
	}
	if (c->bytes == sizeof(c->line))
		drop(c);
}

static void on_listener(struct loop_source *src, u32 events)
{
	struct server *s = container_of(src, struct server, src);
	int fd = sock_accept(src->fd);
	u32 i;

	if (fd < 0)
		return;
	for (i = 0; i < SERVE_CLIENTS; i++) {
		struct serve_client *c = &s->client[i];

		if (c->src.fd >= 0)
			continue;
		c->src.fd = fd;
		if (loop_add(s->loop, &c->src, EPOLLIN) == 0)
			return;
		c->src.fd = -1;
		break;
	}
	close(fd);
}

int serve_open(struct server *s, const char *path, struct loop *loop,
	       char *(*handle)(void *, const char *, size_t), void *ctx, char *why,
	       size_t why_bytes)
{
	u32 i;

	*s = (struct server){ .loop = loop, .path = path, .handle = handle, .ctx = ctx,
			      .src = { .ready = on_listener } };
	for (i = 0; i < SERVE_CLIENTS; i++) {
		s->client[i].server = s;
		s->client[i].src = (struct loop_source){ .fd = -1, .ready = on_client };
	}
	s->src.fd = sock_listen(path, (gid_t)-1, why, why_bytes);
	if (s->src.fd < 0)
		return -1;
	if (loop_add(loop, &s->src, EPOLLIN) == 0)
		return 0;
	snprintf(why, why_bytes, "%s cannot be watched", path);
	serve_close(s);
	return -1;
}

void serve_close(struct server *s)
{
	u32 i;

	if (!s->path || s->src.fd < 0)
		return;
	for (i = 0; i < SERVE_CLIENTS; i++)
		if (s->client[i].src.fd >= 0)
			drop(&s->client[i]);
	loop_del(s->loop, &s->src);
	close(s->src.fd);
	s->src.fd = -1;
	unlink(s->path);
}
