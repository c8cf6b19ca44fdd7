// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues of a DPDK device: frames whole, once and in order, however few the device takes; what
 * it is never given; waiting; and addresses of such devices. Random batches are seeded; see
 * rand.h.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <poll.h>
#include <stdio.h>

#include "../../vhost/daemon/net/ethdev_load.h"
#include "../../vhost/daemon/net/net.h"
#include "ethdev_fake.h"
#include "rand.h"

/* ---- To the device ---- */

/* What a packet must have become, from @at of ->out on; how many frames. */
static u32 check_sent(const struct packet *p, u32 at)
{
	static const struct offloads none;
	static u8 want[PACKET_MAX_BYTES];
	struct packet s = *p;
	struct gso g;
	u32 n = 0, i, bytes;

	if (p->hdr.gso_type)
		assert_true(gso_begin(&g, p, &none));
	while (p->hdr.gso_type ? gso_next(&g, &s) : !n) {
		for (i = bytes = 0; i < s.n_seg; bytes += s.seg[i++].bytes)
			memcpy(want + bytes, s.seg[i].base, s.seg[i].bytes);
		assert_true(at + n < dev.sent);
		assert_int_equal(dev.out[at + n]->bytes, bytes);
		assert_memory_equal(dev.out[at + n]->data, want, bytes);
		n++;
	}
	return n;
}

static void forget_sent(void)
{
	while (dev.sent)
		free_frame(&dev, dev.out[--dev.sent]);
}

/* All that is random: lengths, sizes, how many it takes, when memory is short. */
static void test_whole_and_in_order(void **state)
{
	u64 rng = 1, packets = 0;
	u32 turn, i, at, waits = 0;

	for (turn = 0; turn < 3000; turn++) {
		empty();
		for (i = 1 + (u32)test_rand(&rng) % 8; i; i--) {
			if (test_rand(&rng) % 3)
				add(turn, 60 + (u32)test_rand(&rng) % (MTU - 50));
			else
				add_large(turn, (u32)test_rand(&rng) % 20000, 1448);
		}
		for (at = 0; at < b.n;) {
			dev.room = (u32)test_rand(&rng) % 24;
			dev.most = 1 + (u32)test_rand(&rng) % 8;
			dev.memory = dev.made + 20 + (u32)test_rand(&rng) % 100;
			i = ethdev_ops.put(&to.q, &b, at);
			assert_true(i >= at && i <= b.n);
			assert_int_equal(ethdev_ops.ready(&to.q), i < b.n ? 0 : to.q.size);
			waits += i < b.n;
			at = i;
		}
		for (i = at = 0; i < b.n; i++, packets++)
			at += check_sent(&b.pkt[i], at);
		assert_int_equal(at, dev.sent);
		assert_int_equal(to.q.packets, packets);
		forget_sent();
	}
	assert_true(waits > 1000);
	assert_int_equal(to.q.gso, 0);
}

/* A packet that is given up while some of its segments are on their way. */
static void test_given_up(void **state)
{
	u32 sent;

	empty();
	add_large(1, 10000, 1000);
	add(2, 100);
	dev.room = 3;
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 0);
	assert_int_equal(dev.sent, 3);
	assert_int_equal(dev.made, 10);
	b.pkt[0].drop = DROP_FULL;
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 1);
	assert_int_equal(dev.made, 3);
	dev.room = LOG;
	assert_int_equal(ethdev_ops.put(&to.q, &b, 1), 2);
	sent = dev.sent;
	assert_int_equal(sent, 4);
	assert_int_equal(dev.out[3]->bytes, 100);
	assert_int_equal(to.q.packets, 1);
}

