// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames into ports that steer: at the end of a link, and in a switch. */
#include "switch_frames.h"

#include <stdlib.h>

#include "../../vhost/daemon/net/spread.h"

#define FULL_TSC	100u
#define FLOWS		32u

static struct rss_config config;
static struct spread spread;
static struct rss_sender by;

static int begin(void **state)
{
	u32 i;

	if (set_up(state))
		return -1;
	by = (struct rss_sender){ .index = 5 };
	rss_default(&config, 16, FIX_PAIRS);
	spread = (struct spread){ .pairs = FIX_PAIRS, .full_tsc = FULL_TSC,
				  .rss = rss_new(&config) };
	for (i = 0; i < FIX_PAIRS; i++) {
		x.rx[1][i].q.ops = &fix_ops;
		x.rx[1][i].room = FIX_KEPT;
		spread.rx[i].q = &x.rx[1][i].q;
	}
	return spread.rss ? 0 : -1;
}

static int end(void **state)
{
	rss_free(spread.rss);
	return tear_down(state);
}

/* UDP of flow @flow, number @seq, from station 1 to station 2. */
static void add(u32 flow, u8 seq)
{
	u8 *f = buffers[x.b.n];

	build(f, 2, 1, NULL, 60);
	f[12] = 0x08;
	f[13] = 0x00;
	memset(f + 14, 0, 40);
	f[14] = 0x45;
	f[14 + 9] = 17;
	f[14 + 12] = f[14 + 16] = 10;
	f[14 + 15] = (u8)flow;
	/* Not a part of the flow: the length of UDP. */
	f[14 + 24] = seq;
	fix_add(&x, f, 74, (const u32[]){ 14, 7, 0 });
}

static u32 entry_of(u32 flow)
{
	struct rss_way way;

	fix_begin(&x);
	add(flow, 0);
	way = rss_steer(spread.rss, &x.b.pkt[0], FIX_PAIRS);
	return way.entry;
}

/* Of each flow, the frames in a queue, in order from @first[flow] on; how many there are. */
static u32 in_order(const struct fix_rx *rx, u32 pair, u8 *next)
{
	u32 i;

	for (i = 0; i < rx->n; i++) {
		const u8 *f = rx->kept[i].frame;
		u32 flow = f[14 + 15];

		assert_int_equal(spread.rss->pair[entry_of(flow)], pair);
		assert_int_equal(f[14 + 24], next[flow]++);
	}
	return rx->n;
}

static void test_spread(void **state)
{
	u32 i, sent = 0, got = 0, counted = 0;
	u8 next[FLOWS] = { 0 };

	for (i = 0; i < 6; i++) {
		fix_begin(&x);
		while (x.b.n < FLOWS)
			add((x.b.n * 7 + i) % FLOWS, (u8)i);
		sent += x.b.n;
		assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW), x.b.n);
	}
	for (i = 0; i < FIX_PAIRS; i++) {
		assert_int_equal(x.rx[1][i].calls, 6);
		assert_true(x.rx[1][i].n > 0);
		got += in_order(&x.rx[1][i], i, next);
	}
	for (i = 0; i < 16; i++)
		counted += (u32)spread.rss->packets[i];
	assert_int_equal(got, sent);
	assert_int_equal(counted, sent);
	assert_int_equal(spread.rss->packets[RSS_ENTRIES_MAX], 0);
}

