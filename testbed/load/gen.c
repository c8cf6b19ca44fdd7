// SPDX-License-Identifier: GPL-2.0-or-later
/* The load generator's core: phases, and what is due in each. */
#include "load/gen.h"

#include <stdio.h>
#include <stdlib.h>

/* Requests sent, and events taken, before the other's turn. */
#define SEND_MAX	64u
#define EVENTS_MAX	256u
/* How often it looks at ->begin_ns and ->stop, at least. */
#define LOOK_NS		10000000u
/* After ->stop it waits so long for replies, at most. */
#define STOP_NS		1000000000u
/* Time-outs are found late by a 16th, or by so much. */
#define SCAN_PART	16u
#define SCAN_MIN_NS	1000000u

/* ---- Life ---- */

static bool queue_init(struct load_queue *q, u32 size)
{
	q->size = size;
	q->conn = calloc(size, sizeof(*q->conn));
	return q->conn;
}

bool load_gen_init(struct load_gen *g, const struct load_gen_config *c, struct load_transport *t,
		   struct load_clock clock)
{
	const struct dist_spec none = { .kind = DIST_CONST };
	u32 i, all;

	memset(g, 0, offsetof(struct load_gen, buffer));
	g->config = *c;
	g->transport = t;
	g->clock = clock;
	g->proto = (struct load_proto){ .ops = c->proto, .opt = c->opt };
	g->conn = calloc(c->connections, sizeof(*g->conn));
	if (!g->conn || !queue_init(&g->ready, c->connections) ||
	    !queue_init(&g->closed, c->connections) ||
	    !load_stats_init(&g->stats, c->offer->duration_ns - c->warmup_ns, c->interval_ns,
			     c->late_ns))
		return false;
	for (i = 0; i < c->connections; i++)
		g->closed.conn[g->closed.n++] = i;
	all = c->proto->setup_count(&g->proto);
	g->setup_count = !c->proto->shared ? all : all / c->parts + (c->part < all % c->parts);
	/* Streams of random numbers that no arrivals use. */
	dist_init(&g->dist, &none, c->offer->seed, c->streams + c->stream);
	load_arrivals_init(&g->arrivals, c->offer, c->stream, c->streams);
	return true;
}

void load_gen_free(struct load_gen *g)
{
	u32 i;

	for (i = 0; g->conn && i < g->config.connections; i++)
		free(g->conn[i].rest);
	free(g->conn);
	free(g->ready.conn);
	free(g->closed.conn);
	load_stats_free(&g->stats);
}

static void enter(struct load_gen *g, enum load_phase phase)
{
	/* Pairs with the acquire of who reads stats and error then. */
	rp_store_release(&g->phase, phase);
}

/* ---- Set-up ---- */

static void setup_turn(struct load_gen *g, u64 now_ns)
{
	struct load_conn *c;

	while (g->phase == LOAD_SETUP && g->setup_next < g->setup_count &&
	       (c = load_conn_with_room(g))) {
		struct load_request r = { .id = g->next_id++, .due_ns = now_ns, .sent_ns = now_ns };
		u32 i = g->setup_next++;

		g->proto.ops->setup(&g->proto, &r, g->proto.ops->shared ?
				    i * g->config.parts + g->config.part : i);
		load_conn_send(g, c, &r);
	}
	if (g->phase == LOAD_SETUP && g->setup_done == g->setup_count)
		enter(g, LOAD_READY);
}

static void next_arrival(struct load_gen *g)
{
	u64 at = load_arrivals_next(&g->arrivals);

	g->next_due_ns = at == LOAD_NEVER ? at : g->stats.begin_ns + at;
}

/* Begins when it is told to; the time at which there may be something to do. */
static u64 ready_turn(struct load_gen *g, u64 now_ns)
{
	/* Pairs with the release of who sets it. */
	u64 begin_ns = rp_load_acquire(&g->begin_ns);

	if (!begin_ns || now_ns < begin_ns)
		return begin_ns ? begin_ns : now_ns + LOOK_NS;
	load_stats_begin(&g->stats, begin_ns, g->config.warmup_ns);
	g->end_ns = begin_ns + g->config.offer->duration_ns;
	next_arrival(g);
	enter(g, LOAD_RUNNING);
	return now_ns;
}

/* ---- The load ---- */

static void send_one(struct load_gen *g, struct load_conn *c)
{
	struct load_request r = {
		.id = g->next_id++, .due_ns = g->next_due_ns, .sent_ns = load_gen_now(g),
		.measured = load_stats_counts(&g->stats, g->next_due_ns),
	};

	g->proto.ops->choose(&g->proto, &r, dist_bits(&g->dist));
	load_stats_sent(&g->stats, &r);
	load_conn_send(g, c, &r);
	next_arrival(g);
}

/* When the next one is due; LOAD_NEVER: an event must come first. */
static u64 send_due(struct load_gen *g, u64 now_ns)
{
	struct load_conn *c;
	u32 n;

	for (n = 0; n < SEND_MAX && g->next_due_ns <= now_ns; n++) {
		c = load_conn_with_room(g);
		if (!c)
			return LOAD_NEVER;
		send_one(g, c);
	}
	return g->next_due_ns;
}

