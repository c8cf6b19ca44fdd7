// SPDX-License-Identifier: GPL-2.0-or-later
/* Sends a chain's load. */
#include "chain/generator.h"

#include <time.h>

#include "chain/frame.h"
#include "util.h"

#define BATCH		32u
/* Packets that were due in time may be sent so much after the load's end. */
#define GRACE_NS	10000000u
/* A sleep's end is not the only thing that it must heed. */
#define SLEEP_MAX_NS	10000000u

static void write_one(struct generator *g, u8 *at, u64 i, u64 now_tsc)
{
	const struct schedule *s = &g->schedule;
	u64 due_tsc = s->rate_pps ?
		g->begin_tsc + rp_ns_to_tsc(&g->clock, schedule_at_ns(s, i)) : now_tsc;

	chain_frame_write(at, g->head_at, g->frame_bytes, (u32)(i % g->flows), i / g->flows,
			  due_tsc);
	chain_frame_stamp(at, g->head_at, now_tsc);
	net_tx_add(g->worker.out, 0, g->frame_bytes);
	if (now_tsc >= g->measure_tsc)
		rp_hist_add(&g->behind, now_tsc > due_tsc ? now_tsc - due_tsc : 0);
}

/* Up to @max packets from number @first on; how many. */
static u32 send_some(struct generator *g, u64 first, u64 max, u64 now_tsc)
{
	u32 n;
	u8 *at;

	for (n = 0; n < BATCH && n < max; n++) {
		at = net_tx_next(g->worker.out, 0);
		if (!at)
			break;
		write_one(g, at, first + n, now_tsc);
	}
	if (!n)
		return 0;
	net_tx_publish(g->worker.out, 0);
	rp_add(&g->worker.counts.sent, n);
	return n;
}

/* Nothing is due for @ns. */
static void rest(struct generator *g, u64 ns)
{
	struct timespec ts = { 0, (long)(ns < SLEEP_MAX_NS ? ns : SLEEP_MAX_NS) };
	struct chain_counts *c = &g->worker.counts;
	u64 start = now_ns();

	if (g->spin)
		rp_relax();
	else
		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	rp_add(&c->in_waits, !g->spin);
	rp_add(&c->in_wait_ns, now_ns() - start);
}

static void await_begin(struct generator *g)
{
	u64 now;

	while ((now = rp_tsc()) < g->begin_tsc && !worker_stopping(&g->worker))
		rest(g, rp_tsc_to_ns(&g->clock, g->begin_tsc - now));
}

/* How many packets are due by then, sent ones included. */
static u64 due_by(const struct generator *g, u64 sent, u64 elapsed_ns)
{
	if (g->schedule.rate_pps)
		return schedule_due(&g->schedule, elapsed_ns);
	return elapsed_ns < g->schedule.duration_ns ? ~0ULL : sent;
}

/* Nothing is due: until something is, or the load is over. */
static u64 pause_ns(const struct schedule *s, u64 sent, u64 elapsed_ns)
{
	u64 next = sent < schedule_total(s) ? schedule_at_ns(s, sent) : s->duration_ns;

	return next > elapsed_ns ? next - elapsed_ns : 0;
}

static void run(struct chain_worker *w)
{
	struct generator *g = w->ctx;
	const u64 end_ns = g->schedule.duration_ns;
	u64 sent = 0, now, elapsed, due;
	u32 n;

	await_begin(g);
	while (!worker_stopping(w)) {
		now = rp_tsc();
		elapsed = rp_tsc_to_ns(&g->clock, now - g->begin_tsc);
		due = due_by(g, sent, elapsed);
		if (elapsed >= end_ns + GRACE_NS || (elapsed >= end_ns && sent == due))
			break;
		if (sent == due) {
			rest(g, pause_ns(&g->schedule, sent, elapsed));
			continue;
		}
		n = send_some(g, sent, due - sent, now);
		sent += n;
		if (!n)
			worker_wait(w, NET_TX);
	}
	/* Pairs with the main thread's acquire: what it then reads is the last. */
	rp_store_release(&g->done, 1);
	worker_await_stop(w);
}

int generator_start(struct generator *g)
{
	snprintf(g->worker.name, sizeof(g->worker.name), "generator");
	g->worker.run = run;
	g->worker.ctx = g;
	return worker_start(&g->worker);
}
