// SPDX-License-Identifier: GPL-2.0-or-later
/* Decides what every tenant should have, and arbitrates. */
#include "change.h"

#include <math.h>

#define NSEC_PER_SEC	1e9
#define MID		1	/* the average that adding goes by */

double hc_max_load(const struct hc_tenant *t)
{
	return fmax(t->load[0], t->load[MID]);
}

/*
 * The part of a step's capacity that has to be free. Where items come one by one by chance, the
 * part that waits longer than x falls with e^(-2 free x / t), t a thread's time per item; of all
 * items set.late may wait longer than the bound. The capacity is that of the fullest thread, of
 * which more may: with loads evenly spread around the mean, the tails of the others fall so much
 * faster that it is as if it were one of .many and the rest never late.
 */
static double room(const struct hc *c, const struct hc_tenant *t, u32 step, double capacity)
{
	double threads = hc_config_threads(&t->cfg.policy->step[step]);
	double item_ns = threads * NSEC_PER_SEC / capacity;
	double steep = 2 * (double)t->cfg.bound_ns / item_ns;
	double many = fmin(fmax(2 * steep * (t->cap.peak - 1), 1), threads);

	/* At least what keeps the fullest one's mean below the bound. */
	return fmax(log(1 / (c->set.late * many)), 1) / steep;
}

double hc_limit(const struct hc *c, const struct hc_tenant *t, u32 step)
{
	double capacity = hc_capacity(&t->cap, step);

	return capacity > 0 ? capacity * fmax(0.5, 1 - room(c, t, step, capacity)) : 0;
}

static u32 stronger(const struct hc *c, const struct hc_tenant *t, double load)
{
	u32 step = t->step < t->cfg.max_step ? t->step + 1 : t->step;

	while (step < t->cfg.max_step && hc_limit(c, t, step) < load)
		step++;
	return step;
}

double hc_worst_limit(const struct hc *c, const struct hc_tenant *t)
{
	double alpha = c->set.alpha[0], mean = 0, variance = 0;
	u32 i, threads = hc_config_threads(hc_config_of(t, t->step));

	for (i = 1; i <= threads; i++) {
		mean += 1.0 / i;
		variance += 1.0 / i / i;
	}
	return (double)t->cfg.bound_ns / log(1 / c->set.late) *
	       (mean + c->set.sigmas * sqrt(variance * alpha / (2 - alpha)));
}

static bool is_slow(const struct hc *c, const struct hc_tenant *t)
{
	return t->delay_ns[MID] > c->set.add_delay * (double)t->cfg.bound_ns ||
	       t->worst_ns > hc_worst_limit(c, t);
}

/* More, if delay or load say so; HC_HOLD if not. */
static enum hc_why want_more(const struct hc *c, const struct hc_tenant *t, u32 *want)
{
	double capacity = hc_capacity(&t->cap, t->step);
	bool slow = is_slow(c, t);

	if (!slow && (!(capacity > 0) || t->load[MID] <= hc_limit(c, t, t->step)))
		return HC_HOLD;
	*want = stronger(c, t, t->load[MID]);
	return slow ? HC_ADD_DELAY : HC_ADD_LOAD;
}

/* Has it proved too weak lately, for such a load? */
static bool is_weak(const struct hc *c, const struct hc_tenant *t, u32 step, double load, u64 now)
{
	return t->weak[step].ns && now - t->weak[step].ns < c->set.regret_ns &&
	       load > t->weak[step].load * (1 - c->set.regret);
}

/* The weakest step that has not. */
static u32 weakest(const struct hc *c, const struct hc_tenant *t, u64 now)
{
	u32 s = t->step;

	while (s > t->cfg.min_step && !is_weak(c, t, s - 1, hc_max_load(t), now))
		s--;
	return s;
}

/*
 * Can it do with @to? Its idle time has to exceed threshold[step, to] with a margin. Where no
 * step is known to carry anything, since nothing has ever come, any carries nothing.
 */