/* No more is sent. What was due by @due_ns and has not been, never will. */
static void end_load(struct load_gen *g, u64 due_ns, u64 drain_ns)
{
	while (g->next_due_ns <= due_ns) {
		load_stats_unsent(&g->stats, g->next_due_ns);
		next_arrival(g);
	}
	g->next_due_ns = LOAD_NEVER;
	g->end_ns = drain_ns;
	enter(g, LOAD_DRAINING);
}

static u64 running_turn(struct load_gen *g, u64 now_ns)
{
	const struct load_gen_config *c = &g->config;
	u64 next_ns = now_ns, reopen_ns;

	/* What is due at the very end is not late yet. */
	if (now_ns < g->end_ns + c->late_ns)
		next_ns = send_due(g, now_ns);
	if (g->next_due_ns == LOAD_NEVER || now_ns >= g->end_ns + c->late_ns) {
		end_load(g, g->end_ns, now_ns + c->timeout_ns);
		return now_ns;
	}
	reopen_ns = load_conn_open_some(g, now_ns);
	return reopen_ns < next_ns ? reopen_ns : next_ns;
}

static u64 draining_turn(struct load_gen *g, u64 now_ns)
{
	if (now_ns >= g->end_ns)
		load_conn_give_up_all(g, now_ns);
	if (!g->out)
		enter(g, LOAD_ENDED);
	return g->end_ns;
}

/* ---- All of it ---- */

void load_request_ended(struct load_gen *g, const struct load_request *r, enum load_outcome outcome,
			u64 now_ns)
{
	g->out--;
	if (g->phase >= LOAD_RUNNING) {
		load_stats_ended(&g->stats, r, outcome, now_ns);
		return;
	}
	g->setup_done++;
	if (outcome == LOAD_OK || g->phase == LOAD_FAILED)
		return;
	snprintf(g->error, sizeof(g->error), "no good answer from %s before the load: %s; is it a "
		 "server for %s?", g->config.target, load_outcome_names[outcome],
		 g->proto.ops->name);
	enter(g, LOAD_FAILED);
}

static void obey_stop(struct load_gen *g, u64 now_ns)
{
	u64 wait_ns = g->config.timeout_ns < STOP_NS ? g->config.timeout_ns : STOP_NS;

	if (g->phase < LOAD_RUNNING)
		enter(g, LOAD_ENDED);
	else if (g->phase == LOAD_RUNNING)
		end_load(g, now_ns < g->end_ns ? now_ns : g->end_ns, now_ns + wait_ns);
	else if (g->phase == LOAD_DRAINING && g->end_ns > now_ns + wait_ns)
		g->end_ns = now_ns + wait_ns;
}

static u64 phase_turn(struct load_gen *g, u64 now_ns)
{
	u64 next_ns = LOAD_NEVER;

	switch (g->phase) {
	case LOAD_CONNECTING:
		next_ns = load_conn_open_some(g, now_ns);
		if (g->open == g->config.connections && g->phase == LOAD_CONNECTING)
			enter(g, LOAD_SETUP);
		return g->phase == LOAD_SETUP ? now_ns : next_ns;
	case LOAD_SETUP:
		setup_turn(g, now_ns);
		return g->phase == LOAD_READY ? now_ns : LOAD_NEVER;
	case LOAD_READY:
		load_conn_open_some(g, now_ns);
		return ready_turn(g, now_ns);
	case LOAD_RUNNING:
		return running_turn(g, now_ns);
	default:
		return draining_turn(g, now_ns);
	}
}

u64 load_gen_turn(struct load_gen *g, u64 now_ns)
{
	u64 next_ns, scan_ns = g->config.timeout_ns / SCAN_PART;

	if (rp_load(&g->stop))
		obey_stop(g, now_ns);
	if (now_ns >= g->next_scan_ns) {
		load_conn_scan(g, now_ns);
		g->next_scan_ns = now_ns + (scan_ns > SCAN_MIN_NS ? scan_ns : SCAN_MIN_NS);
	}
	if (g->phase >= LOAD_ENDED)
		return now_ns;
	next_ns = phase_turn(g, now_ns);
	if (next_ns > g->next_scan_ns)
		next_ns = g->next_scan_ns;
	return next_ns < now_ns + LOOK_NS ? next_ns : now_ns + LOOK_NS;
}

void load_gen_run(struct load_gen *g)
{
	struct load_event ev[EVENTS_MAX];
	u64 now_ns, next_ns;
	u32 i, n;

	for (;;) {
		now_ns = load_gen_now(g);
		next_ns = load_gen_turn(g, now_ns);
		if (g->phase >= LOAD_ENDED)
			return;
		now_ns = load_gen_now(g);
		n = g->transport->ops->wait(g->transport, ev, EVENTS_MAX,
					    next_ns > now_ns ? next_ns - now_ns : 0);
		for (i = 0; i < n && g->phase < LOAD_ENDED; i++)
			load_gen_event(g, &ev[i], load_gen_now(g));
	}
}
