// SPDX-License-Identifier: GPL-2.0-or-later
/* A queue's thread: parking and resuming, waiting, calls. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log/log.h"
#include "probes.h"
#include "sandbox/sandbox.h"
#include "worker.h"

/* The party's loop needs little; guarded by the C library's guard page. */
#define STACK_BYTES	(128 * 1024)
/* How long a worker may take to park before it is signalled. */
#define NUDGE_NS	20000000L
/* How rare looks after a rev queue's last items become. */
#define SEE_OFF_MAX_NS	500000000u
/* From here on a sleep must be one that an order can end. */
#define SHORT_SLEEP_NS	1000000u

static cpu_set_t all_cpus;

static void on_nudge(int sig)
{
}

void worker_setup(void)
{
	/* No SA_RESTART: the interrupted call must return. */
	struct sigaction sa = { .sa_handler = on_nudge };

	sigaction(SIGUSR1, &sa, NULL);
	if (sched_getaffinity(0, sizeof(all_cpus), &all_cpus) < 0)
		memset(&all_cpus, 0xff, sizeof(all_cpus));
}

void worker_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

bool worker_cpu_ok(int cpu)
{
	return cpu == -1 ||
		(cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET(cpu, &all_cpus));
}

int worker_pin(struct queue *q, int cpu)
{
	cpu_set_t set = all_cpus;

	if (!q->has_thread)
		return 0;
	if (cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
	}
	return -pthread_setaffinity_np(q->thread, sizeof(set), &set);
}

u64 worker_cpu_ns(const struct queue *q)
{
	clockid_t clock;

	if (!q->has_thread || pthread_getcpuclockid(q->thread, &clock))
		return 0;
	return clock_ns(clock);
}

/* ---- Handing over ---- */

static struct timespec timespec_of(u64 ns)
{
	return (struct timespec){
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};
}

static bool has_work(const struct queue *q)
{
	return q->attached && !q->broken && (!queue_is_rev(q) || q->producing);
}

/*
 * A rev queue's run has ended by itself: is the call for its last items heard? A
 * driver that does not answer is given up after a while. An order ends the wait.
 */
static void see_off(struct queue *q)
{
	struct pollfd wake = { .fd = q->wake_fd, .events = POLLIN };
	u64 ns = rp_party_rest(&q->party);
	struct timespec ts;

	while (ns && ns < SEE_OFF_MAX_NS && !q->broken) {
		ts = timespec_of(ns);
		if (ppoll(&wake, 1, &ts, NULL))
			return;
		ns = rp_party_rest(&q->party);
	}
}

/* Returns on an order, at the end of a rev queue's run, or with a broken ring. */
static void run(struct queue *q)
{
	/* A backend that died before us may have owed the driver a call. */
	if (rp_dev_need_call(&q->dev))
		queue_call(q);
	rp_party_run(&q->party);
	if (queue_is_rev(q) && !q->producing)
		see_off(q);
}

static void *worker_main(void *arg)
{
	struct queue *q = arg;
	char name[16];

	/* Sleeps as short as the kernel can make them, not 50 us longer. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	snprintf(name, sizeof(name), "%.9s-q%u", q->device, q->index);
	prctl(PR_SET_NAME, name);
	sandbox_thread();
	pthread_mutex_lock(&q->lock);
	while (!q->want_exit) {
		if (!q->want_run) {
			q->parked = true;
			pthread_cond_broadcast(&q->changed);
			pthread_cond_wait(&q->changed, &q->lock);
			continue;
		}
		pthread_mutex_unlock(&q->lock);
		run(q);
		pthread_mutex_lock(&q->lock);
		q->want_run = false;
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

void queue_park(struct queue *q)
{
	struct timespec until;
	u64 one = 1;

	if (!q->has_thread)
		return;
	pthread_mutex_lock(&q->lock);
	q->want_run = false;
	while (!q->parked) {
		rp_store(&q->pending, 1);
		if (write(q->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
			log_error("%s: queue %u: cannot wake its thread: %s",
				  q->device, q->index, strerror(errno));
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += NUDGE_NS;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
		if (pthread_cond_timedwait(&q->changed, &q->lock, &until) ==
		    ETIMEDOUT)
			pthread_kill(q->thread, SIGUSR1);
	}
	pthread_mutex_unlock(&q->lock);
}

static int start_thread(struct queue *q)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int rc;

	/* Signals are the main thread's; a worker only takes the nudge. */
	sigfillset(&all);
	sigdelset(&all, SIGUSR1);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSYS);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&q->thread, &attr, worker_main, q);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (rc)
		return -rc;
	q->has_thread = true;
	rc = worker_pin(q, q->params.cpu);
	if (rc < 0)
		log_warn("%s: queue %u: cannot pin to CPU %d: %s", q->device,
			 q->index, q->params.cpu, strerror(-rc));
	return 0;
}

int queue_resume(struct queue *q)
{
	u64 drop;
	int rc;

	if (!has_work(q))
		return 0;
	/* Before the thread exists, so that it finds the queue as it will be. */
	pthread_mutex_lock(&q->lock);
	while (read(q->wake_fd, &drop, sizeof(drop)) > 0)
		;
	rp_store(&q->pending, 0);
	q->want_run = true;
	q->parked = false;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
	if (q->has_thread)
		return 0;
	rc = start_thread(q);
	if (rc < 0) {
		q->want_run = false;
		q->parked = true;
		log_error("%s: queue %u: cannot start its thread: %s", q->device,
			  q->index, strerror(-rc));
	}
	return rc;
}

