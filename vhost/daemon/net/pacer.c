// SPDX-License-Identifier: GPL-2.0-or-later
/* A thread with many flows: turns, deadlines, notifications, orders. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log/log.h"
#include "pacer.h"
#include "sandbox/sandbox.h"
#include "worker.h"

/* A pacer's stack holds a few batches' worth of buffers. */
#define STACK_BYTES	(256 * 1024)
/* How long an order may take before the thread is signalled. */
#define NUDGE_NS	20000000L
#define EVENTS		64
/* How often an order is looked at before its giver sleeps. */
#define ORDER_LOOKS	50u

struct pacer_entry {
	struct flow *flow;
	bool counted_pause, counted_block;	/* in the pacer's totals */
};

/* ---- Flows that run, and flows that stand ---- */

static void swap(struct pacer *w, u32 a, u32 b)
{
	struct pacer_entry e = w->entry[a];

	w->entry[a] = w->entry[b];
	w->entry[b] = e;
}

/* Entry @i, which ran, stands now. */
static void park(struct pacer *w, u32 i)
{
	struct pacer_entry *e = &w->entry[i];
	const struct flow *f = e->flow;

	e->counted_pause = f->state == FLOW_PAUSES;
	e->counted_block = f->blocked;
	w->pausing += e->counted_pause;
	w->blocked += e->counted_block;
	if (f->until_tsc < w->next_tsc)
		w->next_tsc = f->until_tsc;
	swap(w, i, --w->running);
}

/* Entry @i, which stood, runs again. */
static void unpark(struct pacer *w, u32 i, enum rp_wake by)
{
	struct pacer_entry *e = &w->entry[i];

	w->pausing -= e->counted_pause;
	w->blocked -= e->counted_block;
	flow_resume(e->flow, by);
	swap(w, i, w->running++);
}

/* Every flow whose deadline has come; finds the next one. */
static void meet_deadlines(struct pacer *w, u64 now_tsc)
{
	u32 i;

	w->next_tsc = ~0ULL;
	for (i = w->running; i < w->count; i++) {
		u64 until = w->entry[i].flow->until_tsc;

		/* What is swapped to @i ran already. */
		if (until <= now_tsc)
			unpark(w, i, RP_WAKE_TIMEOUT);
		else if (until < w->next_tsc)
			w->next_tsc = until;
	}
}

/* ---- Notifications ---- */

/* Which of a flow's two queues: in the low bit of the event's pointer. */
static u64 key_of(const struct flow *f, bool rx)
{
	return (u64)(uintptr_t)f | rx;
}

static void kicked(struct pacer *w, u64 key)
{
	const struct flow *f = (const struct flow *)(uintptr_t)(key & ~1ULL);
	u32 i;

	/* One that does not wait for it was kicked without being asked. */
	if (f->state != FLOW_WAITS || !f->blocked || (f->waiting == &f->p) != (key & 1))
		return;
	for (i = w->running; i < w->count; i++)
		if (w->entry[i].flow == f)
			break;
	if (i < w->count)
		unpark(w, i, RP_WAKE_NOTIFIED);
}

/* Looks for notifications for @ns; ~0: until there are some. */
static void listen_for(struct pacer *w, u64 ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ns / 1000000000),
		.tv_nsec = (long)(ns % 1000000000),
	};
	struct epoll_event ev[EVENTS];
	int i, n = epoll_pwait2(w->epfd, ev, EVENTS, ns == ~0ULL ? NULL : &ts, NULL);

	/* The order's own eventfd has key 0; the order is looked at anyway. */
	for (i = 0; i < n; i++)
		if (ev[i].data.u64)
			kicked(w, ev[i].data.u64);
}

static int watch(struct pacer *w, int fd, u64 key)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.u64 = key };

	if (fd < 0 || epoll_ctl(w->epfd, EPOLL_CTL_ADD, fd, &ev) == 0)
		return 0;
	return -errno;
}

static void unwatch(struct pacer *w, int fd)
{
	if (fd >= 0)
		epoll_ctl(w->epfd, EPOLL_CTL_DEL, fd, NULL);
}

static int rx_kick(const struct flow *f)
{
	return f->rx && f->owns_rx ? f->rx->kick_fd : -1;
}

/* ---- Orders ---- */

static int add_flow(struct pacer *w, struct flow *f)
{
	int rc = watch(w, f->tx->kick_fd, key_of(f, false));

	if (rc == 0) {
		rc = watch(w, rx_kick(f), key_of(f, true));
		if (rc < 0)
			unwatch(w, f->tx->kick_fd);
	}
	if (rc < 0)
		return rc;
	w->entry[w->count] = (struct pacer_entry){ .flow = f };
	f->turn = &w->turn;
	f->alone = !w->count;
	if (w->count)
		w->entry[0].flow->alone = false;
	swap(w, w->count++, w->running++);
	flow_start(f);
	return 0;
}

