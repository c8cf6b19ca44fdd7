// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Segments of TCP packets: byte for byte what a slow and simple segmenter makes of
 * the same packet, whatever its size and pieces; senders that are hostile; and from
 * ring to ring. Random packets are seeded; see rand.h.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "../../vhost/daemon/net/gso.h"
#include "packet_fixture.h"
#include "rand.h"

#define HDR	PACKET_HDR_BYTES

static const struct offloads all = {
	.csum = true, .tso4 = true, .tso6 = true, .ecn = true, .mergeable = true,
};
static const struct offloads only_csum = { .csum = true, .mergeable = true };
static const struct offloads only_merge = { .mergeable = true };
static const struct offloads none;

/* A packet as a driver sends it, and where its parts are. */
static struct {
	u8 frame[PACKET_MAX_BYTES];
	u32 l3, l4, payload, bytes;
	bool ip6;
	struct virtio_net_hdr_v1 hdr;
} sent;

static void put16(u8 *at, u32 v)
{
	at[0] = (u8)(v >> 8);
	at[1] = (u8)v;
}

static u32 get16(const u8 *at)
{
	return (u32)at[0] << 8 | at[1];
}

static u32 get32(const u8 *at)
{
	return get16(at) << 16 | get16(at + 2);
}

/* @tags VLAN tags, @options words in each header that may have some, random otherwise. */
static void make(u64 *rng, bool ip6, u32 tags, u32 ip_options, u32 tcp_options, u32 payload,
		 u32 size)
{
	u8 *f = sent.frame;
	u32 i;

	memset(&sent, 0, sizeof(sent));
	sent.ip6 = ip6;
	sent.l3 = 14 + 4 * tags;
	sent.l4 = sent.l3 + (ip6 ? 40 : 20 + 4 * ip_options);
	sent.payload = sent.l4 + 20 + 4 * tcp_options;
	sent.bytes = sent.payload + payload;
	for (i = 0; i < sent.bytes; i++)
		f[i] = (u8)test_rand(rng);
	for (i = 0; i < tags; i++)
		put16(f + 12 + 4 * i, i ? 0x8100 : 0x88a8);
	put16(f + sent.l3 - 2, ip6 ? 0x86dd : 0x0800);
	f[sent.l3] = (u8)(ip6 ? 0x60 | (f[sent.l3] & 15) : 0x45 + ip_options);
	if (ip6) {
		f[sent.l3 + 6] = 6;
	} else {
		put16(f + sent.l3 + 6, 0x4000);
		f[sent.l3 + 9] = 6;
	}
	f[sent.l4 + 12] = (u8)((5 + tcp_options) << 4);
	sent.hdr = (struct virtio_net_hdr_v1){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = (u16)sent.l4, .csum_offset = 16,
		.gso_type = ip6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = (u16)size,
	};
}

