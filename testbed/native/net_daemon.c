// SPDX-License-Identifier: GPL-2.0-or-later
/* Starts, stops and asks a ringpaced that serves ports. */
#include "net_daemon.h"

#include <stdlib.h>
#include <unistd.h>

static int await_control(struct net_daemon *d)
{
	u64 end = now_ns() + NET_DAEMON_TIMEOUT_MS * 1000000ULL;

	while (access(d->control, F_OK)) {
		if (!child_alive(d->pid) || now_ns() > end)
			return fail("ringpaced does not start: %s", log_tail(d->log));
		if (!nap_ms(2))
			return -1;
	}
	d->has_ctl = !ctl_open(&d->ctl, d->control, NET_DAEMON_TIMEOUT_MS);
	return d->has_ctl ? 0 : -1;
}

int net_daemon_start(struct net_daemon *d, char *const args[])
{
	const char *program = own_program("ringpaced"), *dir = run_dir();
	const char *name = d->name ? d->name : "net";
	char **argv;
	u32 n = 0, i;

	d->pid = -1;
	d->has_ctl = false;
	if (!program || !dir)
		return -1;
	snprintf(d->control, sizeof(d->control), "%s/%s-control.sock", dir, name);
	snprintf(d->log, sizeof(d->log), "%s/%s-ringpaced.log", dir, name);
	while (args[n])
		n++;
	argv = calloc(n + 4, sizeof(*argv));
	if (!argv)
		abort();
	argv[0] = (char *)program;
	argv[1] = "--control";
	argv[2] = d->control;
	for (i = 0; i < n; i++)
		argv[3 + i] = args[i];
	d->pid = child_start(argv, d->log);
	free(argv);
	return d->pid < 0 ? -1 : await_control(d);
}

void net_daemon_stop(struct net_daemon *d)
{
	if (d->has_ctl)
		ctl_close(&d->ctl);
	d->has_ctl = false;
	child_stop(d->pid);
	d->pid = -1;
	/* What a killed daemon left must not be taken for a new one's. */
	unlink(d->control);
}

int net_daemon_check(struct net_daemon *d)
{
	if (child_alive(d->pid))
		return 0;
	return fail("ringpaced ended in the run: %s", log_tail(d->log));
}

json_t *net_daemon_call(struct net_daemon *d, const char *cmd, json_t *args)
{
	return ctl_call(&d->ctl, cmd, args, NET_DAEMON_TIMEOUT_MS);
}

json_t *net_daemon_stats(struct net_daemon *d, const char *port, u32 queue)
{
	json_t *v = net_daemon_call(d, "stats", json_pack("{s:s, s:i}", "device", port, "queue",
							  (int)queue));
	json_t *stats = json_incref(json_object_get(v, "stats"));

	json_decref(v);
	return stats;
}
