// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The event loop.
 *
 * Theory of operation. Every party does one thing at a time and knows when it
 * will be done (key). The loop takes the earliest, completes it, and the party
 * looks around: it works if it has an item and a slot for the result, else it
 * gives up, and its strategy decides how to wait. A slot is free, and an item
 * is there, from the instant at which the work on it ends. Giving up comes
 * last at an instant: an item published at t is seen by who looks at t. With
 * that the model's inequalities and floors are exact.
 *
 * A notification is sent when the other side is blocked and its threshold is
 * reached; the sender pays N, then the receiver's S begins. All times are ps.
 */
#include <stdlib.h>

#include "engine.h"

/* How long a learning strategy that spins is not asked again. */
#define SPIN_TURN_NS	50
/* Half of what keys can hold. */
#define TIME_MAX_PS	(1ULL << 61)

static u64 at(u64 t)
{
	return 2 * t;
}

static struct queue *in_of(struct sim *s, u32 i)
{
	return i ? &s->queue[i - 1] : NULL;
}

static struct queue *out_of(struct sim *s, u32 i)
{
	return i + 1 < s->n ? &s->queue[i] : NULL;
}

/* The queue that @i waits at, and its counters. */
static struct queue *waits_at(struct sim *s, u32 i)
{
	return s->party[i].at_out ? out_of(s, i) : in_of(s, i);
}

static struct sim_queue *counters_at(struct sim *s, u32 i)
{
	return &s->res->queue[s->party[i].at_out ? i : i - 1];
}

static struct rp_strategy *strategy_at(struct party *p)
{
	return p->at_out ? &p->s_out : &p->s_in;
}

static void disarm(struct sim *s, u32 i)
{
	if (s->party[i].at_out)
		waits_at(s, i)->armed_p = 0;
	else
		waits_at(s, i)->armed_c = 0;
}

static bool has_item(struct sim *s, u32 i)
{
	return !i || queue_fill(in_of(s, i));
}

static bool has_slot(struct sim *s, u32 i)
{
	const struct queue *q = out_of(s, i);

	return !q || queue_fill(q) < s->party[i].s_out.window;
}

static void act(struct party *p, enum act what, u64 until)
{
	p->act = what;
	p->key = at(until);
}

/* ---- Work ---- */

static u64 work_ps(struct party *p)
{
	u64 w = p->w_ps, floor = p->fall->min_ns * PS_PER_NS;
	u32 items = p->fall->items, done = p->run < items ? p->run : items;

	/* 1 s in ps times 10^9 items needs more than 64 bits. */
	if (items && w > floor)
		w -= (u64)((unsigned __int128)(w - floor) * done / items);
	return dist_draw(p->w, w);
}

static void begin_work(struct sim *s, u32 i)
{
	struct party *p = &s->party[i];
	u64 w = work_ps(p);

	p->woken = false;
	if (p->waited) {
		s->res->queue[i].waits_p++;
		s->party[i + 1].s_in.news |= !s->cfg->outstanding;
	}
	p->waited = false;
	p->run++;
	s->res->party[i].work_ps += w;
	s->res->party[i].worked++;
	if (!i) {
		s->taken_before = s->taken;
		s->taken = s->now;
	}
	act(p, ACT_WORK, s->now + w);
}

static void look(struct sim *s, u32 i)
{
	if (has_item(s, i) && has_slot(s, i)) {
		begin_work(s, i);
		return;
	}
	act(&s->party[i], ACT_LOOK, s->now);
	s->party[i].key |= 1;
}

static void stop_spinning(struct sim *s, u32 i)
{
	s->res->party[i].spin_ps += s->now - s->party[i].since;
	look(s, i);
}

/* Sends what the other side of @i's queues asked for, if it did; else looks. */
static void tell_out(struct sim *s, u32 i);
static void tell_in(struct sim *s, u32 i);

static void send(struct sim *s, u32 i, bool out)
{
	struct party *p = &s->party[i];
	u64 n = out ? dist_draw(&s->dist[D_NP], s->cfg->model.np_ns * PS_PER_NS) :
		      dist_draw(&s->dist[D_NC], s->cfg->model.nc_ns * PS_PER_NS);
	struct sim_queue *c = &s->res->queue[out ? i : i - 1];

	*(out ? &c->kicks : &c->calls) += 1;
	*(out ? &c->kick_ps : &c->call_ps) += n;
	s->res->party[i].notify_ps += n;
	p->run = 0;
	act(p, out ? ACT_NOTIFY_OUT : ACT_NOTIFY_IN, s->now + n);
}

