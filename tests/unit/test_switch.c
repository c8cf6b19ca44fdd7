// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames through a switch: which VLAN, which port, which tag, which queue; full
 * receivers; and frames that are hostile.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <arpa/inet.h>
#include <cmocka.h>

#include "../../vhost/daemon/net/vlanopt.h"
#include "rand.h"
#include "switch_fixture.h"

#define NOW		1000u
#define FULL_TSC	100u

static struct fix x;
/* Ports 0 and 1 in VLAN 10, 2 in VLAN 20; 3 has both, tagged, and 1 untagged. */
static struct switch_port_options opt[FIX_PORTS];
static u8 buffers[BATCH_PACKETS][FIX_BYTES];

static int set_up(void **state)
{
	u32 i;

	memset(opt, 0, sizeof(opt));
	for (i = 0; i < FIX_PORTS; i++) {
		opt[i].pairs = 1;
		opt[i].macs = 16;
	}
	opt[0].vlan.untagged = opt[1].vlan.untagged = 10;
	opt[2].vlan.untagged = 20;
	opt[3].vlan.untagged = 1;
	vlan_allow(&opt[3].vlan, 10);
	vlan_allow(&opt[3].vlan, 20);
	return fix_init(&x, opt) ? 0 : -1;
}

static int tear_down(void **state)
{
	switch_fini(&x.sw);
	return 0;
}

/* ---- Frames ---- */

/* Of station @from to station @to (0: broadcast), with @tags, 0 ends them. */
static u32 build(u8 *f, u32 to, u32 from, const u32 *tags, u32 payload)
{
	u32 n = 12, i;

	memset(f, to ? 0 : 0xff, 6);
	memset(f + 6, 0, 6);
	if (to) {
		f[0] = 2;
		f[5] = (u8)to;
	}
	f[6] = 2;
	f[11] = (u8)from;
	for (; tags && *tags; tags++, n += 4) {
		u16 tci = htons((u16)*tags);

		f[n] = 0x81;
		f[n + 1] = 0;
		memcpy(f + n + 2, &tci, 2);
	}
	f[n++] = 0x88;
	f[n++] = 0xb5;
	for (i = 0; i < payload; i++)
		f[n++] = (u8)(i * 3 + from);
	return n;
}

#define TAG(...) ((const u32[]){ __VA_ARGS__, 0 })
/* A tag of VLAN 0: priority 5. */
#define PRIORITY	0xa000u

static enum drop transmit_cut(u32 port, u32 to, u32 from, const u32 *tags, const u32 *cut)
{
	struct packet *p;

	fix_begin(&x);
	p = fix_add(&x, buffers[0], build(buffers[0], to, from, tags, 60), cut);
	assert_int_equal(switch_forward(&x.sw.port[port], &x.b, NOW), 1);
	return p->drop;
}

static enum drop transmit(u32 port, u32 to, u32 from, const u32 *tags)
{
	return transmit_cut(port, to, from, tags, NULL);
}

/* What @port has is that frame and nothing else; forgets it. */
static void expect(u32 port, u32 to, u32 from, const u32 *tags)
{
	struct fix_rx *rx = &x.rx[port][0];
	u8 f[FIX_BYTES];
	u32 n = build(f, to, from, tags, 60);

	assert_int_equal(rx->n, 1);
	assert_int_equal(rx->kept[0].bytes, n);
	assert_memory_equal(rx->kept[0].frame, f, n);
	rx->n = 0;
}

static void expect_nothing(void)
{
	u32 i, k;

	for (i = 0; i < FIX_PORTS; i++)
		for (k = 0; k < opt[i].pairs; k++)
			assert_int_equal(x.rx[i][k].n, 0);
}

/* ---- VLANs ---- */

static void test_vlans(void **state)
{
	/* Unknown: to all of the VLAN, tagged where it is tagged. */
	assert_int_equal(transmit(0, 9, 1, NULL), DROP_NONE);
	expect(1, 9, 1, NULL);
	expect(3, 9, 1, TAG(10));
	expect_nothing();
	/* A tag comes off, and 20 has nobody else. */
	assert_int_equal(transmit(3, 9, 4, TAG(20)), DROP_NONE);
	expect(2, 9, 4, NULL);
	expect_nothing();
	/* Known now: to that port only. */
	assert_int_equal(transmit(2, 4, 3, NULL), DROP_NONE);
	expect(3, 4, 3, TAG(20));
	/* Address 4 is known in VLAN 20, not in 10. */
	assert_int_equal(transmit(0, 4, 1, NULL), DROP_NONE);
	expect(1, 4, 1, NULL);
	expect(3, 4, 1, TAG(10));
	/* VLAN 1 has one port. */
	assert_int_equal(transmit(3, 0, 4, NULL), DROP_NO_PEER);
	expect_nothing();
}

