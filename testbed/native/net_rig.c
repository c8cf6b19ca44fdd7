// SPDX-License-Identifier: GPL-2.0-or-later
/* A ringpaced with two linked ports, and who is at them. */
#include "net_rig.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

static void say_port(const struct net_rig *r, char *arg, size_t bytes, u32 i)
{
	snprintf(arg, bytes, "%c,socket=%s,pairs=%u,full-ms=%u%s%s", 'a' + i, r->socket[i],
		 r->pairs, r->full_ms, r->pacing ? "," : "", r->pacing ? r->pacing : "");
}

static int launch(struct net_rig *r)
{
	char a[320], b[320];
	char *args[] = {
		"--port", a, "--port", b, "--link", "a,b", "--pacers",
		(char *)(r->pacers ? r->pacers : "x1"), NULL
	};

	say_port(r, a, sizeof(a), 0);
	say_port(r, b, sizeof(b), 1);
	return net_daemon_start(&r->daemon, args);
}

static void end_daemon(struct net_rig *r)
{
	net_daemon_stop(&r->daemon);
	unlink(r->socket[0]);
	unlink(r->socket[1]);
}

static int open_end(struct net_rig *r, struct net_end *e, u32 i)
{
	struct net_end_options o = r->end[i];

	o.socket = r->socket[i];
	o.timeout_ms = NET_RIG_TIMEOUT_MS;
	return net_end_open(e, &o);
}

int net_rig_open(struct net_rig *r)
{
	const char *dir = run_dir();

	r->daemon.pid = -1;
	r->daemon.has_ctl = false;
	memset(&r->a, 0, sizeof(r->a));
	memset(&r->b, 0, sizeof(r->b));
	if (!dir)
		return -1;
	snprintf(r->socket[0], sizeof(r->socket[0]), "%s/a.sock", dir);
	snprintf(r->socket[1], sizeof(r->socket[1]), "%s/b.sock", dir);
	return launch(r) || open_end(r, &r->b, 1) || open_end(r, &r->a, 0) ? -1 : 0;
}

void net_rig_close(struct net_rig *r)
{
	net_end_close(&r->a);
	net_end_close(&r->b);
	end_daemon(r);
}

int net_rig_restart(struct net_rig *r, int sig)
{
	u64 end = now_ns() + NET_RIG_TIMEOUT_MS * 1000000ULL;

	kill(r->daemon.pid, sig);
	while (child_alive(r->daemon.pid))
		if (now_ns() > end || !nap_ms(1))
			return fail("ringpaced does not end by signal %d", sig);
	end_daemon(r);
	return launch(r);
}

json_t *net_rig_call(struct net_rig *r, const char *cmd, json_t *args)
{
	return net_daemon_call(&r->daemon, cmd, args);
}

double net_rig_number(struct net_rig *r, const char *port, u32 queue, const char *key)
{
	json_t *stats = net_daemon_stats(&r->daemon, port, queue);
	const char *dot = strchr(key, '.');
	double number;

	/* Of an object in it: there is one, "dropped". */
	number = json_number_at(dot ? json_object_get(stats, "dropped") : stats,
				dot ? dot + 1 : key);
	json_decref(stats);
	return number;
}