static void tell_out(struct sim *s, u32 i)
{
	struct queue *q = out_of(s, i);

	if (q && q->armed_c && queue_fill(q) >= q->armed_c) {
		q->armed_c = 0;
		send(s, i, true);
	} else {
		tell_in(s, i);
	}
}

static void tell_in(struct sim *s, u32 i)
{
	struct queue *q = in_of(s, i);

	if (q && q->armed_p && queue_fill(q) + q->armed_p <= s->party[i - 1].s_out.window) {
		q->armed_p = 0;
		send(s, i, false);
	} else {
		look(s, i);
	}
}

static u32 free_of(const struct queue *q, const struct rp_strategy *producer)
{
	u32 fill = queue_fill(q);

	return fill < producer->window ? producer->window - fill : 0;
}

static void hook_pulse(struct sim *s, u32 i)
{
	struct queue *in = in_of(s, i), *out = out_of(s, i);
	struct party *p = &s->party[i];

	if (++p->run_batches < (out ? p->s_out.pulse : p->s_in.pulse))
		return;
	p->run_batches = 0;
	if (in && p->s_in.ops->pulse)
		p->s_in.ops->pulse(&p->s_in, queue_fill(in), s->now / PS_PER_NS);
	if (out && p->s_out.ops->pulse)
		p->s_out.ops->pulse(&p->s_out, free_of(out, &p->s_out), s->now / PS_PER_NS);
}

static void hook_batch(struct sim *s, struct rp_strategy *st)
{
	if (st->ops->batch_done)
		st->ops->batch_done(st, 1, s->now / PS_PER_NS);
}

static void hook_sent(struct sim *s, struct rp_strategy *st, u64 cost_ps)
{
	if (st->ops->sent)
		st->ops->sent(st, cost_ps / PS_PER_NS, s->now / PS_PER_NS);
}

static void end_work(struct sim *s, u32 i)
{
	struct queue *in = in_of(s, i), *out = out_of(s, i);
	struct stamp st = { s->now, s->taken_before };

	if (in) {
		st = in->ring[in->head++ & in->mask];
		hook_batch(s, &s->party[i].s_in);
	}
	if (out) {
		out->ring[out->tail++ & out->mask] = st;
		hook_batch(s, &s->party[i].s_out);
	} else {
		item_done(s, &st, s->now);
	}
	if (!s->constant)
		hook_pulse(s, i);
	if (out && s->party[i + 1].act == ACT_SPIN)
		stop_spinning(s, i + 1);
	if (in && s->party[i - 1].act == ACT_SPIN)
		stop_spinning(s, i - 1);
	tell_out(s, i);
}

/* ---- Waiting ---- */

static void start(struct sim *s, u32 i)
{
	struct party *p = &s->party[i];
	u64 t = p->at_out ? dist_draw(&s->dist[D_SP], s->cfg->model.sp_ns * PS_PER_NS) :
			    dist_draw(&s->dist[D_SC], s->cfg->model.sc_ns * PS_PER_NS);

	disarm(s, i);
	p->woken = true;
	p->run = 0;
	s->res->party[i].start_ps += t;
	s->res->party[i].started++;
	act(p, ACT_START, s->now + t);
}

/* What is there for a party that has waited. */
static u32 ready_at(struct sim *s, u32 i)
{
	const struct party *p = &s->party[i];
	const struct queue *q = waits_at(s, i);

	return p->at_out ? free_of(q, &p->s_out) : queue_fill(q);
}

static void woken(struct sim *s, u32 i, enum rp_wake by)
{
	struct rp_strategy *st = strategy_at(&s->party[i]);

	if (st->ops->woken)
		st->ops->woken(st, by, ready_at(s, i), s->now / PS_PER_NS);
	look(s, i);
}

