// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel threads that serve queues.
 *
 * A thread steps parties until each of its queues waits for something, then
 * waits for the first of these. It has what a vhost thread is expected to
 * have: the owner's memory and cgroups, so that its time is accounted to the
 * VM and moves with it, and "vhost-PID" at the start of its name, by which
 * tools know it. It may be pinned, and freezes with the system, since it
 * writes the owner's memory.
 *
 * Fairness. A turn ends after TURN_NS, or earlier when somebody wants the
 * queue's mutex; the mutex itself hands over to who has waited long enough.
 */
#include <linux/cgroup.h>
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>

#include "trace.h"
#include "vhpc.h"

#define TURN_NS		(100 * NSEC_PER_USEC)

bool vhpc_wanted(const struct vhpc_queue *q)
{
	return atomic_read(&q->wanted) || READ_ONCE(q->changed) ||
	       kthread_should_stop();
}

/* In the notifier's context: eventfd's lock is held, interrupts may be off. */
void vhpc_kick(struct vhost_work *work)
{
	struct vhpc_queue *q = container_of(work, struct vhpc_queue, vq.poll.work);

	trace_vhost_pc_kick(q);
	WRITE_ONCE(q->kicked, true);
	wake_up(&q->worker->wait);
}

/* ---- One queue's turn: under vq.mutex ---- */

static void set_state(struct vhpc_queue *q, enum vhpc_state state, ktime_t wake_at)
{
	q->wake_at = wake_at;
	q->state = state;
}

/* Is there a ring that may be touched? */
static bool serves(struct vhpc_queue *q)
{
	return vhost_vq_get_backend(&q->vq) && !q->broken;
}

/* When a rev run's time is over. */
static ktime_t end_of_run(const struct vhpc_queue *q)
{
	s64 left_tsc = q->end_tsc - q->party.now_tsc;

	if (!q->end_tsc)
		return KTIME_MAX;
	if (left_tsc <= 0)
		return ktime_get();
	return ktime_add_ns(ktime_get(), rp_tsc_to_ns(&q->party.clock, left_tsc) + 1);
}

/*
 * Orders, a run that has begun or ended, or a call that is owed. The driver is
 * left unarmed. What the strategy has learned in this run stays unless its
 * parameters are other ones.
 */
static void obey(struct vhpc_queue *q)
{
	struct rp_party *p = &q->party;

	rp_party_resume(p, RP_WAKE_STOP);
	if (serves(q)) {
		if (q->renew)
			vhpc_queue_apply(q);
		vhpc_queue_apply_work(q);
		rp_party_start(p);
		if (q->call_owed && vhpc_peer_wants(p))
			vhpc_notify(p);
	}
	set_state(q, vhpc_queue_on(q) ? VHPC_READY : VHPC_OFF, KTIME_MAX);
}

static void resume(struct vhpc_queue *q)
{
	struct rp_party *p = &q->party;

	if (q->state == VHPC_SLEEPING) {
		rp_party_resume(p, RP_WAKE_SLEPT);
	} else if (q->state == VHPC_BLOCKED) {
		bool kicked = xchg(&q->kicked, false);
		bool timeout = !kicked && q->block_times_out;

		rp_party_resume(p, kicked ? RP_WAKE_NOTIFIED :
				   timeout ? RP_WAKE_TIMEOUT : RP_WAKE_STOP);
		if (kicked)
			trace_vhost_pc_wake(q);
	}
	set_state(q, VHPC_READY, KTIME_MAX);
}

static ktime_t end_of_block(u64 most_ns)
{
	return most_ns ? ktime_add_ns(ktime_get(), most_ns) : KTIME_MAX;
}

/* The end of a run that comes first is no time-out. */
static void set_blocked(struct vhpc_queue *q, ktime_t timeout, ktime_t run_end)
{
	q->block_times_out = timeout != KTIME_MAX && timeout <= run_end;
	set_state(q, VHPC_BLOCKED, min(timeout, run_end));
}

