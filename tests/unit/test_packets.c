// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Packets from ring to ring: every shape of buffers on both sides, offloads,
 * full rings, and guests that are hostile. Random traffic and random rings are
 * seeded; see rand.h.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../vhost/daemon/net/copy.h"
#include "packet_fixture.h"
#include "rand.h"

#define HDR		PACKET_HDR_BYTES
/* Descriptors, ten and a half to a ring. */
#define MALFORMED	100000u

static const struct offloads all = {
	.csum = true, .tso4 = true, .tso6 = true, .ecn = true, .mergeable = true,
};
static const struct offloads none;
static const struct offloads only_merge = { .mergeable = true };
static struct pair pair;

static void set_up(const struct offloads *tx_can, const struct offloads *rx_can)
{
	assert_true(pair_init(&pair, tx_can, rx_can));
}

/* Each of thousands of broken rings is an error to log, which nobody wants to read. */
static int log_fd = -1;

static void log_quietly(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	log_fd = dup(STDERR_FILENO);
	dup2(null, STDERR_FILENO);
	close(null);
}

static int tear_down(void **state)
{
	if (log_fd >= 0) {
		dup2(log_fd, STDERR_FILENO);
		close(log_fd);
		log_fd = -1;
	}
	pair_free(&pair);
	return 0;
}

/* ---- The two drivers ---- */

static u8 pattern(u32 packet, u32 at)
{
	return (u8)(packet * 131 + at * 7 + (at >> 8));
}

/* A frame in @n pieces (cut from the header on), at @at in the sender's buffers. */
static u8 *send(u32 packet, const struct virtio_net_hdr_v1 *hdr, u32 bytes, const u32 *cut,
		u32 n, u8 *at)
{
	struct rp_seg seg[16];
	u32 i, left = bytes + HDR;

	memcpy(at, hdr, HDR);
	for (i = 0; i < bytes; i++)
		at[HDR + i] = pattern(packet, i);
	for (i = 0; i < n; i++) {
		seg[i].base = at;
		seg[i].bytes = i + 1 < n ? cut[i] : left;
		at += seg[i].bytes;
		left -= seg[i].bytes;
	}
	assert_true(rp_drv_add(&pair.da, seg, n, 0, seg[0].base));
	rp_drv_publish(&pair.da);
	return at;
}

static u8 *send_plain(u32 packet, u32 bytes, u8 *at)
{
	const struct virtio_net_hdr_v1 hdr = { 0 };

	return send(packet, &hdr, bytes, NULL, 1, at);
}

/* Posts @count buffers of @bytes each, of which the first @first are a piece of its own. */
static void post(u32 count, u32 bytes, u32 first, u8 **at)
{
	u32 i;

	for (i = 0; i < count; i++, *at += bytes) {
		struct rp_seg seg[2] = { { *at, first ? first : bytes },
					 { *at + first, bytes - first } };

		assert_true(rp_drv_add(&pair.db, seg, 0, first ? 2 : 1, *at));
	}
	rp_drv_publish(&pair.db);
}

/* The next packet that the receiver has; false: none. Its frame is put together in @frame. */
static bool receive(struct virtio_net_hdr_v1 *hdr, u8 *frame, u32 *bytes)
{
	u32 n, i, written;
	u8 *at = rp_drv_get_used(&pair.db, &written);

	if (!at)
		return false;
	assert_true(written >= HDR);
	memcpy(hdr, at, HDR);
	*bytes = written - HDR;
	memcpy(frame, at + HDR, *bytes);
	n = hdr->num_buffers;
	for (i = 1; i < n; i++) {
		at = rp_drv_get_used(&pair.db, &written);
		assert_non_null(at);
		memcpy(frame + *bytes, at, written);
		*bytes += written;
	}
	return true;
}

static u8 frame[PACKET_MAX_BYTES];

static void expect(u32 packet, u32 bytes, u32 buffers)
{
	struct virtio_net_hdr_v1 hdr;
	u32 got, i;

	assert_true(receive(&hdr, frame, &got));
	assert_int_equal(got, bytes);
	assert_int_equal(hdr.num_buffers, buffers);
	for (i = 0; i < bytes; i++)
		if (frame[i] != pattern(packet, i))
			fail_msg("packet %u: byte %u is wrong", packet, i);
}

static void expect_nothing(void)
{
	u32 written;

	assert_null(rp_drv_get_used(&pair.db, &written));
}