static void test_not_allowed(void **state)
{
	/* Tagged where frames are not, be it with the port's own VLAN. */
	assert_int_equal(transmit(0, 0, 1, TAG(20)), DROP_VLAN);
	assert_int_equal(transmit(0, 0, 1, TAG(10)), DROP_VLAN);
	assert_int_equal(transmit(3, 0, 1, TAG(1)), DROP_VLAN);
	assert_int_equal(transmit(3, 0, 1, TAG(30)), DROP_VLAN);
	assert_int_equal(transmit(3, 0, 1, TAG(4095)), DROP_VLAN);
	expect_nothing();
	/* What was not taken was not learned. */
	assert_int_equal(x.sw.fdb.pool[3].used, 0);
	x.sw.port[3].vlan.untagged = 0;
	assert_int_equal(transmit(3, 0, 1, NULL), DROP_VLAN);
}

static void test_priority(void **state)
{
	assert_int_equal(transmit(0, 0, 1, TAG(PRIORITY)), DROP_NONE);
	expect(1, 0, 1, NULL);
	expect(3, 0, 1, TAG(PRIORITY | 10));
	assert_int_equal(transmit(3, 0, 4, TAG(PRIORITY | 10)), DROP_NONE);
	expect(0, 0, 4, NULL);
	expect(1, 0, 4, NULL);
}

/* An inner tag never comes to the front, where it would be another VLAN's. */
static void test_double_tags(void **state)
{
	assert_int_equal(transmit(0, 0, 1, TAG(PRIORITY, 20)), DROP_VLAN);
	assert_int_equal(transmit(3, 0, 4, TAG(20, 10)), DROP_NO_PEER);
	expect_nothing();
	/* Known or not. */
	assert_int_equal(transmit(2, 0, 3, NULL), DROP_NONE);
	expect(3, 0, 3, TAG(20));
	assert_int_equal(transmit(3, 3, 4, TAG(20, 10)), DROP_VLAN);
	expect_nothing();
	/* Between ports where it is tagged it is payload. */
	x.sw.port[2].vlan = x.sw.port[3].vlan;
	assert_int_equal(transmit(3, 3, 4, TAG(20, 10)), DROP_NONE);
	expect(2, 3, 4, TAG(20, 10));
}

static void test_truncated(void **state)
{
	u32 bytes;

	for (bytes = 0; bytes < 18; bytes++) {
		fix_begin(&x);
		build(buffers[0], 0, 1, TAG(20), 0);
		fix_add(&x, buffers[0], bytes, TAG(1, 5, 3));
		assert_int_equal(switch_forward(&x.sw.port[3], &x.b, NOW), 1);
		assert_int_equal(x.b.pkt[0].drop, DROP_SIZE);
	}
	/* Nothing behind the head is a frame, too. */
	fix_begin(&x);
	fix_add(&x, buffers[0], 18, TAG(13, 2));
	assert_int_equal(switch_forward(&x.sw.port[3], &x.b, NOW), 1);
	assert_int_equal(x.b.pkt[0].drop, DROP_NONE);
	assert_int_equal(x.rx[2][0].kept[0].bytes, 14);
}

/* Wherever the pieces are cut, and pieces of one byte. */
static void test_pieces(void **state)
{
	u32 cut[64], i, k;

	assert_int_equal(transmit(0, 0, 1, NULL), DROP_NONE);
	assert_int_equal(transmit(2, 0, 3, NULL), DROP_NONE);
	x.rx[1][0].n = x.rx[3][0].n = 0;
	for (i = 1; i < 60; i++) {
		assert_int_equal(transmit_cut(3, 1, 4, TAG(10), TAG(i)), DROP_NONE);
		expect(0, 1, 4, NULL);
		assert_int_equal(transmit_cut(0, 4, 1, NULL, TAG(i)), DROP_NONE);
		expect(3, 4, 1, TAG(10));
		for (k = 0; k < i; k++)
			cut[k] = 1;
		cut[i] = 0;
		assert_int_equal(transmit_cut(0, 4, 1, NULL, cut), DROP_NONE);
		expect(3, 4, 1, TAG(10));
	}
}

/* Offsets follow the tag; those that cannot cost the frame. */
static void test_offloads(void **state)
{
	struct packet *p;
	u32 i;

	for (i = 0; i < 3; i++) {
		fix_begin(&x);
		p = fix_add(&x, buffers[0], build(buffers[0], 0, 1, NULL, 60), NULL);
		p->hdr = (struct virtio_net_hdr_v1){
			.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .hdr_len = 40,
			.csum_start = (u16[]){ 34, 13, 14 }[i], .csum_offset = 16,
		};
		assert_int_equal(switch_forward(&x.sw.port[0], &x.b, NOW), 1);
		assert_int_equal(p->drop, i == 1 ? DROP_HEADER : DROP_NONE);
	}
	assert_int_equal(x.rx[3][0].n, 2);
	assert_int_equal(x.rx[3][0].kept[0].hdr.csum_start, 38);
	assert_int_equal(x.rx[3][0].kept[0].hdr.hdr_len, 44);
	assert_int_equal(x.rx[3][0].kept[1].hdr.csum_start, 18);
	assert_int_equal(x.rx[1][0].kept[0].hdr.csum_start, 34);
	assert_int_equal(x.rx[3][0].q.dropped[DROP_HEADER], 1);
}