/* Strategies change their mode when they are asked how to wait: a run of batches is over. */
static void trace_mode(struct vhpc_queue *q)
{
	const struct rp_strategy *s = &q->party.strategy;
	enum rp_wait mode;

	if (q->party.run_batches || !s->ops->mode)
		return;
	mode = s->ops->mode(s);
	if (likely(mode == q->mode))
		return;
	trace_vhost_pc_mode_change(q, q->mode, mode);
	q->mode = mode;
}

static void step(struct vhpc_queue *q)
{
	struct rp_next next = rp_party_step(&q->party);

	trace_mode(q);
	switch (next.what) {
	case RP_NEXT_SLEEP:
		trace_vhost_pc_sleep(q, next.ns);
		set_state(q, VHPC_SLEEPING,
			  min_t(ktime_t, ktime_add_ns(ktime_get(), next.ns),
				end_of_run(q)));
		break;
	case RP_NEXT_BLOCK:
		trace_vhost_pc_block(q);
		set_blocked(q, end_of_block(next.ns), end_of_run(q));
		break;
	default:
		break;
	}
}

static bool run_over(const struct vhpc_queue *q)
{
	return !q->items_left ||
	       (q->end_tsc && (s64)(q->party.now_tsc - q->end_tsc) >= 0);
}

/* Before each step: does the queue go on at all? */
static bool goes_on(struct vhpc_queue *q)
{
	if (vhpc_is_rev(q) && q->producing && run_over(q))
		WRITE_ONCE(q->producing, false);
	if (likely(vhpc_queue_on(q)))
		return true;
	if (serves(q))
		rp_party_start(&q->party);
	set_state(q, VHPC_OFF, KTIME_MAX);
	return false;
}

static void turn(struct vhpc_queue *q)
{
	u64 begin_tsc = rp_tsc();
	u64 turn_tsc = rp_ns_to_tsc(&q->party.clock, TURN_NS);

	mutex_lock(&q->vq.mutex);
	if (xchg(&q->changed, false))
		obey(q);
	else
		resume(q);
	while (q->state == VHPC_READY && goes_on(q)) {
		step(q);
		if (vhpc_wanted(q) || need_resched() ||
		    q->party.now_tsc - begin_tsc > turn_tsc)
			break;
	}
	mutex_unlock(&q->vq.mutex);
}

/* ---- The thread ---- */

/*
 * Who waits for the mutex gets it: the worker would take it back before the
 * other has woken, again and again, for turns of one item without its work.
 */
static bool due(const struct vhpc_queue *q)
{
	if (atomic_read(&q->wanted))
		return false;
	if (READ_ONCE(q->changed))
		return true;
	switch (q->state) {
	case VHPC_READY:
		return true;
	case VHPC_BLOCKED:
		if (READ_ONCE(q->kicked))
			return true;
		fallthrough;
	case VHPC_SLEEPING:
		return q->wake_at != KTIME_MAX && ktime_get() >= q->wake_at;
	default:
		return false;
	}
}

/* When the first of the queues is due by itself; 0: one is now. */
static ktime_t next_due(const struct vhpc_worker *w)
{
	ktime_t at = KTIME_MAX;
	u32 i;

	for (i = w->begin; i < w->end; i++) {
		const struct vhpc_queue *q = &w->dev->queues[i];

		if (due(q))
			return 0;
		/* Its deadline may be over; vhpc_want_no_more() wakes us. */
		if (!atomic_read(&q->wanted))
			at = min(at, q->wake_at);
	}
	return at;
}

/*
 * No slack: how long a sleep really takes is what is measured. A kick that
 * wakes the thread during one changes nothing, since the time is absolute.
 */
static void wait(struct vhpc_worker *w)
{
	DEFINE_WAIT(entry);
	ktime_t at;

	prepare_to_wait(&w->wait, &entry, TASK_INTERRUPTIBLE | TASK_FREEZABLE);
	at = next_due(w);
	if (at && !kthread_should_stop())
		schedule_hrtimeout_range(at == KTIME_MAX ? NULL : &at, 0,
					 HRTIMER_MODE_ABS);
	finish_wait(&w->wait, &entry);
}

static void serve(struct vhpc_worker *w)
{
	u32 i;

	for (i = w->begin; i < w->end && !kthread_should_stop(); i++)
		if (due(&w->dev->queues[i]))
			turn(&w->dev->queues[i]);
}

