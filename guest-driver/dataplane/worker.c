// SPDX-License-Identifier: GPL-2.0-or-later
/* The threads of rp-dataplane. */
#include "worker.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

static struct worker *worker_of(struct rp_party *p)
{
	return p->ctx;
}

/* Without interrupts a block is a sleep of at most so long. */
#define BLOCK_NS	1000000U
/* A thread that sees a move through while others compute on its CPU looks so often. */
#define STEP_NS		20000U

/* A move that this thread has a part in ends it; it costs no more than a plain sleep. */
static void lie_down(struct rp_party *p, u64 ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000U),
				     .tv_nsec = (long)(ns % 1000000000U) };
	struct worker *w = worker_of(p);

	/* Before dp_thread_nap(): who then finds that it rests finds this, too. */
	atomic_store_explicit(&w->napping, 1, memory_order_relaxed);
	if (dp_thread_nap(w->all->dp, w->id))
		syscall(SYS_futex, &w->napping, FUTEX_WAIT_PRIVATE, 1, &ts);
	atomic_store_explicit(&w->napping, 0, memory_order_relaxed);
}

/* ---- A turn of the dataplane, as a ring of lib/pacing ---- */

static u32 ring_work(struct rp_party *p, u32 max)
{
	struct worker *w = worker_of(p);
	u32 n = dp_thread_turn(w->all->dp, w->id);
	const struct dp_thread *t = &w->all->dp->threads[w->id];

	/*
	 * Nothing but moves to be seen through: the other thread, the control thread or the
	 * port may wait for this very CPU, and would for a whole slice.
	 */
	if (unlikely(n && n == t->coming_count + t->leaving_count) && !rp_step_aside(&w->aside))
		lie_down(p, STEP_NS);
	p->now_tsc = rp_tsc();
	return n;
}

/* Who sends to a port is not told when it has been emptied. */
static bool ring_wants(struct rp_party *p)
{
	return false;
}

static void ring_nothing(struct rp_party *p)
{
}

static struct dp_port *port_of(const struct worker *w)
{
	return w->all->dp->cfg.port;
}

static u32 ring_ready(struct rp_party *p)
{
	struct worker *w = worker_of(p);
	struct dp_port *port = port_of(w);

	return port->ops->depth ? port->ops->depth(port, w->id) : 0;
}

static void set_interrupt(struct worker *w, bool on)
{
	struct dp_port *port = port_of(w);

	if (w->irq_fd >= 0)
		port->ops->interrupt(port, w->id, on);
}

/* Others' words and the queue are looked at after it was asked to be woken. */
static bool ring_arm(struct rp_party *p, u32 k)
{
	struct worker *w = worker_of(p);

	set_interrupt(w, true);
	/* The interrupt's being asked for, before the look at the ring. */
	rp_mb();
	return !dp_thread_rest(w->all->dp, w->id) || ring_ready(p);
}

static void ring_disarm(struct rp_party *p)
{
	set_interrupt(worker_of(p), false);
}

static const struct rp_ring_ops ring_ops = {
	.work = ring_work,
	.peer_wants = ring_wants,
	.notify = ring_nothing,
	.arm = ring_arm,
	.disarm = ring_disarm,
	.ready = ring_ready,
};

static bool nothing_to_do(const struct worker *w)
{
	const struct dp_thread *t = &w->all->dp->threads[w->id];

	return !(atomic_load_explicit(&w->all->active, memory_order_relaxed) >> w->id & 1) &&
	       !t->groups && !t->coming_count && !t->leaving_count;
}

static bool thread_stopping(struct rp_party *p)
{
	struct worker *w = worker_of(p);

	return atomic_load_explicit(&w->all->stop, memory_order_relaxed) || nothing_to_do(w);
}

static bool has_timers(const struct worker *w)
{
	const struct dp_group *g;

	for (g = w->all->dp->threads[w->id].groups; g; g = g->next)
		if (g->wheel.timers)
			return true;
	return false;
}

