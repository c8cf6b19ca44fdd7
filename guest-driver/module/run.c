// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A run: the thread under the party, and what comes before and after it.
 *
 * Context: the ioctl's caller, under the pair's lock. The party polls in
 * kernel mode for as long as its user says, so every turn offers the CPU and
 * looks for signals and removal; nothing in between takes longer than a burst
 * (10 ms) or a slice of one item's work (100 us).
 */
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <asm/tsc.h>

#include "pacing/status_flat.h"
#include "vpc.h"

#define EMULATE_SLICE_NS	(100 * NSEC_PER_USEC)
/* How long the end of a run waits for the host to finish what was sent. */
#define DRAIN_MS		3000

static bool interrupted(const struct vpc_run *run)
{
	return READ_ONCE(run->q->dev->gone) || signal_pending(current) ||
	       virtqueue_is_broken(run->q->vq);
}

u64 vpc_emulate(struct rp_party *p, u64 start_tsc)
{
	u64 slice_tsc = rp_ns_to_tsc(&p->clock, EMULATE_SLICE_NS);
	u64 w_tsc = rp_party_work_tsc(p);
	u64 now = start_tsc;

	if (likely(w_tsc <= slice_tsc))
		return rp_emulate(start_tsc, w_tsc);
	while (now - start_tsc < w_tsc && !interrupted(vpc_run_of(p))) {
		now = rp_emulate(now, min(slice_tsc, w_tsc - (now - start_tsc)));
		cond_resched();
	}
	return now;
}

static bool stopping(struct rp_party *p)
{
	struct vpc_run *run = vpc_run_of(p);

	cond_resched();
	return run->err || interrupted(run) || p->now_tsc >= run->deadline_tsc ||
	       (run->arg.max_items && p->stats.items >= run->arg.max_items);
}

static u64 left_ns(const struct vpc_run *run)
{
	u64 now_tsc = rp_tsc();

	if (now_tsc >= run->deadline_tsc)
		return 0;
	return rp_tsc_to_ns(&run->party.clock, run->deadline_tsc - now_tsc);
}

/*
 * No slack: how long a sleep really takes is what is measured. The queue's
 * wait queue is not for this: an interrupt must not cut a sleep short.
 */
static void party_sleep(struct rp_party *p, u64 ns)
{
	struct vpc_run *run = vpc_run_of(p);
	ktime_t timeout = ns_to_ktime(min(ns, left_ns(run)));
	DEFINE_WAIT(wait);

	prepare_to_wait(&run->q->dev->gone_wait, &wait, TASK_INTERRUPTIBLE);
	if (!READ_ONCE(run->q->dev->gone))
		schedule_hrtimeout_range(&timeout, 0, HRTIMER_MODE_REL);
	finish_wait(&run->q->dev->gone_wait, &wait);
}

static enum rp_wake party_block(struct rp_party *p, u64 timeout_ns)
{
	struct vpc_run *run = vpc_run_of(p);
	struct vpc_queue *q = run->q;
	u64 most_ns = min_not_zero(timeout_ns, left_ns(run));
	int err;

	err = wait_event_interruptible_hrtimeout(q->wait,
		READ_ONCE(q->called) || READ_ONCE(q->dev->gone) ||
			virtqueue_is_broken(q->vq),
		ns_to_ktime(most_ns));
	if (xchg(&q->called, false))
		return RP_WAKE_NOTIFIED;
	return err == -ETIME && most_ns == timeout_ns ? RP_WAKE_TIMEOUT : RP_WAKE_STOP;
}

/* Up to date to a tick: the strategy looks at the sums of many waits. */
static u64 party_cpu_ns(struct rp_party *p)
{
	return current->se.sum_exec_runtime;
}

static const struct rp_thread_ops thread_ops = {
	.stopping = stopping,
	.sleep = party_sleep,
	.block = party_block,
	.cpu_ns = party_cpu_ns,
};

/*
 * CPU time of this thread. The scheduler brings the sum up to date when the
 * thread passes through it, so it is made to.
 */
static u64 cpu_ns(void)
{
	schedule();
	return current->se.sum_exec_runtime;
}

static int run_init(struct vpc_run *run)
{
	const struct virtio_pc_run *arg = &run->arg;
	struct rp_party *p = &run->party;
	struct rp_params params = {
		.strategy = arg->strategy,
		.role = arg->dir == VIRTIO_PC_DIR_FWD ? RP_PRODUCER : RP_CONSUMER,
		.queue_len = arg->queue_len,
		.threshold = arg->k,
		.y_ns = arg->y_ns,
		.dmax_ns = arg->dmax_ns,
		.cpu_cap_percent = arg->cpu_cap_percent,
	};
	int err = vpc_queue_begin(run->q);

	if (err)
		return err;
	p->ring = params.role == RP_PRODUCER ? &vpc_fwd_ops : &vpc_rev_ops;
	p->thread = &thread_ops;
	p->burst = arg->burst;
	p->trace = run->q->trace;
	rp_party_init(p, &params, (u64)tsc_khz * 1000);
	rp_learned_give(&run->q->learned, &p->strategy);
	p->w_tsc = rp_ns_to_tsc(&p->clock, arg->w_ns);
	p->w_dist = arg->w_dist;
	/* The lock keeps a reader from copying half of the old trace. */
	mutex_lock(&run->q->report_lock);
	p->trace->head = 0;
	mutex_unlock(&run->q->report_lock);
	p->trace->on = true;
	p->trace->items = arg->trace;
	return 0;
}