/* All that was sent has come back to the sender's driver. */
static void expect_sent(u32 n)
{
	u32 written, i;

	for (i = 0; i < n; i++) {
		assert_non_null(rp_drv_get_used(&pair.da, &written));
		assert_int_equal(written, 0);
	}
	assert_null(rp_drv_get_used(&pair.da, &written));
}

/* ---- Shapes ---- */

static void test_small(void **state)
{
	u8 *at, *to;
	u32 i;

	set_up(&all, &all);
	at = pair.a.buffers;
	to = pair.b.buffers;
	post(100, 1536, 0, &to);
	for (i = 0; i < 80; i++)
		at = send_plain(i, 14 + i * 5, at);
	assert_int_equal(pair_turn(&pair), BATCH_PACKETS);
	assert_int_equal(pair_turn(&pair), 80 - BATCH_PACKETS);
	for (i = 0; i < 80; i++)
		expect(i, 14 + i * 5, 1);
	expect_nothing();
	expect_sent(80);
	assert_int_equal(pair.tx.q.packets, 80);
	assert_int_equal(pair.rx.q.packets, 80);
}

/* The header alone, cut, together with the frame; the frame in many pieces. */
static void test_pieces(void **state)
{
	static const u32 cuts[][5] = {
		{ 12 }, { 5, 7 }, { 1, 1, 10, 3 }, { 40 }, { 11, 2, 100 }, { 12, 1, 1, 1, 1 },
	};
	static const u32 n[] = { 2, 3, 5, 2, 4, 6 };
	const struct virtio_net_hdr_v1 hdr = { 0 };
	u8 *at, *to;
	u32 i, k;

	set_up(&all, &all);
	at = pair.a.buffers;
	to = pair.b.buffers;
	for (k = 0; k < 3; k++)
		post(6, 2048, k * 7, &to);
	for (i = 0; i < 18; i++)
		at = send(i, &hdr, 900 + i, cuts[i % 6], n[i % 6], at);
	while (pair_turn(&pair))
		;
	for (i = 0; i < 18; i++)
		expect(i, 900 + i, 1);
	expect_sent(18);
}

static void send_gso(u32 packet, u32 bytes, u8 *at)
{
	const struct virtio_net_hdr_v1 hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448, .hdr_len = 66,
	};
	static const u32 cut[] = { 80, 4096, 4096, 16384 };

	send(packet, &hdr, bytes, cut, 5, at);
}

static void test_gso_merged(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	u32 got, i;
	u8 *to;

	set_up(&all, &all);
	to = pair.b.buffers;
	post(100, 1536, 0, &to);
	send_gso(3, 65000, pair.a.buffers);
	assert_int_equal(pair_turn(&pair), 1);
	assert_true(receive(&hdr, frame, &got));
	assert_int_equal(got, 65000);
	assert_int_equal(hdr.num_buffers, (65000 + HDR + 1535) / 1536);
	assert_int_equal(hdr.gso_type, VIRTIO_NET_HDR_GSO_TCPV4);
	assert_int_equal(hdr.gso_size, 1448);
	assert_int_equal(hdr.csum_start, 34);
	for (i = 0; i < got; i++)
		if (frame[i] != pattern(3, i))
			fail_msg("byte %u is wrong", i);
	expect_nothing();
	expect_sent(1);
}

/* Too few buffers: nothing is taken; with more the packet comes. */
static void test_short_of_buffers(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	u8 *to;
	u32 got;

	set_up(&all, &all);
	to = pair.b.buffers;
	post(20, 1536, 0, &to);
	send_gso(1, 40000, pair.a.buffers);
	assert_int_equal(pair_turn(&pair), 0);
	assert_int_equal(pair_turn(&pair), 0);
	expect_nothing();
	expect_sent(0);
	/* Those buffers are no reason to look again, more than them are. */
	assert_false(vq_ops.arm(&pair.rx.q, 1));
	post(1, 1536, 0, &to);
	assert_true(vq_ops.arm(&pair.rx.q, 1));
	assert_int_equal(pair_turn(&pair), 0);
	post(19, 1536, 0, &to);
	assert_int_equal(pair_turn(&pair), 1);
	assert_true(receive(&hdr, frame, &got));
	assert_int_equal(got, 40000);
	assert_int_equal(hdr.num_buffers, (40000 + HDR + 1535) / 1536);
	expect_sent(1);
}