static void block(struct sim *s, u32 i)
{
	struct queue *q = waits_at(s, i);
	struct sim_queue *c = counters_at(s, i);
	bool *pending = s->party[i].at_out ? &q->pending_p : &q->pending_c;

	*(s->party[i].at_out ? &c->blocks_p : &c->blocks_c) += 1;
	s->party[i].act = ACT_BLOCK;
	s->party[i].key = s->party[i].block_ps ? at(s->now + s->party[i].block_ps) : NEVER;
	if (*pending) {
		*pending = false;
		start(s, i);
	}
}

/* The second look of the double check. */
static void end_arm(struct sim *s, u32 i)
{
	if (!has_item(s, i) || !has_slot(s, i)) {
		block(s, i);
		return;
	}
	counters_at(s, i)->double_checks++;
	disarm(s, i);
	look(s, i);
}

/* A block was as long as it might be; nothing gets lost here. */
static void end_block(struct sim *s, u32 i)
{
	disarm(s, i);
	woken(s, i, RP_WAKE_TIMEOUT);
}

static void arm(struct sim *s, u32 i, u32 k, u64 timeout_ns)
{
	struct queue *q = waits_at(s, i);
	u64 window = s->cfg->window_ns * PS_PER_NS;

	k = k < 1 ? 1 : k > q->len ? q->len : k;
	s->party[i].block_ps = timeout_ns * PS_PER_NS;
	*(s->party[i].at_out ? &q->armed_p : &q->armed_c) = k;
	if (!window) {
		block(s, i);
		return;
	}
	s->res->party[i].arm_ps += window;
	act(&s->party[i], ACT_ARM, s->now + window);
}

static void go_to_sleep(struct sim *s, u32 i, u64 sleep_ns)
{
	struct party *p = &s->party[i];
	struct sim_queue *c = counters_at(s, i);
	u64 cost = dist_draw(&s->dist[D_YE], s->cfg->model.ye_ns * PS_PER_NS);
	u64 y = dist_draw(&s->dist[p->at_out ? D_YP : D_YC], sleep_ns * PS_PER_NS);

	y += dist_draw(&s->dist[D_YO], s->cfg->yo_ns * PS_PER_NS);
	y = y > cost ? y : cost;
	*(p->at_out ? &c->sleeps_p : &c->sleeps_c) += 1;
	*(p->at_out ? &c->sleep_p_ps : &c->sleep_c_ps) += y;
	s->res->party[i].sleep_cost_ps += cost;
	p->run = 0;
	p->cost_ps = cost;
	/* A sleep of nothing would stop the time. */
	act(p, ACT_SLEEP, s->now + (y ? y : 1));
}

static void spin(struct sim *s, u32 i, u64 pause_ns)
{
	struct party *p = &s->party[i];

	if (pause_ns) {
		pause_ns = pause_ns < RP_SPIN_MAX_NS ? pause_ns : RP_SPIN_MAX_NS;
		s->res->party[i].spin_ps += pause_ns * PS_PER_NS;
		act(p, ACT_PAUSE, s->now + pause_ns * PS_PER_NS);
		return;
	}
	p->since = s->now;
	p->act = ACT_SPIN;
	/* Who only ever spins need not be asked again before the other moves. */
	p->key = strategy_at(p)->ops == &rp_strategy_busy ? NEVER :
		 at(s->now + (s->cfg->spin_turn_ns ?: SPIN_TURN_NS) * PS_PER_NS);
}

static void note_spurious(struct sim *s, u32 i)
{
	struct sim_queue *c = counters_at(s, i);

	if (s->party[i].woken)
		*(s->party[i].at_out ? &c->spurious_calls : &c->spurious_kicks) += 1;
	s->party[i].woken = false;
}

static void give_up(struct sim *s, u32 i)
{
	struct party *p = &s->party[i];
	struct rp_strategy *st;
	struct rp_decision d;

	/* What was counted as at the old queue was received there. */
	note_spurious(s, i);
	p->at_out = has_item(s, i);
	p->waited = p->at_out;
	p->run_batches = 0;
	st = strategy_at(p);
	d = st->ops->idle(st, s->now / PS_PER_NS);
	if (d.wait == RP_WAIT_BLOCK)
		arm(s, i, d.threshold, d.wait_ns);
	else if (d.wait == RP_WAIT_SLEEP)
		go_to_sleep(s, i, d.wait_ns);
	else
		spin(s, i, d.wait_ns);
}

/* ---- Notifications ---- */

