// SPDX-License-Identifier: GPL-2.0-or-later
/* What forwarders have in common. */
#include "packets/forwarder.h"

#include "bench/options.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct forwarder_ops *const forwarders[FORWARDERS] = {
	[RINGPACED] = &forwarder_ringpaced,
	[TESTPMD] = &forwarder_testpmd,
	[OVS] = &forwarder_ovs,
};

static void open_one(struct forwarder *f, const struct forwarder_ops *ops,
		     const struct forwarder_params *params)
{
	memset(f, 0, sizeof(*f));
	f->ops = ops;
	f->name = ops->name;
	f->params = params;
	f->pid = f->database = f->daemon.pid = -1;
	/* Why it cannot be measured is part of the result. */
	fail_capture(f->why_not, sizeof(f->why_not));
	f->there = !ops->open || !ops->open(f);
	fail_capture(NULL, 0);
	if (!f->there && ops->close)
		ops->close(f);
}

int forwarders_open(struct forwarder f[FORWARDERS], const struct peers *p,
		    const struct forwarder_params *params)
{
	u32 i;

	for (i = 0; i < FORWARDERS && !stopped(); i++) {
		if (i != RINGPACED && !(p->who & 1u << i)) {
			snprintf(f[i].why_not, sizeof(f[i].why_not), "--peers does not name it");
			continue;
		}
		open_one(&f[i], forwarders[i], params);
		if (!f[i].there && (i == RINGPACED || p->given))
			return fail("%s", f[i].why_not);
	}
	return stopped() ? -1 : 0;
}

void forwarders_close(struct forwarder f[FORWARDERS])
{
	u32 i;

	for (i = 0; i < FORWARDERS; i++)
		if (f[i].ops && f[i].ops->close)
			f[i].ops->close(&f[i]);
}

json_t *forwarders_json(const struct forwarder f[FORWARDERS])
{
	json_t *v = json_object();
	u32 i;

	for (i = RINGPACED + 1; i < FORWARDERS; i++)
		json_object_set_new(v, forwarders[i]->name,
				    json_pack("{s:b, s:s?}", "measured", f[i].there, "why_not",
					      f[i].there ? NULL : f[i].why_not));
	return v;
}

/* Ringpaced is none of them. */
static const char *peer_name(u32 i)
{
	return i + 1 < FORWARDERS ? forwarders[i + 1]->name : NULL;
}

void opt_peers(struct argp_state *state, const char *arg, struct peers *p)
{
	*p = (struct peers){ .given = true };
	if (strcmp(arg, "none"))
		p->who = opt_names(state, "peers", arg, peer_name) << (RINGPACED + 1);
}

int forwarder_paths(struct forwarder *f)
{
	const char *dir = run_dir();
	u32 i;

	if (!dir)
		return -1;
	for (i = 0; i < 2; i++)
		snprintf(f->socket[i], sizeof(f->socket[i]), "%s/%s%u", dir, f->name, i);
	snprintf(f->log, sizeof(f->log), "%s/%s.log", dir, f->name);
	/* What DPDK keeps of a process lies in there, too, and goes with it. */
	return setenv("RUNTIME_DIRECTORY", dir, 1) ?
		fail("bench packets: cannot set RUNTIME_DIRECTORY: %m") : 0;
}

int forwarder_await(struct forwarder *f, pid_t pid)
{
	u64 end = now_ns() + FORWARDER_START_NS;

	while (access(f->socket[0], F_OK) || access(f->socket[1], F_OK)) {
		if (!child_alive(pid) || now_ns() > end)
			return fail("bench packets: %s does not start: %s", f->ops->name,
				    log_tail(f->log));
		if (!nap_ms(5))
			return -1;
	}
	return 0;
}

double forwarder_cpu_ns(const struct forwarder *f)
{
	struct timespec ts;
	clockid_t clock;

	if (f->pid <= 0 || clock_getcpuclockid(f->pid, &clock) || clock_gettime(clock, &ts))
		return UNKNOWN;
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}
