// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two short cuts for constant parameters.
 *
 * While both parties work, nothing but two arithmetic progressions happens
 * until one of them meets an empty or a full queue: a small loop.
 *
 * The system is deterministic, so a state that comes back (up to a shift of
 * the time) comes back for ever. States are compared when a party gives up,
 * by Brent's method: against a saved one, which is replaced at distances that
 * double, so that it lies within the periodic part sooner or later. When the
 * saved state is met, what was counted since then is what a period counts, and
 * whole periods are added by multiplication. The stamps of the queued items
 * are part of the state: the histogram comes out the same to the last item.
 */
#include <stdlib.h>

#include "engine.h"

/* ---- Both at work ---- */

void sim_both_work(struct sim *s)
{
	struct party *p = &s->party[0], *c = &s->party[1];
	struct queue *q = &s->queue[0];
	struct sim_result *r = s->res;
	u64 tp = p->key / 2, tc = c->key / 2, wp = p->w_ps, wc = c->w_ps;
	u64 head = q->head, tail = q->tail, now = s->now;
	u64 taken = s->taken, before = s->taken_before;
	u64 target = s->target, len = q->len;

	/*
	 * C first when both end at once: its look must find P's item, which
	 * is there at the end of the turn; P's finds the slot.
	 */
	while (r->items < target) {
		u64 t = tp < tc ? tp : tc, fill = tail - head;

		if ((tp > t && fill == 1) || (tc > t && fill + 1 == len))
			break;
		now = t;
		if (tc == t) {
			item_done(s, &q->ring[head++ & q->mask], t);
			tc += wc;
		}
		if (tp == t) {
			q->ring[tail++ & q->mask] = (struct stamp){ t, before };
			before = taken;
			taken = t;
			tp += wp;
		}
	}
	r->party[0].worked += tail - q->tail;
	r->party[0].work_ps += (tail - q->tail) * wp;
	r->party[1].worked += head - q->head;
	r->party[1].work_ps += (head - q->head) * wc;
	q->head = head;
	q->tail = tail;
	p->key = 2 * tp;
	c->key = 2 * tc;
	s->taken = taken;
	s->taken_before = before;
	s->now = now;
}

/* ---- Whole periods ---- */

struct sim_skip {
	bool done, saved;
	u32 who;
	u64 steps, next_save;
	u64 now, taken, taken_before;
	struct party party[SIM_STAGES_MAX];
	struct queue queue[SIM_STAGES_MAX - 1];
	struct stamp *stamps[SIM_STAGES_MAX - 1];	/* of the queued items, head first */
	struct sim_result res;
};

struct sim_skip *sim_skip_new(const struct sim *s)
{
	struct sim_skip *k = calloc(1, sizeof(*k));
	u32 i;

	if (!k)
		return NULL;
	k->next_save = 1;
	for (i = 0; i + 1 < s->n; i++) {
		k->stamps[i] = calloc(s->cfg->model.queue_len, sizeof(*k->stamps[i]));
		k->done |= !k->stamps[i];	/* no memory: then without it */
	}
	return k;
}

void sim_skip_free(struct sim_skip *k)
{
	u32 i;

	if (!k)
		return;
	for (i = 0; i < SIM_STAGES_MAX - 1; i++)
		free(k->stamps[i]);
	free(k);
}

static void save(struct sim_skip *k, const struct sim *s, u32 who)
{
	const struct queue *q;
	u32 i, j;

	k->saved = true;
	k->who = who;
	k->now = s->now;
	k->taken = s->taken;
	k->taken_before = s->taken_before;
	k->res = *s->res;
	memcpy(k->party, s->party, s->n * sizeof(*k->party));
	memcpy(k->queue, s->queue, (s->n - 1) * sizeof(*k->queue));
	for (i = 0; i + 1 < s->n; i++) {
		q = &s->queue[i];
		for (j = 0; j < queue_fill(q); j++)
			k->stamps[i][j] = q->ring[(q->head + j) & q->mask];
	}
}