static void remove_flow(struct pacer *w, struct flow *f)
{
	u32 i;

	for (i = 0; i < w->count && w->entry[i].flow != f; i++)
		;
	if (i == w->count)
		return;
	if (i >= w->running) {
		unpark(w, i, RP_WAKE_STOP);
		i = w->running - 1;
	}
	flow_stop(f);
	unwatch(w, f->tx->kick_fd);
	unwatch(w, rx_kick(f));
	swap(w, i, --w->running);
	swap(w, w->running, --w->count);
	if (w->count == 1)
		w->entry[0].flow->alone = true;
}

static bool carry_out(struct pacer *w)
{
	bool quit;
	u64 drop;

	pthread_mutex_lock(&w->lock);
	if (read(w->wake_fd, &drop, sizeof(drop)) < 0 && errno != EAGAIN)
		log_error("pacer %u: cannot read its eventfd: %s", w->index, strerror(errno));
	w->rc = w->give ? add_flow(w, w->give) : 0;
	if (w->take)
		remove_flow(w, w->take);
	if (w->call)
		w->call(w->arg);
	w->give = w->take = NULL;
	w->call = NULL;
	quit = w->quit;
	rp_store(&w->pending, 0);
	pthread_cond_broadcast(&w->done);
	pthread_mutex_unlock(&w->lock);
	return !quit;
}

/* The main thread's: has what is in the order carried out. ->lock is held. */
static void order(struct pacer *w)
{
	struct timespec until;
	u64 one = 1;
	u32 i;

	rp_store(&w->pending, 1);
	if (write(w->wake_fd, &one, sizeof(one)) < 0)
		log_error("pacer %u: cannot wake it: %s", w->index, strerror(errno));
	/* It mostly takes less than falling asleep and being woken; it may need this very CPU. */
	pthread_mutex_unlock(&w->lock);
	for (i = 0; i < ORDER_LOOKS && rp_load(&w->pending) && rp_step_aside(&w->aside); i++)
		;
	pthread_mutex_lock(&w->lock);
	while (rp_load(&w->pending)) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += NUDGE_NS;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
		if (pthread_cond_timedwait(&w->done, &w->lock, &until) == ETIMEDOUT)
			pthread_kill(w->thread, SIGUSR1);
	}
}

static int carried_out(struct pacer *w, struct flow *give, struct flow *take)
{
	int rc;

	pthread_mutex_lock(&w->lock);
	w->give = give;
	w->take = take;
	order(w);
	rc = w->rc;
	pthread_mutex_unlock(&w->lock);
	return rc;
}

int pacer_give(struct pacer *w, struct flow *f)
{
	int rc = w->flows < w->room ? carried_out(w, f, NULL) : -ENOSPC;

	w->flows += rc == 0;
	return rc;
}

void pacer_take(struct pacer *w, struct flow *f)
{
	carried_out(w, NULL, f);
	w->flows--;
}

void pacer_call(struct pacer *w, void (*call)(void *arg), void *arg)
{
	pthread_mutex_lock(&w->lock);
	w->call = call;
	w->arg = arg;
	order(w);
	pthread_mutex_unlock(&w->lock);
}

static void nothing(void *arg)
{
}

void pacer_pass(struct pacer *w)
{
	/*
	 * What the caller has written, before the look; pairs with the barrier in
	 * be_watched(): either it is seen to be busy, or its next turn sees that.
	 */
	rp_mb();
	/* Acquire: pairs with the release in stand_by(). */
	if (w->has_thread && rp_load_acquire(&w->busy))
		pacer_call(w, nothing, NULL);
}

/* ---- The thread ---- */

/* The thread has nothing to do, and does not wait: others may want its CPU. */
static void step_aside(struct pacer *w, u64 round_tsc)
{
	u64 given = rp_spin_aside(&w->spin, rp_tsc_to_ns(&w->clock, round_tsc));
	u32 i;

	for (i = 0; given && i < w->count; i++)
		flow_gave(w->entry[i].flow, given);
}

static void one_round(struct pacer *w, u64 now_tsc)
{
	u64 begin = now_tsc;
	bool moved = false;
	u32 i = 0;

	while (i < w->running) {
		struct flow *f = w->entry[i].flow;

		moved |= flow_turn(f, &w->batch, now_tsc);
		now_tsc = flow_now_tsc(f);
		if (f->state == FLOW_RUNS)
			i++;
		else
			park(w, i);	/* another one is at @i now */
		rp_add(&w->turns, 1);
	}
	if (!moved && w->running + w->pausing)
		step_aside(w, now_tsc - begin);
}