/* How long a block may last, -1: for ever. Timers are looked at every tick. */
static s64 longest_ns(const struct worker *w, u64 timeout_ns)
{
	u64 ns = timeout_ns ? timeout_ns : ~0ULL >> 1;

	if (has_timers(w) && ns > DP_TICK_NS)
		ns = DP_TICK_NS;
	if (w->irq_fd < 0 && ns > BLOCK_NS)
		ns = BLOCK_NS;
	return ns == ~0ULL >> 1 ? -1 : (s64)ns;
}

/* Until somebody wakes it or, @irq, packets come. */
static bool wait_for(struct worker *w, bool irq, s64 ns)
{
	const struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
	struct pollfd p[2] = {
		{ .fd = w->wake_fd, .events = POLLIN },
		{ .fd = irq ? w->irq_fd : -1, .events = POLLIN },
	};

	if (ppoll(p, 2, ns < 0 ? NULL : &ts, NULL) <= 0)
		return false;
	if (p[0].revents)
		dp_port_take_eventfd(w->wake_fd);
	if (p[1].revents) {
		port_of(w)->ops->interrupt_take(port_of(w), w->id);
		dp_count(&w->interrupts, 1);
	}
	return true;
}

static enum rp_wake thread_block(struct rp_party *p, u64 timeout_ns)
{
	struct worker *w = worker_of(p);

	if (!wait_for(w, true, longest_ns(w, timeout_ns)))
		return ring_ready(p) ? RP_WAKE_NOTIFIED : RP_WAKE_STOP;
	return RP_WAKE_NOTIFIED;
}

static u64 thread_cpu(struct rp_party *p)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void thread_sleep(struct rp_party *p, u64 ns)
{
	u64 before = p->now_tsc;

	lie_down(p, ns);
	if (ns < RP_SPIN_NAP_NS)
		rp_spin_aside(&worker_of(p)->spin, rp_tsc_to_ns(&p->clock, rp_tsc() - before));
}

static u64 thread_aside(struct rp_party *p, u64 turn_ns)
{
	return rp_spin_aside(&worker_of(p)->spin, turn_ns);
}

static const struct rp_thread_ops thread_ops = {
	.stopping = thread_stopping,
	.sleep = thread_sleep,
	.block = thread_block,
	.cpu_ns = thread_cpu,
	.aside = thread_aside,
};

/* ---- Parked ---- */

static void wake(struct worker *w)
{
	const u64 one = 1;

	/* It is asleep, or finds that it is to sleep no more. */
	if (atomic_exchange(&w->napping, 0)) {
		syscall(SYS_futex, &w->napping, FUTEX_WAKE_PRIVATE, 1);
		return;
	}
	if (write(w->wake_fd, &one, sizeof(one)) < 0)
		perror("rp-dataplane: a thread cannot be woken");
}

/* Until it has something to do: no look at anything, no time limit. */
static void park(struct worker *w)
{
	/* What woke it before is of no use any more: it has looked since. */
	dp_port_take_eventfd(w->wake_fd);
	atomic_store(&w->parked, true);
	while (!atomic_load(&w->all->stop) && nothing_to_do(w)) {
		if (dp_thread_rest(w->all->dp, w->id)) {
			wait_for(w, false, -1);
			dp_count(&w->wakes, 1);
		}
		dp_thread_turn(w->all->dp, w->id);
	}
	atomic_store(&w->parked, false);
}

