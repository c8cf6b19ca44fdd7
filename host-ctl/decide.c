// SPDX-License-Identifier: GPL-2.0-or-later
/* Decides what every tenant should have, arbitrates, and has it carried out. */
#include "control.h"

#include <math.h>

#define NSEC_PER_SEC	1e9
#define MID		1	/* the average that adding goes by */

/* One tenant's place in a round of decisions. */
struct turn {
	struct hc_decision d;
	struct hc_claim claim;
	bool asked;		/* it was looked at, and did not only keep what it has */
};

static double max_load(const struct hc_tenant *t)
{
	return fmax(t->load[0], t->load[MID]);
}

/*
 * The load that @step can have. A queue's tail grows with 1 / (1 - load / capacity) in
 * units of a thread's time per item: slow threads need a larger part kept free.
 */
static double limit(const struct hc *c, const struct hc_tenant *t, u32 step)
{
	double capacity = hc_capacity(&t->cap, step);
	double item_ns = hc_config_threads(&t->cfg.policy->step[step]) * NSEC_PER_SEC / capacity;

	if (!(capacity > 0))
		return 0;
	return capacity * fmax(0.5, 1 - c->set.room * item_ns / (double)t->cfg.bound_ns);
}

static u32 stronger(const struct hc *c, const struct hc_tenant *t, double load)
{
	u32 step = t->step < t->cfg.max_step ? t->step + 1 : t->step;

	while (step < t->cfg.max_step && limit(c, t, step) < load)
		step++;
	return step;
}

static bool is_slow(const struct hc *c, const struct hc_tenant *t)
{
	return t->delay_ns[MID] > c->set.add_delay * (double)t->cfg.bound_ns ||
	       t->worst_ns > c->set.add_worst * (double)t->cfg.bound_ns;
}

/* More, if delay or load say so; HC_HOLD if not. */
static enum hc_why want_more(const struct hc *c, const struct hc_tenant *t, u32 *want)
{
	double capacity = hc_capacity(&t->cap, t->step);
	bool slow = is_slow(c, t);

	if (!slow && (!(capacity > 0) || t->load[MID] <= limit(c, t, t->step)))
		return HC_HOLD;
	*want = stronger(c, t, t->load[MID]);
	return slow ? HC_ADD_DELAY : HC_ADD_LOAD;
}

/* The weakest step that has not proved too weak lately for such a load. */
static u32 weakest(const struct hc *c, const struct hc_tenant *t, u64 now)
{
	u32 s = t->step;

	while (s > t->cfg.min_step &&
	       !(t->weak[s - 1].ns && now - t->weak[s - 1].ns < c->set.regret_ns &&
		 max_load(t) > t->weak[s - 1].load * (1 - c->set.regret)))
		s--;
	return s;
}

/* Less, if the idle time exceeds threshold[step, to] with a margin. */
static enum hc_why want_less(const struct hc *c, const struct hc_tenant *t, u64 now, u32 *want)
{
	double capacity = hc_capacity(&t->cap, t->step), idle, keep;
	u32 to;

	if (!(capacity > 0))
		return HC_HOLD;
	idle = 1 - max_load(t) / capacity;
	for (to = weakest(c, t, now); to < t->step; to++) {
		keep = limit(c, t, to) / hc_capacity(&t->cap, to) - c->set.keep;
		if (idle > 1 - keep * (1 - hc_threshold(&t->cap, t->step, to)))
			break;
	}
	if (to >= t->step)
		return HC_HOLD;
	if (t->added_ns && now - t->added_ns < t->hold_ns)
		return HC_HOLD_RECENT;
	*want = to;
	return HC_REMOVE_IDLE;
}

static enum hc_why want_step(const struct hc *c, const struct hc_tenant *t, u64 now, u32 *want)
{
	enum hc_why why;

	*want = t->step;
	if (t->pending)
		return HC_HOLD_PENDING;
	if (t->basis == HC_STALE)
		return HC_HOLD_STALE;
	if (t->basis == HC_ABSENT) {
		*want = t->cfg.max_step;
		return HC_SAFE;
	}
	why = want_more(c, t, want);
	return why == HC_HOLD ? want_less(c, t, now, want) : why;
}

