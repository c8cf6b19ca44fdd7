/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders to the devices of vhost_pc.ko, which other processes hold, through
 * its control file: the commands, arguments and results of ringpaced's control
 * protocol (docs/control.md), by ioctls.
 */
#ifndef TESTBED_KVHOST_H
#define TESTBED_KVHOST_H

#include <jansson.h>

#include "util.h"

#define KVHOST_CONTROL	"/dev/vhost-pc-control"

/* Can this process give orders? False, and why not in *@why (static). */
bool kvhost_available(const char **why);
/* A descriptor of the control file, or -1 after fail(). */
int kvhost_open(void);

/*
 * As ctl_call(): list, set, start, stop, reset, stats, trace. A device's name
 * is its number. @args is an object or NULL, its reference is taken. A new
 * reference, or NULL after fail(). The device that @fd has selected changes.
 */
json_t *kvhost_call(int fd, const char *cmd, json_t *args);

#endif /* TESTBED_KVHOST_H */