/* Latencies mean something only to a consumer whose clock is aligned. */
static int run_latency(struct vpc_run *run)
{
	struct rp_party *p = &run->party;

	if (run->arg.dir != VIRTIO_PC_DIR_REV || run->clock.error_tsc == ~0ULL)
		return 0;
	p->latency = kvzalloc(sizeof(*p->latency), GFP_KERNEL);
	p->clock_offset_tsc = -run->clock.offset_tsc;
	return p->latency ? 0 : -ENOMEM;
}

/*
 * The host's count of items is to match ours when the call returns, so what
 * was sent is waited for; not for ever, and not by a killed task. A host that
 * waits for k_P items is told once of fewer too, since no more will come.
 */
static void drain(struct vpc_queue *q)
{
	unsigned long until = jiffies + msecs_to_jiffies(DRAIN_MS);

	vpc_queue_reclaim(q);
	if (q->own)
		virtqueue_notify(q->vq);
	while (time_before(jiffies, until) && !fatal_signal_pending(current)) {
		vpc_queue_reclaim(q);
		if (!q->own || READ_ONCE(q->dev->gone) || virtqueue_is_broken(q->vq))
			break;
		WRITE_ONCE(q->called, false);
		if (!vpc_queue_arm(q, q->inflight))
			wait_event_killable_timeout(q->wait,
				READ_ONCE(q->called) || READ_ONCE(q->dev->gone),
				msecs_to_jiffies(DRAIN_MS) / 40);
		vpc_queue_disarm(q);
	}
}

static void report_pacing(const struct rp_party *p, struct virtio_pc_pacing *out)
{
	struct rp_status_flat flat;

	BUILD_BUG_ON(!rp_status_flat_is(struct virtio_pc_pacing));
	rp_party_status_flat(p, &flat);
	memcpy(out, &flat, sizeof(*out));
}

static void report(struct vpc_run *run, u64 took_cpu_ns)
{
	struct virtio_pc_stats *s = &run->arg.stats;
	const struct rp_clock *clock = &run->party.clock;
	struct rp_report r;

	rp_party_report(&run->party, &r);
#define X(name) s->name = r.name;
	RP_REPORT_FIELDS(X)
#undef X
	s->cpu_ns = took_cpu_ns;
	s->clock_offset_tsc = run->clock.offset_tsc;
	s->clock_error_ns = run->clock.error_tsc == ~0ULL ? ~0ULL :
			    rp_tsc_to_ns(clock, run->clock.error_tsc);
	s->tsc_hz = clock->tsc_hz;
	report_pacing(&run->party, &run->arg.pacing);
	mutex_lock(&run->q->report_lock);
	run->q->last = *s;
	mutex_unlock(&run->q->report_lock);
}

static void run_party(struct vpc_run *run)
{
	struct rp_party *p = &run->party;
	u64 cpu_begin_ns;

	if (run->arg.dir == VIRTIO_PC_DIR_REV)
		vpc_rev_begin(run);
	cpu_begin_ns = cpu_ns();
	run->begin_tsc = rp_tsc();
	run->deadline_tsc = run->begin_tsc +
			    rp_ns_to_tsc(&p->clock, run->arg.duration_ns);
	rp_party_run(p);
	rp_learned_keep(&run->q->learned, &p->strategy);
	run->arg.stats.duration_ns =
		rp_tsc_to_ns(&p->clock, rp_tsc() - run->begin_tsc);
	cpu_begin_ns = cpu_ns() - cpu_begin_ns;
	run->arg.stopped = signal_pending(current) &&
			   p->now_tsc < run->deadline_tsc;
	if (run->arg.dir == VIRTIO_PC_DIR_FWD)
		drain(run->q);
	else
		vpc_rev_end(run);
	report(run, cpu_begin_ns);
}

static int why_ended(const struct vpc_run *run)
{
	if (READ_ONCE(run->q->dev->gone))
		return -ENODEV;
	if (virtqueue_is_broken(run->q->vq))
		return -EIO;
	return run->err;
}

int vpc_run(struct vpc_dev *dev, struct vpc_pair *pair, struct virtio_pc_run *arg)
{
	struct vpc_run *run = kzalloc(sizeof(*run), GFP_KERNEL);
	int err;

	if (!run)
		return -ENOMEM;
	run->arg = *arg;
	run->q = arg->dir == VIRTIO_PC_DIR_FWD ? pair->fwd : pair->rev;
	err = run_init(run);
	if (!err) {
		vpc_clock_exchange(pair->fwd, run->party.clock.tsc_hz, &run->clock);
		err = run_latency(run);
	}
	if (!err) {
		run_party(run);
		err = why_ended(run);
	}
	*arg = run->arg;
	kvfree(run->party.latency);
	kfree(run);
	return err;
}