/* ---- The fast path ---- */

/* Items per second over the last @n fast ticks; 0: not known. */
static double recent(const struct hc_tenant *t, u32 n)
{
	if (!t->window_ns[n] || t->window_ns[0] <= t->window_ns[n])
		return 0;
	return (t->window[0] - t->window[n]) * NSEC_PER_SEC /
	       (double)(t->window_ns[0] - t->window_ns[n]);
}

/*
 * Queues also grow by chance, and that is no reason to act: what came in the last two
 * ticks must exceed the capacity by more than chance explains.
 */
static bool overloaded(const struct hc *c, const struct hc_tenant *t)
{
	double seconds = (double)(t->window_ns[0] - t->window_ns[2]) / NSEC_PER_SEC;
	double rate = recent(t, 2), came = rate * seconds;

	return rate > 0 && t->worst_now_ns > c->set.danger * (double)t->cfg.bound_ns &&
	       came - hc_capacity(&t->cap, t->step) * seconds > c->set.sigmas * sqrt(came);
}

static enum hc_why want_danger(const struct hc *c, const struct hc_tenant *t, u32 *want)
{
	double load;

	*want = t->step;
	if (t->basis != HC_FRESH || t->pending || t->step >= t->cfg.max_step || !overloaded(c, t))
		return HC_HOLD;
	load = fmax(recent(t, 1), recent(t, 2));
	*want = stronger(c, t, load +
			 t->last.backlog * NSEC_PER_SEC / (double)c->set.drain_ns);
	return HC_ADD_DANGER;
}

/* ---- Carrying out ---- */

static const struct hc_config *config_of(const struct hc_tenant *t, u32 step)
{
	return &t->cfg.policy->step[step];
}

/* Cores that nobody has; who is giving some back still has them. */
static u32 free_cores(const struct hc *c)
{
	u32 used = 0, i;

	for (i = 0; i < c->tenants; i++)
		used += config_of(&c->tenant[i], c->tenant[i].step)->cores;
	return used < c->host.cores ? c->host.cores - used : 0;
}

static bool undone(enum hc_enforced e)
{
	return e == HC_FAILED || e == HC_DRY_RUN;
}

/* What the first actuators did is taken back, in the opposite order. */
static void take_back(const struct hc *c, const struct hc_change *ch, const u32 *order, u32 n)
{
	struct hc_change back = *ch;

	back.from = ch->to;
	back.to = ch->from;
	while (n--)
		c->actuator[order[n]].ops->apply(c->actuator[order[n]].ctx, &back);
}

/* Did all actuators do it, or begin to? */
static bool act(struct hc *c, struct hc_tenant *t, struct turn *turn, const struct hc_change *ch,
		bool grow)
{
	struct hc_decision *d = &turn->d;
	u32 order[HC_ACTUATORS_MAX], i;

	for (i = 0; i < c->actuators; i++) {
		const struct hc_actuator *a;

		order[i] = grow ? i : c->actuators - 1 - i;
		a = &c->actuator[order[i]];
		d->act[i].name = a->ops->name;
		d->act[i].enforced = a->ops->apply(a->ctx, ch);
		d->actuators = i + 1;
		if (d->act[i].enforced == HC_FAILED) {
			take_back(c, ch, order, i);
			return false;
		}
		if (d->act[i].enforced == HC_PENDING)
			t->pending = true;
	}
	for (i = 0; i < d->actuators; i++)
		if (undone(d->act[i].enforced))
			return false;
	return true;
}

/* A removal that is soon regretted makes the next one wait longer. */
static void wait_longer(const struct hc *c, struct hc_tenant *t, bool grow, u64 now)
{
	bool soon = t->removed_ns && now - t->removed_ns < 2 * t->hold_ns;

	if (grow && soon)
		t->hold_ns = 2 * t->hold_ns < c->set.hold_max_ns ? 2 * t->hold_ns :
			     c->set.hold_max_ns;
	if (!grow && now - t->added_ns > 4 * t->hold_ns && t->hold_ns > c->set.hold_ns)
		t->hold_ns /= 2;
}