static void pin(const struct worker *w)
{
	cpu_set_t set;

	if (!w->all->cpus)
		return;
	CPU_ZERO(&set);
	CPU_SET((size_t)w->all->cpus[w->id], &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
		fprintf(stderr, "rp-dataplane: thread %u cannot run on CPU %d: it is not pinned\n",
			w->id, w->all->cpus[w->id]);
}

/* However it ends. */
static void tell_end(void *arg)
{
	struct worker *w = arg;
	const u64 one = 1;

	if (w->all->end)
		w->all->end();
	/* Release: all that it had; pairs with the acquire in workers_tend(). */
	atomic_store_explicit(&w->ended, true, memory_order_release);
	if (write(w->all->event_fd, &one, sizeof(one)) < 0)
		perror("rp-dataplane: the end of a thread cannot be told");
}

static void take_turns(struct worker *w)
{
	while (!atomic_load(&w->all->stop)) {
		rp_party_run(&w->party);
		park(w);
		/* The kernel gives up the pin of one that wakes while its CPU is off line. */
		pin(w);
	}
}

static void *run(void *arg)
{
	struct worker *w = arg;

	atomic_store(&w->tid, gettid());
	pin(w);
	pthread_cleanup_push(tell_end, w);
	if (!w->all->begin || !w->all->begin())
		take_turns(w);
	else
		fprintf(stderr, "rp-dataplane: thread %u cannot begin\n", w->id);
	pthread_cleanup_pop(1);
	return NULL;
}

/* ---- Life ---- */

void workers_wake(void *arg, u32 thread)
{
	struct workers *ws = arg;

	wake(&ws->worker[thread]);
}

u32 workers_set_active(struct workers *ws, u64 active, enum dp_cause cause)
{
	u64 was;
	u32 i;

	active |= 1;
	was = atomic_exchange(&ws->active, active);
	for (i = 0; i < ws->count; i++)
		if (active & ~was & 1ULL << i)
			wake(&ws->worker[i]);
	return dp_spread(ws->dp, active, cause);
}

static void prepare(struct worker *w, struct workers *ws, u32 id, u64 tsc_hz)
{
	const struct rp_params params = {
		.strategy = ws->idle, .role = RP_CONSUMER, .threshold = 1,
		.queue_len = ws->slots, .y_ns = ws->sleep_ns, .dmax_ns = ws->dmax_ns,
	};

	w->all = ws;
	w->id = id;
	w->party.ring = &ring_ops;
	w->party.thread = &thread_ops;
	w->party.ctx = w;
	rp_party_init(&w->party, &params, tsc_hz);
	w->party.burst = 1;
	w->party.hands_pauses = true;
}

int workers_init(struct workers *ws, u32 count, u64 tsc_hz)
{
	u32 i;

	ws->count = count;
	ws->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	atomic_store(&ws->active, dp_first_threads(count));
	for (i = 0; i < count; i++) {
		prepare(&ws->worker[i], ws, i, tsc_hz);
		ws->worker[i].wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (ws->event_fd < 0 || ws->worker[i].wake_fd < 0) {
			perror("rp-dataplane: no eventfd");
			ws->count = i;
			return -1;
		}
	}
	return 0;
}

int workers_start(struct workers *ws)
{
	u32 i;
	int rc;

	for (i = 0; i < ws->count; i++) {
		struct worker *w = &ws->worker[i];
		struct dp_port *port = ws->dp->cfg.port;

		w->irq_fd = port->ops->interrupt_fd ? port->ops->interrupt_fd(port, i) : -1;
		rc = pthread_create(&w->thread, NULL, run, w);
		w->started = !rc;
		if (rc) {
			fprintf(stderr, "rp-dataplane: thread %u cannot be started: %s\n", i,
				strerror(rc));
			return -1;
		}
	}
	return 0;
}

const char *workers_wait(const struct workers *ws)
{
	if (ws->idle == RP_ADAPTIVE && ws->worker[0].irq_fd >= 0)
		return "interrupt";
	return ws->idle == RP_BUSY ? "spin" : "sleep";
}

void workers_stop(struct workers *ws)
{
	u32 i;

	atomic_store(&ws->stop, true);
	for (i = 0; i < ws->count; i++) {
		wake(&ws->worker[i]);
		if (ws->worker[i].started)
			pthread_join(ws->worker[i].thread, NULL);
		ws->worker[i].started = false;
	}
}

void workers_fini(struct workers *ws)
{
	u32 i;

	for (i = 0; i < ws->count; i++)
		close(ws->worker[i].wake_fd);
	if (ws->event_fd >= 0)
		close(ws->event_fd);
}
