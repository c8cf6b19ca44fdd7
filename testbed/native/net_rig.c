// SPDX-License-Identifier: GPL-2.0-or-later
/* A ringpaced with ports, and who is at them. */
#include "net_rig.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "json.h"

static u32 ports(const struct net_rig *r)
{
	return r->ports ? r->ports : 2;
}

static void say_port(const struct net_rig *r, char *arg, size_t bytes, u32 i)
{
	snprintf(arg, bytes, "%c,%s=%s,pairs=%u,full-ms=%u%s%s%s%s", 'a' + i,
		 r->nic[i] ? "nic" : r->tap[i] ? "tap" : "socket", r->tap[i] ? r->tap[i] : r->socket[i],
		 r->pairs, r->full_ms, r->pacing ? "," : "", r->pacing ? r->pacing : "",
		 r->more[i] ? "," : "", r->more[i] ? r->more[i] : "");
}

static int launch(struct net_rig *r)
{
	const char *args[2 * NET_RIG_PORTS + 7] = { "--pacers", r->pacers ? r->pacers : "x1" };
	char port[NET_RIG_PORTS][400];
	u32 n = 2, i;

	for (i = 0; i < ports(r); i++) {
		say_port(r, port[i], sizeof(port[i]), i);
		args[n++] = "--port";
		args[n++] = port[i];
	}
	args[n++] = r->switched ? "--switch" : "--link";
	args[n++] = r->switched ? r->switched : "a,b";
	if (r->state) {
		args[n++] = "--state";
		args[n] = r->state;
	}
	return net_daemon_start(&r->daemon, (char *const *)args);
}

static void end_daemon(struct net_rig *r)
{
	u32 i;

	net_daemon_stop(&r->daemon);
	for (i = 0; i < ports(r); i++)
		unlink(r->socket[i]);
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
	u32 i;

	r->daemon.pid = -1;
	r->daemon.has_ctl = false;
	memset(r->at, 0, sizeof(r->at));
	if (!dir)
		return -1;
	for (i = 0; i < ports(r); i++)
		snprintf(r->socket[i], sizeof(r->socket[i]), "%s/%c.sock", dir, 'a' + i);
	if (launch(r))
		return -1;
	for (i = ports(r); i-- > 0;)
		if (!r->tap[i] && open_end(r, &r->at[i], i))
			return -1;
	return 0;
}

void net_rig_close(struct net_rig *r)
{
	u32 i;

	for (i = 0; i < ports(r); i++)
		net_end_close(&r->at[i]);
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
	char object[32];
	double number;

	snprintf(object, sizeof(object), "%.*s", dot ? (int)(dot - key) : 0, key);
	number = json_number_at(dot ? json_object_get(stats, object) : stats,
				dot ? dot + 1 : key);
	json_decref(stats);
	return number;
}
