// SPDX-License-Identifier: GPL-2.0-or-later
/* The timer behind the pacers' watchdog. */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "log/log.h"
#include "watchdog.h"

int watchdog_init(struct watchdog *d)
{
	d->armed = 0;
	d->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return d->fd < 0 ? -errno : 0;
}

void watchdog_fini(struct watchdog *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

void watchdog_start(struct watchdog *d)
{
	const struct itimerspec once = { .it_value = { 0, WATCHDOG_NS } };

	rp_store(&d->armed, 1);
	if (timerfd_settime(d->fd, 0, &once, NULL))
		log_error("no watchdog: its timer does not start: %m");
}