static void test_full(void **state)
{
	u8 *at, *to;
	u32 i;

	set_up(&all, &all);
	at = pair.a.buffers;
	to = pair.b.buffers;
	post(10, 512, 0, &to);
	for (i = 0; i < 30; i++)
		at = send_plain(i, 60, at);
	assert_int_equal(pair_turn(&pair), 10);
	assert_int_equal(pair_turn(&pair), 0);
	expect_sent(10);
	post(20, 512, 0, &to);
	assert_int_equal(pair_turn(&pair), 20);
	for (i = 0; i < 30; i++)
		expect(i, 60, 1);
	expect_sent(20);
}

/* Without mergeable buffers a packet must fit one. */
static void test_too_big(void **state)
{
	u8 *at, *to;

	set_up(&all, &none);
	at = pair.a.buffers;
	to = pair.b.buffers;
	post(1, 1000, 0, &to);
	post(2, 2000, 12, &to);
	at = send_plain(0, 1500, at);
	at = send_plain(1, 900, at);
	send_plain(2, 1500, at);
	while (pair_turn(&pair))
		;
	expect(1, 900, 1);
	expect(2, 1500, 1);
	expect_nothing();
	expect_sent(3);
	assert_int_equal(pair.tx.q.dropped[DROP_TOO_BIG], 1);
}

/* ---- Headers ---- */

struct hdr_case {
	struct virtio_net_hdr_v1 hdr;
	const struct offloads *tx_can;
	u32 bytes;
	enum drop drop;
};

#define CSUM(start, offset) .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = start, \
	.csum_offset = offset
#define TSO4 .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448

static const struct hdr_case hdr_cases[] = {
	{ { 0 }, &none, 13, DROP_SIZE },
	{ { 0 }, &none, 14, DROP_NONE },
	{ { .num_buffers = 77, .hdr_len = 500, .gso_size = 9 }, &none, 60, DROP_NONE },
	{ { .flags = VIRTIO_NET_HDR_F_DATA_VALID | 0xf8 }, &none, 60, DROP_NONE },
	{ { CSUM(34, 16) }, &none, 60, DROP_HEADER },
	{ { CSUM(34, 16) }, &all, 52, DROP_NONE },
	{ { CSUM(34, 16) }, &all, 51, DROP_HEADER },
	{ { CSUM(0xffff, 0xffff) }, &all, 60, DROP_HEADER },
	{ { CSUM(34, 16), TSO4 }, &all, 3000, DROP_NONE },
	{ { TSO4 }, &all, 3000, DROP_HEADER },
	{ { CSUM(34, 16), .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 }, &all, 3000, DROP_HEADER },
	{ { CSUM(34, 16), .gso_type = VIRTIO_NET_HDR_GSO_UDP, .gso_size = 1 }, &all, 3000,
	  DROP_HEADER },
	{ { CSUM(34, 16), .gso_type = 0x7f, .gso_size = 1 }, &all, 3000, DROP_HEADER },
	{ { CSUM(34, 16), .gso_type = VIRTIO_NET_HDR_GSO_ECN, .gso_size = 1 }, &all, 3000,
	  DROP_HEADER },
	{ { CSUM(34, 16), TSO4 }, &only_merge, 3000, DROP_HEADER },
};

static void test_headers(void **state)
{
	struct virtio_net_hdr_v1 got;
	const struct hdr_case *c;
	u32 i, bytes;
	u8 *to;

	for (i = 0; i < sizeof(hdr_cases) / sizeof(*hdr_cases); i++) {
		c = &hdr_cases[i];
		set_up(c->tx_can, &all);
		to = pair.b.buffers;
		post(4, 4096, 0, &to);
		send(i, &c->hdr, c->bytes, NULL, 1, pair.a.buffers);
		assert_int_equal(pair_turn(&pair), 1);
		expect_sent(1);
		if (receive(&got, frame, &bytes) != (c->drop == DROP_NONE))
			fail_msg("header %u: %s", i, c->drop ? "taken" : "dropped");
		if (c->drop)
			assert_int_equal(pair.tx.q.dropped[c->drop], 1);
		else
			assert_int_equal(got.flags & ~VIRTIO_NET_HDR_F_NEEDS_CSUM, 0);
		pair_free(&pair);
	}
	set_up(&none, &none);
}

/* The Internet checksum the slow way (RFC 1071), big-endian words. */
static u16 sum_of(const u8 *p, u32 n)
{
	u32 sum = 0, i;

	for (i = 0; i + 1 < n; i += 2)
		sum += (u32)p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += (u32)p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~sum;
}

