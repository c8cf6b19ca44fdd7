/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which core is whose. A tenant's cores are a list: it grows by the first free ones and
 * shrinks from its end, so that what a change will lead to is known before it is made,
 * and a change that is taken back leads to where it began.
 */
#ifndef HOSTD_CORES_H
#define HOSTD_CORES_H

#include "../control.h"
#include "topo.h"

struct cores {
	const struct topo *topo;
	u16 count[HC_TENANTS_MAX];
	u16 core[HC_TENANTS_MAX][TOPO_CORES_MAX];	/* indices of topo->core */
};

/* The cores that @tenant has with @n of them; how many, less when none is free. */
u32 cores_with(const struct cores *c, u32 tenant, u32 n, u16 core[TOPO_CORES_MAX]);
/* Makes it so. */
void cores_set(struct cores *c, u32 tenant, u32 n);
/* The same cores, in that order, as they are told; false: one is another's or not there. */
bool cores_adopt(struct cores *c, u32 tenant, const u16 *core, u32 n);
/* The CPUs of @n cores with @threads each. */
void cores_cpus(const struct cores *c, const u16 *core, u32 n, u32 threads, cpu_set_t *cpus);
/* All cores that nobody has once @tenant has @n of them, ascending; how many. */
u32 cores_free(const struct cores *c, u32 tenant, u32 n, u16 core[TOPO_CORES_MAX]);
/* Has any tenant that core? */
bool cores_taken(const struct cores *c, u32 core);

#endif /* HOSTD_CORES_H */
