// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sleeping costs (004, sec. 4.3): a pinned thread sleeps again and again, for
 * nominal lengths from 900 ns to 1 ms. The CPU time of the thread by the number
 * of sleeps is Y_E: what the kernel and, below it, a hypervisor charge for
 * setting a timer, going away and coming back.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "probe/probe.h"

#define FIRST_NS	900.0
#define LAST_NS		1e6
#define QUICK_POINTS	7
#define POINT_NS	(NSEC_PER_SEC / 2)	/* at most so long per length, ... */
#define QUICK_POINT_NS	(NSEC_PER_SEC / 50)
#define SLEEPS_MAX	100000u			/* ... and so many sleeps, ... */
#define SLEEPS_MIN	20u			/* ... but at least so many */

struct job {
	struct probe_sleep *at;
	u64 budget_ns;
	int cpu;
	int error;
};

static void sleep_once(double nominal_ns, struct samples *v)
{
	const struct timespec ts = { 0, (long)nominal_ns };
	u64 begin = rp_tsc();

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	samples_add(v, (double)(rp_tsc() - begin) * 1e9 / (double)tsc_hz());
}

static void *measure(void *arg)
{
	struct job *job = arg;
	struct samples v = { 0 };
	u64 end, cpu;

	prctl(PR_SET_TIMERSLACK, 1UL);
	job->error = pin_to_cpu(job->cpu);
	/* The first sleep pays for the move to the CPU, and the samples' pages. */
	sleep_once(job->at->nominal_ns, &v);
	v.n = 0;
	cpu = thread_cpu_ns();
	end = now_ns() + job->budget_ns;
	while (v.n < SLEEPS_MAX && (v.n < SLEEPS_MIN || now_ns() < end) && !stopped())
		sleep_once(job->at->nominal_ns, &v);
	cpu = thread_cpu_ns() - cpu;
	job->at->cost_ns = v.n ? (double)cpu / v.n : UNKNOWN;
	samples_summarise(&v, &job->at->y);
	samples_free(&v);
	return NULL;
}

/* In a thread of its own: the timer slack and the CPU are not to stay ours. */
static int run_job(struct job *job)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, measure, job);
	if (errno)
		return fail("cannot start a thread to measure sleeps: %m");
	pthread_join(thread, NULL);
	return job->error || stopped() ? -1 : 0;
}

static void conclude(struct probe_sleeps *s)
{
	double cost[PROBE_SLEEPS];
	u32 i, n = 0;

	s->floor_ns = s->point[0].y.p50;
	for (i = 0; i < s->n; i++) {
		s->floor_ns = fmin(s->floor_ns, s->point[i].y.p50);
		if (s->point[i].nominal_ns >= 9999 && s->point[i].nominal_ns <= 100001)
			cost[n++] = s->point[i].cost_ns;
	}
	s->ye_ns = median(cost, n);
}

int probe_sleeps(struct probe *p)
{
	struct probe_sleeps *s = &p->sleeps;
	struct job job = {
		.budget_ns = p->quick ? QUICK_POINT_NS : POINT_NS,
		.cpu = nth_cpu(1),
	};
	u32 i;

	tsc_hz();
	s->n = p->quick ? QUICK_POINTS : PROBE_SLEEPS;
	for (i = 0; i < s->n; i++) {
		job.at = &s->point[i];
		job.at->nominal_ns = floor(FIRST_NS * pow(LAST_NS / FIRST_NS,
							  (double)i / (s->n - 1)) + 0.5);
		if (isatty(STDERR_FILENO))
			fprintf(stderr, "\r\033[Ksleeps of %.0f ns (%u of %u)",
				job.at->nominal_ns, i + 1, s->n);
		if (run_job(&job))
			return -1;
	}
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	conclude(s);
	return 0;
}
