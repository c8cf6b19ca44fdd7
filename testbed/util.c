// SPDX-License-Identifier: GPL-2.0-or-later
/* Error lines, stopping, time, CPUs. */
#include "util.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop_flag;

static char *captured;
static size_t captured_bytes;

void fail_capture(char *line, size_t bytes)
{
	captured = line;
	captured_bytes = bytes;
}

int fail(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (captured) {
		snprintf(captured, captured_bytes, "%s", line);
		return -1;
	}
	/* One call, so that lines of several threads do not mix. */
	fprintf(stderr, "ringpace: %s\n", line);
	return -1;
}

const char *because(const char *fmt, ...)
{
	static char reason[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return reason;
}

static void on_signal(int sig)
{
	stop_flag = 1;
}

void catch_signals(void)
{
	/* No SA_RESTART: a wait that is interrupted looks at stopped(). */
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool stopped(void)
{
	return stop_flag;
}

static u64 clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

u64 now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

u64 thread_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

bool nap_ms(u32 ms)
{
	u64 end = now_ns() + ms * 1000000ULL;
	struct timespec ts;
	u64 now, left;

	while (!stopped() && (now = now_ns()) < end) {
		/*
		 * Pieces of 50 ms: a signal that comes between the look at the
		 * flag and the sleep is seen soon, without a self-pipe.
		 */
		left = end - now;
		left = left < 50000000 ? left : 50000000;
		ts.tv_sec = 0;
		ts.tv_nsec = (long)left;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	}
	return !stopped();
}

/* A pair of readings that belong together: the closest of a few. */
static void read_clocks(u64 *tsc, u64 *ns)
{
	u64 best = ~0ULL, a, b, t;
	u32 i;

	for (i = 0; i < 8; i++) {
		a = rp_tsc();
		t = clock_ns(CLOCK_MONOTONIC_RAW);
		b = rp_tsc();
		if (b - a < best) {
			best = b - a;
			*tsc = a + best / 2;
			*ns = t;
		}
	}
}

u64 tsc_hz(void)
{
	static u64 hz;
	u64 tsc0, ns0, tsc1, ns1;
	struct timespec ts = { 0, 20000000 };

	if (hz)
		return hz;
	read_clocks(&tsc0, &ns0);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	read_clocks(&tsc1, &ns1);
	hz = (u64)((double)(tsc1 - tsc0) * 1e9 / (double)(ns1 - ns0));
	return hz;
}

int pin_to_cpu(int cpu)
{
	return pin_task_to_cpu(0, cpu);
}

int pin_task_to_cpu(pid_t tid, int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET((u32)cpu, &set);
	if (sched_setaffinity(tid, sizeof(set), &set))
		return fail("cannot pin a thread to CPU %d: %m; choose one of those that "
			    "`taskset -p $$` lists", cpu);
	return 0;
}

int nth_cpu(u32 n)
{
	cpu_set_t set;
	int cpu;

	if (sched_getaffinity(getpid(), sizeof(set), &set) || !CPU_COUNT(&set))
		return -1;
	n %= (u32)CPU_COUNT(&set);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((u32)cpu, &set) && !n--)
			return cpu;
	return -1;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *v, u32 n)
{
	if (!n)
		return UNKNOWN;
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}
