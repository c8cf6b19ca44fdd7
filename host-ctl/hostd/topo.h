/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cores that may be given to tenants, and their clocks, as sysfs tells them. */
#ifndef HOSTD_TOPO_H
#define HOSTD_TOPO_H

#include <sched.h>

#include "../policy.h"

#define TOPO_CORES_MAX	256u

struct topo {
	u32 cores, threads;	/* threads: that every core has, 1 or 2 */
	struct topo_core {
		u32 threads, cpu[2];
	} core[TOPO_CORES_MAX];
	bool clocks;		/* cpufreq is there for all of them */
	u32 khz[HC_FREQS_MAX];
	u32 nominal;		/* index of the highest clock that is no turbo */
	struct hc_host host;
};

/* NULL, or why not. @clocks: whether they may be set. */
const char *topo_read(struct topo *t, const char *sysfs, const cpu_set_t *cpus, bool clocks);

#endif /* HOSTD_TOPO_H */
