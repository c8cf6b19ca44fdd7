// SPDX-License-Identifier: GPL-2.0-or-later
/* DPDK's testpmd as a forwarder: io forward between two vhost ports. It always polls. */
#include <stdlib.h>
#include <unistd.h>

#include "packets/forwarder.h"

#define PROGRAM		"dpdk-testpmd"

static int open_testpmd(struct forwarder *f)
{
	if (system("command -v " PROGRAM " >/dev/null 2>&1"))
		return fail(PROGRAM " is not there: apt install dpdk-dev");
	return 0;
}

static int start(struct forwarder *f, const struct forward_load *l, u32 batch)
{
	char cpus[32], vdev[2][256], burst[32], prefix[64];
	char *argv[] = {
		PROGRAM, "-l", cpus, "--no-huge", "-m", "1024", "--no-pci",
		"--no-telemetry", "--log-level=4", "--file-prefix", prefix,
		"--vdev", vdev[0], "--vdev", vdev[1], "--", "--forward-mode=io",
		"--auto-start", "--nb-cores=1", burst, "--total-num-mbufs=65536",
		"--stats-period=86400", NULL
	};
	u32 i;

	if (forwarder_paths(f))
		return -1;
	/* Its first core only waits; the second one forwards. */
	snprintf(cpus, sizeof(cpus), "%d,%d", nth_cpu(0), nth_cpu(1));
	snprintf(burst, sizeof(burst), "--burst=%u", batch);
	snprintf(prefix, sizeof(prefix), "ringpace-%d", getpid());
	/* What a guest leaves to its card (legacy-ol-flags) is handed on, as between real guests it must be. */
	for (i = 0; i < 2; i++)
		snprintf(vdev[i], sizeof(vdev[i]),
			 "net_vhost%u,iface=%s,queues=1,tso=1,legacy-ol-flags=1", i, f->socket[i]);
	f->pid = child_start(argv, f->log);
	return f->pid > 0 ? forwarder_await(f, f->pid) : -1;
}

static void stop(struct forwarder *f)
{
	u32 i;

	child_stop(f->pid);
	f->pid = -1;
	for (i = 0; i < 2; i++)
		unlink(f->socket[i]);
}

const struct forwarder_ops forwarder_testpmd = {
	.name = "testpmd",
	.open = open_testpmd,
	.start = start,
	.stop = stop,
};
