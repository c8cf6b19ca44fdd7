// SPDX-License-Identifier: GPL-2.0-or-later
/* The clients of the control socket: lines in, lines out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/capture.h"
#include "clients.h"
#include "log/log.h"
#include "sock/sock.h"

struct client {
	struct loop_source src;
	struct clients *all;
	struct client *next;
	char *out;		/* the reply that is being written, or NULL */
	size_t out_bytes, out_done;
	size_t in_bytes;
	size_t in_size;		/* allocated */
	size_t in_at;		/* where the next line begins; those before it are dealt with */
	size_t in_seen;		/* no line ends before it */
	struct capture_slot slot;
	bool skipping;		/* the rest of a line that was too long */
	bool ended;		/* the client will send no more */
	char *in;
};

static void drop(struct client *c)
{
	struct client **p = &c->all->first;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	c->all->count--;
	loop_del(c->all->loop, &c->src);
	close(c->src.fd);
	capture_end(&c->slot);
	free(c->out);
	free(c->in);
	free(c);
}

/* False: the client is gone. Wakes up for what can be done next. */
static bool set_reply(struct client *c, char *line)
{
	if (!line) {
		log_error("control: no memory for a reply");
		drop(c);
		return false;
	}
	c->out = line;
	c->out_bytes = strlen(line);
	c->out_done = 0;
	return true;
}

/* As send(), with a descriptor at the first byte if there is one to be sent. */
static ssize_t send_some(struct client *c)
{
	struct iovec part = { c->out + c->out_done, c->out_bytes - c->out_done };
	ssize_t n = sock_send(c->src.fd, &part, 1, c->slot.fd);

	if (n > 0 && c->slot.fd >= 0) {
		close(c->slot.fd);
		c->slot.fd = -1;
	}
	return n;
}

/* False: the client is gone. */
static bool write_some(struct client *c)
{
	ssize_t n = send_some(c);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		drop(c);
		return false;
	}
	c->out_done += n > 0 ? (size_t)n : 0;
	if (c->out_done < c->out_bytes)
		return true;
	free(c->out);
	c->out = NULL;
	return true;
}

/* What is before @at is dealt with; it stays until there is to be more behind it. */
static void forget(struct client *c, size_t at)
{
	c->in_at = c->in_seen = at;
}

/* However short the pieces and lines are, each byte is moved and looked at about once. */
static void make_way(struct client *c)
{
	if (!c->in_at)
		return;
	c->in_bytes -= c->in_at;
	c->in_seen -= c->in_at;
	memmove(c->in, c->in + c->in_at, c->in_bytes);
	c->in_at = 0;
}

/*
 * A line that is too long is answered at once, and read on to its end: what was left
 * unread would make the close a reset, which may overtake the reply.
 */
static bool too_long(struct client *c, bool ended)
{
	forget(c, c->in_seen + ended);
	c->skipping = !ended;
	return set_reply(c, control_too_long());
}

/* Carries out the next line, if one is complete. False: the client is gone. */
static bool next_line(struct client *c, bool *done)
{
	const char *nl = c->in ? memchr(c->in + c->in_seen, '\n', c->in_bytes - c->in_seen) : NULL;
	size_t bytes;

	c->in_seen = nl ? (size_t)(nl - c->in) : c->in_bytes;
	bytes = c->in_seen - c->in_at;
	*done = nl || (!c->skipping && bytes > CONTROL_LINE_MAX);
	if (!*done) {
		if (c->skipping)
			forget(c, c->in_bytes);
		return true;
	}
	if (c->skipping) {
		forget(c, c->in_seen + 1);
		c->skipping = false;
		return true;
	}
	if (bytes > CONTROL_LINE_MAX)
		return too_long(c, nl);
	if (!set_reply(c, control_handle_of(c->all->devices, &c->slot, c->in + c->in_at, bytes)))
		return false;
	forget(c, c->in_seen + 1);
	return true;
}

/* False: the client is gone. */
static bool read_some(struct client *c)
{
	ssize_t n;

	make_way(c);
	if (c->in_bytes == c->in_size) {
		size_t size = c->in_size ? 2 * c->in_size : 1024;
		char *in = realloc(c->in, size);

		if (!in) {
			drop(c);
			return false;
		}
		c->in = in;
		c->in_size = size;
	}
	n = recv(c->src.fd, c->in + c->in_bytes, c->in_size - c->in_bytes,
		 MSG_DONTWAIT);
	if (n == 0)
		c->ended = true;
	if (n > 0)
		c->in_bytes += (size_t)n;
	if (n >= 0 || errno == EAGAIN || errno == EINTR)
		return true;
	drop(c);
	return false;
}

static void client_ready(struct loop_source *src, u32 events)
{
	struct client *c = container_of(src, struct client, src);
	bool more = true;

	if (c->out && !write_some(c))
		return;
	if (!c->out && (events & EPOLLIN) && !c->ended && !read_some(c))
		return;
	while (!c->out && more) {
		if (!next_line(c, &more))
			return;
		if (c->out && !write_some(c))
			return;
	}
	if (!c->out && c->ended) {
		drop(c);
		return;
	}
	loop_mod(c->all->loop, src, c->out ? EPOLLOUT : EPOLLIN);
}

static void listener_ready(struct loop_source *src, u32 events)
{
	struct clients *cs = container_of(src, struct clients, listener);
	int fd = sock_accept(src->fd);
	struct client *c;

	if (fd < 0)
		return;
	c = cs->count < CLIENTS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		log_warn("control: a client was turned away: there are %u", cs->count);
		close(fd);
		return;
	}
	c->src.fd = fd;
	c->slot.fd = -1;
	c->src.ready = client_ready;
	c->all = cs;
	c->next = cs->first;
	cs->first = c;
	cs->count++;
	if (loop_add(cs->loop, &c->src, EPOLLIN) < 0)
		drop(c);
}

int clients_listen(struct clients *cs, const char *path, struct loop *loop,
		   struct devices *devices, gid_t gid, char *why,
		   size_t why_bytes)
{
	int rc;

	cs->path = path;
	cs->loop = loop;
	cs->devices = devices;
	cs->listener.ready = listener_ready;
	cs->listener.fd = sock_listen(path, gid, why, why_bytes);
	if (cs->listener.fd < 0)
		return -1;
	rc = loop_add(loop, &cs->listener, EPOLLIN);
	if (rc < 0)
		snprintf(why, why_bytes, "cannot watch %s: %s", path, strerror(-rc));
	return rc < 0 ? -1 : 0;
}

void clients_fini(struct clients *cs)
{
	while (cs->first)
		drop(cs->first);
	if (cs->listener.fd < 0)
		return;
	close(cs->listener.fd);
	unlink(cs->path);
}