static void test_mtu(void **state)
{
	static const u8 tag[] = { 0x81, 0 }, outer[] = { 0x88, 0xa8 };
	struct packet *longest, *longer, *tagged, *too_long, *twice;

	empty();
	longest = add(1, MTU + 14);
	longer = add(1, MTU + 15);
	tagged = add(1, MTU + 18);
	memcpy(memory[2] + 12, tag, 2);
	too_long = add(1, MTU + 19);
	memcpy(memory[3] + 12, tag, 2);
	twice = add(1, MTU + 22);
	memcpy(memory[4] + 12, outer, 2);
	memcpy(memory[4] + 16, tag, 2);
	add_large(1, 5000, MTU - 39);
	add_large(1, 5000, MTU - 40);
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), b.n);
	assert_int_equal(longest->drop, DROP_NONE);
	assert_int_equal(longer->drop, DROP_TOO_BIG);
	assert_int_equal(tagged->drop, DROP_NONE);
	assert_int_equal(too_long->drop, DROP_TOO_BIG);
	assert_int_equal(twice->drop, DROP_NONE);
	assert_int_equal(b.pkt[5].drop, DROP_TOO_BIG);
	assert_int_equal(b.pkt[6].drop, DROP_NONE);
	assert_int_equal(dev.sent, 3 + 4);
	assert_int_equal(dev.made, dev.sent);
}

static void test_link_down(void **state)
{
	empty();
	add_large(1, 10000, 1000);
	add(2, 100);
	dev.room = 3;
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 0);
	dev.up = false;
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 2);
	assert_int_equal(b.pkt[0].drop, DROP_NO_PEER);
	assert_int_equal(b.pkt[1].drop, DROP_NO_PEER);
	assert_int_equal(dev.made, 3);
	assert_int_equal(to.q.packets, 0);
}

/* ---- From the device ---- */

static struct fake_frame *come(u32 seq, u32 bytes, u32 pieces)
{
	struct fake_frame *f = make_frame(&dev, bytes);

	if (!f)
		abort();
	memset(f->data, (int)seq, bytes);
	f->next = pieces > 1 ? come(seq, bytes, pieces - 1) : NULL;
	return f;
}

static u32 get(u32 max)
{
	empty();
	ethdev_ops.get(&from.q, &b, max);
	return b.n;
}

static void test_received(void **state)
{
	u32 i, k;

	for (i = 0; i < 100; i++)
		dev.in[dev.come++] = come(i, 60 + i, 1 + i % 4);
	assert_int_equal(get(10), 10);
	ethdev_ops.done(&from.q, &b, 3);
	/* Those that were not given back come again. */
	for (i = 3; i < 100; i += k) {
		assert_true(get(1 + i % 40));
		for (k = 0; k < b.n; k++) {
			assert_int_equal(b.pkt[k].n_seg, 1 + (i + k) % 4);
			assert_int_equal(b.pkt[k].bytes, (60 + i + k) * b.pkt[k].n_seg);
			assert_int_equal(*(u8 *)b.pkt[k].seg[0].base, i + k);
			assert_int_equal(b.pkt[k].drop, DROP_NONE);
		}
		k = b.n > 5 ? b.n - 5 : b.n;
		ethdev_ops.done(&from.q, &b, k);
	}
	assert_int_equal(get(64), 0);
	assert_int_equal(from.q.packets, 100);
	assert_int_equal(dev.made, 0);
}

static void test_no_frames(void **state)
{
	dev.in[dev.come++] = come(1, 100, 5);
	dev.in[dev.come++] = come(1, 13, 1);
	dev.in[dev.come++] = come(1, 14, 1);
	assert_int_equal(get(64), 3);
	assert_int_equal(b.pkt[0].drop, DROP_SIZE);
	assert_int_equal(b.pkt[1].drop, DROP_SIZE);
	assert_int_equal(b.pkt[2].drop, DROP_NONE);
	ethdev_ops.done(&from.q, &b, 3);
	assert_int_equal(from.q.dropped[DROP_SIZE], 2);
	assert_int_equal(dev.made, 0);
	/* What is there when the queue ends is given back. */
	dev.in[dev.come++] = come(1, 60, 1);
	assert_int_equal(ethdev_ops.ready(&from.q), 1);
	ethdev_queue_set(&from, &api, NULL, NULL);
	assert_int_equal(dev.made, 0);
	assert_false(from.q.attached);
}