void queue_end_thread(struct queue *q)
{
	if (!q->has_thread)
		return;
	queue_park(q);
	q->cpu_gone_ns += worker_cpu_ns(q) - q->cpu_base_ns;
	q->cpu_base_ns = 0;
	pthread_mutex_lock(&q->lock);
	q->want_exit = true;
	pthread_cond_broadcast(&q->changed);
	pthread_mutex_unlock(&q->lock);
	pthread_join(q->thread, NULL);
	q->has_thread = false;
	q->want_exit = false;
}

/* ---- Of the running worker ---- */

void queue_break(struct queue *q, const char *why)
{
	u64 one = 1;

	if (q->broken)
		return;
	rp_store(&q->broken, why);
	rp_store(&q->producing, false);
	rp_store(&q->pending, 1);
	log_error("%s: queue %u: ring given up: %s", q->device, q->index, why);
	if (q->err_fd >= 0 && write(q->err_fd, &one, sizeof(one)) < 0)
		log_debug("%s: queue %u: cannot tell the frontend: %s",
			  q->device, q->index, strerror(errno));
}

void queue_call(struct queue *q)
{
	u64 one = 1;

	if (q->call_fd < 0)
		return;
	PROBE_CALL(q->index, q->party.stats.items);
	/* EAGAIN: the counter is full, so a call is pending anyway. */
	while (write(q->call_fd, &one, sizeof(one)) < 0 && errno == EINTR &&
	       !rp_load(&q->pending))
		;
}

bool queue_peer_wants(struct rp_party *p)
{
	struct queue *q = p->ctx;

	return rp_dev_need_call(&q->dev);
}

void queue_notify(struct rp_party *p)
{
	queue_call(p->ctx);
}

bool queue_arm(struct queue *q, u32 k)
{
	bool hit = rp_dev_arm(&q->dev, k);

	PROBE_ARMED(q->index, q->party.stats.items, k);
	if (hit)
		PROBE_DOUBLE_CHECK(q->index, q->party.stats.items);
	/* Arming reads the driver's index, too. */
	if (unlikely(q->dev.broken))
		queue_break(q, q->dev.broken);
	return hit;
}

void queue_disarm(struct rp_party *p)
{
	struct queue *q = p->ctx;

	rp_dev_disarm(&q->dev);
}

static bool stopping(struct rp_party *p)
{
	struct queue *q = p->ctx;

	if (unlikely(rp_load(&q->pending)))
		return true;
	if (likely(!q->end_tsc) || (s64)(p->now_tsc - q->end_tsc) < 0)
		return false;
	rp_store(&q->producing, false);
	return true;
}

/* What is left of a run's duration, at most @ns. */
static u64 until_end(const struct queue *q, u64 ns)
{
	s64 left = (s64)(q->end_tsc - q->party.now_tsc);
	u64 left_ns;

	if (!q->end_tsc)
		return ns;
	left_ns = left > 0 ? rp_tsc_to_ns(&q->party.clock, (u64)left) + 1 : 0;
	return left_ns < ns ? left_ns : ns;
}

static void sleep_for(struct rp_party *p, u64 ns)
{
	struct queue *q = p->ctx;
	struct pollfd wake = { .fd = q->wake_fd, .events = POLLIN };
	struct timespec ts;

	PROBE_SLEEP(q->index, p->stats.items, ns);
	ns = until_end(q, ns);
	ts = timespec_of(ns);
	if (ns < SHORT_SLEEP_NS)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	else
		ppoll(&wake, 1, &ts, NULL);
}

static enum rp_wake take_kick(struct queue *q)
{
	u64 count;

	if (read(q->kick_fd, &count, sizeof(count)) < 0)
		return RP_WAKE_STOP;
	PROBE_KICK(q->index, q->party.stats.items);
	PROBE_WAKE(q->index, q->party.stats.items);
	return RP_WAKE_NOTIFIED;
}

static u64 cpu_ns(struct rp_party *p)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static enum rp_wake block(struct rp_party *p, u64 timeout_ns)
{
	struct queue *q = p->ctx;
	struct pollfd fds[2] = {
		{ .fd = q->wake_fd, .events = POLLIN },
		{ .fd = q->kick_fd, .events = POLLIN },
	};
	u64 most_ns = until_end(q, timeout_ns ? timeout_ns : UINT64_MAX);
	struct timespec ts = timespec_of(most_ns);
	int rc;

	PROBE_BLOCK(q->index, p->stats.items);
	rc = ppoll(fds, 2, most_ns < UINT64_MAX ? &ts : NULL, NULL);
	if (!rc && most_ns == timeout_ns)
		return RP_WAKE_TIMEOUT;
	return rc <= 0 || fds[0].revents ? RP_WAKE_STOP : take_kick(q);
}

const struct rp_thread_ops queue_thread_ops = {
	.stopping = stopping,
	.sleep = sleep_for,
	.block = block,
	.cpu_ns = cpu_ns,
};
