/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clocks of cores by cpufreq: limits, governor, energy preference, turbo. */
#ifndef HOSTD_CPUFREQ_H
#define HOSTD_CPUFREQ_H

#include "topo.h"
#include "undo.h"

struct clock {
	const char *sysfs;
	const struct topo *topo;
	struct undo *undo;
	u16 set[TOPO_CORES_MAX];	/* the clock that each core was set to, and 1; 0: none */
};

/* Sets all CPUs of a core; 0, or -errno, also when the kernel shows another clock after it. */
int clock_set(struct clock *c, u32 core, u32 freq);
/* As it was before. */
void clock_give_back(struct clock *c, u32 core);
/* Is turbo wanted by anybody? 0 or -errno. */
int clock_turbo(struct clock *c, bool on);

extern const struct undo_kind clock_kind;

#endif /* HOSTD_CPUFREQ_H */
