// SPDX-License-Identifier: GPL-2.0-or-later
/* A host's sysfs with cpufreq, as files of a directory. */
#include "filehost.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define CPU_DIR		"sys/devices/system/cpu"

int filehost_write(const char *dir, const char *name, const char *text)
{
	char path[320];
	FILE *f;
	int rc;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	rc = !f || fputs(text, f) < 0;
	if (f)
		rc |= fclose(f);
	return rc ? fail("cannot write %s: %s", path, strerror(errno)) : 0;
}

static int make_dirs(const char *dir, const char *name)
{
	char path[320], *at;

	snprintf(path, sizeof(path), "%s/%s/", dir, name);
	for (at = strchr(path + strlen(dir) + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return fail("cannot make %s: %s", path, strerror(errno));
		*at = '/';
	}
	return 0;
}

static int write_cpu(const char *dir, u32 cpu)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{ "cpuinfo_min_freq", "1200000" }, { "cpuinfo_max_freq", "2800000" },
		{ "base_frequency", "2400000" }, { "scaling_min_freq", "1200000" },
		{ "scaling_max_freq", "2800000" }, { "scaling_governor", "schedutil" },
		{ "scaling_available_governors", "schedutil performance" },
		{ "scaling_available_frequencies", "2400000 2000000 1600000 1200000" },
	};
	char name[96];
	u32 i;

	snprintf(name, sizeof(name), CPU_DIR "/cpu%u/cpufreq", cpu);
	if (make_dirs(dir, name))
		return -1;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(name, sizeof(name), CPU_DIR "/cpu%u/cpufreq/%s", cpu, files[i].name);
		if (filehost_write(dir, name, files[i].text))
			return -1;
	}
	return 0;
}

int filehost_make(const char *dir, u32 cores)
{
	char online[32];
	u32 i;

	for (i = 0; i < cores; i++)
		if (write_cpu(dir, i))
			return -1;
	snprintf(online, sizeof(online), "0-%u\n", cores - 1);
	return filehost_write(dir, CPU_DIR "/online", online);
}
