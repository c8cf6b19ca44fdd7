/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ringpaced and an rp-dataplane, as a process or in a VM, that outlive the command that
 * started them, in a directory that says which they are: processes by pid and the time of
 * their start, so that a pid that was given to another one meanwhile is not taken for theirs,
 * the VM by its name. Functions return 0, or -1 after fail().
 */
#ifndef DATAPLANE_SERVICE_H
#define DATAPLANE_SERVICE_H

#include <jansson.h>

#include "ctl.h"

#define SERVICE_TIMEOUT_MS	30000u

struct service {
	char dir[128];		/* mode 0700, ours */
};

/* In @dir, or, NULL, in the user's own. */
int service_in(struct service *s, const char *dir);
/* DIR/NAME, static, of four in turn. */
const char *service_path(const struct service *s, const char *name);
/* Do both run? Others of that directory do not count. */
bool service_runs(const struct service *s);

struct service_options {
	bool vm;		/* rp-dataplane is in a VM */
	u32 threads, groups;
	const char *tap;	/* port a is this tap of the host's; NULL: a vhost-user socket */
	char *const *more;	/* of rp-dataplane, as it has them; NULL ends them */
};

/*
 * Starts ringpaced with a pair for each thread at port b, steered by a table of ->groups
 * entries, and rp-dataplane there, and returns when both take orders.
 */
int service_start(const struct service *s, const struct service_options *o);
/* Ends what runs and removes the directory; harmless when there is nothing. */
int service_stop(const struct service *s);

#endif /* DATAPLANE_SERVICE_H */
