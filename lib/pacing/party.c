// SPDX-License-Identifier: GPL-2.0-or-later
/* The loop that every party runs. */
#include "pacing/party.h"

static void totals(const struct rp_strategy *s, struct rp_totals *t, bool cpu)
{
	struct rp_party *p = (struct rp_party *)((char *)s - offsetof(struct rp_party, strategy));
	const struct rp_stats *st = &p->stats;
	const struct rp_clock *c = &p->clock;

	/* One by one: a struct's initialiser clears it first, which takes as long as the rest. */
	t->items = st->items;
	t->timed = p->latency ? rp_load(&p->latency->count) : 0;
	t->late = st->late;
	t->peer_waits = st->peer_waits;
	t->work_ns = rp_tsc_to_ns(c, st->work_tsc);
	t->sent = st->sent;
	t->notify_ns = rp_tsc_to_ns(c, st->notify_tsc);
	t->sleeps = st->sleeps;
	t->sleep_ns = rp_tsc_to_ns(c, st->sleep_tsc);
	t->blocks = st->blocks;
	t->block_ns = rp_tsc_to_ns(c, st->block_tsc);
	t->spin_ns = rp_tsc_to_ns(c, st->spin_tsc);
	t->wakes = st->wakes;
	t->wake_ns = rp_tsc_to_ns(c, st->wake_tsc);
	t->cpu_ns = cpu && p->thread && p->thread->cpu_ns ? p->thread->cpu_ns(p) : 0;
	/* What was given away was not taken: it counts as this thread's. */
	if (t->cpu_ns)
		t->cpu_ns += rp_tsc_to_ns(c, st->aside_tsc);
}

static const struct rp_env_ops env_ops = {
	.totals = totals,
};

/* The two sides' work must not go up and down together. */
static void seed_work(struct rp_party *p)
{
	p->w_rng = 0x9e3779b97f4a7c15ULL + p->strategy.params.role;
}

void rp_party_init(struct rp_party *p, const struct rp_params *params,
		   u64 tsc_hz)
{
	rp_strategy_init(&p->strategy, params, &env_ops);
	rp_clock_init(&p->clock, tsc_hz);
	p->dmax_tsc = params->dmax_ns ? rp_ns_to_tsc(&p->clock, params->dmax_ns) : ~0ULL;
	p->burst = p->burst ? p->burst : 1;
	if (!p->w_rng)
		seed_work(p);
	memset(&p->status_base, 0, sizeof(p->status_base));
	rp_watch_init(p);
}

static void status_reset(struct rp_party *p)
{
	const struct rp_strategy *s = &p->strategy;
	struct rp_status st = { 0 };
	u32 i;

	if (!s->ops || !s->ops->status)
		return;
	s->ops->status(s, &st);
	for (i = 0; i < RP_WAITS; i++)
		p->status_base.mode_ns[i] = st.mode_ns[i];
	p->status_base.mode_changes = st.mode_changes;
}

void rp_party_stats_reset(struct rp_party *p)
{
	status_reset(p);
	memset(&p->stats, 0, sizeof(p->stats));
	/* What is measured with one strategy is the work that others met, too. */
	seed_work(p);
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
	p->waited = false;
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

static u64 shorter(u64 a_ns, u64 b_ns)
{
	return a_ns && (a_ns < b_ns || !b_ns) ? a_ns : b_ns;
}

static struct rp_next block(struct rp_party *p, u32 k, u64 timeout_ns)
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
	p->block_ns = timeout_ns;
	rp_watch_look(p);
	p->wait_tsc = rp_tsc();
	rp_add(&p->stats.blocks, 1);
	rp_trace(p->trace, RP_EV_BLOCK, p->wait_tsc, p->stats.items);
	return (struct rp_next){ RP_NEXT_BLOCK, shorter(timeout_ns, rp_watch_left_ns(p)) };
}

static void spin(struct rp_party *p, u64 before_tsc, u64 ns)
{
	u64 tsc = rp_ns_to_tsc(&p->clock, ns < RP_SPIN_MAX_NS ? ns : RP_SPIN_MAX_NS);
	u64 start = p->now_tsc;

	do
		rp_relax();
	while (tsc && rp_tsc() - start < tsc);
	if (tsc)
		p->now_tsc = rp_tsc();
	rp_add(&p->stats.spin_tsc, p->now_tsc - before_tsc);
}

/* While it spins or works: a quarter of D_MAX apart is often enough. */
static void watch(struct rp_party *p)
{
	if (unlikely(p->watch.least_tsc && p->now_tsc - p->watch.look_tsc >= p->watch.least_tsc / 2))
		rp_watch_look(p);
}

