/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes a tenant has: by its pidfile, or all of a cgroup. */
#ifndef HOSTD_PIDS_H
#define HOSTD_PIDS_H

#include <sys/types.h>
#include <time.h>

#include "conf.h"

#define PIDS_MAX	1024u

struct pids {
	u32 count;
	pid_t pid[PIDS_MAX];
	/* The pidfile as it was when they were read from it; .inode 0: it has to be read again */
	dev_t device;
	ino_t inode;
	off_t bytes;
	struct timespec changed;
};

/* Never ourselves, nor init, whatever a file says. */
bool pids_may_touch(long pid);
/*
 * Looks for them anew, of a pidfile that nobody has touched by one call. True: they are others
 * than before. All zero before the first call.
 */
bool pids_look(struct pids *p, const struct conf_tenant *t);

#endif /* HOSTD_PIDS_H */
