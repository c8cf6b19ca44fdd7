// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A switch whose ports' flows are several threads', and a port that steers what several
 * threads send to it: each RX queue is written by one of them at a time, nothing is lost
 * or counted twice, what a sender sends stays in order, and a receiver is told of
 * everything. Receivers are no guests: they see when two threads are at one of them at
 * once, and now and then give up the CPU in the midst so that these can.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "../../vhost/daemon/net/spread.h"
#include "../../vhost/daemon/net/switch.h"
#include "rand.h"

#define PORTS		4u
#define PAIRS		2u
#define SENDERS		3u		/* ports 0 to 2; the last one only receives */
#define FRAMES		40000u
#define FRAME_BYTES	64u
#define SEQ_AT		44u
#define FLOWS		16u
/* One in so many is for all. */
#define FLOOD		32u
#define NEVER		(~0ULL >> 1)

/* An RX queue: takes a few, and then has no room until it was tried again. */
struct sink {
	struct port_queue q;
	u64 rng;
	u32 next[SENDERS];		/* of each sender: later than all that came */
	u64 told, calls, reordered;
	u32 inside;			/* a thread is; atomic */
	u32 trespassed;			/* another one came meanwhile; relaxed */
};

struct sender {
	u32 port;
	struct switch_turn turn;
	struct batch b;
	u8 frame[BATCH_PACKETS][FRAME_BYTES];
	u32 (*deliver)(struct sender *s);	/* its batch; how many */
	u32 sent, lost;			/* of frames for one */
};

static struct fwd_switch sw;
static struct spread spread;
static struct sink sinks[PORTS][PAIRS];
static struct sender senders[SENDERS];
static u64 seed;

/* ---- Receivers ---- */

static struct sink *of_queue(struct port_queue *q)
{
	return (struct sink *)((char *)q - offsetof(struct sink, q));
}

static void enter(struct sink *s)
{
	if (__atomic_exchange_n(&s->inside, 1, __ATOMIC_RELAXED))
		rp_store(&s->trespassed, 1);
	if (!test_below(&s->rng, 64))
		sched_yield();
}

static void leave(struct sink *s)
{
	rp_store(&s->inside, 0);
}

static void take(struct sink *s, const struct packet *p)
{
	u8 f[FRAME_BYTES];
	u32 seq;

	frame_peek(p, f, sizeof(f));
	memcpy(&seq, f + SEQ_AT, sizeof(seq));
	s->reordered += seq < s->next[f[11]];
	s->next[f[11]] = seq + 1;
	s->q.packets++;
	s->q.bytes += p->bytes;
}

static u32 sink_put(struct port_queue *q, struct batch *b, u32 from)
{
	struct sink *s = of_queue(q);
	u32 room, i;

	enter(s);
	room = test_below(&s->rng, 12);
	for (i = from; i < b->n; i++) {
		if (b->pkt[i].drop)
			continue;
		if (!room--)
			break;
		take(s, &b->pkt[i]);
	}
	leave(s);
	return i;
}

/* As a ring does: of what was published since somebody asked last. */
static bool sink_wants(struct port_queue *q)
{
	struct sink *s = of_queue(q);
	bool wants;

	enter(s);
	wants = s->told != q->packets;
	s->told = q->packets;
	s->calls += wants;
	leave(s);
	return wants;
}

static void sink_notify(struct port_queue *q)
{
}

static const struct rp_port_ops sink_ops = {
	.put = sink_put, .peer_wants = sink_wants, .notify = sink_notify,
};

/* ---- Senders ---- */

/* The station at @s sends frame @seq, to each of the others in turn, or to all. */
static void build(struct sender *s, u32 i, u32 seq)
{
	u8 *f = s->frame[i];
	u32 to = (s->port + 1 + seq % SENDERS) % PORTS;

	memset(f, 0, FRAME_BYTES);
	memset(f, seq % FLOOD ? 0 : 0xff, 6);
	if (seq % FLOOD) {
		f[0] = 2;
		f[5] = (u8)to;
	}
	f[6] = 2;
	f[11] = (u8)s->port;
	/* UDP over IPv4, of some flows. */
	f[12] = 0x08;
	f[14] = 0x45;
	f[23] = 17;
	f[29] = (u8)s->port;
	f[35] = (u8)(seq * 7 % FLOWS);
	memcpy(f + SEQ_AT, &seq, sizeof(seq));
	s->b.seg[i] = (struct rp_seg){ f, FRAME_BYTES };
	s->b.pkt[i] = (struct packet){ .bytes = FRAME_BYTES, .n_seg = 1, .seg = &s->b.seg[i] };
}

static u32 into_switch(struct sender *s)
{
	return switch_forward(&sw.port[s->port], &s->turn, &s->b, 1 + s->sent);
}

static u32 into_spread(struct sender *s)
{
	return spread_deliver(&spread, &s->turn.sender, &s->b, 1 + s->sent);
}

static void *send_all(void *arg)
{
	struct sender *s = arg;
	u64 rng = seed + s->port;
	u32 n, i, done;

	while (s->sent < FRAMES) {
		n = 1 + test_below(&rng, 16);
		for (i = 0; i < n; i++)
			build(s, i, s->sent + i);
		s->b.n = s->b.n_seg = n;
		done = s->deliver(s);
		for (i = 0; i < done; i++)
			s->lost += (s->sent + i) % FLOOD && s->b.pkt[i].drop;
		s->sent += done;
		if (!done)
			sched_yield();
	}
	return NULL;
}