static bool can_do_with(const struct hc *c, const struct hc_tenant *t, u32 to)
{
	double capacity = hc_capacity(&t->cap, t->step), load = hc_max_load(t), keep;

	if (!(capacity > 0))
		return t->have_load && !(load > 0);
	keep = hc_limit(c, t, to) / hc_capacity(&t->cap, to) - c->set.keep;
	return 1 - load / capacity > 1 - keep * (1 - hc_threshold(&t->cap, t->step, to));
}

static enum hc_why want_less(const struct hc *c, const struct hc_tenant *t, u64 now, u32 *want)
{
	u32 to = weakest(c, t, now);

	while (to < t->step && !can_do_with(c, t, to))
		to++;
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

/*
 * Cores that were taken from others for it are its own until it has them, or it took them
 * too long: averages lag, and by them others would take them back meanwhile.
 */
static bool is_awaiting(const struct hc *c, const struct hc_tenant *t, u64 now)
{
	return t->awaited > t->step && now - t->awaited_ns < c->set.decide_ns + c->set.hold_ns;
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

/*
 * A load that exceeds the capacity by little makes queues longer from one metric to the next,
 * and a round is long enough for a whole bound. Not what is left of the time before it had
 * more: that takes some metrics to go.
 */
static bool is_filling(const struct hc *c, const struct hc_tenant *t, u64 now)
{
	return t->delay_ns[MID] > c->set.add_delay * (double)t->cfg.bound_ns &&
	       now - t->added_ns >= c->set.decide_ns;
}

static enum hc_why want_danger(const struct hc *c, const struct hc_tenant *t, u64 now, u32 *want)
{
	double load;

	*want = t->step;
	if (t->basis != HC_FRESH || t->pending || t->step >= t->cfg.max_step)
		return HC_HOLD;
	if (!overloaded(c, t) && !is_filling(c, t, now))
		return HC_HOLD;
	/* Asking again brings nothing before something has changed. */
	if (is_awaiting(c, t, now) || (t->refused_ns && now - t->refused_ns < c->set.decide_ns))
		return HC_HOLD;
	if (!overloaded(c, t)) {
		*want = stronger(c, t, t->load[MID]);
		return HC_ADD_DELAY;
	}
	load = fmax(recent(t, 1), recent(t, 2));
	*want = stronger(c, t, load +
			 t->last.backlog * NSEC_PER_SEC / (double)c->set.drain_ns);
	return HC_ADD_DANGER;
}

/* ---- A round ---- */

static void describe(const struct hc *c, const struct hc_tenant *t, struct hc_decision *d)
{
	u32 below = d->to < d->from ? d->to : d->from > t->cfg.min_step ? d->from - 1 : d->from;

	d->from_config = *hc_config_of(t, d->from);
	d->to_config = *hc_config_of(t, d->to);
	d->load = t->load[MID];
	d->capacity_from = hc_capacity(&t->cap, d->from);
	d->capacity_to = hc_capacity(&t->cap, d->to);
	d->idle = d->capacity_from > 0 ? 1 - hc_max_load(t) / d->capacity_from : 0;
	d->threshold = hc_threshold(&t->cap, d->from, below);
}

/*
 * Chance alone lets the average that adding goes by be off by so much: arrivals come one by
 * one, and the fewer there are in a metric the more it tells of chance.
 */
static double noise(const struct hc *c, const struct hc_tenant *t)
{
	double alpha = c->set.alpha[MID];
	double came = t->load[0] * (double)c->set.metric_ns / NSEC_PER_SEC;

	return came > 0 ? t->load[0] * sqrt(alpha / (2 - alpha) / came) : 0;
}

/*
 * The step without which it would be late: all that it wants while it is slow, else what its
 * load asks for, with the margin that it gives up a step by and what chance may add: else it
 * would ask for the same again at once. What it only keeps, since it was changed only now or
 * as less has proved too weak lately, others may have.
 */
static u32 needed(const struct hc *c, const struct hc_tenant *t, u32 want)
{
	double load = hc_max_load(t) + c->set.sigmas * noise(c, t);
	u32 step;

	if (t->basis != HC_FRESH || want > t->step || is_slow(c, t))
		return want;
	step = t->cfg.min_step;
	while (step < want &&
	       hc_limit(c, t, step) - c->set.keep * hc_capacity(&t->cap, step) < load)
		step++;
	return step < want ? step : want;
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
			.worst_ns = t->worst_ns,
		},
		.claim = {
			.cap = &t->cap, .priority = t->cfg.priority, .load = t->load[MID],
			.min = fixed ? t->step : t->cfg.min_step, .want = t->step,
		},
	};
	memcpy(turn->d.delay_ns, t->delay_ns, sizeof(t->delay_ns));
}

