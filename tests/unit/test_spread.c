// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames into ports that steer: at the end of a link, and in a switch. */
#include "switch_frames.h"

#include <stdlib.h>

#include "../../vhost/daemon/net/spread.h"

#define FULL_TSC	100u
#define FLOWS		32u

static struct rss_config config;
static struct spread spread;

static int begin(void **state)
{
	u32 i;

	if (set_up(state))
		return -1;
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
	free(spread.rss);
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
		assert_int_equal(spread_deliver(&spread, &x.b, NOW), x.b.n);
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
	assert_int_equal(spread_deliver(&spread, &x.b, NOW), 3);
	fix_begin(&x);
	add(1, 3);
	add(other, 0);
	assert_int_equal(spread_deliver(&spread, &x.b, NOW + FULL_TSC - 1), 0);
	assert_int_equal(x.b.n, 2);
	assert_int_equal(spread_deliver(&spread, &x.b, NOW + FULL_TSC), 2);
	assert_int_equal(x.b.pkt[0].drop, DROP_FULL);
	assert_int_equal(x.b.pkt[1].drop, DROP_NONE);
	assert_int_equal(rx->q.dropped[DROP_FULL], 1);
	assert_int_equal(rx->q.dropped[DROP_HEADER], 0);
	/* It has taken some again: a new patience. */
	rx->room = 3;
	fix_begin(&x);
	add(1, 4);
	add(1, 5);
	assert_int_equal(spread_deliver(&spread, &x.b, NOW + 2 * FULL_TSC), 1);
	fix_begin(&x);
	add(1, 5);
	assert_int_equal(spread_deliver(&spread, &x.b, NOW + 2 * FULL_TSC), 0);
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
	assert_int_equal(spread_deliver(&spread, &x.b, NOW), FLOWS);
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
	assert_int_equal(spread_deliver(&spread, &x.b, NOW), 2);
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

#define CASE(t) cmocka_unit_test_setup_teardown(t, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_spread), CASE(test_full), CASE(test_broken), CASE(test_unclassified),
		CASE(test_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