/*
 * What was given more of its own accord had proved too weak, for the load that was seen; on
 * the fast path, where the averages lag, for what it should have carried. Loads at the edge
 * of two steps would otherwise swing between them: noise alone shows only seconds after a
 * removal that it was wrong.
 */
static void learn_weak(const struct hc *c, struct hc_tenant *t, const struct hc_decision *d,
		       u64 now)
{
	if (d->why != HC_ADD_DELAY && d->why != HC_ADD_LOAD && d->why != HC_ADD_DANGER)
		return;
	/* A backlog that a weaker step has left tells nothing of this one. */
	if (d->why == HC_ADD_DELAY && !t->was_in_time)
		return;
	t->weak[d->from].ns = now;
	t->weak[d->from].load = max_load(t);
	if (d->why == HC_ADD_DANGER)
		t->weak[d->from].load = fmax(max_load(t), limit(c, t, d->from));
}

static void remember(const struct hc *c, struct hc_tenant *t, const struct hc_decision *d, u64 now)
{
	bool grow = d->to > d->from;

	wait_longer(c, t, grow, now);
	if (grow)
		learn_weak(c, t, d, now);
	if (grow)
		t->added_ns = now;
	else
		t->removed_ns = now;
}

static void change(struct hc *c, u32 i, struct turn *turn, u64 now)
{
	struct hc_tenant *t = &c->tenant[i];
	struct hc_decision *d = &turn->d;
	struct hc_change ch = {
		.tenant = i, .name = t->cfg.name,
		.from = *config_of(t, d->from), .to = *config_of(t, d->to),
	};
	u32 room = free_cores(c) + ch.from.cores;

	if (ch.to.cores > room) {
		/* Others have not given back yet; the next round sees to it. */
		d->to = d->from;
		d->why = HC_DENIED;
		return;
	}
	ch.free_cores = room - ch.to.cores;
	if (act(c, t, turn, &ch, d->to > d->from)) {
		t->step = d->to;
		t->was_in_time = false;
		t->quiet_ns = now + 2 * c->set.metric_ns;
		remember(c, t, d, now);
	} else {
		t->pending = false;
		d->to = d->from;
	}
}

/* ---- A round ---- */

static void describe(const struct hc *c, const struct hc_tenant *t, struct hc_decision *d)
{
	u32 below = d->to < d->from ? d->to : d->from > t->cfg.min_step ? d->from - 1 : d->from;
	u32 i;

	d->from_config = *config_of(t, d->from);
	d->to_config = *config_of(t, d->to);
	for (i = 0; i < HC_ALPHAS; i++)
		d->delay_ns[i] = t->delay_ns[i];
	d->worst_ns = t->worst_ns;
	d->load = t->load[MID];
	d->capacity_from = hc_capacity(&t->cap, d->from);
	d->capacity_to = hc_capacity(&t->cap, d->to);
	d->idle = d->capacity_from > 0 ? 1 - max_load(t) / d->capacity_from : 0;
	d->threshold = hc_threshold(&t->cap, d->from, below);
}

/*
 * The step without which it would be late: all that it wants while it is slow, else
 * what its load asks for. What it only keeps, since it was changed only now, others
 * may have.
 */
static u32 needed(const struct hc *c, const struct hc_tenant *t, u32 want)
{
	u32 step = t->cfg.min_step;

	if (t->basis != HC_FRESH || want > t->step || is_slow(c, t))
		return want;
	while (step < want && limit(c, t, step) < max_load(t))
		step++;
	return step;
}

