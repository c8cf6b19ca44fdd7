// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Checksums and segments of what is sent to a DPDK device: left to it where it can and knows
 * the headers, else made on the way.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../../vhost/daemon/net/csum.h"
#include "../../vhost/daemon/net/ethdev_offload.h"
#include "ethdev_fake.h"

static void test_checksum(void **state)
{
	struct packet *p;
	u16 pseudo = 0x1234, sum;

	empty();
	p = add(7, 301);
	memcpy(memory[0] + 40, &pseudo, 2);
	p->hdr = (struct virtio_net_hdr_v1){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6,
	};
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 1);
	memcpy(&sum, dev.out[0]->data + 40, 2);
	assert_int_not_equal(sum, pseudo);
	/* With its checksum in the place of the pseudo header's sum all adds up to that. */
	assert_int_equal(csum_fold(csum_add(pseudo, dev.out[0]->data + 34, 301 - 34)), 0xffff);
	/* Segments smaller than anybody asks for. */
	empty();
	add_large(1, 5000, 100);
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 1);
	assert_int_equal(b.pkt[0].drop, DROP_OFFLOAD);
}

/* ---- What is left to the device ---- */

static void can(bool sums, bool segments)
{
	const struct ethdev_info info = {
		.mtu = MTU, .slots = { 512, 256 }, .interrupt_fd = -1, .sums = sums,
		.segments = segments,
	};

	ethdev_queue_set(&to, &api, &dev, &info);
}

/* The frame is the packet as it was. */
static void check_same(const struct fake_frame *f, const struct packet *p)
{
	u32 at = 0;

	for (; f; at += f->bytes, f = f->next)
		assert_memory_equal(f->data, (u8 *)p->seg[0].base + at, f->bytes);
	assert_int_equal(at, p->bytes);
}

static void test_left_to_it(void **state)
{
	struct packet *p;

	can(true, true);
	empty();
	p = add_large(1, 60000, 1448);
	add_large(2, 60000, 1461);
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 2);
	assert_int_equal(p->drop, DROP_NONE);
	check_same(dev.out[0], p);
	assert_int_equal(dev.out[0]->l4.segment, 1448);
	assert_int_equal(dev.out[0]->l4.l2 + dev.out[0]->l4.l3 + dev.out[0]->l4.l4, 54);
	assert_int_equal(to.q.gso, 1);
	/* Segments that are longer than the MTU. */
	assert_int_equal(b.pkt[1].drop, DROP_TOO_BIG);
	assert_int_equal(dev.sent, 1);
	/* One segment is none for a device; its checksum is. */
	empty();
	add_large(1, 1000, 1448);
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 1);
	assert_int_equal(dev.sent, 2);
	assert_int_equal(dev.out[1]->l4.segment, 0);
	assert_int_equal(dev.out[1]->l4.l4, 20);
	/* One that only has checksums. */
	can(true, false);
	empty();
	add_large(1, 5000, 1000);
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 1);
	assert_int_equal(dev.sent, 2 + 5);
	for (u32 i = 2; i < dev.sent; i++) {
		assert_int_equal(dev.out[i]->bytes, 1054);
		assert_int_equal(dev.out[i]->l4.l4, 20);
	}
}

static struct ethdev_l4 l4;

/* Of @bytes of @frame, a checksum at @offset behind @start; @size of segments or 0. */
static bool asked(const u8 *frame, u32 have, u32 bytes, u16 start, u16 offset, u8 type, u16 size)
{
	const struct virtio_net_hdr_v1 h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = start, .csum_offset = offset,
		.gso_type = type, .gso_size = size,
	};
	u8 *copy = malloc(have);
	bool rc;

	/* On the heap, where a sanitizer sees who looks behind it. */
	memcpy(copy, frame, have);
	rc = ethdev_offload(&l4, copy, have, bytes, &h);
	free(copy);
	return rc;
}

static void test_headers(void **state)
{
	const u8 tcp4 = VIRTIO_NET_HDR_GSO_TCPV4, tcp6 = VIRTIO_NET_HDR_GSO_TCPV6;
	u8 v4[200] = { [12] = 8, [14] = 0x45, [23] = 6, [46] = 0x60 };
	u8 v6[200] = { [12] = 0x88, 0xa8, [16] = 0x81, [20] = 0x86, 0xdd, 0x60, [28] = 17 };
	u32 have;

	assert_true(asked(v4, 200, 200, 34, 16, 0, 0));
	assert_int_equal(l4.l2, 14);
	assert_int_equal(l4.l3, 20);
	assert_int_equal(l4.l4, 24);
	assert_true(asked(v4, 200, 5000, 34, 16, tcp4, 1000));
	assert_int_equal(l4.segment, 1000);
	assert_false(asked(v4, 200, 5000, 34, 16, tcp6, 1000));
	assert_false(asked(v4, 200, 5000, 34, 16, tcp4, 511));
	assert_false(asked(v4, 200, 65535, 34, 16, tcp4, 511));
	assert_true(asked(v4, 200, 65535, 34, 16, tcp4, 512));
	assert_false(asked(v4, 200, 1058, 34, 16, tcp4, 1000));
	assert_true(asked(v4, 200, 1059, 34, 16, tcp4, 1000));
	assert_false(asked(v4, 200, 200, 35, 16, 0, 0));
	assert_false(asked(v4, 200, 200, 34, 6, 0, 0));
	/* Cut anywhere. */
	for (have = 1; have < 200; have++)
		assert_int_equal(asked(v4, have, 200, 34, 16, 0, 0), have >= 58);
	v4[21] = 1;
	assert_false(asked(v4, 200, 200, 34, 16, 0, 0));
	v4[21] = 0;
	v4[46] = 0x40;
	assert_false(asked(v4, 200, 200, 34, 16, 0, 0));
	v4[14] = 0x44;
	assert_false(asked(v4, 200, 200, 30, 16, 0, 0));
	assert_true(asked(v6, 200, 200, 62, 6, 0, 0));
	assert_true(l4.ip6);
	assert_int_equal(l4.l2, 22);
	assert_int_equal(l4.l4, 0);
	assert_false(asked(v6, 200, 5000, 62, 6, tcp6, 1000));
	for (have = 1; have < 200; have++)
		assert_int_equal(asked(v6, have, 200, 62, 6, 0, 0), have >= 70);
	v6[28] = 0;
	assert_false(asked(v6, 200, 200, 62, 6, 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_checksum, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_to_it, setup, teardown),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
