// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames through a switch: which port, which queue; full receivers, and absent ones. */
#include "switch_frames.h"

#define FULL_TSC	100u

static void test_refused(void **state)
{
	assert_int_equal(transmit(0, 9, 1, NULL), DROP_NONE);
	x.rx[1][0].n = x.rx[3][0].n = 0;
	/* No reflection. */
	assert_int_equal(transmit(0, 1, 5, NULL), DROP_LOCAL);
	assert_int_equal(transmit(0, 1, 1, NULL), DROP_LOCAL);
	build(buffers[0], 0, 1, NULL, 60);
	fix_begin(&x);
	buffers[0][6] |= 1;
	fix_add(&x, buffers[0], 74, NULL);
	build(buffers[1], 0, 0, NULL, 60);
	buffers[1][6] = 0;
	fix_add(&x, buffers[1], 74, NULL);
	build(buffers[2], 0, 1, NULL, 60);
	memcpy(buffers[2], "\x01\x80\xc2\0\0\x0e", 6);
	fix_add(&x, buffers[2], 74, NULL);
	assert_int_equal(fix_forward(&x, 0, NOW), 3);
	assert_int_equal(x.b.pkt[0].drop, DROP_SOURCE);
	assert_int_equal(x.b.pkt[1].drop, DROP_SOURCE);
	assert_int_equal(x.b.pkt[2].drop, DROP_RESERVED);
	expect_nothing();
}

/* Frames for several ports in one batch: each gets its own, in order, and one call. */
static void test_mixed(void **state)
{
	u32 i, n;

	assert_int_equal(transmit(1, 0, 2, NULL), DROP_NONE);
	assert_int_equal(transmit(3, 0, 4, TAG(10)), DROP_NONE);
	for (i = 0; i < FIX_PORTS; i++)
		x.rx[i][0].n = x.rx[i][0].calls = 0;
	fix_begin(&x);
	for (i = 0; i < BATCH_PACKETS; i++) {
		n = build(buffers[i], i % 3 ? 2 : 4, 1, NULL, 60);
		buffers[i][20] = (u8)i;
		fix_add(&x, buffers[i], n, NULL);
	}
	assert_int_equal(fix_forward(&x, 0, NOW), BATCH_PACKETS);
	assert_int_equal(x.rx[1][0].n, 42);
	assert_int_equal(x.rx[3][0].n, 22);
	for (i = 0; i < 22; i++)
		assert_int_equal(x.rx[3][0].kept[i].frame[24], 3 * i);
	for (i = 0; i < 42; i++)
		assert_int_equal(x.rx[1][0].kept[i].frame[20], i / 2 * 3 + i % 2 + 1);
	assert_int_equal(x.rx[1][0].calls, 1);
	assert_int_equal(x.rx[3][0].calls, 1);
}

static void add_many(u32 n, u32 to)
{
	u32 i;

	fix_begin(&x);
	for (i = 0; i < n; i++)
		fix_add(&x, buffers[i], build(buffers[i], to, 1, NULL, 60), NULL);
}

/* A full receiver holds a sender up for its time, and not again before it has taken some. */
static void test_full(void **state)
{
	struct fix_rx *rx = &x.rx[1][0];

	x.sw.port[1].full_tsc = FULL_TSC;
	assert_int_equal(transmit(1, 0, 2, NULL), DROP_NONE);
	rx->room = 4;
	add_many(6, 2);
	assert_int_equal(fix_forward(&x, 0, NOW), 4);
	add_many(2, 2);
	assert_int_equal(fix_forward(&x, 0, NOW + FULL_TSC - 1), 0);
	assert_int_equal(fix_forward(&x, 0, NOW + FULL_TSC), 2);
	assert_int_equal(x.b.pkt[0].drop, DROP_FULL);
	assert_int_equal(rx->q.dropped[DROP_FULL], 2);
	/* One buffer is no new patience, nor is time; 64 frames are. */
	rx->room = 5;
	add_many(2, 2);
	assert_int_equal(fix_forward(&x, 0, NOW + 100 * FULL_TSC), 2);
	assert_int_equal(rx->n, 5);
	assert_int_equal(x.b.pkt[0].drop, DROP_NONE);
	assert_int_equal(x.b.pkt[1].drop, DROP_FULL);
	rx->room = 69;
	add_many(64, 2);
	assert_int_equal(fix_forward(&x, 0, NOW + 100 * FULL_TSC), 64);
	add_many(1, 2);
	assert_int_equal(fix_forward(&x, 0, NOW + 100 * FULL_TSC), 0);
}

/* Copies to many wait for nobody; a frame that nobody had room for is lost. */
static void test_flood_full(void **state)
{
	x.sw.port[1].full_tsc = FULL_TSC;
	x.rx[1][0].room = 0;
	assert_int_equal(transmit(0, 0, 1, NULL), DROP_NONE);
	expect(3, 0, 1, TAG(10));
	assert_int_equal(x.rx[1][0].q.dropped[DROP_FULL], 1);
	x.rx[3][0].room = 0;
	assert_int_equal(transmit(0, 0, 1, NULL), DROP_FULL);
	assert_int_equal(x.rx[3][0].q.dropped[DROP_FULL], 1);
	assert_int_equal(x.sw.flooded, 2);
	assert_int_equal(x.sw.flood_copies, 4);
}

