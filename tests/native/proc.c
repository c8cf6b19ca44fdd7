// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory and descriptors of a process. */
#include "proc.h"

#include <dirent.h>
#include <stdio.h>

u64 proc_memory_bytes(pid_t pid)
{
	unsigned long long kib = 0;
	char path[32], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %llu kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib * 1024;
}

u32 proc_fds(pid_t pid)
{
	const struct dirent *e;
	char path[32];
	u32 n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static FILE *thread_status(pid_t pid, pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)pid, (int)tid);
	return fopen(path, "re");
}

u64 proc_switches(pid_t pid, pid_t tid)
{
	FILE *f = thread_status(pid, tid);
	unsigned long long n, sum = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1 ||
		    sscanf(line, "nonvoluntary_ctxt_switches: %llu", &n) == 1)
			sum += n;
	if (f)
		fclose(f);
	return sum;
}

bool proc_sleeps(pid_t pid, pid_t tid)
{
	FILE *f = thread_status(pid, tid);
	char line[128], state = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "State: %c", &state) == 1)
			break;
	if (f)
		fclose(f);
	return state == 'S';
}