static void deliver(struct sim *s, u32 to, bool *pending)
{
	struct party *p = &s->party[to];

	if (p->act == ACT_BLOCK && p->at_out == (pending == &s->queue[to].pending_p))
		start(s, to);
	else
		*pending = true;
}

static void end_notify_out(struct sim *s, u32 i)
{
	hook_sent(s, &s->party[i].s_out, s->cfg->model.np_ns * PS_PER_NS);
	deliver(s, i + 1, &s->queue[i].pending_c);
	tell_in(s, i);
}

static void end_notify_in(struct sim *s, u32 i)
{
	hook_sent(s, &s->party[i].s_in, s->cfg->model.nc_ns * PS_PER_NS);
	deliver(s, i - 1, &s->queue[i - 1].pending_p);
	look(s, i);
}

/* ---- The loop ---- */

static void complete(struct sim *s, u32 i, struct sim_skip *skip)
{
	switch (s->party[i].act) {
	case ACT_WORK:
		end_work(s, i);
		break;
	case ACT_NOTIFY_OUT:
		end_notify_out(s, i);
		break;
	case ACT_NOTIFY_IN:
		end_notify_in(s, i);
		break;
	case ACT_START:
		woken(s, i, RP_WAKE_NOTIFIED);
		break;
	case ACT_SLEEP:
		woken(s, i, RP_WAKE_SLEPT);
		break;
	case ACT_ARM:
		end_arm(s, i);
		break;
	case ACT_SPIN:
		stop_spinning(s, i);
		break;
	case ACT_PAUSE:
		look(s, i);
		break;
	case ACT_BLOCK:
		end_block(s, i);
		break;
	default:
		if (has_item(s, i) && has_slot(s, i)) {
			begin_work(s, i);
			break;
		}
		if (skip)
			sim_skip_try(skip, s, i);
		give_up(s, i);
	}
}

static u32 earliest(const struct sim *s)
{
	u32 i, best = 0;

	for (i = 1; i < s->n; i++)
		if (s->party[i].key < s->party[best].key)
			best = i;
	return best;
}

static bool both_work(const struct sim *s)
{
	return s->n == 2 && s->party[0].act == ACT_WORK && s->party[1].act == ACT_WORK;
}

static void tell_status(const struct rp_strategy *st, struct rp_status *to)
{
	if (st->ops->status)
		st->ops->status(st, to);
}

static void tell_statuses(struct sim *s)
{
	tell_status(&s->party[0].s_out, &s->res->status_p);
	tell_status(&s->party[s->n - 1].s_in, &s->res->status_c);
}

static void watch(struct sim *s)
{
	const struct sim_watch *w = s->cfg->watch;

	if (!w || s->now < s->look_ps)
		return;
	tell_statuses(s);
	w->look(w->ctx, s->now / PS_PER_NS, s->res);
	s->look_ps = s->now + w->every_ns * PS_PER_NS;
}

/* Until @s->target items are done. */
static void loop(struct sim *s, struct sim_skip *skip, bool fast)
{
	u32 i;

	while (s->res->items < s->target && !s->error) {
		if (fast && both_work(s))
			sim_both_work(s);
		if (s->res->items >= s->target)
			break;
		i = earliest(s);
		if (s->party[i].key >= at(TIME_MAX_PS)) {
			s->error = s->party[i].key == NEVER ?
				   "everybody waits for somebody" :
				   "items: more than 26 days of simulated time";
			break;
		}
		s->now = s->party[i].key / 2;
		complete(s, i, skip);
		watch(s);
	}
}

/* ---- Set-up ---- */

/* ---- What the strategies may ask ---- */

static void party_totals(const struct sim *s, const struct party *p, struct rp_totals *t)
{
	const struct sim_party *r = &s->res->party[p - s->party];

	memset(t, 0, sizeof(*t));
	t->items = r->worked;
	t->work_ns = r->work_ps / PS_PER_NS;
	t->spin_ns = r->spin_ps / PS_PER_NS;
	t->wakes = r->started;
	t->wake_ns = r->start_ps / PS_PER_NS;
	t->cpu_ns = sim_party_cpu_ps(r) / PS_PER_NS;
}

