// SPDX-License-Identifier: GPL-2.0-or-later
/* Ringpaced as a forwarder: two ports, a link, a pacer. */
#include <unistd.h>

#include "packets/forwarder.h"

#define FULL_MS		100u

/* Below saturation as it comes; saturated it polls, as its peers do. */
static void say_pacing(const struct forwarder *f, const struct forward_load *l, u32 batch,
		       char *arg, size_t bytes)
{
	if (l->percent)
		snprintf(arg, bytes, "strategy=adaptive,dmax-ns=%llu",
			 (unsigned long long)f->params->dmax_ns);
	else
		snprintf(arg, bytes, "strategy=busy,burst=%u", batch);
}

static int start(struct forwarder *f, const struct forward_load *l, u32 batch)
{
	char port[2][320], pacing[64], cpu[16];
	char *args[] = { "--pacers", cpu, "--port", port[0], "--port", port[1],
			 "--link", "a,b", NULL };
	u32 i;

	if (forwarder_paths(f))
		return -1;
	say_pacing(f, l, batch, pacing, sizeof(pacing));
	snprintf(cpu, sizeof(cpu), "%d", nth_cpu(1));
	for (i = 0; i < 2; i++)
		snprintf(port[i], sizeof(port[i]), "%c,socket=%s,full-ms=%u,%s", 'a' + i,
			 f->socket[i], FULL_MS, pacing);
	f->daemon.name = f->name;
	if (net_daemon_start(&f->daemon, args))
		return -1;
	f->pid = f->daemon.pid;
	snprintf(f->log, sizeof(f->log), "%s", f->daemon.log);
	return 0;
}

static void stop(struct forwarder *f)
{
	u32 i;

	net_daemon_stop(&f->daemon);
	f->pid = -1;
	for (i = 0; i < 2; i++)
		unlink(f->socket[i]);
}

const struct forwarder_ops forwarder_ringpaced = {
	.name = "ringpaced",
	.start = start,
	.stop = stop,
};
