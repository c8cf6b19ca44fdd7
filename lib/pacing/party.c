// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop that every party runs. */
#include "pacing/party.h"

void rp_party_init(struct rp_party *p, const struct rp_params *params,
		   u64 tsc_hz)
{
	rp_strategy_init(&p->strategy, params);
	rp_clock_init(&p->clock, tsc_hz);
	p->burst = p->burst ? p->burst : 1;
}

void rp_party_stats_reset(struct rp_party *p)
{
	memset(&p->stats, 0, sizeof(p->stats));
	if (p->latency)
		rp_hist_reset(p->latency);
}

static void set_armed(struct rp_party *p, bool armed)
{
	if (!armed && p->armed)
		p->ring->disarm(p);
	p->armed = armed;
}

void rp_party_start(struct rp_party *p)
{
	p->waiting = false;
	p->woken = false;
	p->armed_k = 0;
	p->armed = true;	/* whatever the ring's state was */
	set_armed(p, false);
	p->now_tsc = rp_tsc();
}

static void tell_peer(struct rp_party *p)
{
	const struct rp_strategy *s = &p->strategy;
	u64 start, cost;

	if (!p->ring->peer_wants(p)) {
		rp_add(&p->stats.suppressed, 1);
		return;
	}
	start = rp_tsc();
	rp_trace(p->trace, RP_EV_NOTIFY_START, start, p->stats.items);
	p->ring->notify(p);
	p->now_tsc = rp_tsc();
	rp_trace(p->trace, RP_EV_NOTIFY_END, p->now_tsc, p->stats.items);
	cost = p->now_tsc - start;
	rp_add(&p->stats.sent, 1);
	rp_add(&p->stats.notify_tsc, cost);
	if (s->ops->sent)
		s->ops->sent(&p->strategy, rp_tsc_to_ns(&p->clock, cost),
			     rp_tsc_to_ns(&p->clock, p->now_tsc));
}

/* Counts what was received in vain: notified, looked, and found nothing. */
static void note_idle(struct rp_party *p)
{
	if (p->woken) {
		rp_add(&p->stats.spurious, 1);
		p->woken = false;
	}
	p->armed_k = 0;
}

static struct rp_next block(struct rp_party *p, u32 k)
{
	rp_trace(p->trace, RP_EV_ARM, p->now_tsc, k);
	p->armed = true;
	if (p->ring->arm(p, k)) {
		rp_add(&p->stats.double_checks, 1);
		rp_trace(p->trace, RP_EV_DOUBLE_CHECK, p->now_tsc, 0);
		set_armed(p, false);
		return (struct rp_next){ RP_NEXT_RUN, 0 };
	}
	p->waiting = true;
	p->armed_k = k;
	p->wait_tsc = rp_tsc();
	rp_add(&p->stats.blocks, 1);
	rp_trace(p->trace, RP_EV_BLOCK, p->wait_tsc, p->stats.items);
	return (struct rp_next){ RP_NEXT_BLOCK, 0 };
}

static struct rp_next idle(struct rp_party *p)
{
	u64 before = p->now_tsc;
	struct rp_decision d;

	note_idle(p);
	p->now_tsc = rp_tsc();
	d = p->strategy.ops->idle(&p->strategy,
				  rp_tsc_to_ns(&p->clock, p->now_tsc));
	switch (d.wait) {
	case RP_WAIT_BLOCK:
		return block(p, d.threshold);
	case RP_WAIT_SLEEP:
		p->waiting = true;
		p->wait_tsc = p->now_tsc;
		rp_add(&p->stats.sleeps, 1);
		rp_add(&p->stats.sleep_asked_tsc,
		       rp_ns_to_tsc(&p->clock, d.sleep_ns));
		rp_trace(p->trace, RP_EV_SLEEP, p->now_tsc, d.sleep_ns);
		return (struct rp_next){ RP_NEXT_SLEEP, d.sleep_ns };
	default:
		rp_add(&p->stats.spin_tsc, p->now_tsc - before);
		rp_relax();
		return (struct rp_next){ RP_NEXT_SPIN, 0 };
	}
}

struct rp_next rp_party_step(struct rp_party *p)
{
	const struct rp_strategy_ops *ops = p->strategy.ops;
	u64 start = p->now_tsc;
	u32 n = p->ring->work(p, p->burst);

	if (unlikely(!n))
		return idle(p);
	p->woken = false;
	p->armed_k = 0;
	rp_add(&p->stats.items, n);
	rp_add(&p->stats.batches, 1);
	rp_add(&p->stats.work_tsc, p->now_tsc - start);
	if (ops->batch_done)
		ops->batch_done(&p->strategy, n,
				rp_tsc_to_ns(&p->clock, p->now_tsc));
	tell_peer(p);
	return (struct rp_next){ RP_NEXT_RUN, 0 };
}

void rp_party_resume(struct rp_party *p, enum rp_wake by)
{
	u64 took;

	if (!p->waiting)
		return;
	p->waiting = false;
	p->now_tsc = rp_tsc();
	took = p->now_tsc - p->wait_tsc;
	if (p->armed)
		rp_add(&p->stats.block_tsc, took);
	else
		rp_add(&p->stats.sleep_tsc, took);
	if (!p->armed && took > p->stats.sleep_max_tsc)
		rp_store(&p->stats.sleep_max_tsc, took);
	if (by == RP_WAKE_NOTIFIED) {
		rp_add(&p->stats.received, 1);
		p->woken = true;
	}
	rp_trace(p->trace, p->armed ? RP_EV_WAKE : RP_EV_SLEPT, p->now_tsc,
		 p->stats.items);
	set_armed(p, false);
	if (p->strategy.ops->woken)
		p->strategy.ops->woken(&p->strategy, by,
				       rp_tsc_to_ns(&p->clock, p->now_tsc));
}

void rp_party_run(struct rp_party *p)
{
	struct rp_next next;

	rp_party_start(p);
	while (!p->thread->stopping(p)) {
		next = rp_party_step(p);
		switch (next.what) {
		case RP_NEXT_SLEEP:
			p->thread->sleep(p, next.ns);
			rp_party_resume(p, RP_WAKE_SLEPT);
			break;
		case RP_NEXT_BLOCK:
			rp_party_resume(p, p->thread->block(p));
			break;
		default:
			break;
		}
	}
	set_armed(p, false);
}