/* The first that has no room holds up those behind it, for its time; then it is dropped. */
static void test_full(void **state)
{
	u32 pair = spread.rss->pair[entry_of(1)], other, i;
	struct fix_rx *rx = &x.rx[1][pair];

	for (other = 2; spread.rss->pair[entry_of(other)] == pair; other++)
		;
	rx->room = 2;
	fix_begin(&x);
	for (i = 0; i < 4; i++)
		add(1, (u8)i);
	add(other, 0);
	x.b.pkt[1].drop = DROP_HEADER;
	assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW), 3);
	fix_begin(&x);
	add(1, 3);
	add(other, 0);
	assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW + FULL_TSC - 1), 0);
	assert_int_equal(x.b.n, 2);
	assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW + FULL_TSC), 2);
	assert_int_equal(x.b.pkt[0].drop, DROP_FULL);
	assert_int_equal(x.b.pkt[1].drop, DROP_NONE);
	assert_int_equal(rx->q.dropped[DROP_FULL], 1);
	assert_int_equal(rx->q.dropped[DROP_HEADER], 0);
	/* It has taken some again: a new patience. */
	rx->room = 3;
	fix_begin(&x);
	add(1, 4);
	add(1, 5);
	assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW + 2 * FULL_TSC), 1);
	fix_begin(&x);
	add(1, 5);
	assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW + 2 * FULL_TSC), 0);
}

/* A queue that was given up is nobody; the others go on. */
static void test_broken(void **state)
{
	u32 pair = spread.rss->pair[entry_of(1)], i;
	u64 dropped = 0;

	x.rx[1][pair].q.broken = "by its guest";
	fix_begin(&x);
	while (x.b.n < FLOWS)
		add(x.b.n, 0);
	assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW), FLOWS);
	for (i = 0; i < FLOWS; i++)
		dropped += x.b.pkt[i].drop == DROP_NO_PEER;
	assert_int_equal(x.rx[1][pair].n, 0);
	assert_true(dropped > 0 && dropped < FLOWS);
	assert_int_equal(x.rx[1][pair].q.dropped[DROP_NO_PEER], dropped);
}

/* Everything but IP, and IP without an enabled type. */
static void test_unclassified(void **state)
{
	spread.rss->unclassified = 2;
	fix_begin(&x);
	fix_add(&x, buffers[0], build(buffers[0], 2, 1, NULL, 60), NULL);
	add(1, 0);
	spread.rss->types = VIRTIO_NET_RSS_HASH_TYPE_TCPv4;
	assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW), 2);
	assert_int_equal(x.rx[1][2].n, 2);
	assert_int_equal(spread.rss->packets[RSS_ENTRIES_MAX], 2);
}

/* A switch's port goes by its table, to one and to all; the others do not. */
static void test_switch(void **state)
{
	u32 i, counted = 0;
	u8 next[FLOWS] = { 0 };

	switch_fini(&x.sw);
	opt[1].pairs = FIX_PAIRS;
	assert_true(fix_init(&x, opt));
	x.sw.port[1].rss = spread.rss;
	for (i = 0; i < 2; i++) {
		if (i)
			assert_int_equal(transmit(1, 0, 2, NULL), DROP_NONE);
		fix_begin(&x);
		while (x.b.n < FLOWS)
			add(x.b.n, (u8)i);
		assert_int_equal(fix_forward(&x, 0, NOW), FLOWS);
	}
	assert_int_equal(x.rx[3][0].n, FLOWS + 1);
	for (i = 0; i < FIX_PAIRS; i++)
		counted += in_order(&x.rx[1][i], i, next);
	assert_int_equal(counted, 2 * FLOWS);
	for (counted = 0, i = 0; i < 16; i++)
		counted += (u32)spread.rss->packets[i];
	assert_int_equal(counted, 2 * FLOWS);
	/* A guest that has enabled two pairs gets all in them. */
	switch_attach(&x.sw.port[1], 2, NULL);
	for (i = 0; i < FIX_PAIRS; i++)
		x.rx[1][i].n = 0;
	fix_begin(&x);
	while (x.b.n < FLOWS)
		add(x.b.n, 2);
	assert_int_equal(fix_forward(&x, 0, NOW), FLOWS);
	assert_int_equal(x.rx[1][0].n + x.rx[1][1].n, FLOWS);
}

/* ---- Tables that are shared ---- */

/* Turns of whoever sends, as who steers sees them, when a frame is put and when one is told. */
static struct rss_page *pages[2];
static u32 taken, outside, tells, inside;