/* The last that the driver sees of us: no kicks, please. */
static void leave(struct vhpc_worker *w)
{
	u32 i;

	for (i = w->begin; i < w->end; i++) {
		struct vhpc_queue *q = &w->dev->queues[i];

		mutex_lock(&q->vq.mutex);
		rp_party_resume(&q->party, RP_WAKE_STOP);
		if (serves(q))
			rp_party_start(&q->party);
		mutex_unlock(&q->vq.mutex);
	}
}

static int worker_main(void *arg)
{
	struct vhpc_worker *w = arg;

	/* From inside: an owner may not move threads of the kernel. */
	w->err = cgroup_attach_task_all(w->owner, current);
	complete(&w->started);
	set_freezable();
	kthread_use_mm(w->dev->mm);
	while (!kthread_should_stop()) {
		serve(w);
		if (!next_due(w))
			cond_resched();
		else
			wait(w);
		try_to_freeze();
	}
	leave(w);
	kthread_unuse_mm(w->dev->mm);
	return 0;
}

/* Up to date to a tick: the strategy looks at the sums of many waits. */
static u64 party_cpu_ns(struct rp_party *p)
{
	return current->se.sum_exec_runtime;
}

static const struct rp_thread_ops own_thread_ops = {
	.cpu_ns = party_cpu_ns,
};

/* ---- Life: under vhost_dev.mutex ---- */

void vhpc_workers_assign(struct vhpc_dev *d, u32 threads)
{
	u32 share = threads == VHOST_PC_THREAD_QUEUE ? 1 :
		    threads == VHOST_PC_THREAD_PAIR ? 2 : d->n_queues;
	u32 i;

	d->threads = threads;
	for (i = 0; i < d->n_queues; i++) {
		struct vhpc_worker *w = &d->workers[i];

		w->begin = min(i * share, d->n_queues);
		w->end = min(w->begin + share, d->n_queues);
		w->cpu_gone_ns = 0;
		/* The time of a thread that serves several tells nothing of one of them. */
		d->queues[i].party.thread = share == 1 ? &own_thread_ops : NULL;
		d->queues[i].cpu_base_ns = 0;
		/* A kick may be on its way: it wakes the one or the other. */
		WRITE_ONCE(d->queues[i].worker, &d->workers[i / share]);
	}
}

static bool has_queue(const struct vhpc_worker *w)
{
	u32 i;

	for (i = w->begin; i < w->end; i++)
		if (w->dev->queues[i].vq.private_data)
			return true;
	return false;
}

static int start(struct vhpc_worker *w, u32 index)
{
	struct task_struct *task;

	init_completion(&w->started);
	/* Whoever starts the device may be a vCPU's thread, with cgroups of its own. */
	w->owner = get_pid_task(w->dev->owner, PIDTYPE_TGID);
	if (!w->owner)
		return -ESRCH;
	task = kthread_create(worker_main, w, "vhost-%d-%u", pid_nr(w->dev->owner), index);
	if (IS_ERR(task)) {
		put_task_struct(w->owner);
		return PTR_ERR(task);
	}
	/* Its time is read after its end. */
	w->task = get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&w->started);
	put_task_struct(w->owner);
	return w->err;
}

int vhpc_workers_start(struct vhpc_dev *d)
{
	u32 i;
	int err;

	for (i = 0; i < d->n_queues; i++) {
		if (!has_queue(&d->workers[i]))
			continue;
		err = start(&d->workers[i], i);
		if (err) {
			vhpc_workers_stop(d);
			return err;
		}
	}
	return 0;
}

void vhpc_workers_stop(struct vhpc_dev *d)
{
	u32 i;

	for (i = 0; i < d->n_queues; i++) {
		struct vhpc_worker *w = &d->workers[i];
		struct task_struct *task = w->task;

		if (!task)
			continue;
		kthread_stop(task);
		w->cpu_gone_ns += READ_ONCE(task->se.sum_exec_runtime);
		w->task = NULL;
		put_task_struct(task);
	}
}

u64 vhpc_worker_cpu_ns(const struct vhpc_worker *w)
{
	return w->cpu_gone_ns +
	       (w->task ? READ_ONCE(w->task->se.sum_exec_runtime) : 0);
}