/* A turn of nothing but broadcasts is cut. */
static void test_flood_bounded(void **state)
{
	u32 done;

	for (done = 0; done < FIX_PORTS; done++)
		x.sw.port[done].vlan = (struct vlan_port){ .untagged = 10 };
	add_many(BATCH_PACKETS, 0);
	done = fix_forward(&x, 0, NOW);
	assert_true(done < BATCH_PACKETS && x.turn.copies >= SWITCH_COPIES &&
		    x.turn.copies < SWITCH_COPIES + FIX_PORTS);
	assert_int_equal(x.rx[1][0].n, done);
	assert_int_equal(x.rx[3][0].n, done);
}

/* Given up, or not there: nobody to take it. */
static void test_gone(void **state)
{
	assert_int_equal(transmit(1, 0, 2, NULL), DROP_NONE);
	x.rx[0][0].n = x.rx[3][0].n = 0;
	x.rx[1][0].q.broken = "by its guest";
	assert_int_equal(transmit(0, 2, 1, NULL), DROP_NO_PEER);
	switch_attach(&x.sw.port[1], 0, NULL);
	assert_int_equal(transmit(0, 2, 1, NULL), DROP_NO_PEER);
	expect_nothing();
}

/* ---- Queues ---- */

static u32 hash_of(u8 *frame, u32 bytes, const u32 *cut)
{
	fix_begin(&x);
	return frame_hash(fix_add(&x, frame, bytes, cut));
}

static void test_hash(void **state)
{
	u8 f[80] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45 };
	u8 g[80];
	u32 h;

	f[14 + 9] = 6;
	f[14 + 12] = f[14 + 16] = 10;
	f[35] = 80;
	h = hash_of(f, 80, NULL);
	assert_int_equal(hash_of(f, 80, TAG(1, 20, 13)), h);
	/* Not of what differs between frames of a flow, nor of the tag. */
	memcpy(g, f, 80);
	g[14 + 5] = 77;
	g[60] = 1;
	assert_int_equal(hash_of(g, 80, NULL), h);
	memcpy(g + 12, "\x81\0\0\x0a", 4);
	memcpy(g + 16, f + 12, 64);
	assert_int_equal(hash_of(g, 80, NULL), h);
	/* Of ports and addresses. */
	memcpy(g, f, 80);
	g[37] = 5;
	assert_int_not_equal(hash_of(g, 80, NULL), h);
	memcpy(g, f, 80);
	g[14 + 19] = 5;
	assert_int_not_equal(hash_of(g, 80, NULL), h);
	/* All fragments of a datagram alike: what lies where ports are is not looked at. */
	memcpy(g, f, 80);
	g[14 + 6] = 0x20;
	h = hash_of(g, 80, NULL);
	g[14 + 6] = 0;
	g[14 + 7] = 9;
	g[37] = 99;
	assert_int_equal(hash_of(g, 80, NULL), h);
	/* Cut short anywhere it is some number. */
	for (h = 0; h < 80; h++) {
		hash_of(f, h, NULL);
		hash_of(g, h, TAG(7));
	}
}

static void test_queues(void **state)
{
	u32 i, n, used = 0;

	tear_down(NULL);
	opt[1].pairs = FIX_PAIRS;
	assert_true(fix_init(&x, opt));
	assert_int_equal(transmit(1, 0, 2, NULL), DROP_NONE);
	for (i = 1; i < 60; i++)
		for (n = 0; n < 2; n++)
			assert_int_equal(transmit(0, 2, 100 + i, NULL), DROP_NONE);
	for (i = 0; i < FIX_PAIRS; i++) {
		const struct fix_rx *rx = &x.rx[1][i];

		used += rx->n > 0;
		/* Both frames of a source are in the same one. */
		for (n = 0; n < rx->n; n += 2)
			assert_memory_equal(rx->kept[n].frame, rx->kept[n + 1].frame, 74);
	}
	assert_int_equal(used, FIX_PAIRS);
	/* A guest that has enabled two gets all in them; a known one and a copy to all alike. */
	switch_attach(&x.sw.port[1], 2, NULL);
	for (i = 0; i < FIX_PAIRS; i++)
		x.rx[1][i].n = 0;
	for (i = 1; i < 60; i++)
		assert_int_equal(transmit(0, 2, 100 + i, NULL), DROP_NONE);
	assert_int_equal(x.rx[1][0].n + x.rx[1][1].n, 59);
	n = x.rx[1][0].n;
	fdb_flush(&x.sw.fdb, 1, 0);
	for (i = 1; i < 60; i++)
		assert_int_equal(transmit(0, 2, 100 + i, NULL), DROP_NONE);
	assert_int_equal(x.rx[1][0].n, 2 * n);
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_refused), CASE(test_mixed), CASE(test_full), CASE(test_flood_full),
		CASE(test_flood_bounded), CASE(test_gone), CASE(test_hash), CASE(test_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
