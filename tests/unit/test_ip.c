// SPDX-License-Identifier: GPL-2.0-or-later
/* IPv4 below TCP, turn by turn: packets in pieces, and UDP. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "ip_fixture.h"

#include <netinet/udp.h>

#include "frag.h"

#define PIECE	1480u
#define GOT_MAX	128u

/* What end 1 has sent, but TCP and ARP. */
static struct {
	u32 bytes;
	u8 data[FRAME_BYTES];
} got[GOT_MAX];
static u32 got_count;

static bool look(struct wire *wire, u32 to, struct frame *f)
{
	if (!is_ip(f))
		return true;
	assert_int_equal(to, 0);
	if (got_count < GOT_MAX) {
		got[got_count].bytes = f->p.bytes;
		memcpy(got[got_count++].data, f->data, f->p.bytes);
	}
	return false;
}

static void start(void)
{
	got_count = 0;
	begin(look);
}

/* ---- Pieces ---- */

struct whole {
	u32 from;
	u8 protocol;
	u16 id;
	u32 bytes;
	u8 body[65535];
};

static void set_sum(struct whole *p, u32 at, u32 sum_before)
{
	u16 sum;

	memset(p->body + at, 0, 2);
	sum = net_sum_end(net_sum(p->body, p->bytes, sum_before));
	memcpy(p->body + at, &sum, 2);
}

/* An echo request of so many bytes behind IPv4's header. */
static void make_ping(struct whole *p, u32 bytes)
{
	u32 i;

	*p = (struct whole){ .from = end_ip(0), .protocol = IPPROTO_ICMP, .bytes = bytes };
	p->id = (u16)test_rand(&w->rng);
	for (i = 0; i < bytes; i++)
		p->body[i] = (u8)test_rand(&w->rng);
	p->body[0] = ICMP_ECHO;
	p->body[1] = 0;
	set_sum(p, 2, 0);
}

static struct frame *piece_at(const struct whole *p, u32 at, u32 bytes, bool more)
{
	struct frame *f = packet(p->from, 1, p->protocol, p->body + at, bytes);
	struct iphdr ip = ip_of(f);

	ip.id = p->id;
	ip.frag_off = htons((u16)(at / 8 | (more ? IP_MF : 0)));
	set_ip(f, ip);
	return f;
}

static u32 pieces_of(const struct whole *p)
{
	return (p->bytes + PIECE - 1) / PIECE;
}

static struct frame *piece(const struct whole *p, u32 i)
{
	u32 at = i * PIECE, left = p->bytes - at;

	return piece_at(p, at, left < PIECE ? left : PIECE, left > PIECE);
}

static void give_all(const struct whole *p)
{
	u32 i;

	for (i = 0; i < pieces_of(p); i++)
		give(piece(p, i), 1);
}

/* What end 1 has sent since is @p's answer, with @changed bytes that are its own. */
static void check_answer(const struct whole *p, u32 changed)
{
	u32 at = 0, i;

	assert_int_equal(got_count, pieces_of(p));
	for (i = 0; i < got_count; i++) {
		u32 bytes = got[i].bytes - (u32)L4_AT, skip = i ? 0 : changed;
		struct iphdr ip;

		memcpy(&ip, got[i].data + ETH_HLEN, sizeof(ip));
		assert_int_equal(net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0)), 0);
		assert_int_equal(ip.daddr, p->from);
		assert_int_equal((ntohs(ip.frag_off) & IP_OFFMASK) * 8, at);
		assert_int_equal(!!(ip.frag_off & htons(IP_MF)), i + 1 < got_count);
		assert_memory_equal(got[i].data + L4_AT + skip, p->body + at + skip, bytes - skip);
		at += bytes;
	}
	assert_int_equal(at, p->bytes);
	got_count = 0;
}

static struct whole some;

/* In any order, each perhaps twice. */
static void test_pieces(void **state)
{
	static const u32 sizes[] = { 1481, 2960, 4000, 20001, 65515 };
	u32 n, k, i, j;

	start();
	for (n = 0; n < 50; n++) {
		u32 order[64], count;

		make_ping(&some, sizes[n % 5]);
		count = pieces_of(&some);
		for (i = 0; i < count; i++)
			order[i] = i;
		for (i = count - 1; i; i--) {
			j = test_below(&w->rng, i + 1);
			k = order[i];
			order[i] = order[j];
			order[j] = k;
		}
		for (i = 0; i < count; i++) {
			give(piece(&some, order[i]), 1);
			if (i + 1 < count && !test_below(&w->rng, 3))
				give(piece(&some, order[i]), 1);
			turns(1);
		}
		turns(5);
		check_answer(&some, 4);
	}
	assert_int_equal(end_count(&w->end[1], whole), 50);
	assert_int_equal(end_count(&w->end[1], broken), 0);
	end();
}