static void in_totals(const struct rp_strategy *st, struct rp_totals *t, bool cpu)
{
	const struct party *p = (const void *)((const char *)st - offsetof(struct party, s_in));
	const struct sim *s = p->sim;
	const struct sim_queue *q = &s->res->queue[p - s->party - 1];

	(void)cpu;
	party_totals(s, p, t);
	t->timed = s->res->items;
	t->late = s->res->late;
	t->peer_waits = s->cfg->outstanding ? 0 : q->waits_p;
	t->sent = q->calls;
	t->notify_ns = q->call_ps / PS_PER_NS;
	t->sleeps = q->sleeps_c;
	t->sleep_ns = q->sleep_c_ps / PS_PER_NS;
	t->blocks = q->blocks_c;
}

static void out_totals(const struct rp_strategy *st, struct rp_totals *t, bool cpu)
{
	const struct party *p = (const void *)((const char *)st - offsetof(struct party, s_out));
	const struct sim *s = p->sim;
	const struct sim_queue *q = &s->res->queue[p - s->party];

	(void)cpu;
	party_totals(s, p, t);
	t->sent = q->kicks;
	t->notify_ns = q->kick_ps / PS_PER_NS;
	t->sleeps = q->sleeps_p;
	t->sleep_ns = q->sleep_p_ps / PS_PER_NS;
	t->blocks = q->blocks_p;
}

static const struct rp_env_ops in_env = { .totals = in_totals };
static const struct rp_env_ops out_env = { .totals = out_totals };

static void init_party(struct sim *s, u32 i)
{
	const struct sim_config *c = s->cfg;
	const struct rp_model_in *m = &c->model;
	struct party *p = &s->party[i];
	struct rp_params in = { c->strategy_c, RP_CONSUMER, m->queue_len, m->kp, m->yc_ns,
				c->dmax_ns, 0 };
	u32 len = c->outstanding ? c->outstanding : m->queue_len;
	struct rp_params out = { c->strategy_p, RP_PRODUCER, len, m->kc, m->yp_ns,
				 c->dmax_ns, 0 };

	p->w_ps = c->w_ns[i] * PS_PER_NS;
	p->w = &s->dist[i ? D_WC : D_WP];
	p->fall = i ? &c->fall_c : &c->fall_p;
	p->sim = s;
	rp_strategy_init(&p->s_in, &in, &in_env);
	rp_strategy_init(&p->s_out, &out, &out_env);
	p->at_out = !i;
	act(p, ACT_LOOK, 0);
	p->key |= 1;
}

static bool learns(const struct rp_strategy *s)
{
	return s->ops->pulse || s->ops->batch_done || s->ops->woken || s->ops->sent || s->params.strategy > RP_BUSY;
}

static void init_dists(struct sim *s)
{
	const struct sim_config *c = s->cfg;
	const struct dist_spec *specs[DISTS] = {
		[D_WP] = &c->wp, [D_WC] = &c->wc, [D_NP] = &c->np, [D_NC] = &c->nc,
		[D_SP] = &c->sp, [D_SC] = &c->sc, [D_YP] = &c->yp, [D_YC] = &c->yc,
		[D_YE] = &c->ye, [D_YO] = &c->yo,
	};
	u32 i;

	for (i = 0; i < DISTS; i++) {
		dist_init(&s->dist[i], specs[i], c->seed, i);
		s->constant &= specs[i]->kind == DIST_CONST;
	}
}

static bool init_queues(struct sim *s)
{
	u32 i, size = 1;

	while (size < s->cfg->model.queue_len)
		size *= 2;
	for (i = 0; i + 1 < s->n; i++) {
		s->queue[i].len = s->cfg->model.queue_len;
		s->queue[i].mask = size - 1;
		s->queue[i].ring = calloc(size, sizeof(*s->queue[i].ring));
		if (!s->queue[i].ring)
			return false;
	}
	return true;
}

/* CPU time that is booked but not spent yet; what is spent and not booked is negative. */
static u64 ahead_ps(const struct sim *s, const struct party *p)
{
	u64 left = p->key / 2 - s->now;

	switch (p->act) {
	case ACT_WORK:
	case ACT_NOTIFY_OUT:
	case ACT_NOTIFY_IN:
	case ACT_START:
	case ACT_ARM:
	case ACT_PAUSE:
		return left;
	case ACT_SLEEP:		/* the cost is that of waking up */
		return left < p->cost_ps ? left : p->cost_ps;
	case ACT_SPIN:
		return p->since - s->now;
	default:
		return 0;
	}
}