/* RFC 1071 the slow way, of big-endian words. */
static u32 sum_words(u32 sum, const u8 *p, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (u32)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static u32 pseudo(const u8 *f, u32 tcp_bytes)
{
	const u8 tail[4] = { 0, 6, (u8)(tcp_bytes >> 8), (u8)tcp_bytes };
	u32 sum = sent.ip6 ? sum_words(0, f + sent.l3 + 8, 32) : sum_words(0, f + sent.l3 + 12, 8);

	return sum_words(sum, tail, sizeof(tail));
}

/* Segment @i as it must be, in @to: its bytes. */
static u32 expected(u32 i, u32 n, bool partial, u8 *to)
{
	u32 size = sent.hdr.gso_size, at = sent.payload + i * size, head = sent.payload;
	u32 bytes = sent.bytes - at < size ? sent.bytes - at : size, seq;
	u8 *ip = to + sent.l3, *tcp = to + sent.l4;

	memcpy(to, sent.frame, head);
	memcpy(to + head, sent.frame + at, bytes);
	if (sent.ip6) {
		put16(ip + 4, head - sent.l4 + bytes);
	} else {
		put16(ip + 2, head - sent.l3 + bytes);
		put16(ip + 4, get16(ip + 4) + i);
		put16(ip + 10, 0);
		put16(ip + 10, (u16)~sum_words(0, ip, sent.l4 - sent.l3));
	}
	seq = get32(tcp + 4) + i * size;
	put16(tcp + 4, seq >> 16);
	put16(tcp + 6, seq);
	if (i)
		tcp[13] &= 0x7f;
	if (i + 1 < n)
		tcp[13] &= (u8)~9;
	put16(tcp + 16, pseudo(to, head - sent.l4 + bytes));
	if (!partial)
		put16(tcp + 16, (u16)~sum_words(0, tcp, head - sent.l4 + bytes));
	return head + bytes;
}

/* The packet in pieces of random sizes, @seg of which there are GSO_PIECES_MAX. */
static struct packet cut(u64 *rng, struct rp_seg *seg)
{
	u32 n = 1 + test_below(rng, GSO_PIECES_MAX), left = sent.bytes, i, k;
	struct packet p = { .hdr = sent.hdr, .bytes = sent.bytes, .seg = seg };
	u8 *at = sent.frame;

	for (i = 0; i < n && left; i++, at += k, left -= k) {
		k = i + 1 == n ? left : 1 + test_below(rng, test_below(rng, 3) ? left : 40);
		k = k < left ? k : left;
		seg[p.n_seg++] = (struct rp_seg){ at, k };
	}
	return p;
}

static u32 flatten(const struct packet *p, u8 *to)
{
	u32 i, n = 0;

	for (i = 0; i < p->n_seg; i++) {
		memcpy(to + n, p->seg[i].base, p->seg[i].bytes);
		n += p->seg[i].bytes;
	}
	return n;
}

static u8 got[PACKET_MAX_BYTES], want[PACKET_MAX_BYTES];

static void check_frame(u32 i, u32 n, bool partial, u32 got_bytes)
{
	u32 bytes = expected(i, n, partial, want), at;

	assert_int_equal(got_bytes, bytes);
	for (at = 0; at < bytes; at++)
		if (got[at] != want[at])
			fail_msg("segment %u of %u: byte %u is %02x, not %02x", i, n, at, got[at],
				 want[at]);
}

static void check_segments(const struct packet *p, bool partial)
{
	u32 payload = sent.bytes - sent.payload, size = sent.hdr.gso_size, i = 0;
	u32 n = payload ? (payload + size - 1) / size : 1;
	static struct gso g;
	struct packet s;

	assert_true(gso_begin(&g, p, partial ? &only_csum : &none));
	assert_int_equal(g.n, n);
	for (; gso_next(&g, &s); i++) {
		assert_int_equal(flatten(&s, got), s.bytes);
		check_frame(i, n, partial, s.bytes);
		assert_int_equal(s.hdr.flags, partial ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0);
		assert_int_equal(s.hdr.csum_start, partial ? sent.l4 : 0);
		assert_int_equal(s.hdr.gso_type, 0);
		assert_int_equal(s.hdr.gso_size, 0);
	}
	assert_int_equal(i, n);
}

static void test_random(void **state)
{
	struct rp_seg seg[GSO_PIECES_MAX];
	u64 rng = test_seed();
	u32 round;

	for (round = 0; round < 3000; round++) {
		u32 most = test_below(&rng, 4) ? 9000 : 65000;
		struct packet p;

		make(&rng, test_below(&rng, 2), test_below(&rng, 3), test_below(&rng, 11),
		     test_below(&rng, 11), test_below(&rng, most),
		     512 + test_below(&rng, test_below(&rng, 2) ? 1000 : 60000));
		if (test_below(&rng, 2))
			sent.hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
		p = cut(&rng, seg);
		check_segments(&p, test_below(&rng, 2));
	}
}

/* At the edges: no payload, whole segments, a byte more, the sequence number's end. */
static void test_edges(void **state)
{
	static const u32 payload[] = { 0, 1, 1448, 1449, 2896, 2897, 65000 };
	struct rp_seg seg = { sent.frame, 0 };
	u64 rng = test_seed();
	u32 i;

	for (i = 0; i < 4 * sizeof(payload) / sizeof(*payload); i++) {
		struct packet p;

		make(&rng, i & 1, 0, 0, 3, payload[i / 4], 1448);
		memset(sent.frame + sent.l4 + 4, 0xff, 3);
		if (!(i & 1))
			memset(sent.frame + sent.l3 + 4, 0xff, 2);	/* IP's id, too */
		seg.bytes = sent.bytes;
		p = (struct packet){ .hdr = sent.hdr, .bytes = sent.bytes, .seg = &seg, .n_seg = 1 };
		check_segments(&p, i & 2);
	}
	/* A last segment that was small from the beginning may be. */
	make(&rng, false, 0, 0, 0, 100, 100);
	seg.bytes = sent.bytes;
	check_segments(&(struct packet){ .hdr = sent.hdr, .bytes = sent.bytes, .seg = &seg,
					 .n_seg = 1 }, true);
}

/* ---- Hostile senders ---- */

static void refused(const char *what)
{
	struct rp_seg seg = { sent.frame, sent.bytes };
	struct packet p = { .hdr = sent.hdr, .bytes = sent.bytes, .seg = &seg, .n_seg = 1 };
	static struct gso g;

	if (gso_begin(&g, &p, &none))
		fail_msg("%s: taken", what);
}

static void test_refused(void **state)
{
	u64 rng = test_seed();
	u32 i;

#define BAD(what, ...) do {					\
	make(&rng, false, 0, 0, 0, 5000, 1448);			\
	__VA_ARGS__;						\
	refused(what);						\
} while (0)
	for (i = 1; i < GSO_MIN_BYTES; i += 17)
		BAD("a small segment", sent.hdr.gso_size = (u16)i);
	make(&rng, false, 0, 0, 0, 65400, GSO_MIN_BYTES);
	assert_true(65400 / GSO_MIN_BYTES < GSO_SEGMENTS_MAX);
	BAD("a fragment", put16(sent.frame + sent.l3 + 6, 0x2000));
	BAD("a later fragment", put16(sent.frame + sent.l3 + 6, 1));
	BAD("UDP", sent.frame[sent.l3 + 9] = 17);
	BAD("version 6", sent.frame[sent.l3] = 0x65);
	BAD("a short IP header", sent.frame[sent.l3] = 0x44);
	BAD("IP options that are not there", sent.frame[sent.l3] = 0x46);
	BAD("TCP elsewhere", sent.hdr.csum_start += 2);
	BAD("a checksum elsewhere", sent.hdr.csum_offset = 6);
	BAD("a short TCP header", sent.frame[sent.l4 + 12] = 0x40);
	BAD("another type", put16(sent.frame + 12, 0x86dd));
	BAD("another kind", sent.hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
	BAD("headers that are cut off", sent.bytes = sent.l4 + 19);
	BAD("TCP options that are cut off", sent.frame[sent.l4 + 12] = 0x60;
	    sent.bytes = sent.l4 + 22);
	make(&rng, false, 0, 0, 0, UINT16_MAX - 39, UINT16_MAX);
	refused("one that is too long for IP");
	make(&rng, false, 3, 0, 0, 5000, 1448);
	refused("three tags");
	make(&rng, true, 0, 0, 0, 5000, 1448);
	sent.frame[sent.l3 + 6] = 0;
	refused("an extension header");
}

/* Whatever the headers are: no segment is larger than it may be, nor are there more. */
static void test_noise(void **state)
{
	struct rp_seg seg[GSO_PIECES_MAX];
	u32 round, n, taken = 0, total;
	u64 rng = test_seed();
	static struct gso g;
	struct packet p, s;

	for (round = 0; round < 20000; round++) {
		make(&rng, test_below(&rng, 2), test_below(&rng, 3), 0, 0, test_below(&rng, 3000),
		     test_below(&rng, 1500));
		for (n = test_below(&rng, 4); n; n--)
			sent.frame[12 + test_below(&rng, 60)] = (u8)test_rand(&rng);
		if (!test_below(&rng, 8))
			sent.hdr.csum_start = (u16)test_below(&rng, 80);
		p = cut(&rng, seg);
		if (!sent.hdr.gso_size || !gso_begin(&g, &p, test_below(&rng, 2) ? &none : &only_csum))
			continue;
		for (n = total = 0; gso_next(&g, &s); n++, total += s.bytes - g.headers_bytes)
			assert_true(s.bytes <= g.headers_bytes + sent.hdr.gso_size &&
				    flatten(&s, got) == s.bytes);
		assert_true(n && n <= GSO_SEGMENTS_MAX);
		assert_int_equal(total, p.bytes - g.headers_bytes);
		taken++;
	}
	assert_true(taken > 1000 && taken < round);
}

/* ---- From ring to ring ---- */

static struct pair pair;

static int tear_down(void **state)
{
	pair_free(&pair);
	return 0;
}

static void post(u32 count, u32 bytes, u8 **at)
{
	for (; count; count--, *at += bytes) {
		struct rp_seg seg = { *at, bytes };

		assert_true(rp_drv_add(&pair.db, &seg, 0, 1, *at));
	}
	rp_drv_publish(&pair.db);
}

static void send(void)
{
	u8 *at = pair.a.buffers;
	struct rp_seg seg[3] = {
		{ at, HDR + 40 }, { at + HDR + 40, 1001 }, { at + HDR + 1041, sent.bytes - 1041 },
	};

	memcpy(at, &sent.hdr, HDR);
	memcpy(at + HDR, sent.frame, sent.bytes);
	assert_true(rp_drv_add(&pair.da, seg, 3, 0, at));
	rp_drv_publish(&pair.da);
}

/* The next frame, of one buffer or several; false: none. */
static bool receive(struct virtio_net_hdr_v1 *hdr, u32 *bytes)
{
	u32 written, i;
	u8 *at = rp_drv_get_used(&pair.db, &written);

	if (!at)
		return false;
	memcpy(hdr, at, HDR);
	*bytes = written - HDR;
	memcpy(got, at + HDR, *bytes);
	for (i = 1; i < hdr->num_buffers; i++) {
		at = rp_drv_get_used(&pair.db, &written);
		assert_non_null(at);
		memcpy(got + *bytes, at, written);
		*bytes += written;
	}
	return true;
}

static void into_ring(const struct offloads *can, u32 buffer_bytes)
{
	u64 rng = test_seed();
	struct virtio_net_hdr_v1 hdr;
	u32 i, n, bytes, written;
	u8 *to;

	assert_true(pair_init(&pair, &all, can));
	to = pair.b.buffers;
	post(100, buffer_bytes, &to);
	make(&rng, false, 0, 0, 3, 30000, 1448);
	send();
	assert_int_equal(pair_turn(&pair), 1);
	n = (30000 + 1447) / 1448;
	for (i = 0; receive(&hdr, &bytes); i++) {
		check_frame(i, n, can->csum, bytes);
		assert_int_equal(hdr.flags, can->csum ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0);
		assert_int_equal(hdr.gso_type, 0);
		assert_int_equal(hdr.num_buffers, (bytes + HDR + buffer_bytes - 1) / buffer_bytes);
	}
	assert_int_equal(i, n);
	assert_non_null(rp_drv_get_used(&pair.da, &written));
	assert_int_equal(pair.tx.q.packets, 1);
	assert_int_equal(pair.tx.q.gso, 1);
	assert_int_equal(pair.rx.q.packets, 1);
	assert_int_equal(pair.rx.q.gso, 0);
}

/* Who takes large ones gets them as they were sent, and that is counted. */
static void test_whole(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	u64 rng = test_seed();
	u32 bytes;
	u8 *to;

	assert_true(pair_init(&pair, &all, &all));
	to = pair.b.buffers;
	post(40, 2048, &to);
	make(&rng, false, 0, 0, 0, 30000, 1448);
	send();
	assert_int_equal(pair_turn(&pair), 1);
	assert_true(receive(&hdr, &bytes));
	assert_int_equal(bytes, sent.bytes);
	assert_memory_equal(got, sent.frame, bytes);
	assert_int_equal(hdr.gso_size, 1448);
	assert_false(receive(&hdr, &bytes));
	assert_int_equal(pair.tx.q.gso, 1);
	assert_int_equal(pair.rx.q.gso, 1);
}

static void test_ring(void **state)
{
	into_ring(&only_csum, 2048);
	pair_free(&pair);
	into_ring(&only_merge, 2048);
	pair_free(&pair);
	into_ring(&only_merge, 600);
	pair_free(&pair);
	into_ring(&none, 2048);
}

/* Too few buffers: none is used; with more all segments come. */
static void test_all_or_none(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	u64 rng = test_seed();
	u32 i, bytes, written;
	u8 *to;

	assert_true(pair_init(&pair, &all, &none));
	to = pair.b.buffers;
	post(20, 2048, &to);
	make(&rng, true, 0, 0, 0, 30000, 1448);
	send();
	for (i = 0; i < 3; i++)
		assert_int_equal(pair_turn(&pair), 0);
	assert_false(receive(&hdr, &bytes));
	assert_null(rp_drv_get_used(&pair.da, &written));
	post(1, 2048, &to);
	assert_int_equal(pair_turn(&pair), 1);
	for (i = 0; receive(&hdr, &bytes); i++)
		check_frame(i, 21, false, bytes);
	assert_int_equal(i, 21);
	assert_int_equal(pair.tx.q.packets, 1);
}

/* Buffers that a segment does not fit, and packets that cannot be cut. */
static void test_dropped(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	u64 rng = test_seed();
	u32 bytes, i;
	u8 *to;

	assert_true(pair_init(&pair, &all, &none));
	to = pair.b.buffers;
	post(40, 1000, &to);
	make(&rng, false, 0, 0, 0, 5000, 1448);
	send();
	assert_int_equal(pair_turn(&pair), 1);
	assert_int_equal(pair.tx.q.dropped[DROP_TOO_BIG], 1);
	for (i = 1; i < 4; i++) {
		sent.hdr.gso_size = (u16)i;
		send();
		assert_int_equal(pair_turn(&pair), 1);
		assert_int_equal(pair.tx.q.dropped[DROP_OFFLOAD], i);
	}
	sent.hdr.gso_size = 600;
	send();
	assert_int_equal(pair_turn(&pair), 1);
	for (i = 0; receive(&hdr, &bytes); i++)
		check_frame(i, 9, false, bytes);
	assert_int_equal(i, 9);
}

#define CASE(f) cmocka_unit_test_teardown(f, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random), cmocka_unit_test(test_edges),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_noise),
		CASE(test_ring), CASE(test_whole), CASE(test_all_or_none), CASE(test_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
