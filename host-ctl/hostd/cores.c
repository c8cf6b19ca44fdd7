// SPDX-License-Identifier: GPL-2.0-or-later
#include "cores.h"

bool cores_taken(const struct cores *c, u32 core)
{
	u32 t, i;

	for (t = 0; t < HC_TENANTS_MAX; t++)
		for (i = 0; i < c->count[t]; i++)
			if (c->core[t][i] == core)
				return true;
	return false;
}

u32 cores_with(const struct cores *c, u32 tenant, u32 n, u16 core[TOPO_CORES_MAX])
{
	u32 have = c->count[tenant] < n ? c->count[tenant] : n, next;

	memcpy(core, c->core[tenant], have * sizeof(core[0]));
	for (next = 0; next < c->topo->cores && have < n; next++)
		if (!cores_taken(c, next))
			core[have++] = (u16)next;
	return have;
}

void cores_set(struct cores *c, u32 tenant, u32 n)
{
	c->count[tenant] = (u16)cores_with(c, tenant, n, c->core[tenant]);
}

bool cores_adopt(struct cores *c, u32 tenant, const u16 *core, u32 n)
{
	u32 i;

	c->count[tenant] = 0;
	for (i = 0; i < n; i++) {
		if (core[i] >= c->topo->cores || cores_taken(c, core[i])) {
			c->count[tenant] = 0;
			return false;
		}
		c->core[tenant][i] = core[i];
		c->count[tenant]++;
	}
	return true;
}

void cores_cpus(const struct cores *c, const u16 *core, u32 n, u32 threads, cpu_set_t *cpus)
{
	u32 i, k;

	CPU_ZERO(cpus);
	for (i = 0; i < n; i++) {
		const struct topo_core *t = &c->topo->core[core[i]];

		for (k = 0; k < t->threads && k < threads; k++)
			CPU_SET(t->cpu[k], cpus);
	}
}

u32 cores_free(const struct cores *c, u32 tenant, u32 n, u16 core[TOPO_CORES_MAX])
{
	struct cores after = *c;
	u32 i, count = 0;

	cores_set(&after, tenant, n);
	for (i = 0; i < c->topo->cores; i++)
		if (!cores_taken(&after, i))
			core[count++] = (u16)i;
	return count;
}
