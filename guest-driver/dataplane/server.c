// SPDX-License-Identifier: GPL-2.0-or-later
/* The control socket of rp-dataplane. */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "orders.h"

struct server {
	struct loop loop;
	struct lines lines;
};

static s64 sooner(s64 a_ns, s64 b_ns)
{
	return a_ns < 0 || (b_ns >= 0 && b_ns < a_ns) ? b_ns : a_ns;
}

void server_wait(struct server *s, const int also[2], s64 timeout_ns)
{
	s64 ns = sooner(timeout_ns, lines_look(&s->lines));
	const struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	struct pollfd p[3] = {
		{ .fd = also[0], .events = POLLIN }, { .fd = also[1], .events = POLLIN },
		{ .fd = s->loop.epfd, .events = POLLIN },
	};

	if (ppoll(p, 3, ns < 0 ? NULL : &ts, NULL) > 0 && p[2].revents)
		loop_step(&s->loop);
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
	int fd = open_device(path);

	errno = fd < 0 ? errno : -lines_add_device(&s->lines, fd);
	if (!errno)
		return 0;
	fprintf(stderr, "rp-dataplane: cannot open %s for orders: %m\n", path);
	return -1;
}

struct server *server_open(const char *path, struct workers *ws)
{
	struct server *s = calloc(1, sizeof(*s));
	char why[200];

	if (!s || loop_init(&s->loop)) {
		perror("rp-dataplane: control socket");
		free(s);
		return NULL;
	}
	if (!lines_open(&s->lines, path, (gid_t)-1, &s->loop, &orders_owner, ws, why, sizeof(why)))
		return s;
	fprintf(stderr, "rp-dataplane: control socket: %s\n", why);
	server_close(s);
	return NULL;
}

void server_close(struct server *s)
{
	lines_close(&s->lines);
	loop_fini(&s->loop);
	free(s);
}