static void lie(u32 at, u32 bytes, bool more)
{
	static u32 lies;

	make_ping(&some, 4000);
	give(piece(&some, 0), 1);
	give(piece(&some, 2), 1);
	/* What was not sent yet, or what was sent already and is other now. */
	some.body[at]++;
	give(piece_at(&some, at, bytes, more), 1);
	turns(5);
	assert_int_equal(end_count(&w->end[1], broken), ++lies);
	assert_int_equal(atomic_load(&w->end[1].net->frag_buffers), 0);
	assert_int_equal(got_count, 0);
}

/* Pieces that disagree: nothing of the packet is believed. */
static void test_lies(void **state)
{
	start();
	lie(0, 1480, true);
	lie(8, 8, true);
	lie(1472, 16, true);
	lie(1488, 1480, true);
	/* Another end, or something behind it. */
	lie(1480, 8, false);
	lie(2960, 1032, false);
	lie(2960, 1040, true);
	lie(4000, 8, true);
	lie(8000, 8, true);
	end();
}

/* What is no piece: nothing, or not in units, or beyond the longest packet. */
static void test_malformed(void **state)
{
	struct iphdr ip;
	struct frame *f;

	start();
	make_ping(&some, 4000);
	give(piece_at(&some, 0, 0, true), 1);
	give(piece_at(&some, 0, 9, true), 1);
	f = piece_at(&some, 0, 1480, false);
	ip = ip_of(f);
	ip.frag_off = htons(IP_OFFMASK);
	set_ip(f, ip);
	give(f, 1);
	turns(5);
	assert_int_equal(end_count(&w->end[1], malformed), 3);
	assert_int_equal(atomic_load(&w->end[1].net->frag_buffers), 0);
	end();
}

/* One that stays in pieces goes, and its sender is told if he can be known by the first one. */
static void test_late(void **state)
{
	u32 first;

	start();
	for (first = 0; first < 2; first++) {
		make_ping(&some, 4000);
		give(piece(&some, !first), 1);
		turns(14900);
		assert_int_equal(end_count(&w->end[1], broken), first);
		turns(200);
		assert_int_equal(end_count(&w->end[1], broken), first + 1);
		assert_int_equal(got_count, first);
	}
	assert_int_equal(got[0].data[L4_AT], ICMP_TIME_EXCEEDED);
	assert_int_equal(got[0].data[L4_AT + 1], ICMP_EXC_FRAGTIME);
	assert_memory_equal(got[0].data + L4_AT + 8 + sizeof(struct iphdr), some.body, 8);
	end();
}

/* However many come, from however many hosts. */
static void test_flood(void **state)
{
	_Atomic u32 *buffers;
	u32 i;

	start();
	buffers = &w->end[1].net->frag_buffers;
	make_ping(&some, 4000);
	for (i = 0; i < 500; i++) {
		some.id++;
		give(piece(&some, 1), 1);
		turns(1);
		assert_true(atomic_load(buffers) <= FRAG_OF_GROUP);
	}
	assert_int_equal(atomic_load(buffers), FRAG_OF_GROUP);
	/* The last ones are still there. */
	give(piece(&some, 0), 1);
	give(piece(&some, 2), 1);
	turns(5);
	check_answer(&some, 4);
	for (i = 0; i < 2000; i++) {
		some.id++;
		some.from = htonl(0x0a000064 + i % 100);
		give(piece(&some, 1), 1);
		turns(1);
	}
	assert_int_equal(atomic_load(buffers), FRAG_BUFFERS);
	turns(16000);
	assert_int_equal(atomic_load(buffers), 0);
	give_all(&some);
	turns(5);
	check_answer(&some, 4);
	end();
}

