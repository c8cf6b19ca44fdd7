// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket of rp-dataplane. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "sock/sock.h"

/* Without anybody at the other end a device is looked at so often. */
#define DEVICE_NS	100000000
#define PEERS		(SERVER_CLIENTS + SERVER_DEVICES)

struct client {
	int fd;			/* -1: nobody */
	bool device;		/* it stays, whoever comes and goes at its other end */
	bool away;		/* nobody was there when it was last looked at */
	size_t have;
	char line[ORDER_LINE_MAX + 1];
};

struct server {
	int fd;
	char *path;
	struct workers *ws;
	/* The last ones are devices. */
	struct client client[PEERS];
};

static void drop(struct client *c)
{
	c->have = 0;
	c->away = c->device;
	if (c->device)
		return;
	close(c->fd);
	c->fd = -1;
}

/*
 * A device takes a reply in parts; what it does not take in a second is given up. That
 * nobody is at its other end is no reason to give up at once: a virtio-serial port tells of
 * who comes and goes later than it hands over what they send.
 */
static bool write_device(int fd, struct iovec part[2])
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	u32 naps = 1000, i;

	for (i = 0; i < 2; i++)
		while (part[i].iov_len) {
			ssize_t n = write(fd, part[i].iov_base, part[i].iov_len);

			if (n < 0 && (errno != EAGAIN || !naps--))
				return false;
			if (n < 0)
				nanosleep(&nap, NULL);
			n = n < 0 ? 0 : n;
			part[i].iov_base = (char *)part[i].iov_base + n;
			part[i].iov_len -= (size_t)n;
		}
	return true;
}

/* At once or not at all: one that does not read its replies is dropped. @fd: with it, or -1. */
static bool answer(struct client *c, char *text, int fd)
{
	struct iovec part[2] = { { text, text ? strlen(text) : 0 }, { "\n", 1 } };
	bool whole = text && (c->device ? write_device(c->fd, part) :
			      sock_send(c->fd, part, 2, fd) == (ssize_t)(part[0].iov_len + 1));

	free(text);
	if (!whole)
		drop(c);
	return whole;
}

static void serve(struct server *s, struct client *c)
{
	/* Both are non-blocking. */
	ssize_t n = read(c->fd, c->line + c->have, sizeof(c->line) - c->have);
	char *end;

	c->away = false;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->have += (size_t)n;
	while ((end = memchr(c->line, '\n', c->have))) {
		size_t bytes = (size_t)(end - c->line);
		int fd = -1;
		char *text = orders_handle(s->ws, c->line, bytes, c->device ? NULL : &fd);

		if (!answer(c, text, fd))
			return;
		c->have -= bytes + 1;
		memmove(c->line, end + 1, c->have);
	}
	if (c->have == sizeof(c->line) && answer(c, orders_too_long(), -1))
		drop(c);
}

static void greet(struct server *s)
{
	int fd = sock_accept(s->fd);
	u32 i;

	if (fd < 0)
		return;
	for (i = 0; i < SERVER_CLIENTS; i++)
		if (s->client[i].fd < 0) {
			s->client[i].fd = fd;
			return;
		}
	close(fd);
}

static bool is_any_away(const struct server *s)
{
	u32 i;

	for (i = SERVER_CLIENTS; i < PEERS; i++)
		if (s->client[i].away)
			return true;
	return false;
}

static s64 sooner(s64 a_ns, s64 b_ns)
{
	return a_ns < 0 || b_ns < a_ns ? b_ns : a_ns;
}

void server_wait(struct server *s, const int also[2], s64 timeout_ns)
{
	s64 ns = is_any_away(s) ? sooner(timeout_ns, DEVICE_NS) : timeout_ns;
	const struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	struct pollfd p[PEERS + 3] = {
		{ .fd = also[0], .events = POLLIN }, { .fd = also[1], .events = POLLIN },
		{ .fd = s->fd, .events = POLLIN },
	};
	u32 i;

	for (i = 0; i < PEERS; i++)
		p[i + 3] = (struct pollfd){
			/* One that is away is always ready, with nothing. */
			.fd = s->client[i].away ? -1 : s->client[i].fd, .events = POLLIN,
		};
	if (ppoll(p, PEERS + 3, ns < 0 ? NULL : &ts, NULL) < 0)
		return;
	for (i = 0; i < PEERS; i++)
		if (s->client[i].away || (p[i + 3].fd >= 0 && p[i + 3].revents))
			serve(s, &s->client[i]);
	if (p[2].revents)
		greet(s);
}

/* A terminal would echo, and take control characters for its own. */
static int open_device(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct termios tio;

	if (fd >= 0 && isatty(fd) && !tcgetattr(fd, &tio)) {
		cfmakeraw(&tio);
		tcsetattr(fd, TCSANOW, &tio);
	}
	return fd;
}

int server_add_device(struct server *s, const char *path)
{
	u32 i = SERVER_CLIENTS;

	while (i < PEERS && s->client[i].fd >= 0)
		i++;
	errno = ENOSPC;
	if (i < PEERS)
		s->client[i] = (struct client){ .fd = open_device(path), .device = true };
	if (i < PEERS && s->client[i].fd >= 0)
		return 0;
	fprintf(stderr, "rp-dataplane: cannot open %s for orders: %m\n", path);
	return -1;
}

struct server *server_open(const char *path, struct workers *ws)
{
	struct server *s = calloc(1, sizeof(*s));
	char why[200] = "no memory";
	u32 i;

	if (s) {
		for (i = 0; i < PEERS; i++)
			s->client[i].fd = -1;
		s->ws = ws;
		s->path = strdup(path);
		s->fd = s->path ? sock_listen(path, (gid_t)-1, why, sizeof(why)) : -1;
		if (s->fd >= 0)
			return s;
		free(s->path);
	}
	free(s);
	fprintf(stderr, "rp-dataplane: control socket: %s\n", why);
	return NULL;
}

void server_close(struct server *s)
{
	u32 i;

	for (i = 0; i < PEERS; i++)
		if (s->client[i].fd >= 0)
			close(s->client[i].fd);
	close(s->fd);
	unlink(s->path);
	free(s->path);
	free(s);
}