/* @dt is the distance in time of the two states. */
static bool same_party(const struct party *a, const struct party *b, u64 dt)
{
	if (a->act != b->act || a->at_out != b->at_out || a->woken != b->woken)
		return false;
	if (a->act == ACT_SPIN && a->since + dt != b->since)
		return false;
	return a->key == NEVER ? b->key == NEVER : a->key + 2 * dt == b->key;
}

static bool same_queue(const struct queue *a, const struct queue *b)
{
	return queue_fill(a) == queue_fill(b) && a->armed_c == b->armed_c &&
	       a->armed_p == b->armed_p && a->pending_c == b->pending_c &&
	       a->pending_p == b->pending_p;
}

static bool same_stamps(const struct stamp *a, const struct queue *q, u64 dt)
{
	const struct stamp *b;
	u32 j;

	for (j = 0; j < queue_fill(q); j++) {
		b = &q->ring[(q->head + j) & q->mask];
		if (a[j].enq + dt != b->enq || a[j].ext + dt != b->ext)
			return false;
	}
	return true;
}

static bool same(const struct sim_skip *k, const struct sim *s, u32 who)
{
	u64 dt = s->now - k->now;
	u32 i;

	if (!k->saved || who != k->who || k->taken + dt != s->taken ||
	    k->taken_before + dt != s->taken_before)
		return false;
	for (i = 0; i < s->n; i++)
		if (!same_party(&k->party[i], &s->party[i], dt))
			return false;
	for (i = 0; i + 1 < s->n; i++)
		if (!same_queue(&k->queue[i], &s->queue[i]))
			return false;
	for (i = 0; i + 1 < s->n; i++)
		if (!same_stamps(k->stamps[i], &s->queue[i], dt))
			return false;
	return true;
}

/* Adds @n times what was counted since @from. Both structs are of u64 alone. */
static void multiply(u64 *to, const u64 *from, size_t size, u64 n)
{
	size_t i;

	for (i = 0; i < size / sizeof(u64); i++)
		to[i] += n * (to[i] - from[i]);
}

static void multiply_counters(struct sim_result *r, const struct sim_result *from, u64 n)
{
	multiply(&r->items, &from->items, sizeof(r->items), n);
	multiply(&r->latency_ps, &from->latency_ps, sizeof(r->latency_ps), n);
	multiply((u64 *)r->party, (const u64 *)from->party, sizeof(r->party), n);
	multiply((u64 *)r->queue, (const u64 *)from->queue, sizeof(r->queue), n);
	multiply(&r->latency.count, &from->latency.count, sizeof(r->latency.count), n);
	multiply(r->latency.bucket, from->latency.bucket, sizeof(r->latency.bucket), n);
}

static void shift_time(struct sim *s, u64 dt)
{
	struct queue *q;
	u32 i, j;

	s->now += dt;
	s->taken += dt;
	s->taken_before += dt;
	for (i = 0; i < s->n; i++) {
		s->party[i].since += dt;
		if (s->party[i].key != NEVER)
			s->party[i].key += 2 * dt;
	}
	for (i = 0; i + 1 < s->n; i++) {
		q = &s->queue[i];
		for (j = 0; j < queue_fill(q); j++) {
			q->ring[(q->head + j) & q->mask].enq += dt;
			q->ring[(q->head + j) & q->mask].ext += dt;
		}
	}
}

static void skip(struct sim_skip *k, struct sim *s)
{
	u64 period = s->res->items - k->res.items, dt = s->now - k->now, n;

	k->done = true;
	if (!period)
		return;
	/* The last item is left to the loop: the run ends with it, not with a period. */
	n = (s->target - s->res->items - 1) / period;
	/* Past the end of the clock the loop shall find out itself. */
	if (dt && n > (1ULL << 61) / dt)
		n = (1ULL << 61) / dt;
	multiply_counters(s->res, &k->res, n);
	s->res->skipped = n * period;
	shift_time(s, n * dt);
}

void sim_skip_try(struct sim_skip *k, struct sim *s, u32 who)
{
	if (k->done)
		return;
	if (same(k, s, who)) {
		skip(k, s);
	} else if (++k->steps == k->next_save) {
		k->next_save *= 2;
		save(k, s, who);
	}
}
