// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets from a TX queue into all RX queues of a port that steers. */
#include "capture/hook.h"
#include "spread.h"

/* What a turn needs: its frames' ways, and a bit for each queue that is to be called. */
struct turn {
	struct rss_way way[BATCH_PACKETS];
	u64 touched;
};

static void call(struct port_queue *q)
{
	if (port_queue_peer_wants(q))
		q->ops->notify(q);
}

void spread_call_owed(struct spread *s)
{
	u32 i;

	rp_mb();
	for (i = 0; i < s->pairs; i++)
		call(s->rx[i].q);
}

static void call_touched(struct spread *s, struct turn *t)
{
	/* One for all: between publishing and the looks at their events; see flow_turn(). */
	if (t->touched)
		rp_mb();
	for (; t->touched; t->touched &= t->touched - 1)
		call(s->rx[__builtin_ctzll(t->touched)].q);
}

/* Of a packet that was dropped before. It goes along with the one in front of it. */
#define NO_ENTRY	0xffffu

static void find_ways(const struct spread *s, struct turn *t, const struct batch *b)
{
	struct rss_way way = { 0 };
	u32 i;

	for (i = 0; i < b->n; i++) {
		if (likely(!b->pkt[i].drop))
			way = rss_steer(s->rss, &b->pkt[i], s->pairs);
		else
			way.entry = NO_ENTRY;
		t->way[i] = way;
	}
}

static void drop(struct batch *b, u32 from, u32 to, enum drop why)
{
	for (; from < to; from++)
		if (!b->pkt[from].drop)
			b->pkt[from].drop = (u8)why;
}

/* @q's guest has no buffer for the next packet. Is it time to do without? */
static bool gave_up(struct spread *s, struct spread_rx *rx, u64 now_tsc)
{
	if (!rx->full_since_tsc)
		rx->full_since_tsc = now_tsc;
	/* Another pacer may have begun it, in a turn that is younger than ours. */
	return (s64)(now_tsc - rx->full_since_tsc) >= (s64)s->full_tsc;
}

/* What became of packets @i..@end-1 in @q; @shared: it is one of several pacers'. */
static void count(struct spread *s, const struct turn *t, struct port_queue *q,
		  const struct batch *b, u32 i, u32 end, bool shared)
{
	for (; i < end; i++) {
		if (likely(!b->pkt[i].drop))
			rss_count(s->rss, t->way[i].entry, shared);
		else if (t->way[i].entry != NO_ENTRY)
			rp_add(&q->dropped[b->pkt[i].drop], 1);
	}
}

/* As many of packets @i..@end-1 as there are buffers for; the first that has none. */
static u32 put(struct spread *s, struct turn *t, u32 pair, struct batch *b, u32 i, u32 end)
{
	struct spread_rx *rx = &s->rx[pair];
	u64 before = rx->q->packets;
	u32 all = b->n, n;

	if (unlikely(rx->q->broken))
		return i;
	b->n = end;
	n = rx->q->ops->put(rx->q, b, i);
	b->n = all;
	/* The peer of one that was given up only now is to hear, too: not from the queue's owner. */
	if (unlikely(rx->q->broken))
		t->touched |= 1ULL << pair;
	if (likely(rx->q->packets != before)) {
		t->touched |= 1ULL << pair;
		rx->full_since_tsc = 0;
	}
	return n;
}

/* The queue was full for too long: what finds no buffer is dropped, and no other. */
static void do_without(struct spread *s, struct turn *t, u32 pair, struct batch *b, u32 i,
		       u32 end)
{
	while (i < end && !s->rx[pair].q->broken) {
		drop(b, i, i + 1, DROP_FULL);
		i = put(s, t, pair, b, i, end);
	}
	drop(b, i, end, DROP_NO_PEER);
}

/* Packets @i..@end-1 into their queue; the first that is not dealt with. */
static u32 put_run(struct spread *s, struct turn *t, struct batch *b, u32 i, u32 end, u64 now_tsc)
{
	u32 pair = t->way[i].pair, n;
	struct port_queue *q = s->rx[pair].q;
	pthread_mutex_t *owner = port_queue_own(q);

	n = put(s, t, pair, b, i, end);
	if (unlikely(n < end)) {
		if (q->broken)
			drop(b, n, end, DROP_NO_PEER);
		else if (gave_up(s, &s->rx[pair], now_tsc))
			do_without(s, t, pair, b, n, end);
		else
			end = n;
	}
	capture_hook(q, b, i, end);
	count(s, t, q, b, i, end, owner);
	port_queue_disown(owner);
	return end;
}

u32 spread_deliver(struct spread *s, struct rss_sender *by, struct batch *b, u64 now_tsc)
{
	/* Pairs with the release in rss_share(). */
	struct rss_page *page = rp_load_acquire(&s->rss->page);
	u32 i = 0, end, done;
	struct turn t;

	t.touched = 0;
	if (unlikely(page))
		rss_page_enter(page, by);
	find_ways(s, &t, b);
	for (end = 1; i < b->n; end++) {
		if (end < b->n && t.way[end].pair == t.way[i].pair)
			continue;
		done = put_run(s, &t, b, i, end, now_tsc);
		i = done;
		if (done < end)
			break;
	}
	if (unlikely(page)) {
		rss_page_leave(page, by);
		rss_sender_done(by);
	}
	call_touched(s, &t);
	return i;
}

/* ---- The main thread's ---- */

void spread_init(struct spread *s)
{
	u32 i;

	for (i = 0; i < SPREAD_PAIRS_MAX; i++)
		s->rx[i].owner = (pthread_mutex_t)PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
}

void spread_share(struct spread *s, bool shared)
{
	u32 i;

	s->shared = shared;
	for (i = 0; i < s->pairs; i++)
		port_queue_share(s->rx[i].q, shared ? &s->rx[i].owner : NULL);
}
