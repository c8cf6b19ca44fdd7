// SPDX-License-Identifier: GPL-2.0-or-later
/* Two guests' traffic through a forwarder. */
#include "packets/guests.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "chain/arrivals.h"
#include "chain/frame.h"
#include "chain/schedule.h"
#include "hist/hist.h"
#include "packets/line.h"

#define RX_BYTES	2048u
/* Frames in a row of one end, before the other one is looked at. */
#define PACED_BURST	32u
/* Sent, given back, and not there after so long: it was dropped. */
#define QUIET_NS	(NSEC_PER_SEC * 3 / 10)
#define DRAIN_NS	(5 * NSEC_PER_SEC)

struct play {
	struct guests *g;
	const struct guests_task *task;
	struct sample *sample;
	bool pinned;
	/* Of an open-loop load */
	struct schedule schedule;
	struct rp_clock clock;
	struct arrivals arrivals;
	struct rp_hist latency, behind;	/* ticks */
	u64 begin_tsc, measure_tsc;
	u64 received, bad;
	/* Attempts to send, and those that found no room. */
	u64 tries, full;
};

static struct net_end *sender(struct play *p)
{
	return &p->g->end[0];
}

static struct net_end *receiver(struct play *p)
{
	return &p->g->end[1];
}

/* ---- Life ---- */

int guests_open(struct guests *g, const struct forwarder *f, const struct forward_load *l,
		u32 queue_len)
{
	u64 end = now_ns() + FORWARDER_START_NS;
	u32 i;

	g->forwarder = f;
	for (i = 2; i-- > 0;) {
		const struct net_end_options o = {
			.socket = f->socket[i], .pairs = 1, .slots = queue_len,
			.frame_bytes = l->frame_bytes, .rx_bytes = RX_BYTES, .pieces = 1,
			.timeout_ms = NET_DAEMON_TIMEOUT_MS,
		};

		if (net_end_open(&g->end[i], &o))
			return -1;
	}
	/* What comes before its ports are up is dropped. */
	while (!g->end[1].rx[0].packets) {
		if (!child_alive(f->pid) || now_ns() > end)
			return fail("bench packets: nothing comes through %s: %s", f->ops->name,
				    log_tail(f->log));
		net_send(&g->end[0], 0, 1);
		if (!nap_ms(1))
			return -1;
		net_receive(&g->end[1], 0, queue_len);
	}
	return 0;
}

void guests_close(struct guests *g)
{
	u32 i;

	for (i = 0; i < 2; i++)
		net_end_close(&g->end[i]);
}

