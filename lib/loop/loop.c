// SPDX-License-Identifier: GPL-2.0-or-later
/* A thread's event loop. */
#include <errno.h>
#include <unistd.h>

#include "loop/loop.h"

int loop_init(struct loop *l)
{
	l->stop = false;
	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	return l->epfd < 0 ? -errno : 0;
}

static int control(struct loop *l, int op, struct loop_source *src, u32 events)
{
	struct epoll_event ev = { .events = events, .data.ptr = src };

	return epoll_ctl(l->epfd, op, src->fd, &ev) < 0 ? -errno : 0;
}

int loop_add(struct loop *l, struct loop_source *src, u32 events)
{
	return control(l, EPOLL_CTL_ADD, src, events);
}

int loop_mod(struct loop *l, struct loop_source *src, u32 events)
{
	return control(l, EPOLL_CTL_MOD, src, events);
}

void loop_del(struct loop *l, struct loop_source *src)
{
	control(l, EPOLL_CTL_DEL, src, 0);
}

/*
 * One event at a time: its handler may free other sources, which then cannot be waiting
 * in a batch.
 */
static int step(struct loop *l, int timeout_ms)
{
	struct epoll_event ev;
	struct loop_source *src;
	int n = epoll_wait(l->epfd, &ev, 1, timeout_ms);

	if (n < 0 && errno != EINTR)
		return -errno;
	if (n <= 0)
		return 0;
	src = ev.data.ptr;
	src->ready(src, ev.events);
	return 0;
}

int loop_run(struct loop *l)
{
	int rc = 0;

	while (!rc && !l->stop)
		rc = step(l, -1);
	return rc;
}

int loop_step(struct loop *l)
{
	return step(l, 0);
}

void loop_fini(struct loop *l)
{
	close(l->epfd);
}
