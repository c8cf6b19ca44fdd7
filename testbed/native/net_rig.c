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
		 r->tap[i] ? "tap" : "socket", r->tap[i] ? r->tap[i] : r->socket[i],
		 r->pairs, r->full_ms, r->pacing ? "," : "", r->pacing ? r->pacing : "",
		 r->more[i] ? "," : "", r->more[i] ? r->more[i] : "");
}

static pid_t start_daemon(struct net_rig *r, const char *program)
{
	const char *argv[16] = {
		program, "--control", r->control, "--pacers", r->pacers ? r->pacers : "x1"
	};
	char port[NET_RIG_PORTS][400];
	u32 n = 5, i;

	for (i = 0; i < ports(r); i++) {
		say_port(r, port[i], sizeof(port[i]), i);
		argv[n++] = "--port";
		argv[n++] = port[i];
	}
	argv[n++] = r->switched ? "--switch" : "--link";
	argv[n] = r->switched ? r->switched : "a,b";
	return child_start((char *const *)argv, r->log);
}

static int launch(struct net_rig *r)
{
	const char *program = own_program("ringpaced");
	u64 end = now_ns() + NET_RIG_TIMEOUT_MS * 1000000ULL;

	if (!program)
		return -1;
	r->pid = start_daemon(r, program);
	if (r->pid < 0)
		return -1;
	while (access(r->control, F_OK)) {
		if (!child_alive(r->pid) || now_ns() > end)
			return fail("ringpaced does not start: %s", log_tail(r->log));
		if (!nap_ms(2))
			return -1;
	}
	r->has_ctl = !ctl_open(&r->ctl, r->control, NET_RIG_TIMEOUT_MS);
	return r->has_ctl ? 0 : -1;
}

static void end_daemon(struct net_rig *r)
{
	u32 i;

	if (r->has_ctl)
		ctl_close(&r->ctl);
	r->has_ctl = false;
	child_stop(r->pid);
	r->pid = -1;
	/* What a killed daemon left must not be taken for a new one's. */
	unlink(r->control);
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

	r->pid = -1;
	r->has_ctl = false;
	memset(r->at, 0, sizeof(r->at));
	if (!dir)
		return -1;
	for (i = 0; i < ports(r); i++)
		snprintf(r->socket[i], sizeof(r->socket[i]), "%s/%c.sock", dir, 'a' + i);
	snprintf(r->control, sizeof(r->control), "%s/net-control.sock", dir);
	snprintf(r->log, sizeof(r->log), "%s/net-ringpaced.log", dir);
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

	kill(r->pid, sig);
	while (child_alive(r->pid))
		if (now_ns() > end || !nap_ms(1))
			return fail("ringpaced does not end by signal %d", sig);
	end_daemon(r);
	return launch(r);
}

json_t *net_rig_call(struct net_rig *r, const char *cmd, json_t *args)
{
	return ctl_call(&r->ctl, cmd, args, NET_RIG_TIMEOUT_MS);
}

double net_rig_number(struct net_rig *r, const char *port, u32 queue, const char *key)
{
	json_t *v = net_rig_call(r, "stats", json_pack("{s:s, s:i}", "device", port, "queue",
						       (int)queue));
	const json_t *stats = json_object_get(v, "stats");
	const char *dot = strchr(key, '.');
	double number;

	/* Of an object in it: there is one, "dropped". */
	if (dot)
		stats = json_object_get(stats, "dropped");
	number = json_number_at(stats, dot ? dot + 1 : key);
	json_decref(v);
	return number;
}
