// SPDX-License-Identifier: GPL-2.0-or-later
/* Sends orders to the daemon or to the kernel. */
#include "orders.h"

#include <unistd.h>

#include "kvhost/kvhost.h"

void orders_init(struct orders *o)
{
	*o = (struct orders){ .ctl.fd = -1, .kernel_fd = -1 };
}

int orders_open_daemon(struct orders *o, const char *path, u32 timeout_ms)
{
	return ctl_open(&o->ctl, path, timeout_ms);
}

int orders_open_kernel(struct orders *o)
{
	o->kernel_fd = kvhost_open();
	return o->kernel_fd < 0 ? -1 : 0;
}

void orders_close(struct orders *o)
{
	ctl_close(&o->ctl);
	if (o->kernel_fd >= 0)
		close(o->kernel_fd);
	o->kernel_fd = -1;
}

json_t *orders_call(struct orders *o, const char *cmd, json_t *args, u32 timeout_ms)
{
	if (o->kernel_fd >= 0)
		return kvhost_call(o->kernel_fd, cmd, args);
	return ctl_call(&o->ctl, cmd, args, timeout_ms);
}
