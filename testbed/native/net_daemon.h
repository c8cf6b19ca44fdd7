/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ringpaced of our own that serves ports, in the run directory: one at a time of a name.
 * Functions return 0, or -1 after fail(). One thread at a time.
 */
#ifndef NATIVE_NET_DAEMON_H
#define NATIVE_NET_DAEMON_H

#include "ctl.h"

/* For a busy host, and a sanitized daemon. */
#define NET_DAEMON_TIMEOUT_MS	30000

struct net_daemon {
	const char *name;	/* its files begin with it; NULL: "net" */
	pid_t pid;
	struct ctl ctl;
	bool has_ctl;
	char control[160];
	char log[160];
};

/*
 * With @args, which NULL ends, behind --control: ports, links, pacers.
 * net_daemon_stop() undoes it, in both cases.
 */
int net_daemon_start(struct net_daemon *d, char *const args[]);
void net_daemon_stop(struct net_daemon *d);
/* 0, or -1 after fail(): it has ended. */
int net_daemon_check(struct net_daemon *d);
/* As ctl_call(). */
json_t *net_daemon_call(struct net_daemon *d, const char *cmd, json_t *args);
/* STATS of a queue, or NULL after fail(). */
json_t *net_daemon_stats(struct net_daemon *d, const char *port, u32 queue);

#endif /* NATIVE_NET_DAEMON_H */
