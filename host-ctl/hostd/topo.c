// SPDX-License-Identifier: GPL-2.0-or-later
#include "topo.h"

#include <stdlib.h>

#include "cpulist.h"
#include "sysfs.h"

#define SMT_GAIN	1.3	/* until it is measured */
#define CLOCKS_MADE	8u	/* between lowest and highest, where no list of them is told */
/* Emulated: from half of a CPU, as 000's lowest is half of its nominal clock, to all of it. */
#define EMULATED	6u
#define EMULATED_MIN	50u	/* percent */
#define KHZ_PERCENT	10000u

/* ---- Cores ---- */

static void siblings_of(const char *sysfs, u32 cpu, const cpu_set_t *cpus, cpu_set_t *set)
{
	char file[96], text[SYSFS_TEXT];

	snprintf(file, sizeof(file), SYSFS_CPU "/cpu%u/topology/thread_siblings_list", cpu);
	if (sysfs_read(sysfs, file, text) || !cpulist_parse(text, set) || !CPU_ISSET(cpu, set)) {
		CPU_ZERO(set);
		CPU_SET(cpu, set);
	}
	CPU_AND(set, set, cpus);
}

static void add_core(struct topo *t, const cpu_set_t *siblings)
{
	struct topo_core *c = &t->core[t->cores++];
	u32 cpu;

	*c = (struct topo_core){ 0 };
	for (cpu = 0; cpu < CPU_SETSIZE && c->threads < 2; cpu++)
		if (CPU_ISSET(cpu, siblings))
			c->cpu[c->threads++] = cpu;
}

static const char *read_cores(struct topo *t, const char *sysfs, const cpu_set_t *cpus)
{
	static char why[64];
	cpu_set_t left = *cpus, siblings;
	char text[SYSFS_TEXT];
	cpu_set_t online;
	u32 cpu, i;

	if (sysfs_read(sysfs, SYSFS_CPU "/online", text) || !cpulist_parse(text, &online))
		return "it cannot be told which CPUs are online";
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &left))
			continue;
		if (!CPU_ISSET(cpu, &online)) {
			snprintf(why, sizeof(why), "CPU %u is not online", cpu);
			return why;
		}
		if (t->cores == TOPO_CORES_MAX)
			return "more cores than can be managed, which is 256";
		siblings_of(sysfs, cpu, cpus, &siblings);
		add_core(t, &siblings);
		CPU_XOR(&siblings, &siblings, &left);
		CPU_AND(&left, &left, &siblings);
	}
	t->threads = 2;
	for (i = 0; i < t->cores; i++)
		if (t->core[i].threads < t->threads)
			t->threads = t->core[i].threads;
	return NULL;
}

/* ---- Clocks ---- */

static bool clock_u64(const char *sysfs, u32 cpu, const char *name, u64 *v)
{
	char file[96];

	snprintf(file, sizeof(file), SYSFS_CPU "/cpu%u/cpufreq/%s", cpu, name);
	return !sysfs_u64(sysfs, file, v) && *v && *v < UINT32_MAX;
}

static int by_value(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

/* Adds a clock that is not there yet; the list is sorted later. */
static void add_clock(struct topo *t, u64 khz)
{
	u32 i;

	for (i = 0; i < t->host.freqs; i++)
		if (t->khz[i] == khz)
			return;
	if (t->host.freqs < HC_FREQS_MAX)
		t->khz[t->host.freqs++] = (u32)khz;
}

static void list_clocks(struct topo *t, const char *sysfs, u32 cpu, u64 min, u64 max, u64 base)
{
	char file[96], text[SYSFS_TEXT], *at = text, *end;
	u64 khz;
	u32 i;

	snprintf(file, sizeof(file), SYSFS_CPU "/cpu%u/cpufreq/scaling_available_frequencies", cpu);
	if (!sysfs_read(sysfs, file, text)) {
		for (khz = strtoull(at, &end, 10); end > at; khz = strtoull(at, &end, 10)) {
			if (khz >= min && khz <= max)
				add_clock(t, khz);
			at = end;
		}
	} else {
		for (i = 0; i < CLOCKS_MADE; i++)
			add_clock(t, min + (base - min) * i / (CLOCKS_MADE - 1));
	}
	add_clock(t, base);
	add_clock(t, max);
}

static bool read_clocks(struct topo *t, const char *sysfs)
{
	u64 min, max, base, other;
	u32 i;

	if (!clock_u64(sysfs, t->core[0].cpu[0], "cpuinfo_min_freq", &min) ||
	    !clock_u64(sysfs, t->core[0].cpu[0], "cpuinfo_max_freq", &max) || max < min)
		return false;
	/* Cores that differ are none that one table of clocks describes. */
	for (i = 1; i < t->cores; i++)
		if (!clock_u64(sysfs, t->core[i].cpu[0], "cpuinfo_max_freq", &other) ||
		    other != max)
			return false;
	if (!clock_u64(sysfs, t->core[0].cpu[0], "base_frequency", &base) || base < min ||
	    base > max)
		base = max;
	list_clocks(t, sysfs, t->core[0].cpu[0], min, max, base);
	qsort(t->khz, t->host.freqs, sizeof(t->khz[0]), by_value);
	for (i = 0; i < t->host.freqs; i++) {
		t->host.ghz[i] = t->khz[i] / 1e6;
		if (t->khz[i] <= base)
			t->nominal = i;
	}
	return true;
}

static void make_clocks(struct topo *t)
{
	u32 i;

	for (i = 0; i < EMULATED; i++) {
		t->khz[i] = KHZ_PERCENT * (EMULATED_MIN + (100 - EMULATED_MIN) * i / (EMULATED - 1));
		t->host.ghz[i] = t->khz[i] / 1e6;
	}
	t->host.freqs = EMULATED;
	t->nominal = EMULATED - 1;
	t->emulated = true;
}

u32 topo_percent(const struct topo *t, u32 freq)
{
	return t->khz[freq] / KHZ_PERCENT;
}

const char *topo_read(struct topo *t, const char *sysfs, const cpu_set_t *cpus,
		      enum topo_clocks clocks)
{
	const char *why;

	*t = (struct topo){ .host = { .smt = SMT_GAIN } };
	why = read_cores(t, sysfs, cpus);
	if (why)
		return why;
	t->host.cores = t->cores;
	t->clocks = clocks != CLOCKS_NONE && read_clocks(t, sysfs);
	if (!t->clocks && clocks == CLOCKS_QUOTA) {
		make_clocks(t);
		t->clocks = true;
	} else if (!t->clocks) {
		/* One clock, whatever it is. */
		t->host.freqs = 1;
		t->host.ghz[0] = 1;
	}
	return NULL;
}
