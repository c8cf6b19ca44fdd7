// SPDX-License-Identifier: GPL-2.0-or-later
/* The hash that steers frames: known answers, all shapes of frames, hostile values. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdlib.h>

#include "../../vhost/daemon/net/rss_guest.h"

#define TYPE(name)	VIRTIO_NET_RSS_HASH_TYPE_##name

static struct rss_config config;
static struct rss *rss;

static void make(u32 types)
{
	rss_free(rss);
	rss_default(&config, 128, 4);
	config.types = types;
	assert_null(rss_check(&config, 4));
	rss = rss_new(&config);
	assert_non_null(rss);
}

static int tear_down(void **state)
{
	rss_free(rss);
	rss = NULL;
	return 0;
}

/* ---- Frames ---- */

static u8 frame[256];
static u32 frame_bytes;

static void put(const void *from, u32 bytes)
{
	memcpy(frame + frame_bytes, from, bytes);
	frame_bytes += bytes;
}

static void put16(u32 v)
{
	put((const u8[]){ (u8)(v >> 8), (u8)v }, 2);
}

static void ethernet(const u8 *tag, u16 type)
{
	memset(frame, 2, sizeof(frame));
	frame_bytes = 12;
	if (tag)
		put(tag, 4);
	put16(type);
}

static void put_address(int family, const char *text)
{
	u8 a[16];

	assert_int_equal(inet_pton(family, text, a), 1);
	put(a, family == AF_INET ? 4 : 16);
}

struct vector {
	const char *to;
	u16 to_port;
	const char *from;
	u16 from_port;
	u32 addresses, ports;		/* the hash of those only, and of all */
};

static void ip4(const struct vector *v, u8 protocol, u16 fragment, u32 options)
{
	static const u8 none[40];

	frame[frame_bytes] = (u8)(0x45 + options / 4);
	memset(frame + frame_bytes + 1, 0, 11);
	frame[frame_bytes + 6] = (u8)(fragment >> 8);
	frame[frame_bytes + 7] = (u8)fragment;
	frame[frame_bytes + 9] = protocol;
	frame_bytes += 12;
	put_address(AF_INET, v->from);
	put_address(AF_INET, v->to);
	put(none, options);
}

static void ip6(const struct vector *v, u8 next)
{
	put((const u8[]){ 0x60, 0, 0, 0, 0, 20, next, 64 }, 8);
	put_address(AF_INET6, v->from);
	put_address(AF_INET6, v->to);
}

static void ports(const struct vector *v)
{
	static const u8 rest[16];

	put16(v->from_port);
	put16(v->to_port);
	put(rest, sizeof(rest));
}

/* The hash; 0 if it has none. */
static u32 hash_of(void)
{
	u32 hash = 0;

	return rss_hash_front(rss, frame, frame_bytes, &hash) ? hash : 0;
}

/* ---- Known answers: "Verifying the RSS hash calculation", Microsoft ---- */

static const struct vector v4[] = {
	{ "161.142.100.80", 1766, "66.9.149.187", 2794, 0x323e8fc2, 0x51ccc178 },
	{ "65.69.140.83", 4739, "199.92.111.2", 14230, 0xd718262a, 0xc626b0ea },
	{ "12.22.207.184", 38024, "24.19.198.95", 12898, 0xd2d0a5de, 0x5c2b394a },
	{ "209.142.163.6", 2217, "38.27.205.30", 48228, 0x82989176, 0xafc7327f },
	{ "202.188.127.2", 1303, "153.39.163.191", 44251, 0x5d1809c5, 0x10e828a2 },
};

