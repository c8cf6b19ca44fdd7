// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients of a control socket, and devices: lines in, lines out. */
#include "sock/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log/log.h"
#include "sock/sock.h"

struct lines_client {
	struct loop_source src;
	u32 events;		/* that it is in the loop for; 0: it is not */
	struct lines *all;
	struct lines_client *next;
	struct lines_peer peer;
	char *out;		/* the reply that is being written, or NULL */
	size_t out_bytes, out_done;
	int out_fd;		/* goes with its first byte; -1: none does */
	char *in;
	size_t in_bytes;
	size_t in_size;		/* allocated */
	size_t in_at;		/* where the next line begins; those before it are dealt with */
	size_t in_seen;		/* no line ends before it */
	bool skipping;		/* the rest of a line that was too long */
	bool device;
	u64 look_ns;		/* not in the loop: when to look at it */
	u64 give_up_ns;		/* what a device has not taken by then it does not get */
};

/* ---- In the loop and out of it ---- */

static bool wait_for(struct lines_client *c, u32 events)
{
	int rc = 0;

	if (c->events != events)
		rc = c->events ? loop_mod(c->all->loop, &c->src, events) :
				 loop_add(c->all->loop, &c->src, events);
	c->events = rc ? c->events : events;
	return !rc;
}

static void leave_loop(struct lines_client *c)
{
	if (c->events)
		loop_del(c->all->loop, &c->src);
	c->events = 0;
}

/* Only devices do. */
static void rest(struct lines_client *c, u64 ns)
{
	leave_loop(c);
	c->look_ns = clock_ns(CLOCK_MONOTONIC) + ns;
}

static void close_fd(struct lines_client *c)
{
	if (c->out_fd >= 0)
		close(c->out_fd);
	c->out_fd = -1;
}

/* Nothing is left of what was said. */
static void forget_peer(struct lines_client *c)
{
	if (c->all->owner->gone)
		c->all->owner->gone(&c->peer);
	c->peer.of = NULL;
	close_fd(c);
	free(c->out);
	c->out = NULL;
	free(c->in);
	c->in = NULL;
	c->in_bytes = c->in_size = c->in_at = c->in_seen = 0;
	c->skipping = false;
}

static void end(struct lines_client *c)
{
	struct lines_client **p = &c->all->first;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	c->all->clients -= !c->device;
	leave_loop(c);
	close(c->src.fd);
	forget_peer(c);
	free(c);
}

static void drop(struct lines_client *c)
{
	if (!c->device) {
		end(c);
		return;
	}
	forget_peer(c);
	rest(c, LINES_AWAY_NS);
}

/* ---- Replies ---- */

/* False: the client is gone. */
static bool set_reply(struct lines_client *c, char *text)
{
	if (!text) {
		log_error("control: no memory for a reply");
		drop(c);
		return false;
	}
	c->out = text;
	c->out_bytes = strlen(text);
	/* In place of the terminating 0. */
	c->out[c->out_bytes++] = '\n';
	c->out_done = 0;
	if (c->device)
		c->give_up_ns = clock_ns(CLOCK_MONOTONIC) + LINES_PATIENCE_NS;
	return true;
}

static ssize_t send_some(struct lines_client *c)
{
	struct iovec part = { c->out + c->out_done, c->out_bytes - c->out_done };
	ssize_t n;

	if (c->device)
		return write(c->src.fd, part.iov_base, part.iov_len);
	n = sock_send(c->src.fd, &part, 1, c->out_fd);
	if (n > 0)
		close_fd(c);
	return n;
}

/* False: the client is gone. */
static bool write_some(struct lines_client *c)
{
	ssize_t n;

	do {
		n = send_some(c);
		c->out_done += n > 0 ? (size_t)n : 0;
	} while (c->device && n > 0 && c->out_done < c->out_bytes);
	if (c->out_done == c->out_bytes) {
		free(c->out);
		c->out = NULL;
		return true;
	}
	if ((n < 0 && errno != EAGAIN && errno != EINTR) ||
	    (c->device && clock_ns(CLOCK_MONOTONIC) > c->give_up_ns)) {
		drop(c);
		return false;
	}
	return true;
}

/* ---- Lines ---- */

/* What is before @at is dealt with; it stays until there is to be more behind it. */
static void forget(struct lines_client *c, size_t at)
{
	c->in_at = c->in_seen = at;
}

static void make_way(struct lines_client *c)
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
static bool too_long(struct lines_client *c, bool ended)
{
	forget(c, c->in_seen + ended);
	c->skipping = !ended;
	return set_reply(c, c->all->owner->refuse(LINES_TOO_LONG));
}

static bool answer(struct lines_client *c, size_t bytes)
{
	const struct lines *l = c->all;
	char *text;

	c->peer.fd = -1;
	text = l->owner->answer(l->ctx, &c->peer, c->in + c->in_at, bytes);
	forget(c, c->in_seen + 1);
	if (c->peer.fd >= 0)
		c->out_fd = fcntl(c->peer.fd, F_DUPFD_CLOEXEC, 0);
	if (c->peer.fd < 0 || c->out_fd >= 0)
		return set_reply(c, text);
	log_error("control: no descriptor is left for a reply's: %s", strerror(errno));
	free(text);
	drop(c);
	return false;
}