/* ---- Waiting ---- */

static bool goes_off(const struct ethdev_queue *t)
{
	struct pollfd p = { .fd = t->q.kick_fd, .events = POLLIN };

	return poll(&p, 1, 60000) == 1;
}

static void test_interrupts(void **state)
{
	assert_int_equal(from.q.kick_fd, interrupt_fd[0]);
	assert_false(ethdev_ops.arm(&from.q, 1));
	assert_true(dev.enabled);
	ethdev_ops.disarm(&from.q);
	assert_false(dev.enabled);
	/* One that comes just before the interrupt is on makes none. */
	dev.late = come(1, 60, 1);
	assert_true(ethdev_ops.arm(&from.q, 1));
	ethdev_ops.disarm(&from.q);
	assert_int_equal(get(64), 1);
	ethdev_ops.done(&from.q, &b, 1);
	/* One that the driver has not seen yet. */
	dev.soon = true;
	assert_true(ethdev_ops.arm(&from.q, 1));
	dev.soon = false;
}

static void test_timers(void **state)
{
	const struct ethdev_info info = { .mtu = MTU, .slots = { 1, 1 }, .interrupt_fd = -1 };

	ethdev_queue_set(&from, &api, &dev, &info);
	assert_int_equal(from.q.kick_fd, from.timer_fd);
	dmax_ns = 1000000000;
	assert_false(ethdev_ops.arm(&from.q, 1));
	dmax_ns = 0;
	assert_false(ethdev_ops.arm(&from.q, 1));
	assert_true(goes_off(&from));
	/* Nobody tells of room in the device. */
	empty();
	add(1, 60);
	dev.room = 0;
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 0);
	assert_false(ethdev_ops.arm(&to.q, 1));
	assert_true(goes_off(&to));
	dev.room = 1;
	assert_int_equal(ethdev_ops.put(&to.q, &b, 0), 1);
	assert_int_equal(ethdev_ops.ready(&to.q), 512);
}

/* ---- Addresses ---- */

static const char *parse(const char *text)
{
	static char arg[512];
	static struct net_options o;

	o.port_count = 0;
	snprintf(arg, sizeof(arg), "up,nic=%s", text);
	return net_parse_port(arg, &o);
}

static void refused(const char *text, const char *word)
{
	const char *why = parse(text);

	assert_non_null(why);
	assert_non_null(strstr(why, word));
}

static void test_addresses(void **state)
{
	char name[320] = "dpdk:net_ring0;";

	assert_null(parse("dpdk:net_tap0;iface=dtap0,pairs=4,weights=3+1"));
	assert_null(parse("dpdk:net_ring0"));
	assert_null(parse("dpdk:0000:03:00.0"));
	assert_null(parse("dpdk:0000:3b:00.1;txq_inline_max=0,mtu=9000"));
	assert_null(parse("tap0"));
	refused("dpdk:", "PCI address");
	refused("dpdk:;iface=x", "PCI address");
	refused("dpdk:03:00.0", "PCI address");
	refused("dpdk:0000:03:00-0", "PCI address");
	refused("dpdk:Net", "PCI address");
	refused("dpdk:net/tap", "PCI address");
	refused("dpdk:net_tap0;iface=a b", "space");
	refused("dpdk:net_tap0,mtu=9979", "mtu");
	refused("dpdk:net_tap0,weights=1+1", "weights");
	refused("dpdk:net_tap0,iface=dtap0", "unknown key");
	memset(name + strlen(name), 'x', sizeof(name) - strlen(name) - 1);
	refused(name, "255");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whole_and_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_link_down, setup, teardown),
		cmocka_unit_test_setup_teardown(test_received, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timers, setup, teardown),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