static const struct vector v6[] = {
	{ "3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794, 0x2cc18cd5, 0x40207d3d },
	{ "ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230, 0x0f0c461c, 0xdde51bbf },
	{ "fe80::200:f8ff:fe21:67cf", 38024, "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251,
	  0x4b61e985, 0x02d1feef },
};

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static void check4(const struct vector *v)
{
	ethernet(NULL, 0x0800);
	ip4(v, IPPROTO_TCP, 0, 0);
	ports(v);
	make(TYPE(IPv4) | TYPE(TCPv4));
	assert_int_equal(hash_of(), v->ports);
	make(TYPE(IPv4) | TYPE(UDPv4) | TYPE(TCPv6));
	assert_int_equal(hash_of(), v->addresses);
	make(TYPE(UDPv4) | TYPE(IPv6));
	assert_int_equal(hash_of(), 0);
	frame[14 + 9] = IPPROTO_UDP;
	assert_int_equal(hash_of(), v->ports);
	make(TYPE(TCPv4) | TYPE(IPv4));
	assert_int_equal(hash_of(), v->addresses);
}

static void check6(const struct vector *v)
{
	ethernet((const u8[]){ 0x81, 0, 0, 7 }, 0x86dd);
	ip6(v, IPPROTO_TCP);
	ports(v);
	make(TYPE(IPv6) | TYPE(TCPv6));
	assert_int_equal(hash_of(), v->ports);
	make(TYPE(IPv6) | TYPE(UDPv6) | TYPE(TCPv4));
	assert_int_equal(hash_of(), v->addresses);
	make(TYPE(UDPv6) | TYPE(IPv4));
	assert_int_equal(hash_of(), 0);
	frame[18 + 6] = IPPROTO_UDP;
	assert_int_equal(hash_of(), v->ports);
}

static void test_known_answers(void **state)
{
	u32 i;

	for (i = 0; i < COUNT(v4); i++)
		check4(&v4[i]);
	for (i = 0; i < COUNT(v6); i++)
		check6(&v6[i]);
}

/* Another key: by the definition, bit by bit. */
static void test_key(void **state)
{
	u8 input[RSS_INPUT_BYTES];
	u32 i, round, want;

	for (round = 0; round < 50; round++) {
		make(RSS_TYPES);
		for (i = 0; i < RSS_KEY_BYTES; i++)
			config.key[i] = (u8)(i * 73 + round * 31 + (i ^ round));
		rss_free(rss);
		rss = rss_new(&config);
		assert_non_null(rss);
		for (i = 0; i < sizeof(input); i++)
			input[i] = (u8)(round * 97 + i * 59);
		for (want = 0, i = 0; i < 8 * sizeof(input); i++) {
			u32 k, window = 0;

			for (k = 0; k < 32; k++)
				window = window << 1 | (config.key[(i + k) / 8] >> (7 - (i + k) % 8) & 1);
			if (input[i / 8] >> (7 - i % 8) & 1)
				want ^= window;
		}
		assert_int_equal(rss_hash(rss, input, sizeof(input)), want);
	}
}

static void test_fragments(void **state)
{
	static const u16 fields[] = { 0x2000, 0x2001, 0x0001, 0x1fff };
	u32 i;

	make(RSS_TYPES);
	for (i = 0; i < COUNT(fields); i++) {
		ethernet(NULL, 0x0800);
		ip4(&v4[0], IPPROTO_UDP, fields[i], 0);
		ports(&v4[0]);
		assert_int_equal(hash_of(), v4[0].addresses);
		ethernet(NULL, 0x86dd);
		ip6(&v6[0], IPPROTO_FRAGMENT);
		put((const u8[]){ IPPROTO_UDP, 0, (u8)(i << 3), i ? 0 : 1, 0, 0, 0, 9 }, 8);
		ports(&v6[0]);
		assert_int_equal(hash_of(), v6[0].addresses);
	}
	/* Do not fragment; an atomic one. */
	ethernet(NULL, 0x0800);
	ip4(&v4[0], IPPROTO_UDP, 0x4000, 0);
	ports(&v4[0]);
	assert_int_equal(hash_of(), v4[0].ports);
	ethernet(NULL, 0x86dd);
	ip6(&v6[0], IPPROTO_FRAGMENT);
	put((const u8[]){ IPPROTO_TCP, 0, 0, 0, 0, 0, 0, 9 }, 8);
	ports(&v6[0]);
	assert_int_equal(hash_of(), v6[0].ports);
}

/* Options and extension headers are skipped, as far as they are looked at. */
static void test_options(void **state)
{
	static const u8 empty[64];
	u32 i;

	make(RSS_TYPES);
	for (i = 0; i <= 40; i += 4) {
		ethernet(NULL, 0x0800);
		ip4(&v4[1], IPPROTO_TCP, 0, i);
		ports(&v4[1]);
		assert_int_equal(hash_of(), v4[1].ports);
	}
	ethernet(NULL, 0x86dd);
	ip6(&v6[1], IPPROTO_HOPOPTS);
	put((const u8[16]){ IPPROTO_DSTOPTS, 1 }, 16);
	put((const u8[8]){ IPPROTO_ROUTING, 0 }, 8);
	put((const u8[8]){ IPPROTO_TCP, 0 }, 8);
	ports(&v6[1]);
	assert_int_equal(hash_of(), v6[1].ports);
	/* Ports beyond what is looked at: none. */
	ethernet(NULL, 0x86dd);
	ip6(&v6[1], IPPROTO_HOPOPTS);
	put((const u8[2]){ IPPROTO_TCP, 7 }, 2);
	put(empty, 62);
	frame_bytes = RSS_FRONT_BYTES - 5;
	assert_int_equal(hash_of(), v6[1].addresses);
	/* A chain of headers without end. */
	ethernet(NULL, 0x86dd);
	ip6(&v6[1], IPPROTO_DSTOPTS);
	for (i = 0; i < 9; i++)
		put((const u8[8]){ IPPROTO_DSTOPTS, 0 }, 8);
	assert_int_equal(hash_of(), v6[1].addresses);
}

/* In memory of its own size, so that a sanitizer sees a read beyond it. */
static void cut(u32 addresses, u32 with_ports, u32 full)
{
	u32 bytes, hash;
	bool has;
	u8 *f;

	for (bytes = 0; bytes <= frame_bytes; bytes++) {
		f = malloc(bytes ? bytes : 1);
		assert_non_null(f);
		memcpy(f, frame, bytes);
		has = rss_hash_front(rss, f, bytes, &hash);
		assert_int_equal(has, bytes >= addresses);
		if (has)
			assert_int_equal(hash, bytes >= with_ports ? full : hash);
		free(f);
	}
}

static void test_cut_short(void **state)
{
	make(RSS_TYPES);
	ethernet(NULL, 0x0800);
	ip4(&v4[2], IPPROTO_TCP, 0, 8);
	ports(&v4[2]);
	cut(34, 46, v4[2].ports);
	ethernet(NULL, 0x86dd);
	ip6(&v6[2], IPPROTO_HOPOPTS);
	put((const u8[8]){ IPPROTO_TCP, 0 }, 8);
	ports(&v6[2]);
	cut(54, 66, v6[2].ports);
	/* A header length that is none, a version that is another one's. */
	ethernet(NULL, 0x0800);
	ip4(&v4[2], IPPROTO_TCP, 0, 0);
	ports(&v4[2]);
	frame[14] = 0x43;
	assert_int_equal(hash_of(), v4[2].addresses);
	frame[14] = 0x65;
	assert_int_equal(hash_of(), 0);
}

static struct rss_way steer(u32 pairs)
{
	const struct rp_seg seg[2] = { { frame, 20 }, { frame + 20, frame_bytes - 20 } };
	const struct packet p = { .bytes = frame_bytes, .n_seg = 2, .seg = seg };

	return rss_steer(rss, &p, pairs);
}

static void test_table(void **state)
{
	struct rss_way way;
	u32 i;

	make(RSS_TYPES);
	config.unclassified = 3;
	for (i = 0; i < 128; i++)
		config.pair[i] = (u16)(i / 32);
	rss_free(rss);
	rss = rss_new(&config);
	assert_non_null(rss);
	for (i = 0; i < COUNT(v4); i++) {
		ethernet(NULL, 0x0800);
		ip4(&v4[i], IPPROTO_TCP, 0, 0);
		ports(&v4[i]);
		way = steer(4);
		assert_int_equal(way.entry, v4[i].ports % 128);
		assert_int_equal(way.pair, v4[i].ports % 128 / 32);
		assert_int_equal(steer(2).pair, way.pair % 2);
	}
	ethernet(NULL, 0x0806);
	way = steer(4);
	assert_int_equal(way.entry, RSS_ENTRIES_MAX);
	assert_int_equal(way.pair, 3);
	assert_int_equal(steer(1).pair, 0);
}

static void test_check(void **state)
{
	static const u32 bad[] = { 0, 3, 127, 129, 1024, UINT32_MAX };
	u32 i;

	rss_default(&config, 512, 3);
	assert_null(rss_check(&config, 3));
	assert_non_null(rss_check(&config, 2));
	for (i = 0; i < COUNT(bad); i++) {
		config.entries = bad[i];
		assert_non_null(rss_check(&config, 3));
	}
	for (i = 1; i <= 512; i *= 2) {
		config.entries = i;
		assert_null(rss_check(&config, 3));
	}
	config.pair[511] = 3;
	assert_non_null(rss_check(&config, 3));
	config.entries = 256;
	assert_null(rss_check(&config, 3));
	config.unclassified = 3;
	assert_non_null(rss_check(&config, 3));
	config.unclassified = 2;
	config.types |= VIRTIO_NET_RSS_HASH_TYPE_IP_EX;
	assert_non_null(rss_check(&config, 3));
}

/* What a guest says: taken as it is, or not at all. */
static void test_guest(void **state)
{
	struct vhost_user_net_rss m = { .hash_types = RSS_TYPES, .entries = 128, .unclassified = 1 };
	bool on;
	u32 i;

	for (i = 0; i < sizeof(m.key); i++)
		m.key[i] = (u8)i;
	for (i = 0; i < 128; i++)
		m.pair[i] = (u8)(i % 3);
	assert_null(rss_guest_read(&m, 3, &config, &on));
	assert_true(on);
	assert_int_equal(config.entries, 128);
	assert_int_equal(config.unclassified, 1);
	assert_int_equal(config.pair[125], 125 % 3);
	assert_memory_equal(config.key, m.key, sizeof(m.key));
	assert_non_null(rss_guest_read(&m, 2, &config, &on));
	for (i = 1; i <= UINT16_MAX; i++) {
		m.entries = (u16)i;
		assert_int_equal(!rss_guest_read(&m, 3, &config, &on),
				 i <= 128 && !(i & (i - 1)));
	}
	m.entries = 1;
	m.hash_types = VIRTIO_NET_RSS_HASH_TYPE_UDP_EX;
	assert_non_null(rss_guest_read(&m, 3, &config, &on));
	/* None any more: whatever the rest says. */
	m.entries = 0;
	assert_null(rss_guest_read(&m, 3, &config, &on));
	assert_false(on);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers), cmocka_unit_test(test_key),
		cmocka_unit_test(test_fragments), cmocka_unit_test(test_options),
		cmocka_unit_test(test_cut_short), cmocka_unit_test(test_table),
		cmocka_unit_test(test_check), cmocka_unit_test(test_guest),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