static void begin_turn(const struct hc *c, u32 i, struct turn *turn, u64 now)
{
	const struct hc_tenant *t = &c->tenant[i];
	bool fixed = t->pending || t->basis == HC_STALE;

	*turn = (struct turn){
		.d = {
			.now_ns = now, .tenant = t->cfg.name, .from = t->step, .to = t->step,
			.wanted = t->step, .bound_ns = (double)t->cfg.bound_ns,
			.sensor = t->sensor, .basis = t->basis,
			.age_ns = t->last.taken_ns ? now - t->last.taken_ns : 0,
		},
		.claim = {
			.cap = &t->cap, .priority = t->cfg.priority, .load = t->load[MID],
			.min = fixed ? t->step : t->cfg.min_step, .want = t->step,
		},
	};
}

void hc_begin(struct hc *c, u64 now)
{
	u32 i;

	for (i = 0; i < c->tenants; i++) {
		struct hc_tenant *t = &c->tenant[i];
		struct hc_change ch = { .tenant = i, .name = t->cfg.name,
					.to = *config_of(t, t->step), .free_cores = free_cores(c) };
		struct turn turn;

		begin_turn(c, i, &turn, now);
		turn.d.why = HC_BEGIN;
		/* From nothing: grows, whatever step it is. */
		if (!act(c, t, &turn, &ch, true))
			t->pending = false;
		describe(c, t, &turn.d);
		if (c->record)
			c->record(c->record_ctx, &turn.d);
	}
}

/* What arbitration made of a tenant's wish. */
static void judge(struct turn *turn)
{
	struct hc_decision *d = &turn->d;

	d->to = turn->claim.granted;
	if (d->to == d->wanted)
		return;
	d->why = d->to < d->from ? HC_TAKEN : HC_DENIED;
	turn->asked = true;
}

static void arbitrate(struct hc *c, struct turn *turns, u64 now)
{
	struct hc_claim claims[HC_TENANTS_MAX];
	u32 i, grow;

	for (i = 0; i < c->tenants; i++)
		claims[i] = turns[i].claim;
	if (hc_arbitrate(claims, c->tenants, c->host.cores) < 0)
		return;
	for (i = 0; i < c->tenants; i++) {
		turns[i].claim = claims[i];
		judge(&turns[i]);
	}
	/* Who gives goes before who takes. */
	for (grow = 0; grow < 2; grow++)
		for (i = 0; i < c->tenants; i++)
			if (turns[i].d.to != turns[i].d.from &&
			    (turns[i].d.to > turns[i].d.from) == (grow == 1))
				change(c, i, &turns[i], now);
}

static void finish(struct hc *c, struct turn *turns)
{
	u32 i;

	for (i = 0; i < c->tenants; i++) {
		describe(c, &c->tenant[i], &turns[i].d);
		if (turns[i].asked && c->record)
			c->record(c->record_ctx, &turns[i].d);
	}
}

void hc_decide_all(struct hc *c, u64 now)
{
	struct turn turns[HC_TENANTS_MAX];
	u32 i;

	for (i = 0; i < c->tenants; i++) {
		begin_turn(c, i, &turns[i], now);
		c->tenant[i].was_in_time |= !is_slow(c, &c->tenant[i]);
		turns[i].d.why = want_step(c, &c->tenant[i], now, &turns[i].d.wanted);
		turns[i].claim.want = turns[i].d.wanted;
		turns[i].claim.need = needed(c, &c->tenant[i], turns[i].d.wanted);
		turns[i].asked = true;
	}
	arbitrate(c, turns, now);
	finish(c, turns);
}

void hc_decide_danger(struct hc *c, u32 tenant, u64 now)
{
	struct turn turns[HC_TENANTS_MAX];
	enum hc_why why;
	u32 want, i;

	why = want_danger(c, &c->tenant[tenant], &want);
	if (why == HC_HOLD)
		return;
	for (i = 0; i < c->tenants; i++) {
		begin_turn(c, i, &turns[i], now);
		turns[i].claim.need = needed(c, &c->tenant[i], turns[i].claim.want);
	}
	turns[tenant].d.why = why;
	turns[tenant].d.wanted = turns[tenant].claim.want = turns[tenant].claim.need = want;
	turns[tenant].claim.load = recent(&c->tenant[tenant], 1);
	turns[tenant].asked = true;
	arbitrate(c, turns, now);
	finish(c, turns);
}