/* Takes what comes, by @take, until all is there or nothing more will be. */
static void drain(struct play *p, u64 missing, u32 (*take)(struct play *p))
{
	const struct timespec pause = { 0, 100000 };
	u64 since = now_ns(), end = since + DRAIN_NS, now;
	u32 n;

	while (missing && !stopped() && (now = now_ns()) < end) {
		n = take(p);
		missing -= n < missing ? n : missing;
		if (n || net_reclaim(sender(p), 0))
			since = now;
		if (now - since > QUIET_NS)
			break;
		if (!n)
			clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
}

/* ---- What both loads are measured by ---- */

struct mark {
	u64 at_ns, received, kicks;
	double cpu_ns;
};

static struct mark mark(struct play *p, u64 received)
{
	return (struct mark){
		.at_ns = now_ns(), .received = received,
		.kicks = sender(p)->tx[0].kicks + receiver(p)->rx[0].kicks,
		.cpu_ns = forwarder_cpu_ns(p->g->forwarder),
	};
}

static void set_rates(struct play *p, const struct mark *a, const struct mark *b)
{
	double n = (double)(b->received - a->received), ns = (double)(b->at_ns - a->at_ns);
	struct sample *s = p->sample;

	s->pps = n * 1e9 / ns;
	s->cpu = (b->cpu_ns - a->cpu_ns) / ns;
	s->cpu_ns_per_packet = n > 0 ? (b->cpu_ns - a->cpu_ns) / n : UNKNOWN;
	s->kicks_per_packet = n > 0 ? (double)(b->kicks - a->kicks) / n : UNKNOWN;
	s->full_share = p->tries ? (double)p->full / (double)p->tries : UNKNOWN;
}

/* ---- As fast as it goes ---- */

static u32 take_numbered(struct play *p)
{
	return net_receive(receiver(p), 0, receiver(p)->opt.slots);
}

static void flood_for(struct play *p, u64 ns)
{
	u64 end = now_ns() + ns;
	u32 burst = p->task->load->burst, i;

	p->tries = p->full = 0;
	while (now_ns() < end && !stopped()) {
		/* The clock is read seldom: it is no part of what is measured. */
		for (i = 0; i < 64; i++) {
			p->full += net_send(sender(p), 0, burst) < burst;
			net_receive(receiver(p), 0, burst);
		}
		p->tries += i;
	}
}

static void flood(struct play *p)
{
	struct net_tx *tx = &sender(p)->tx[0];
	struct net_rx *rx = &receiver(p)->rx[0];
	u64 sent, received, bad, reordered;
	struct mark begin, end;

	/* Nothing is under way when it begins. */
	drain(p, tx->sent - rx->packets, take_numbered);
	sent = tx->sent;
	received = rx->packets;
	bad = rx->bad;
	reordered = rx->reordered;
	flood_for(p, p->task->warmup_ns);
	begin = mark(p, rx->packets);
	flood_for(p, p->task->ns);
	end = mark(p, rx->packets);
	set_rates(p, &begin, &end);
	drain(p, tx->sent - sent - (rx->packets - received), take_numbered);
	p->sample->sent = (double)(tx->sent - sent);
	p->sample->lost = p->sample->sent - (double)(rx->packets - received);
	p->sample->bad = (double)(rx->bad - bad);
	p->sample->reordered = (double)(rx->reordered - reordered);
}

/* ---- Open-loop ---- */

static void send_due(struct play *p, u64 *sent, u64 due, u64 now_tsc)
{
	struct net_end *e = sender(p);
	u32 n, max = due - *sent < PACED_BURST ? (u32)(due - *sent) : PACED_BURST;
	u64 due_tsc;
	u8 *at;

	for (n = 0; n < max && (at = net_tx_next(e, 0)); n++, ++*sent) {
		due_tsc = p->begin_tsc + rp_ns_to_tsc(&p->clock, schedule_at_ns(&p->schedule, *sent));
		chain_frame_write(at, CHAIN_AT_BARE, e->opt.frame_bytes, 0, *sent, due_tsc);
		net_tx_add(e, 0, e->opt.frame_bytes);
		if (due_tsc >= p->measure_tsc)
			rp_hist_add(&p->behind, now_tsc > due_tsc ? now_tsc - due_tsc : 0);
	}
	p->tries++;
	p->full += n < max;
	if (n)
		net_tx_publish(e, 0);
}

static void take_one(struct play *p, const u8 *frame, u32 bytes)
{
	struct chain_head h;
	u64 now = rp_tsc();

	if (!chain_frame_read(frame, CHAIN_AT_BARE, bytes, 1, 0, &h) ||
	    !chain_frame_whole(frame, CHAIN_AT_BARE, &h)) {
		p->bad++;
		return;
	}
	arrivals_note(&p->arrivals, h.flow, h.seq);
	if (h.due_tsc >= p->measure_tsc)
		rp_hist_add(&p->latency, now > h.due_tsc ? now - h.due_tsc : 0);
}

static u32 take_due(struct play *p)
{
	struct net_end *e = receiver(p);
	const u8 *frame;
	u32 n, bytes;

	for (n = 0; n < PACED_BURST && (frame = net_rx_take(e, 0, &bytes)); n++)
		take_one(p, frame, bytes);
	if (n)
		net_rx_publish(e, 0);
	p->received += n;
	return n;
}

static double quantile(const struct play *p, const struct rp_hist *h, u32 permille)
{
	return h->count ? (double)rp_tsc_to_ns(&p->clock, rp_hist_quantile(h, permille)) : UNKNOWN;
}

static void pace(struct play *p)
{
	const struct guests_task *t = p->task;
	u64 sent = 0, elapsed = 0, now, due, end = t->warmup_ns + t->ns;
	struct mark a = { 0 }, b;

	/* What made sure that frames come through is none of these. */
	drain(p, sender(p)->tx[0].sent - receiver(p)->rx[0].packets, take_numbered);
	p->begin_tsc = rp_tsc();
	p->measure_tsc = p->begin_tsc + rp_ns_to_tsc(&p->clock, t->warmup_ns);
	while (elapsed < end && !stopped()) {
		now = rp_tsc();
		elapsed = rp_tsc_to_ns(&p->clock, now - p->begin_tsc);
		if (!a.at_ns && now >= p->measure_tsc)
			a = mark(p, p->received);
		due = schedule_due(&p->schedule, elapsed);
		if (sent < due)
			send_due(p, &sent, due, now);
		take_due(p);
	}
	b = mark(p, p->received);
	set_rates(p, &a, &b);
	drain(p, sent - p->received, take_due);
	p->sample->sent = (double)sent;
	p->sample->unsent = (double)(schedule_total(&p->schedule) - sent);
	p->sample->bad = (double)p->bad;
	p->sample->reordered = (double)p->arrivals.reordered;
	p->sample->lost = (double)sent - (double)(p->received - p->bad - p->arrivals.duplicates);
	p->sample->p50_ns = quantile(p, &p->latency, 500);
	p->sample->p98_ns = quantile(p, &p->latency, 980);
	p->sample->p99_ns = quantile(p, &p->latency, 990);
	p->sample->max_ns = quantile(p, &p->latency, 1000);
	p->sample->behind_p99_ns = quantile(p, &p->behind, 990);
}

/* ---- The thread ---- */

static void *play(void *arg)
{
	struct play *p = arg;

	p->pinned = !pin_to_cpu(nth_cpu(0));
	if (!p->pinned)
		return NULL;
	p->sample->line_before_ns = line_time_ns(nth_cpu(1));
	if (p->task->rate_pps)
		pace(p);
	else
		flood(p);
	p->sample->line_after_ns = line_time_ns(nth_cpu(1));
	return NULL;
}

static int run_thread(struct play *p)
{
	pthread_t thread;

	/* A thread of its own: what this one starts must not inherit its CPU. */
	if (pthread_create(&thread, NULL, play, p))
		return fail("bench packets: no thread can be started");
	pthread_join(thread, NULL);
	return p->pinned && !stopped() ? 0 : -1;
}

int guests_run(struct guests *g, const struct guests_task *t, struct sample *s)
{
	struct play *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		abort();
	*s = (struct sample){
		.p50_ns = UNKNOWN, .p98_ns = UNKNOWN, .p99_ns = UNKNOWN, .max_ns = UNKNOWN,
		.behind_p99_ns = UNKNOWN,
	};
	p->g = g;
	p->task = t;
	p->sample = s;
	p->schedule = (struct schedule){ t->rate_pps, t->warmup_ns + t->ns };
	rp_clock_init(&p->clock, tsc_hz());
	arrivals_init(&p->arrivals, 1);
	rc = run_thread(p);
	if (!rc && !child_alive(g->forwarder->pid))
		rc = fail("bench packets: %s ended in the run: %s", g->forwarder->ops->name,
			  log_tail(g->forwarder->log));
	arrivals_free(&p->arrivals);
	free(p);
	return rc;
}
