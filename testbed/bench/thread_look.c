// SPDX-License-Identifier: GPL-2.0-or-later
/* A thread's state, context switches and CPU time. */
#include "bench/thread_look.h"

#include <stdio.h>

#include "util.h"

static FILE *file_of(pid_t pid, pid_t tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
	return fopen(path, "re");
}

static bool read_status(FILE *f, struct thread_look *to)
{
	unsigned long long n = 0;
	char line[128], state = 0;
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		sscanf(line, "State: %c", &state);
		found = sscanf(line, "voluntary_ctxt_switches: %llu", &n) == 1;
	}
	to->sleeps = state == 'S';
	to->switches = (double)n;
	return found;
}

static bool read_cpu(FILE *f, struct thread_look *to)
{
	unsigned long long ns = 0;
	bool found = f && fscanf(f, "%llu", &ns) == 1;

	to->cpu_ns = (double)ns;
	return found;
}

int thread_look(pid_t pid, pid_t tid, struct thread_look *to)
{
	FILE *status = file_of(pid, tid, "status"), *cpu = file_of(pid, tid, "schedstat");
	bool found = read_status(status, to) && read_cpu(cpu, to);

	if (status)
		fclose(status);
	if (cpu)
		fclose(cpu);
	return found ? 0 : fail("/proc/%d/task/%d does not tell context switches and CPU time: has "
				"the thread ended?", pid, tid);
}
