// SPDX-License-Identifier: GPL-2.0-or-later
/* Has a change carried out, and remembers what it teaches. */
#include "change.h"

#include <math.h>

/* Who is giving some back still has them. */
static u32 has_cores(const struct hc_tenant *t)
{
	u32 cores = hc_config_of(t, t->step)->cores;

	return t->pending && t->held_cores > cores ? t->held_cores : cores;
}

u32 hc_free_cores(const struct hc *c)
{
	u32 used = 0, i;

	for (i = 0; i < c->tenants; i++)
		used += has_cores(&c->tenant[i]);
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

bool hc_act(struct hc *c, struct hc_tenant *t, struct turn *turn, const struct hc_change *ch,
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
 * What was given more as its load asked for it had proved too weak, for the load that was
 * seen; on the fast path, where the averages lag, for what it should have carried. Loads at
 * the edge of two steps would otherwise swing between them: noise alone shows only seconds
 * after a removal that it was wrong. A delay teaches nothing: it may be what a weaker step
 * has left, or chance, and to heed it costs energy and keeps no bound better; it does when
 * the load alone would have asked for more, too.
 */
static void learn_weak(const struct hc *c, struct hc_tenant *t, const struct hc_decision *d,
		       u64 now)
{
	bool load_too = t->load[1] > hc_limit(c, t, d->from);

	if (d->why != HC_ADD_LOAD && d->why != HC_ADD_DANGER &&
	    !(d->why == HC_ADD_DELAY && load_too))
		return;
	t->weak[d->from].ns = now;
	t->weak[d->from].load = hc_max_load(t);
	if (d->why == HC_ADD_DANGER)
		t->weak[d->from].load = fmax(hc_max_load(t), hc_limit(c, t, d->from));
}

static void remember(const struct hc *c, struct hc_tenant *t, const struct hc_decision *d, u64 now)
{
	bool grow = d->to > d->from;

	wait_longer(c, t, grow, now);
	if (!grow) {
		t->removed_ns = now;
		return;
	}
	learn_weak(c, t, d, now);
	t->added_ns = now;
	hc_forget_delay(t);
}

void hc_change(struct hc *c, u32 i, struct turn *turn, u64 now)
{
	struct hc_tenant *t = &c->tenant[i];
	struct hc_decision *d = &turn->d;
	struct hc_change ch = {
		.tenant = i, .name = t->cfg.name,
		.from = *hc_config_of(t, d->from), .to = *hc_config_of(t, d->to),
	};
	u32 room = hc_free_cores(c) + has_cores(t);

	if (ch.to.cores > room) {
		/* Others have not given back yet. */
		t->awaited = d->to;
		t->awaited_why = d->why;
		t->awaited_ns = now;
		d->to = d->from;
		d->why = HC_DENIED;
		return;
	}
	ch.free_cores = room - ch.to.cores;
	if (hc_act(c, t, turn, &ch, d->to > d->from)) {
		t->step = d->to;
		t->awaited = 0;
		t->held_cores = ch.from.cores;
		t->quiet_ns = now + 2 * c->set.metric_ns;
		remember(c, t, d, now);
	} else {
		t->pending = false;
		d->to = d->from;
	}
}
