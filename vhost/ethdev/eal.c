// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DPDK's environment in ringpaced's process: it keeps its threads off our CPU affinity, its
 * files off the disk, and its log in ours.
 */
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ethdev.h"

#define LINE_BYTES	240u
#define MEMORY_MIB	64u		/* for each device, where there are no huge pages */

/* ---- The log ---- */

static struct {
	void (*log)(const char *line);
	char line[LINE_BYTES], first[LINE_BYTES];	/* under the stream's lock */
	size_t n;
} out;

static void end_line(void)
{
	out.line[out.n] = '\0';
	if (out.n) {
		if (!*out.first)
			strcpy(out.first, out.line);
		out.log(out.line);
	}
	out.n = 0;
}

static ssize_t write_log(void *cookie, const char *text, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++) {
		if (text[i] == '\n')
			end_line();
		else if (out.n < LINE_BYTES - 1)
			out.line[out.n++] = text[i];
	}
	return (ssize_t)bytes;
}

/* Its own would go to syslog, too, for which the sandbox has no system call. */
static int take_log(void)
{
	FILE *f = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = write_log });

	return f ? rte_openlog_stream(f) : -1;
}

const char *eal_first_line(void)
{
	return out.first;
}

void eal_forget_lines(void)
{
	out.first[0] = '\0';
}

/* ---- The beginning ---- */

/* One thread of DPDK's own count, ours, on all CPUs that it may use by now: "0@(1,3)". */
static void say_cpus(char *arg, size_t bytes)
{
	cpu_set_t set;
	size_t n = 0;
	int cpu;

	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof(set), &set);
	for (cpu = 0; cpu < CPU_SETSIZE && n < bytes; cpu++)
		if (CPU_ISSET(cpu, &set))
			n += (size_t)snprintf(arg + n, bytes - n, "%s%d", n ? "," : "0@(", cpu);
	if (n < bytes)
		snprintf(arg + n, bytes - n, ")");
}

/* It makes a directory even where it keeps no files. */
static int init(int argc, char **argv)
{
	int rc = rte_eal_init(argc, argv);

	rmdir(rte_eal_get_runtime_dir());
	return rc;
}

int eal_begin(const struct ethdev_begin *b, char *why, size_t why_bytes)
{
	char cpus[8 * CPU_SETSIZE], memory[16], prefix[32];
	char *argv[16] = { "ringpaced", "--no-telemetry", "--log-level=4", "--lcores", cpus,
			   "--file-prefix", prefix };
	int n = 7;

	out.log = b->log;
	say_cpus(cpus, sizeof(cpus));
	snprintf(prefix, sizeof(prefix), "ringpaced%d", (int)getpid());
	snprintf(memory, sizeof(memory), "%u", MEMORY_MIB * b->devices);
	if (b->bus) {
		argv[n++] = "--in-memory";
		/* None that is there by itself, only those that ports name. */
		argv[n++] = "-a";
		argv[n++] = "0000:00:00.0";
	} else {
		/* --in-memory is not for those without huge pages. */
		argv[n++] = "--no-shconf";
		argv[n++] = "--no-pci";
		argv[n++] = "--no-huge";
		argv[n++] = "-m";
		argv[n++] = memory;
	}
	if (take_log() == 0 && init(n, argv) >= 0)
		return 0;
	snprintf(why, why_bytes, "DPDK does not start: %s (%s)%s", rte_strerror(rte_errno), out.first,
		 b->bus ? ": are there huge pages, and may ringpaced lock memory?" : "");
	return -1;
}