static struct rp_next idle(struct rp_party *p)
{
	u64 before = p->now_tsc, pause_ns;
	struct rp_decision d;

	note_idle(p);
	p->waited = true;
	p->run_batches = 0;
	p->now_tsc = rp_tsc();
	watch(p);
	d = p->strategy.ops->idle(&p->strategy,
				  rp_tsc_to_ns(&p->clock, p->now_tsc));
	switch (d.wait) {
	case RP_WAIT_BLOCK:
		return block(p, d.threshold, d.wait_ns);
	case RP_WAIT_SLEEP:
		rp_watch_look(p);
		p->waiting = true;
		p->wait_tsc = p->now_tsc;
		rp_add(&p->stats.sleeps, 1);
		rp_add(&p->stats.sleep_asked_tsc,
		       rp_ns_to_tsc(&p->clock, d.wait_ns));
		rp_trace(p->trace, RP_EV_SLEEP, p->now_tsc, d.wait_ns);
		return (struct rp_next){ RP_NEXT_SLEEP, d.wait_ns };
	default:
		pause_ns = p->hands_pauses ? d.wait_ns : 0;
		spin(p, before, d.wait_ns - pause_ns);
		return (struct rp_next){ RP_NEXT_SPIN, pause_ns };
	}
}

static void pulse(struct rp_party *p)
{
	p->run_batches = 0;
	watch(p);
	if (p->strategy.ops->pulse)
		p->strategy.ops->pulse(&p->strategy, p->ring->ready(p),
				       rp_tsc_to_ns(&p->clock, p->now_tsc));
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
	if (unlikely(++p->run_batches >= p->strategy.pulse))
		pulse(p);
	tell_peer(p);
	return (struct rp_next){ RP_NEXT_RUN, 0 };
}

/*
 * A block was as long as it may be. If what it waited for is there, the peer's
 * notification was lost. If a producer finds nothing, its own may have been: it
 * tells the consumer again, after as long as the strategy wanted whatever that
 * asked for.
 */
static void repair(struct rp_party *p, u32 ready, u64 took_tsc)
{
	if (ready && ready >= p->armed_k)
		rp_add(&p->stats.repaired, 1);
	else if (!ready && p->strategy.params.role == RP_PRODUCER && !rp_watch_look(p) &&
		 took_tsc >= rp_ns_to_tsc(&p->clock, p->block_ns))
		rp_watch_tell(p);
}

static void tell_strategy(struct rp_party *p, enum rp_wake by, u64 took_tsc)
{
	struct rp_strategy *s = &p->strategy;
	u32 ready;

	if (!s->ops->woken && by != RP_WAKE_TIMEOUT)
		return;
	ready = p->ring->ready(p);
	if (by == RP_WAKE_TIMEOUT)
		repair(p, ready, took_tsc);
	else
		rp_watch_look(p);
	if (s->ops->woken)
		s->ops->woken(s, by, ready, rp_tsc_to_ns(&p->clock, p->now_tsc));
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
	tell_strategy(p, by, took);
}

u64 rp_party_rest(struct rp_party *p)
{
	p->now_tsc = rp_tsc();
	rp_watch_look(p);
	return rp_watch_left_ns(p);
}

/* After a turn that found nothing: a pause of @ns, or none, in which others may have the CPU. */
static void step_aside(struct rp_party *p, u64 turn_tsc, u64 ns)
{
	u64 start = p->now_tsc, tsc = rp_ns_to_tsc(&p->clock, ns), before;
	u64 given = p->thread->aside(p, rp_tsc_to_ns(&p->clock, turn_tsc));

	while (tsc && (before = rp_tsc()) - start < tsc) {
		rp_relax();
		given += p->thread->aside(p, rp_tsc_to_ns(&p->clock, rp_tsc() - before));
	}
	if (!tsc && !given)
		return;
	rp_party_paused(p);
	rp_party_gave(p, given);
}

void rp_party_run(struct rp_party *p)
{
	struct rp_next next;
	u64 start;

	rp_party_start(p);
	while (!p->thread->stopping(p)) {
		start = p->now_tsc;
		next = rp_party_step(p);
		switch (next.what) {
		case RP_NEXT_SPIN:
			if (p->thread->aside)
				step_aside(p, p->now_tsc - start, next.ns);
			break;
		case RP_NEXT_SLEEP:
			p->thread->sleep(p, next.ns);
			rp_party_resume(p, RP_WAKE_SLEPT);
			break;
		case RP_NEXT_BLOCK:
			rp_party_resume(p, p->thread->block(p, next.ns));
			break;
		default:
			break;
		}
	}
	set_armed(p, false);
}