static u64 until_deadline_ns(const struct pacer *w, u64 now_tsc)
{
	if (w->next_tsc == ~0ULL)
		return ~0ULL;
	return w->next_tsc > now_tsc ? rp_tsc_to_ns(&w->clock, w->next_tsc - now_tsc) : 0;
}

/* No flow runs: waits for whatever comes first. */
static void stand_by(struct pacer *w)
{
	u64 now = rp_tsc(), end = w->next_tsc, before, ns;

	if (w->pausing) {
		do {
			before = rp_tsc();
			rp_relax();
			step_aside(w, rp_tsc() - before);
		} while ((now = rp_tsc()) < end && !rp_load(&w->pending) &&
			 now - w->polled_tsc < w->poll_tsc);
		return;
	}
	rp_add(&w->waits, 1);
	/* Release: its turns are over; pairs with the acquire in pacer_pass(). */
	rp_store_release(&w->busy, 0);
	ns = until_deadline_ns(w, now);
	listen_for(w, ns);
	if (ns < RP_SPIN_NAP_NS)
		step_aside(w, rp_tsc() - now);
	rp_store(&w->busy, 1);
	w->polled_tsc = rp_tsc();
}

/* Work begins: somebody must look whether it goes on. */
static void be_watched(struct pacer *w)
{
	/* Busy before armed: see watchdog.h; and before a turn: see pacer_pass(). */
	rp_mb();
	if (!rp_load(&w->watchdog->armed))
		watchdog_start(w->watchdog);
}

bool pacer_check(struct pacer *w)
{
	u64 turns = rp_load(&w->turns);
	bool busy = rp_load(&w->busy);

	if (busy && turns == w->turns_seen)
		pthread_kill(w->thread, SIGUSR1);
	w->turns_seen = turns;
	return busy;
}

static void *pacer_main(void *arg)
{
	struct pacer *w = arg;
	char name[16];
	u64 now;

	/* Sleeps as short as the kernel can make them, not 50 us longer. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	snprintf(name, sizeof(name), "pacer%u", w->index);
	prctl(PR_SET_NAME, name);
	sandbox_thread();
	for (;;) {
		if (unlikely(rp_load(&w->pending)) && !carry_out(w))
			return NULL;
		if (!w->running) {
			stand_by(w);
			be_watched(w);
		}
		now = rp_tsc();
		if (w->blocked && now - w->polled_tsc >= w->poll_tsc) {
			listen_for(w, 0);
			w->polled_tsc = now = rp_tsc();
		}
		if (now >= w->next_tsc)
			meet_deadlines(w, now);
		one_round(w, now);
	}
}

static int start_thread(struct pacer *w)
{
	sigset_t all, old;
	pthread_attr_t attr;
	cpu_set_t set;
	int rc;

	/* Signals are the main thread's; a pacer only takes the nudge. */
	sigfillset(&all);
	sigdelset(&all, SIGUSR1);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSYS);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (w->cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(w->cpu, &set);
		pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	}
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, &attr, pacer_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (rc)
		return -rc;
	w->has_thread = true;
	return 0;
}

int pacer_start(struct pacer *w, u32 index, int cpu, u32 room, u64 hz, struct watchdog *d)
{
	int rc;

	memset(w, 0, sizeof(*w));
	w->index = index;
	w->turn.sender.index = index;
	w->cpu = cpu;
	w->room = room;
	w->watchdog = d;
	rp_clock_init(&w->clock, hz);
	w->poll_tsc = rp_ns_to_tsc(&w->clock, PACER_POLL_NS);
	w->next_tsc = ~0ULL;
	w->busy = 1;
	pthread_mutex_init(&w->lock, NULL);
	worker_cond_init(&w->done);
	w->epfd = epoll_create1(EPOLL_CLOEXEC);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->epfd < 0 || w->wake_fd < 0)
		return -errno;
	w->batch.bounce = malloc(PACKET_MAX_BYTES);
	w->entry = calloc(room, sizeof(*w->entry));
	if (!w->batch.bounce || !w->entry)
		return -ENOMEM;
	rc = watch(w, w->wake_fd, 0);
	return rc < 0 ? rc : start_thread(w);
}

void pacer_end(struct pacer *w)
{
	if (w->has_thread) {
		pthread_mutex_lock(&w->lock);
		w->quit = true;
		order(w);
		pthread_mutex_unlock(&w->lock);
		pthread_join(w->thread, NULL);
	}
	if (w->epfd >= 0)
		close(w->epfd);
	if (w->wake_fd >= 0)
		close(w->wake_fd);
	free(w->batch.bounce);
	free(w->entry);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->lock);
}

u64 pacer_cpu_ns(const struct pacer *w)
{
	clockid_t clock;

	if (!w->has_thread || pthread_getcpuclockid(w->thread, &clock))
		return 0;
	return clock_ns(clock);
}
