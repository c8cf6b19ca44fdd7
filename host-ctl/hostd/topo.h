/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cores that may be given to tenants, and their clocks, as sysfs tells them. */
#ifndef HOSTD_TOPO_H
#define HOSTD_TOPO_H

#include <sched.h>

#include "../policy.h"

#define TOPO_CORES_MAX	256u

/* What is done about clocks: nothing; by cpufreq; or where that is not, by a stand-in. */
enum topo_clocks { CLOCKS_NONE, CLOCKS_SET, CLOCKS_QUOTA };

struct topo {
	u32 cores, threads;	/* threads: that every core has, 1 or 2 */
	struct topo_core {
		u32 threads, cpu[2];
	} core[TOPO_CORES_MAX];
	bool clocks;		/* cpufreq is there for all of them, or they are .emulated */
	bool emulated;		/* by quotas (quota.h): then 1 GHz is the whole of a CPU */
	u32 khz[HC_FREQS_MAX];
	u32 nominal;		/* index of the highest clock that is no turbo */
	struct hc_host host;
};

/* NULL, or why not. */
const char *topo_read(struct topo *t, const char *sysfs, const cpu_set_t *cpus,
		      enum topo_clocks clocks);
/* What part of a CPU's time an emulated clock is; 100: all of it. */
u32 topo_percent(const struct topo *t, u32 freq);

#endif /* HOSTD_TOPO_H */
