/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sysfs of files: four cores of two threads each, cpufreq, two packages of RAPL. */
#ifndef UNIT_FAKE_HOST_H
#define UNIT_FAKE_HOST_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sysfs.h"

static char fake_root[64];

static void fake_make_dirs(char *path)
{
	char *at = path + strlen(fake_root);

	while ((at = strchr(at + 1, '/'))) {
		*at = '\0';
		mkdir(path, 0755);
		*at = '/';
	}
}

__attribute__((format(printf, 2, 3)))
static void fake_write(const char *file, const char *fmt, ...)
{
	char path[512];
	va_list ap;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", fake_root, file);
	fake_make_dirs(path);
	f = fopen(path, "w");
	assert_non_null(f);
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fclose(f);
}

static const char *fake_read(const char *file)
{
	static char text[SYSFS_TEXT];

	if (sysfs_read(fake_root, file, text))
		strcpy(text, "(none)");
	return text;
}

__attribute__((unused))
static const char *fake_cpu(u32 cpu, const char *what)
{
	char file[128];

	snprintf(file, sizeof(file), SYSFS_CPU "/cpu%u/cpufreq/%s", cpu, what);
	return fake_read(file);
}

static void fake_write_cpu(u32 cpu, const char *what, const char *text)
{
	char file[128];

	snprintf(file, sizeof(file), SYSFS_CPU "/cpu%u/%s", cpu, what);
	fake_write(file, "%s\n", text);
}

/* CPUs n and n + 4 are core n. */
static void fake_host(void)
{
	char text[16];
	u32 cpu;

	strcpy(fake_root, "/tmp/ringpace-hostXXXXXX");
	assert_non_null(mkdtemp(fake_root));
	fake_write(SYSFS_CPU "/online", "0-7\n");
	for (cpu = 0; cpu < 8; cpu++) {
		snprintf(text, sizeof(text), "%u,%u", cpu % 4, cpu % 4 + 4);
		fake_write_cpu(cpu, "topology/thread_siblings_list", text);
		fake_write_cpu(cpu, "cpufreq/cpuinfo_min_freq", "1200000");
		fake_write_cpu(cpu, "cpufreq/cpuinfo_max_freq", "2800000");
		fake_write_cpu(cpu, "cpufreq/base_frequency", "2400000");
		fake_write_cpu(cpu, "cpufreq/scaling_min_freq", "1200000");
		fake_write_cpu(cpu, "cpufreq/scaling_max_freq", "2800000");
		fake_write_cpu(cpu, "cpufreq/scaling_governor", "schedutil");
		fake_write_cpu(cpu, "cpufreq/scaling_available_governors", "schedutil performance");
		fake_write_cpu(cpu, "cpufreq/scaling_available_frequencies",
			       "2400000 1800000 1200000 ");
		fake_write_cpu(cpu, "cpufreq/energy_performance_preference", "balance_power");
		fake_write_cpu(cpu, "cpufreq/energy_performance_available_preferences",
			       "default performance balance_power");
	}
	fake_write(SYSFS_CPU "/intel_pstate/no_turbo", "1\n");
	fake_write("class/powercap/intel-rapl:0/name", "package-0\n");
	fake_write("class/powercap/intel-rapl:0/energy_uj", "900000\n");
	fake_write("class/powercap/intel-rapl:0/max_energy_range_uj", "1000000\n");
	fake_write("class/powercap/intel-rapl:0:0/name", "core\n");
	fake_write("class/powercap/intel-rapl:1/name", "package-1\n");
	fake_write("class/powercap/intel-rapl:1/energy_uj", "100000\n");
	fake_write("class/powercap/intel-rapl:1/max_energy_range_uj", "1000000\n");
}

static int fake_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static void fake_end(void)
{
	nftw(fake_root, fake_remove, 16, FTW_DEPTH | FTW_PHYS);
}

#endif /* UNIT_FAKE_HOST_H */