/* ---- Ports ---- */

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
	assert_int_equal(switch_forward(&x.sw.port[0], &x.b, NOW), 3);
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
	assert_int_equal(switch_forward(&x.sw.port[0], &x.b, NOW), BATCH_PACKETS);
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
	assert_int_equal(switch_forward(&x.sw.port[0], &x.b, NOW), 4);
	add_many(2, 2);
	assert_int_equal(switch_forward(&x.sw.port[0], &x.b, NOW + FULL_TSC - 1), 0);
	assert_int_equal(switch_forward(&x.sw.port[0], &x.b, NOW + FULL_TSC), 2);
	assert_int_equal(x.b.pkt[0].drop, DROP_FULL);
	assert_int_equal(rx->q.dropped[DROP_FULL], 2);
	/* One buffer is no new patience, nor is time; 64 frames are. */
	rx->room = 5;
	add_many(2, 2);
	assert_int_equal(switch_forward(&x.sw.port[0], &x.b, NOW + 100 * FULL_TSC), 2);
	assert_int_equal(rx->n, 5);
	assert_int_equal(x.b.pkt[0].drop, DROP_NONE);
	assert_int_equal(x.b.pkt[1].drop, DROP_FULL);
	rx->room = 69;
	add_many(64, 2);
	assert_int_equal(switch_forward(&x.sw.port[0], &x.b, NOW + 100 * FULL_TSC), 64);
	add_many(1, 2);
	assert_int_equal(switch_forward(&x.sw.port[0], &x.b, NOW + 100 * FULL_TSC), 0);
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
	done = switch_forward(&x.sw.port[0], &x.b, NOW);
	assert_true(done < BATCH_PACKETS && x.sw.copies >= SWITCH_COPIES &&
		    x.sw.copies < SWITCH_COPIES + FIX_PORTS);
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

/* ---- Noise ---- */

static u32 noise(u64 *rng, u8 *f)
{
	static const u8 types[][2] = { { 0x81, 0 }, { 0x88, 0xa8 }, { 0x08, 0 }, { 0x86, 0xdd } };
	u32 i, n = test_below(rng, 120);

	for (i = 0; i < FIX_BYTES; i++)
		f[i] = (u8)test_below(rng, 4);
	for (i = 12; i < 24; i += 4)
		memcpy(f + i, types[test_below(rng, 4)], 2);
	f[15] = (u8)(test_below(rng, 2) * 10 + 10);
	return n;
}

/* Whatever is sent: nothing comes to a port that its VLANs do not allow. */
static void test_random(void **state)
{
	u32 cut[8], i, k, n, arrived = 0, lost = 0;
	u64 rng = test_seed();

	for (n = 0; n < 20000; n++) {
		fix_begin(&x);
		for (i = 0; i < 8; i++) {
			for (k = 0; k < 7; k++)
				cut[k] = 1 + test_below(&rng, 20);
			cut[7] = 0;
			k = noise(&rng, buffers[i]);
			if (k)
				fix_add(&x, buffers[i], k, cut)->hdr.flags = (u8)test_below(&rng, 2);
		}
		assert_int_equal(switch_forward(&x.sw.port[test_below(&rng, FIX_PORTS)], &x.b, NOW),
				 x.b.n);
		for (i = 0; i < x.b.n; i++)
			lost += x.b.pkt[i].drop != DROP_NONE;
		for (i = 0; i < FIX_PORTS; i++) {
			struct fix_rx *rx = &x.rx[i][0];

			for (k = 0; k < rx->n; k++, arrived++) {
				const u8 *f = rx->kept[k].frame;
				bool tag = f[12] == 0x81 && !f[13];

				assert_true(rx->kept[k].bytes >= 14);
				assert_true(i == 3 || !tag);
				if (tag)
					assert_true((f[15] == 10 || f[15] == 20) && !(f[14] & 15));
			}
			rx->n = 0;
		}
	}
	assert_true(arrived > 1000 && lost > 1000);
}

static void test_lists(void **state)
{
	struct vlan_port p = { 0 };
	char text[64] = "1+20-22+4094+23", out[64];

	assert_null(vlan_parse_list(text, &p));
	vlan_print_list(&p, out, sizeof(out));
	assert_string_equal(out, "1+20-23+4094");
	assert_non_null(vlan_parse_list(strcpy(text, "0"), &p));
	assert_non_null(vlan_parse_list(strcpy(text, "4095"), &p));
	assert_non_null(vlan_parse_list(strcpy(text, "5-4"), &p));
	assert_non_null(vlan_parse_list(strcpy(text, "5+"), &p));
	assert_non_null(vlan_parse_list(strcpy(text, ""), &p));
}

#define CASE(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_vlans), CASE(test_not_allowed), CASE(test_priority),
		CASE(test_double_tags), CASE(test_truncated), CASE(test_pieces),
		CASE(test_offloads), CASE(test_refused), CASE(test_mixed), CASE(test_full),
		CASE(test_flood_full), CASE(test_flood_bounded), CASE(test_gone), CASE(test_hash),
		CASE(test_queues), CASE(test_random), cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