static u32 watched_put(struct port_queue *q, struct batch *b, u32 from)
{
	u32 i;

	for (i = 0; i < 2; i++)
		outside += pages[i] && !(pages[i]->sender[5].turn & 1);
	taken++;
	return fix_ops.put(q, b, from);
}

static bool watched_wants(struct port_queue *q)
{
	u32 i;

	for (i = 0; i < 2; i++)
		inside += pages[i] && pages[i]->sender[5].turn & 1;
	tells++;
	return fix_ops.peer_wants(q);
}

static const struct rp_port_ops watched_ops = {
	.put = watched_put, .peer_wants = watched_wants, .notify = fix_notify,
};

static void watch(u32 port)
{
	u32 i;

	for (i = 0; i < FIX_PAIRS; i++)
		x.rx[port][i].q.ops = &watched_ops;
	taken = outside = tells = inside = 0;
}

/* Who steers sees each turn, and its entries are gone by at once, whatever they say. */
static void test_shared(void **state)
{
	u32 i, entry = entry_of(1);

	assert_int_equal(rss_share(spread.rss), 0);
	pages[0] = spread.rss->page;
	pages[1] = NULL;
	watch(1);
	for (i = 0; i < 2 * FIX_PAIRS; i++) {
		rp_store(&pages[0]->pair[entry], (u16)i);
		fix_begin(&x);
		add(1, (u8)i);
		assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW), 1);
		assert_int_equal(x.rx[1][i % FIX_PAIRS].n, 1 + i / FIX_PAIRS);
		assert_int_equal(pages[0]->sender[5].turn, 2 * (i + 1));
	}
	rp_store(&pages[0]->pair[entry], 0xffff);
	fix_begin(&x);
	add(1, (u8)i);
	assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW), 1);
	assert_int_equal(x.rx[1][0xffff % FIX_PAIRS].n, 3);
	assert_int_equal(taken, 2 * FIX_PAIRS + 1);
	assert_int_equal(tells, taken);
	assert_int_equal(outside + inside, 0);
	/* A turn ends, too, where a full queue holds up what is left. */
	rp_store(&pages[0]->pair[entry], 0);
	x.rx[1][0].room = x.rx[1][0].n;
	fix_begin(&x);
	add(1, 0);
	assert_int_equal(spread_deliver(&spread, &by, &x.b, NOW), 0);
	assert_int_equal(pages[0]->sender[5].turn, by.turns);
	assert_int_equal(by.turns & 1, 0);
}

/* Two ports of a switch, each with its page, are entered once a turn, and both left. */
static void test_switch_shared(void **state)
{
	struct rss *other = rss_new(&config);
	u32 i;

	assert_non_null(other);
	switch_fini(&x.sw);
	opt[1].pairs = opt[2].pairs = FIX_PAIRS;
	opt[2].vlan.untagged = opt[1].vlan.untagged;
	assert_true(fix_init(&x, opt));
	x.turn.sender.index = 5;
	x.sw.port[1].rss = spread.rss;
	x.sw.port[2].rss = other;
	assert_int_equal(rss_share(spread.rss) | rss_share(other), 0);
	pages[0] = spread.rss->page;
	pages[1] = other->page;
	watch(1);
	watch(2);
	/* Nobody is known: all goes to all. */
	for (i = 0; i < 3; i++) {
		fix_begin(&x);
		while (x.b.n < 4)
			add(x.b.n, (u8)i);
		assert_int_equal(fix_forward(&x, 0, NOW), 4);
		assert_int_equal(pages[0]->sender[5].turn, 2 * (i + 1));
		assert_int_equal(pages[1]->sender[5].turn, 2 * (i + 1));
	}
	assert_true(taken >= 2 * 3 * 4 && tells > 0);
	/* The first put of the first frame is before the second page is entered. */
	assert_true(outside <= 3 && !inside);
	rss_free(other);
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_spread), CASE(test_full), CASE(test_broken), CASE(test_unclassified),
		CASE(test_switch), CASE(test_shared), CASE(test_switch_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
