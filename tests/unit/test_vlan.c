// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames through a switch: which VLAN, which tag, and frames that are hostile. */
#include "switch_frames.h"

#include "../../vhost/daemon/net/vlanopt.h"
#include "rand.h"

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
		assert_int_equal(fix_forward(&x, 3, NOW), 1);
		assert_int_equal(x.b.pkt[0].drop, DROP_SIZE);
	}
	/* Nothing behind the head is a frame, too. */
	fix_begin(&x);
	fix_add(&x, buffers[0], 18, TAG(13, 2));
	assert_int_equal(fix_forward(&x, 3, NOW), 1);
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
		assert_int_equal(fix_forward(&x, 0, NOW), 1);
		assert_int_equal(p->drop, i == 1 ? DROP_HEADER : DROP_NONE);
	}
	assert_int_equal(x.rx[3][0].n, 2);
	assert_int_equal(x.rx[3][0].kept[0].hdr.csum_start, 38);
	assert_int_equal(x.rx[3][0].kept[0].hdr.hdr_len, 44);
	assert_int_equal(x.rx[3][0].kept[1].hdr.csum_start, 18);
	assert_int_equal(x.rx[1][0].kept[0].hdr.csum_start, 34);
	assert_int_equal(x.rx[3][0].q.dropped[DROP_HEADER], 1);
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
			if (!k)
				continue;
			fix_add(&x, buffers[i], k, cut)->hdr.flags = (u8)test_below(&rng, 2);
		}
		assert_int_equal(fix_forward(&x, test_below(&rng, FIX_PORTS), NOW),
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
		CASE(test_offloads), CASE(test_random), cmocka_unit_test(test_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