/* A receiver that wants whole checksums gets them. */
static void test_checksum_completed(void **state)
{
	const struct virtio_net_hdr_v1 hdr = { CSUM(34, 16) };
	static const u32 cut[] = { 30, 25, 21 };
	struct virtio_net_hdr_v1 got;
	u32 i, bytes;
	u16 want;
	u8 *to;

	for (i = 0; i < 8; i++) {
		set_up(&all, &only_merge);
		to = pair.b.buffers;
		post(8, i & 1 ? 100 : 2048, 0, &to);
		send(i, &hdr, 400 + i, cut, 1 + i % 4, pair.a.buffers);
		assert_int_equal(pair_turn(&pair), 1);
		assert_true(receive(&got, frame, &bytes));
		assert_int_equal(bytes, 400 + i);
		assert_int_equal(got.flags, 0);
		want = (u16)(frame[50] << 8 | frame[51]);
		frame[50] = pattern(i, 50);
		frame[51] = pattern(i, 51);
		assert_int_equal(want, sum_of(frame + 34, bytes - 34));
		expect_sent(1);
		pair_free(&pair);
	}
	set_up(&all, &only_merge);
	to = pair.b.buffers;
	post(40, 2048, 0, &to);
	send_gso(0, 40000, pair.a.buffers);
	assert_int_equal(pair_turn(&pair), 1);
	assert_int_equal(pair.tx.q.dropped[DROP_OFFLOAD], 1);
	expect_nothing();
}

/* ---- Hostile guests ---- */

static void set_desc(struct guest *g, u32 i, u64 addr, u32 len, u16 flags, u16 next)
{
	g->ring.desc[i] = (struct vring_desc){ addr, len, flags, next };
}

static void offer(struct guest *g, u16 head)
{
	g->ring.avail->ring[g->ring.avail->idx & (PAIR_SLOTS - 1)] = head;
	rp_store_release(&g->ring.avail->idx, g->ring.avail->idx + 1);
}

struct attack {
	const char *why;
	void (*set)(struct guest *g, u64 gpa);
};

static void outside(struct guest *g, u64 gpa)
{
	set_desc(g, 5, 0x1000, 100, 0, 0);
}

static void past_end(struct guest *g, u64 gpa)
{
	set_desc(g, 5, g->mem.region[0].gpa + PAIR_BYTES - 50, 100, 0, 0);
}

static void wraps(struct guest *g, u64 gpa)
{
	set_desc(g, 5, UINT64_MAX - 10, 100, 0, 0);
}

static void empty(struct guest *g, u64 gpa)
{
	set_desc(g, 5, gpa, 0, 0, 0);
}

static void next_outside(struct guest *g, u64 gpa)
{
	set_desc(g, 5, gpa, 100, VRING_DESC_F_NEXT, PAIR_SLOTS);
}

static void nested(struct guest *g, u64 gpa)
{
	struct vring_desc *table = (struct vring_desc *)g->buffers;

	table[0] = (struct vring_desc){ gpa, 16, VRING_DESC_F_INDIRECT, 0 };
	set_desc(g, 5, gpa, 16, VRING_DESC_F_INDIRECT, 0);
}

static void bad_table(struct guest *g, u64 gpa)
{
	set_desc(g, 5, gpa, 24, VRING_DESC_F_INDIRECT, 0);
}

static const struct attack attacks[] = {
	{ "outside guest memory", outside },
	{ "outside guest memory", past_end }, { "wraps around", wraps },
	{ "length 0", empty }, { "not in the table", next_outside },
	{ "inside an indirect", nested }, { "multiple of 16", bad_table },
};

/* A good packet, an attack, a good one: the first arrives, and then the ring is given up. */
static void attack(const struct attack *by, bool rx)
{
	struct guest *g;
	u8 *to;

	set_up(&all, &all);
	g = rx ? &pair.b : &pair.a;
	to = pair.b.buffers + 8192;
	post(rx ? 1 : 8, 2048, 0, &to);
	send_plain(1, 200, pair.a.buffers + 8192);
	if (rx)
		send_plain(2, 200, pair.a.buffers + 9000);
	by->set(g, guest_gpa(g, g->buffers));
	offer(g, 5);
	offer(g, 5);
	while (pair_turn(&pair))
		;
	expect(1, 200, 1);
	expect_nothing();
	assert_non_null(rx ? pair.rx.q.broken : pair.tx.q.broken);
	assert_null(rx ? pair.tx.q.broken : pair.rx.q.broken);
	if (!strstr(rx ? pair.rx.q.broken : pair.tx.q.broken, by->why))
		fail_msg("%s is the reason, not %s", rx ? pair.rx.q.broken : pair.tx.q.broken,
			 by->why);
	assert_int_equal(pair_turn(&pair), 0);
	pair_free(&pair);
}