/* Carries out the next line, if one is complete. False: the client is gone. */
static bool next_line(struct lines_client *c, bool *done)
{
	const char *nl = memchr(c->in + c->in_seen, '\n', c->in_bytes - c->in_seen);
	size_t bytes;

	c->in_seen = nl ? (size_t)(nl - c->in) : c->in_bytes;
	bytes = c->in_seen - c->in_at;
	*done = nl || (!c->skipping && bytes > LINES_BYTES_MAX);
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
	return bytes > LINES_BYTES_MAX ? too_long(c, nl) : answer(c, bytes);
}

static ssize_t receive(struct lines_client *c, void *to, size_t room)
{
	return c->device ? read(c->src.fd, to, room) : recv(c->src.fd, to, room, MSG_DONTWAIT);
}

/* When no line is whole and no reply to be written. False: the client is gone. */
static bool read_some(struct lines_client *c)
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
	n = receive(c, c->in + c->in_bytes, c->in_size - c->in_bytes);
	if (n > 0)
		c->in_bytes += (size_t)n;
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return true;
	/* What has come before is dealt with. */
	drop(c);
	return false;
}

/* Its part of a turn. */
static void serve(struct lines_client *c, bool reads)
{
	bool more = true;
	u32 n;

	if (c->out && !write_some(c))
		return;
	if (reads && !read_some(c))
		return;
	for (n = 0; !c->out && more && n < LINES_AT_ONCE; n++)
		if (!next_line(c, &more) || (c->out && !write_some(c)))
			return;
	if (c->device && c->out)
		rest(c, LINES_RETRY_NS);
	/* Of lines that have come already only the room for their replies tells. */
	else if (!wait_for(c, c->out || more ? EPOLLOUT : EPOLLIN))
		drop(c);
}

static void client_ready(struct loop_source *src, u32 events)
{
	struct lines_client *c = container_of(src, struct lines_client, src);

	serve(c, c->events == EPOLLIN);
}

/* ---- Who comes ---- */

static struct lines_client *add(struct lines *l, int fd, bool device)
{
	struct lines_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->src.fd = fd;
	c->src.ready = client_ready;
	c->out_fd = -1;
	c->peer.passes = !device;
	c->device = device;
	c->all = l;
	c->next = l->first;
	l->first = c;
	l->clients += !device;
	return c;
}

/* Told why as far as it fits into the socket, where nothing else is yet. */
static void turn_away(const struct lines *l, int fd)
{
	char *text = l->owner->refuse(LINES_TOO_MANY);
	const struct iovec part[2] = { { text, text ? strlen(text) : 0 }, { "\n", 1 } };

	log_warn("control: a client was turned away: there are %u", l->clients);
	if (text)
		sock_send(fd, part, 2, -1);
	free(text);
	close(fd);
}

static void listener_ready(struct loop_source *src, u32 events)
{
	struct lines *l = container_of(src, struct lines, listener);
	struct lines_client *c = NULL;
	int fd = sock_accept(src->fd);

	if (fd < 0)
		return;
	if (l->clients < l->owner->clients_max)
		c = add(l, fd, false);
	if (!c)
		turn_away(l, fd);
	else if (!wait_for(c, EPOLLIN))
		end(c);
}

int lines_open(struct lines *l, const char *path, gid_t gid, struct loop *loop,
	       const struct lines_owner *owner, void *ctx, char *why, size_t why_bytes)
{
	int rc;

	*l = (struct lines){ .loop = loop, .owner = owner, .ctx = ctx, .path = path,
			     .listener.ready = listener_ready };
	l->listener.fd = sock_listen(path, gid, why, why_bytes);
	if (l->listener.fd < 0)
		return -1;
	rc = loop_add(loop, &l->listener, EPOLLIN);
	if (rc < 0)
		snprintf(why, why_bytes, "cannot watch %s: %s", path, strerror(-rc));
	return rc < 0 ? -1 : 0;
}

int lines_add_device(struct lines *l, int fd)
{
	struct lines_client *c = add(l, fd, true);

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	if (wait_for(c, EPOLLIN))
		return 0;
	end(c);
	return -EPERM;
}

s64 lines_look(struct lines *l)
{
	struct lines_client *c;
	s64 soonest = -1;

	for (c = l->first; c; c = c->next) {
		u64 now;

		if (c->events)
			continue;
		now = clock_ns(CLOCK_MONOTONIC);
		if (now >= c->look_ns)
			serve(c, !c->out);
		if (!c->events && (soonest < 0 || (s64)(c->look_ns - now) < soonest))
			soonest = (s64)(c->look_ns - now);
	}
	return soonest;
}

void lines_close(struct lines *l)
{
	while (l->first)
		end(l->first);
	if (!l->path || l->listener.fd < 0)
		return;
	close(l->listener.fd);
	l->listener.fd = -1;
	unlink(l->path);
}
