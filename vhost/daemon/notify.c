// SPDX-License-Identifier: GPL-2.0-or-later
/* What the service manager is told. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "devices.h"
#include "log/log.h"
#include "net/net.h"
#include "notify.h"

#define TEXT_BYTES	128u
/* A reload's two and what may come before and after. */
#define OWED_MAX	4u

static void on_room(struct loop_source *src, u32 events);

static struct loop_source manager = { .fd = -1, .ready = on_room };	/* connected */
static struct loop_source alive = { .fd = -1 };
static struct loop *waits_in;
/* What the manager had no room for, in order; while there is some, ->manager is watched. */
static char owed[OWED_MAX][TEXT_BYTES];
static u32 owed_count;

/* False: it has no room. Nobody here waits for it. */
static bool told(const char *text)
{
	if (send(manager.fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return true;
	if (errno == EAGAIN)
		return false;
	log_warn("notify: cannot tell the service manager: %s", strerror(errno));
	return true;
}

static void drop_first(void)
{
	memmove(owed, owed + 1, sizeof(owed) - sizeof(*owed));
	owed_count--;
}

static void on_room(struct loop_source *src, u32 events)
{
	while (owed_count && told(owed[0]))
		drop_first();
	if (!owed_count)
		loop_del(waits_in, src);
}

static void tell(const char *text)
{
	if (manager.fd < 0 || (!owed_count && told(text)))
		return;
	if (!owed_count && loop_add(waits_in, &manager, EPOLLOUT) < 0)
		return;
	if (owed_count == OWED_MAX)
		drop_first();
	snprintf(owed[owed_count++], TEXT_BYTES, "%s", text);
}

/* An abstract address begins with @ in the variable, and with a zero byte in the kernel. */
static int connect_manager(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = strlen(path);

	if (n >= sizeof(sa.sun_path) || (*path != '/' && *path != '@'))
		return -EINVAL;
	memcpy(sa.sun_path, path, n);
	if (*path == '@')
		sa.sun_path[0] = '\0';
	manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (manager.fd < 0)
		return -errno;
	return connect(manager.fd, (const struct sockaddr *)&sa,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0 ? -errno : 0;
}

static void on_alive(struct loop_source *src, u32 events)
{
	u64 times;

	/* One that is not heard is made up for by the next. */
	if (read(src->fd, &times, sizeof(times)) == sizeof(times) && !owed_count)
		told("WATCHDOG=1");
}

/* Twice as often as the manager looks. */
static int watch(struct loop *loop, const char *usec, const char *pid)
{
	u64 half_ns = strtoull(usec, NULL, 10) * 500;
	const struct timespec half = {
		.tv_sec = (time_t)(half_ns / NSEC_PER_SEC),
		.tv_nsec = (long)(half_ns % NSEC_PER_SEC),
	};
	const struct itimerspec period = { half, half };

	if (!half_ns || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	alive.ready = on_alive;
	alive.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (alive.fd < 0 || timerfd_settime(alive.fd, 0, &period, NULL))
		return -errno;
	return loop_add(loop, &alive, EPOLLIN);
}

int notify_init(struct loop *loop)
{
	const char *path = getenv("NOTIFY_SOCKET"), *usec = getenv("WATCHDOG_USEC");
	int rc = path && *path ? connect_manager(path) : 0;

	waits_in = loop;
	if (rc == 0 && usec && manager.fd >= 0)
		rc = watch(loop, usec, getenv("WATCHDOG_PID"));
	return rc;
}

void notify_ready(const struct devices *d)
{
	char text[TEXT_BYTES];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=Serving %u devices and %u ports\nMAINPID=%d",
		 d->count, d->net->port_count, (int)getpid());
	tell(text);
}

void notify_reloading(void)
{
	char text[80];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)(clock_ns(CLOCK_MONOTONIC) / 1000));
	tell(text);
}

void notify_stopping(void)
{
	tell("STOPPING=1\nSTATUS=Stopping");
}

void notify_fini(void)
{
	if (alive.fd >= 0)
		close(alive.fd);
	if (manager.fd >= 0)
		close(manager.fd);
	alive.fd = manager.fd = -1;
	owed_count = 0;
}