static void test_attacks(void **state)
{
	u32 i;

	for (i = 0; i < sizeof(attacks) / sizeof(*attacks); i++) {
		attack(&attacks[i], false);
		/* Of a receive buffer the empty table and the loop are the same. */
		attack(&attacks[i], true);
	}
	set_up(&all, &all);
}

static void test_bad_indices(void **state)
{
	set_up(&all, &all);
	offer(&pair.a, PAIR_SLOTS);
	assert_int_equal(pair_turn(&pair), 0);
	assert_non_null(strstr(pair.tx.q.broken, "no descriptor's index"));
	pair_free(&pair);
	set_up(&all, &all);
	pair.a.ring.avail->idx = PAIR_SLOTS + 1;
	assert_int_equal(pair_turn(&pair), 0);
	assert_non_null(strstr(pair.tx.q.broken, "jumps"));
	pair_free(&pair);
	/* A receive buffer that cannot hold a header. */
	set_up(&all, &all);
	set_desc(&pair.b, 0, guest_gpa(&pair.b, pair.b.buffers), HDR - 1, VRING_DESC_F_WRITE, 0);
	offer(&pair.b, 0);
	send_plain(0, 60, pair.a.buffers);
	assert_int_equal(pair_turn(&pair), 0);
	assert_non_null(strstr(pair.rx.q.broken, "too small for a header"));
}

/* A sender's writable descriptors are no data; a receiver's readable ones no room. */
static void test_wrong_way(void **state)
{
	u8 *to;

	set_up(&all, &all);
	to = pair.b.buffers + 4096;
	set_desc(&pair.a, 5, guest_gpa(&pair.a, pair.a.buffers), 100, VRING_DESC_F_WRITE, 0);
	offer(&pair.a, 5);
	post(1, 2048, 0, &to);
	assert_int_equal(pair_turn(&pair), 1);
	assert_int_equal(pair.tx.q.dropped[DROP_SIZE], 1);
	assert_null(pair.tx.q.broken);
	expect_nothing();
}

/* ---- Random ---- */

static u32 random_bytes(u64 *rng)
{
	static const u32 most[] = { 100, 1500, 9000, 60000 };
	u32 n = most[test_below(rng, 4)];

	return PACKET_MIN_BYTES + test_below(rng, n - PACKET_MIN_BYTES);
}

/* Sends one packet of random shape if the ring and the buffers have room. */
static bool send_random(u64 *rng, u32 packet, u32 bytes)
{
	const struct virtio_net_hdr_v1 hdr = { 0 };
	u32 cut[8], n = 1 + test_below(rng, 8), i, left = bytes + HDR;

	if (pair.da.num_free < n)
		return false;
	for (i = 0; i + 1 < n; i++) {
		cut[i] = 1 + test_below(rng, left - (n - i) < 200 ? 10 : left / 2);
		if (cut[i] >= left - (n - i))
			cut[i] = 1;
		left -= cut[i];
	}
	send(packet, &hdr, bytes, cut, n, pair.a.buffers + packet % 3 * 65600);
	return true;
}

static void post_random(u64 *rng, u32 *posted)
{
	u32 i, n = test_below(rng, 12);

	for (i = 0; i < n && pair.db.num_free >= 2; i++, (*posted)++) {
		u32 bytes = 1526 + test_below(rng, 500), first = test_below(rng, 3) * 9;
		u8 *at = pair.b.buffers + *posted % 120 * 2048;

		post(1, bytes, first, &at);
	}
}

/*
 * Everything that is sent arrives, in order and whole, whatever the shapes. The
 * sender has three packets out at most, as many as its buffers hold.
 */
static void test_random_traffic(void **state)
{
	u64 rng = test_seed();
	u32 sent = 0, got = 0, out = 0, posted = 0, bytes[3], written, n, i;
	struct virtio_net_hdr_v1 hdr;

	set_up(&all, &all);
	while (got < 3000) {
		while (out < 3) {
			bytes[sent % 3] = random_bytes(&rng);
			if (!send_random(&rng, sent, bytes[sent % 3]))
				break;
			sent++;
			out++;
		}
		post_random(&rng, &posted);
		pair_turn(&pair);
		while (receive(&hdr, frame, &n)) {
			assert_int_equal(n, bytes[got % 3]);
			for (i = 0; i < n; i++)
				if (frame[i] != pattern(got, i))
					fail_msg("packet %u: byte %u is wrong", got, i);
			got++;
		}
		while (rp_drv_get_used(&pair.da, &written))
			out--;
	}
	assert_null(pair.tx.q.broken);
	assert_null(pair.rx.q.broken);
}

