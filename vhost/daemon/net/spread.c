// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets from a TX queue into all RX queues of a port that steers. */
#include "capture/hook.h"
#include "spread.h"

static void call(struct port_queue *q)
{
	if (q->ops->peer_wants(q))
		q->ops->notify(q);
}

void spread_call_owed(struct spread *s)
{
	u32 i;

	rp_mb();
	for (i = 0; i < s->pairs; i++)
		call(s->rx[i].q);
}

static void call_touched(struct spread *s)
{
	/* One for all: between publishing and the looks at their events; see flow_turn(). */
	if (s->touched)
		rp_mb();
	for (; s->touched; s->touched &= s->touched - 1)
		call(s->rx[__builtin_ctzll(s->touched)].q);
}

/* Of a packet that was dropped before. It goes along with the one in front of it. */
#define NO_ENTRY	0xffffu

static void find_ways(struct spread *s, const struct batch *b)
{
	struct rss_way way = { 0 };
	u32 i;

	for (i = 0; i < b->n; i++) {
		if (likely(!b->pkt[i].drop))
			way = rss_steer(s->rss, &b->pkt[i], s->pairs);
		else
			way.entry = NO_ENTRY;
		s->way[i] = way;
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
	return now_tsc - rx->full_since_tsc >= s->full_tsc;
}

/* What became of packets @i..@end-1 in @q. */
static void count(struct spread *s, struct port_queue *q, const struct batch *b, u32 i, u32 end)
{
	for (; i < end; i++) {
		if (likely(!b->pkt[i].drop))
			rss_count(s->rss, s->way[i].entry, false);
		else if (s->way[i].entry != NO_ENTRY)
			rp_add(&q->dropped[b->pkt[i].drop], 1);
	}
}

/* As many of packets @i..@end-1 as there are buffers for; the first that has none. */
static u32 put(struct spread *s, u32 pair, struct batch *b, u32 i, u32 end)
{
	struct spread_rx *rx = &s->rx[pair];
	u64 before = rx->q->packets;
	u32 all = b->n, n;

	if (unlikely(rx->q->broken))
		return i;
	b->n = end;
	n = rx->q->ops->put(rx->q, b, i);
	b->n = all;
	if (likely(rx->q->packets != before)) {
		s->touched |= 1ULL << pair;
		rx->full_since_tsc = 0;
	}
	return n;
}

/* The queue was full for too long: what finds no buffer is dropped, and no other. */
static void do_without(struct spread *s, u32 pair, struct batch *b, u32 i, u32 end)
{
	while (i < end && !s->rx[pair].q->broken) {
		drop(b, i, i + 1, DROP_FULL);
		i = put(s, pair, b, i, end);
	}
	drop(b, i, end, DROP_NO_PEER);
}

/* Packets @i..@end-1 into their queue; the first that is not dealt with. */
static u32 put_run(struct spread *s, struct batch *b, u32 i, u32 end, u64 now_tsc)
{
	u32 pair = s->way[i].pair, n = put(s, pair, b, i, end);
	struct port_queue *q = s->rx[pair].q;

	if (unlikely(n < end)) {
		if (q->broken)
			drop(b, n, end, DROP_NO_PEER);
		else if (gave_up(s, &s->rx[pair], now_tsc))
			do_without(s, pair, b, n, end);
		else
			end = n;
	}
	capture_hook(q, b, i, end);
	count(s, q, b, i, end);
	return end;
}

u32 spread_deliver(struct spread *s, struct batch *b, u64 now_tsc)
{
	u32 i = 0, end, done;

	find_ways(s, b);
	for (end = 1; i < b->n; end++) {
		if (end < b->n && s->way[end].pair == s->way[i].pair)
			continue;
		done = put_run(s, b, i, end, now_tsc);
		i = done;
		if (done < end)
			break;
	}
	call_touched(s);
	return i;
}