static u64 changes_of(const struct rp_strategy *st)
{
	struct rp_status status = { 0 };

	if (st->ops->status)
		st->ops->status(st, &status);
	return status.mode_changes;
}

static void measure(struct sim *s, bool fast)
{
	const struct sim_config *c = s->cfg;
	struct sim_skip *skip = s->constant && !c->plain ? sim_skip_new(s) : NULL;
	const struct rp_strategy *first = &s->party[0].s_out, *last = &s->party[s->n - 1].s_in;
	u64 begin, changes_p, changes_c;
	u32 i;

	s->target = c->warmup;
	loop(s, NULL, fast);
	begin = s->now;
	changes_p = changes_of(first);
	changes_c = changes_of(last);
	memset(s->res, 0, sizeof(*s->res));
	s->res->stages = s->n;
	for (i = 0; i < s->n; i++)
		s->res->party[i].edges_ps = ahead_ps(s, &s->party[i]);
	s->target = c->items;
	loop(s, skip, fast);
	s->res->time_ps = s->now - begin;
	s->res->changes_p = changes_of(first) - changes_p;
	s->res->changes_c = changes_of(last) - changes_c;
	for (i = 0; i < s->n; i++)
		s->res->party[i].edges_ps -= ahead_ps(s, &s->party[i]);
	sim_skip_free(skip);
}

/* Would sleeps take no time, so that the clock stands still while all wait? */
static bool no_sleep(const struct sim_config *c, enum rp_strategy_id strategy,
		     const struct dist_spec *y, u64 y_ns)
{
	if (strategy == RP_NOTIFY || strategy == RP_BUSY)
		return false;
	return dist_all_zero(y, y_ns) && dist_all_zero(&c->ye, c->model.ye_ns) &&
		dist_all_zero(&c->yo, c->yo_ns);
}

const char *sim_check(const struct sim_config *c)
{
	const char *why = rp_model_check(&c->model);

	if (why)
		return why;
	if (c->stages < 2 || c->stages > SIM_STAGES_MAX)
		return "stages: not in 2..64 parties";
	if (!rp_strategy_by_id(c->strategy_p) || !rp_strategy_by_id(c->strategy_c))
		return "mode: no such strategy";
	if (no_sleep(c, c->strategy_p, &c->yp, c->model.yp_ns))
		return "yp_ns: a sleep of 0 ns that costs nothing is no sleep";
	if (no_sleep(c, c->strategy_c, &c->yc, c->model.yc_ns))
		return "yc_ns: a sleep of 0 ns that costs nothing is no sleep";
	if (!c->items)
		return "items: 0, nothing to simulate";
	if (!c->dmax_ns && (c->strategy_p == RP_ADAPTIVE || c->strategy_c == RP_ADAPTIVE))
		return "dmax_ns: 0; the adaptive strategy needs the bound of the latency";
	if (c->outstanding > c->model.queue_len)
		return "outstanding: more than L";
	if (c->outstanding && c->strategy_p != RP_BUSY)
		return "outstanding: who sends into a closed loop is no party that waits; mode of P: busy";
	if (c->window_ns > RP_MODEL_MAX_NS)
		return "window_ns: more than 1000000000 (1 s)";
	if (c->yo_ns > RP_MODEL_MAX_NS)
		return "yo_ns: more than 1000000000 (1 s)";
	return NULL;
}

const char *sim_run(const struct sim_config *c, struct sim_result *r)
{
	struct sim *s = calloc(1, sizeof(*s));
	const char *error = "out of memory";
	u32 i;

	if (!s)
		return error;
	s->cfg = c;
	s->res = r;
	s->n = c->stages;
	s->constant = !c->fall_p.items && !c->fall_c.items;
	memset(r, 0, sizeof(*r));
	init_dists(s);
	for (i = 0; i < s->n; i++)
		init_party(s, i);
	s->constant &= !learns(&s->party[0].s_in) && !learns(&s->party[0].s_out);
	if (init_queues(s)) {
		measure(s, s->constant && !c->plain);
		tell_statuses(s);
		error = s->error;
	}
	for (i = 0; i + 1 < s->n; i++)
		free(s->queue[i].ring);
	free(s);
	return error;
}