/* A descriptor that is nearly right: most are, in one way or another. */
static void random_desc(u64 *rng, struct guest *g, u32 i, bool write)
{
	u64 addr = guest_gpa(g, g->buffers) + test_below(rng, PAIR_BYTES / 2);
	u32 len = 1 + test_below(rng, 3000);
	u16 flags = write ? VRING_DESC_F_WRITE : 0;

	switch (test_below(rng, 24)) {
	case 0:
		addr = test_rand(rng);
		break;
	case 1:
		len = (u32)test_rand(rng);
		break;
	case 2:
		flags = (u16)test_below(rng, 8);
		break;
	case 3:
		len = test_below(rng, 14);
		break;
	case 4:
		flags |= VRING_DESC_F_INDIRECT;
		len = 16 * test_below(rng, 9);
		break;
	case 5:
	case 6:
		flags |= VRING_DESC_F_NEXT;
		break;
	}
	set_desc(g, i, addr, len, flags, (u16)test_below(rng, PAIR_SLOTS + 1));
}

static void random_ring(u64 *rng, struct guest *g, bool write)
{
	u32 i, n = 1 + test_below(rng, 20);

	for (i = 0; i < PAIR_SLOTS; i++)
		random_desc(rng, g, i, write);
	for (i = 0; i < PAIR_SLOTS; i++)
		g->ring.avail->ring[i] = (u16)test_below(rng, PAIR_SLOTS + test_below(rng, 2));
	/* Headers, or tables, of noise. */
	for (i = 0; i < 4096; i++)
		((u64 *)g->buffers)[i] = test_below(rng, 3) ? 0 : test_rand(rng);
	g->ring.avail->idx = (u16)(test_below(rng, 50) ? n : test_rand(rng));
	g->ring.used->idx = 0;
}

/* Whatever two guests write, the daemon goes on: guard pages and ASan watch. */
static void test_malformed(void **state)
{
	u64 rng = test_seed();
	u32 i, turns, given_up = 0;
	u64 moved = 0;

	set_up(&all, &all);
	log_quietly();
	for (i = 0; i < MALFORMED / 10; i++) {
		random_ring(&rng, &pair.a, false);
		random_ring(&rng, &pair.b, true);
		assert_true(pair_attach(&pair, i & 1 ? &all : &none, i & 2 ? &all : &only_merge));
		for (turns = 0; pair_turn(&pair); turns++)
			assert_true(turns < PAIR_SLOTS);
		moved += pair.rx.q.packets;
		given_up += pair.tx.q.broken || pair.rx.q.broken;
	}
	/* Neither all nor nothing was refused. */
	assert_true(moved > 0 && given_up > 0);
}

/* Of every size: all of it is copied, and nothing beside it is written. */
static void test_copy(void **state)
{
	enum { MOST = 3 * COPY_INLINE_BYTES / 2, AROUND = 64 };
	u8 from[MOST + AROUND], to[MOST + 2 * AROUND];
	u32 bytes, i;

	for (i = 0; i < sizeof(from); i++)
		from[i] = (u8)(1 + i % 251);
	for (bytes = 0; bytes <= MOST; bytes++) {
		u32 skew = bytes % AROUND;

		memset(to, 0, sizeof(to));
		copy_bytes(to + AROUND, from + skew, bytes);
		assert_memory_equal(to + AROUND, from + skew, bytes);
		for (i = 0; i < sizeof(to); i++)
			if (i < AROUND || i >= AROUND + bytes)
				assert_int_equal(to[i], 0);
	}
}

#define CASE(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_copy),
		CASE(test_small),
		CASE(test_pieces),
		CASE(test_gso_merged),
		CASE(test_short_of_buffers),
		CASE(test_full),
		CASE(test_too_big),
		CASE(test_headers),
		CASE(test_checksum_completed),
		CASE(test_attacks),
		CASE(test_bad_indices),
		CASE(test_wrong_way),
		CASE(test_random_traffic),
		CASE(test_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