void hc_begin(struct hc *c, u64 now)
{
	u32 i;

	for (i = 0; i < c->tenants; i++) {
		struct hc_tenant *t = &c->tenant[i];
		struct hc_change ch = { .tenant = i, .name = t->cfg.name,
					.to = *hc_config_of(t, t->step), .free_cores = hc_free_cores(c) };
		struct turn turn;

		begin_turn(c, i, &turn, now);
		turn.d.why = HC_BEGIN;
		/* From nothing: grows, whatever step it is. */
		if (!hc_act(c, t, &turn, &ch, true))
			t->pending = false;
		describe(c, t, &turn.d);
		if (c->record)
			c->record(c->record_ctx, &turn.d);
	}
}

static void claim(const struct hc *c, u32 i, struct turn *turn, u64 now)
{
	const struct hc_tenant *t = &c->tenant[i];
	struct hc_claim *cl = &turn->claim;

	cl->want = turn->d.wanted;
	cl->need = needed(c, t, turn->d.wanted);
	cl->have = t->step;
	if (!is_awaiting(c, t, now) || t->awaited <= cl->want)
		return;
	turn->d.why = t->awaited_why;
	turn->d.wanted = cl->want = cl->need = t->awaited;
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
				hc_change(c, i, &turns[i], now);
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

/* The table, once what a step costs has been seen for two rounds since it came. */
static void refine(const struct hc *c, struct hc_tenant *t, u64 now)
{
	if (t->basis == HC_FRESH && !t->pending && now >= t->quiet_ns + 2 * c->set.decide_ns)
		hc_capacity_refine(&t->cap, t->step);
}

void hc_decide_all(struct hc *c, u64 now)
{
	struct turn turns[HC_TENANTS_MAX];
	u32 i;

	for (i = 0; i < c->tenants; i++) {
		refine(c, &c->tenant[i], now);
		begin_turn(c, i, &turns[i], now);
		turns[i].d.why = want_step(c, &c->tenant[i], now, &turns[i].d.wanted);
		claim(c, i, &turns[i], now);
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

	why = want_danger(c, &c->tenant[tenant], now, &want);
	if (why == HC_HOLD)
		return;
	for (i = 0; i < c->tenants; i++) {
		begin_turn(c, i, &turns[i], now);
		claim(c, i, &turns[i], now);
	}
	turns[tenant].d.why = why;
	turns[tenant].d.wanted = turns[tenant].claim.want = turns[tenant].claim.need = want;
	turns[tenant].claim.load = recent(&c->tenant[tenant], 1);
	turns[tenant].asked = true;
	arbitrate(c, turns, now);
	c->tenant[tenant].refused_ns = turns[tenant].d.to < want ? now : 0;
	finish(c, turns);
}

void hc_decide_awaited(struct hc *c, u64 now)
{
	struct turn turn;
	u32 i;

	for (i = 0; i < c->tenants; i++) {
		struct hc_tenant *t = &c->tenant[i];

		if (t->pending || !is_awaiting(c, t, now))
			continue;
		begin_turn(c, i, &turn, now);
		turn.d.why = t->awaited_why;
		turn.d.wanted = turn.d.to = t->awaited;
		hc_change(c, i, &turn, now);
		describe(c, t, &turn.d);
		if (c->record)
			c->record(c->record_ctx, &turn.d);
	}
}