static int set_up(void **state)
{
	struct switch_port_options o[PORTS] = { 0 };
	u32 i, k;

	seed = test_seed();
	memset(&sw, 0, sizeof(sw));
	memset(sinks, 0, sizeof(sinks));
	memset(senders, 0, sizeof(senders));
	for (i = 0; i < PORTS; i++)
		o[i] = (struct switch_port_options){
			.vlan.untagged = 1, .pairs = PAIRS, .macs = 8, .full_tsc = NEVER,
		};
	if (switch_init(&sw, PORTS, o, INT64_MAX, 1000) < 0)
		return -1;
	for (i = 0; i < PORTS; i++)
		for (k = 0; k < PAIRS; k++) {
			sinks[i][k].q.ops = &sink_ops;
			sinks[i][k].q.index = 2 * k;
			sinks[i][k].rng = seed + 100 + i * PAIRS + k;
			switch_attach(&sw.port[i], k, &sinks[i][k].q);
		}
	/* So that what is for one port is not for all. */
	for (i = 0; i < PORTS; i++)
		fdb_learn(&sw.fdb, fdb_key((const u8[]){ 2, 0, 0, 0, 0, (u8)i }, 1), i, 0);
	return 0;
}

static int tear_down(void **state)
{
	switch_fini(&sw);
	return 0;
}

/* What is true of every receiver; its packets. */
static u64 check_sink(const struct sink *s)
{
	assert_int_equal(s->trespassed, 0);
	assert_int_equal(s->reordered, 0);
	assert_int_equal(s->told, s->q.packets);
	assert_int_equal(s->q.bytes, s->q.packets * FRAME_BYTES);
	assert_true(s->calls > 0 && s->calls <= s->q.packets);
	return s->q.packets;
}

static void run_all(u32 (*deliver)(struct sender *s))
{
	pthread_t thread[SENDERS];
	u32 i;

	for (i = 0; i < SENDERS; i++) {
		senders[i].port = i;
		senders[i].deliver = deliver;
		assert_int_equal(pthread_create(&thread[i], NULL, send_all, &senders[i]), 0);
	}
	for (i = 0; i < SENDERS; i++)
		pthread_join(thread[i], NULL);
}

/* Every copy was taken, or dropped where it did not fit, and receivers heard of all. */
static void test_threads(void **state)
{
	u64 sent = 0, taken = 0, dropped = 0, floods = 0;
	u32 i, k;

	switch_share(&sw, true);
	run_all(into_switch);
	for (i = 0; i < SENDERS; i++) {
		u32 n = senders[i].sent, all = (n + FLOOD - 1) / FLOOD;

		assert_int_equal(senders[i].lost, 0);
		sent += n - all;
		floods += all;
	}
	for (i = 0; i < PORTS; i++)
		for (k = 0; k < PAIRS; k++) {
			taken += check_sink(&sinks[i][k]);
			dropped += sinks[i][k].q.dropped[DROP_FULL];
		}
	assert_int_equal(sw.flooded, floods);
	assert_int_equal(sw.flood_copies, sw.flooded * (PORTS - 1));
	assert_int_equal(taken + dropped, sent + sw.flood_copies);
	assert_true(taken > dropped);
}

/* Into the queues of one port, by its table: everything is taken, and counted once. */
static void test_spread(void **state)
{
	u64 sent = 0, taken = 0, counted = 0;
	struct rss_config c;
	u32 i;

	rss_default(&c, 8, PORTS);
	memset(&spread, 0, sizeof(spread));
	spread_init(&spread);
	spread.rss = rss_new(&c);
	assert_non_null(spread.rss);
	spread.full_tsc = NEVER;
	for (spread.pairs = 0; spread.pairs < PORTS; spread.pairs++)
		spread.rx[spread.pairs].q = &sinks[spread.pairs][0].q;
	spread_share(&spread, true);
	run_all(into_spread);
	for (i = 0; i < SENDERS; i++)
		sent += senders[i].sent;
	for (i = 0; i < PORTS; i++)
		taken += check_sink(&sinks[i][0]);
	for (i = 0; i <= RSS_ENTRIES_MAX; i++)
		counted += spread.rss->packets[i];
	assert_int_equal(taken, sent);
	assert_int_equal(counted, sent);
	spread_share(&spread, false);
	assert_null(sinks[0][0].q.owner);
	rss_free(spread.rss);
}

/* One thread again: nobody owns anything. */
static void test_alone(void **state)
{
	switch_share(&sw, true);
	assert_non_null(sinks[1][1].q.owner);
	switch_share(&sw, false);
	assert_null(sinks[1][1].q.owner);
	switch_share(&sw, true);
	switch_close(&sw.port[1], 1);
	assert_int_equal(sw.port[1].rx_count, 1);
	switch_attach(&sw.port[1], 1, NULL);
	assert_null(sinks[1][1].q.owner);
	switch_attach(&sw.port[1], 1, &sinks[1][1].q);
	assert_non_null(sinks[1][1].q.owner);
	assert_int_equal(sw.port[1].rx_count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_spread, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
