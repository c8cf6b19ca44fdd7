// SPDX-License-Identifier: GPL-2.0-or-later
/* Starts, stops and blocks the threads of a chain. */
#include "chain/worker.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "pacing/pacing.h"
#include "util.h"

static void *thread_main(void *arg)
{
	struct chain_worker *w = arg;

	/* Sleeps as short as the kernel can make them. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	pthread_setname_np(pthread_self(), w->name);
	w->run(w);
	return NULL;
}

/* Created where it belongs: a thread that cannot be pinned is none. */
static int create(struct chain_worker *w)
{
	pthread_attr_t attr;
	cpu_set_t set;
	int rc;

	pthread_attr_init(&attr);
	if (w->cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET((u32)w->cpu, &set);
		pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	}
	rc = pthread_create(&w->thread, &attr, thread_main, w);
	pthread_attr_destroy(&attr);
	return rc;
}

int worker_start(struct chain_worker *w)
{
	sigset_t all, old;
	int rc;

	w->stop = 0;
	w->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (w->stop_fd < 0)
		return fail("chain: no eventfd for %s: %m", w->name);
	/* Signals are the main thread's: it is the one that must wake. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = create(w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc) {
		close(w->stop_fd);
		errno = rc;
		return fail("chain: no thread can be started for %s on CPU %d (-1: any): %m",
			    w->name, w->cpu);
	}
	w->started = true;
	return 0;
}

void worker_stop(struct chain_worker *w)
{
	const u64 one = 1;

	if (!w->started)
		return;
	rp_store(&w->stop, 1);
	if (write(w->stop_fd, &one, sizeof(one)) < 0)
		fail("chain: cannot wake %s: %m", w->name);
	pthread_join(w->thread, NULL);
	close(w->stop_fd);
	w->started = false;
}

static double cpu_ns(const struct chain_worker *w)
{
	struct timespec ts;
	clockid_t clock;

	if (!w->started || pthread_getcpuclockid(w->thread, &clock) || clock_gettime(clock, &ts))
		return 0;
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

void worker_look(const struct chain_worker *w, struct worker_look *l)
{
	const struct chain_counts *c = &w->counts;

	*l = (struct worker_look){
		.cpu_ns = cpu_ns(w),
		.counts = {
			.received = rp_load(&c->received), .sent = rp_load(&c->sent),
			.bad = rp_load(&c->bad),
			.in_waits = rp_load(&c->in_waits), .out_waits = rp_load(&c->out_waits),
			.in_wait_ns = rp_load(&c->in_wait_ns),
			.out_wait_ns = rp_load(&c->out_wait_ns),
		},
		.duplicates = rp_load(&w->arrivals.duplicates),
		.reordered = rp_load(&w->arrivals.reordered),
		.hop = w->measure_tsc ? &w->hop : NULL,
	};
}

void worker_wait(struct chain_worker *w, enum net_dir dir)
{
	struct net_end *e = dir == NET_RX ? w->in : w->out;
	/* As Linux's driver: when one has come; when most of what is out has come back. */
	u32 k = rp_default_threshold(dir == NET_RX ? RP_CONSUMER : RP_PRODUCER, e->opt.slots);
	u64 start = now_ns();

	net_wait_for(e, 0, dir, k, w->stop_fd, -1);
	rp_add(dir == NET_RX ? &w->counts.in_waits : &w->counts.out_waits, 1);
	rp_add(dir == NET_RX ? &w->counts.in_wait_ns : &w->counts.out_wait_ns,
	       now_ns() - start);
}

void worker_await_stop(struct chain_worker *w)
{
	struct pollfd pfd = { .fd = w->stop_fd, .events = POLLIN };

	while (!worker_stopping(w))
		poll(&pfd, 1, -1);
}
