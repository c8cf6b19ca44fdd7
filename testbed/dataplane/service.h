/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ringpaced and an rp-dataplane that outlive the command that started them, in a
 * directory that says which processes they are: by pid and the time of their start, so
 * that a pid that was given to another one meanwhile is not taken for theirs.
 * Functions return 0, or -1 after fail().
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
/* Do both processes run? Others of that directory do not count. */
bool service_runs(const struct service *s);
/*
 * Starts ringpaced with @threads pairs at port b, steered by @groups entries, and
 * rp-dataplane there with @more, which NULL ends.
 */
int service_start(const struct service *s, u32 threads, u32 groups, char *const more[]);
/* Ends what runs and removes the directory; harmless when there is nothing. */
int service_stop(const struct service *s);

#endif /* DATAPLANE_SERVICE_H */
