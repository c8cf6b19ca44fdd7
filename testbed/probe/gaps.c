// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What others take of a CPU: a pinned thread reads the time-stamp counter again and again.
 * Between two reads are a few ns, or an interrupt, another thread, or, where the host is itself
 * a VM, a hypervisor that gave the CPU to somebody else. No latency here is better than that.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "probe/probe.h"

#define GAP_NS		1000.0
#define OBSERVE_NS	NSEC_PER_SEC
#define QUICK_NS	(NSEC_PER_SEC / 40)
/* Between two looks at the clock. */
#define READS		4096u

struct job {
	struct probe_gaps *to;
	u64 ns;
	int error;
};

static void *observe(void *arg)
{
	const double tick_ns = 1e9 / (double)tsc_hz();
	struct job *job = arg;
	struct samples gaps = { 0 };
	u64 end, first, last, tsc;
	u32 i;

	job->error = pin_to_cpu(job->to->cpu);
	end = now_ns() + job->ns;
	first = last = rp_tsc();
	while (now_ns() < end && !stopped())
		for (i = 0; i < READS; i++, last = tsc) {
			tsc = rp_tsc();
			if ((double)(tsc - last) * tick_ns >= GAP_NS)
				samples_add(&gaps, (double)(tsc - last) * tick_ns);
		}
	probe_gaps_conclude(&gaps, (double)(last - first) * tick_ns, job->to);
	samples_free(&gaps);
	return NULL;
}

int probe_gaps(struct probe *p)
{
	struct job job = { .ns = p->quick ? QUICK_NS : OBSERVE_NS };
	pthread_t thread;
	u32 i;

	tsc_hz();
	for (i = 0; i < PROBE_CPUS; i++) {
		job.to = &p->gaps[i];
		job.to->cpu = nth_cpu((int)i);
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r\033[Kgaps of CPU %d", job.to->cpu);
		/* In a thread of its own: our CPU is to stay what it was. */
		errno = pthread_create(&thread, NULL, observe, &job);
		if (errno)
			return fail("cannot start a thread to look for gaps: %m");
		pthread_join(thread, NULL);
		if (job.error || stopped())
			return -1;
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	return 0;
}