/* Pieces that wait move with their group. */
static void test_pieces_move(void **state)
{
	struct dp *dp;
	u32 n, i, g;

	start();
	dp = w->end[1].dp;
	for (n = 0; n < 20; n++) {
		make_ping(&some, 20000);
		for (i = 0; i < pieces_of(&some); i++) {
			give(piece(&some, i), 1);
			for (g = 0; g < GROUPS; g++)
				dp_move(dp, g, (dp_owner(dp, g) + 1) % THREADS);
			turns(test_below(&w->rng, 4));
		}
		turns(20);
		check_answer(&some, 4);
	}
	assert_true(dp->moves.ended[DP_DONE] > 1000);
	assert_int_equal(dp->moves.dropped, 0);
	end();
}

/* ---- UDP ---- */

static void make_datagram(struct whole *p, u16 from, u16 to, u32 bytes)
{
	struct udphdr h = { .source = htons(from), .dest = htons(to) };
	u8 ip[sizeof(struct iphdr)] = { 0 };
	u32 i, a = end_ip(0), b = end_ip(1);

	*p = (struct whole){ .from = a, .protocol = IPPROTO_UDP };
	p->bytes = bytes + (u32)sizeof(h);
	p->id = (u16)test_rand(&w->rng);
	h.len = htons((u16)p->bytes);
	for (i = 0; i < bytes; i++)
		p->body[sizeof(h) + i] = (u8)test_rand(&w->rng);
	memcpy(p->body, &h, sizeof(h));
	memcpy(ip + 12, &a, 4);
	memcpy(ip + 16, &b, 4);
	set_sum(p, 6, net_pseudo_sum(ip, IPPROTO_UDP, p->bytes));
	/* None would be 0. */
	if (!p->body[6] && !p->body[7])
		memset(p->body + 6, 0xff, 2);
}

static void give_whole(const struct whole *p)
{
	if (p->bytes <= PIECE)
		give(packet(p->from, 1, p->protocol, p->body, p->bytes), 1);
	else
		give_all(p);
	turns(5);
}

static void test_udp_echo(void **state)
{
	static const u32 sizes[] = { 0, 1, 1472, 1473, 4001, 65507 };
	u32 i;

	start();
	for (i = 0; i < 60; i++) {
		make_datagram(&some, (u16)(40000 + i), SERVICE, sizes[i % 6]);
		give_whole(&some);
		/* Ports are swapped, and that does not change the checksum. */
		assert_int_equal(memcmp(got[0].data + L4_AT, some.body + 2, 2), 0);
		assert_int_equal(memcmp(got[0].data + L4_AT + 2, some.body, 2), 0);
		check_answer(&some, 4);
	}
	assert_int_equal(end_count(&w->end[1], datagrams), 60);
	/* Without a checksum. */
	make_datagram(&some, 40000, SERVICE, 100);
	memset(some.body + 6, 0, 2);
	give_whole(&some);
	assert_int_equal(got_count, 1);
	end();
}

static void test_udp_refused(void **state)
{
	u32 i;

	start();
	for (i = 0; i < 100; i++) {
		make_datagram(&some, 40000, 9999, 100);
		give_whole(&some);
	}
	assert_int_equal(end_count(&w->end[1], refused), 100);
	/* Half a second: one of them, or two. */
	assert_true(got_count == NET_ERRORS_MAX || got_count == 2 * NET_ERRORS_MAX);
	assert_int_equal(got[0].data[L4_AT], ICMP_DEST_UNREACH);
	assert_int_equal(got[0].data[L4_AT + 1], ICMP_PORT_UNREACH);
	assert_memory_equal(got[0].data + L4_AT + 8 + sizeof(struct iphdr), some.body, 4);
	got_count = 0;
	/* Other services, and what is damaged or too long, get no word. */
	make_datagram(&some, 7, SERVICE, 100);
	give_whole(&some);
	make_datagram(&some, 40000, SERVICE, 100);
	some.body[50]++;
	give_whole(&some);
	make_datagram(&some, 40000, SERVICE, 100);
	some.bytes--;
	give_whole(&some);
	make_datagram(&some, 40000, SERVICE, 100);
	some.bytes = 7;
	give_whole(&some);
	assert_int_equal(got_count, 0);
	assert_int_equal(end_count(&w->end[1], malformed), 3);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_pieces_move),
		cmocka_unit_test(test_udp_echo),
		cmocka_unit_test(test_udp_refused),
	};

	return cmocka_run_group_tests_name("ip", tests, NULL, NULL);
}
