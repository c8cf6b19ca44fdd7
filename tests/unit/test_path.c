// SPDX-License-Identifier: GPL-2.0-or-later
/* What errors of ICMP do to connections, turn by turn; the test is a router on the way. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "ip_fixture.h"

static u32 path_mtu;		/* of the router's, 0: it passes all */
static u32 told_mtu;		/* that it says */
static u32 longest, cut;	/* packets of TCP that passed; those without DF that were too long */

/* To @to: @f, which was on the way from there, was too long. */
static void tell_too_long(u32 to, const struct frame *f)
{
	u8 body[36] = { ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED };
	u16 sum, mtu = htons((u16)told_mtu);

	memcpy(body + 6, &mtu, 2);
	memcpy(body + 8, f->data + ETH_HLEN, 28);
	sum = net_sum_end(net_sum(body, sizeof(body), 0));
	memcpy(body + 2, &sum, 2);
	/* A router's, of no group of the connection. */
	give(packet(htonl(0x0a000063), to, IPPROTO_ICMP, body, sizeof(body)), to);
}

static bool passes(struct wire *wire, u32 to, struct frame *f)
{
	struct iphdr ip;
	u32 bytes;

	if (!is_ip(f))
		return true;
	ip = ip_of(f);
	bytes = ntohs(ip.tot_len);
	assert_int_equal(ip.protocol, IPPROTO_TCP);
	assert_int_equal(net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0)), 0);
	if (path_mtu && bytes > path_mtu && ip.frag_off & htons(IP_DF)) {
		tell_too_long(!to, f);
		return false;
	}
	cut += path_mtu && bytes > path_mtu;
	longest = bytes > longest ? bytes : longest;
	return true;
}

static void start(void)
{
	path_mtu = longest = cut = 0;
	begin(passes);
}

static struct stream stream[8];

static void run(u32 n, u64 goal)
{
	u32 i, j;

	for (i = 0; i < n; i++)
		assert_true(stream_open(w, &stream[i], i * 7 % GROUPS, goal));
	for (i = 0; i < n; i++) {
		for (j = 0; j < 200000 && !atomic_load(&stream[i].closed); j++)
			turn();
		assert_true(atomic_load(&stream[i].closed));
		assert_int_equal(stream[i].got, goal);
		assert_false(stream[i].wrong);
	}
}

/* A router on the way takes packets up to 1000 bytes: all that is longer goes again, in parts. */
static void test_path(void **state)
{
	start();
	path_mtu = told_mtu = 1000;
	run(8, 300000);
	assert_int_equal(longest, 1000);
	assert_int_equal(cut, 0);
	assert_int_equal(end_count(&w->end[0], shortened), 8);
	end();
}

/* One that says nothing of how long they may be, and one that lies. */
static void test_path_unsaid(void **state)
{
	start();
	path_mtu = 1000;
	told_mtu = 0;
	run(2, 100000);
	/* 1492, 1006, 576. */
	assert_int_equal(end_count(&w->end[0], shortened), 6);
	end();
	start();
	path_mtu = 1000;
	told_mtu = 68;
	run(2, 100000);
	assert_int_equal(end_count(&w->end[0], shortened), 2);
	assert_true(longest >= NET_MTU_MIN && longest <= path_mtu);
	end();
}

/* Where even the shortest are too long, routers cut them. */
static void test_path_narrow(void **state)
{
	start();
	path_mtu = told_mtu = 300;
	run(2, 50000);
	assert_int_equal(longest, NET_MTU_MIN);
	assert_true(cut > 0);
	end();
}

/* The last segment that end 0 has sent, and where it went. */
static struct frame last;

static bool keep_last(struct wire *wire, u32 to, struct frame *f)
{
	if (!is_ip(f))
		return true;
	if (to)
		memcpy(last.data, f->data, f->p.bytes);
	return false;
}

/* About @last, with its number changed by @seq. */
static void tell(u8 type, u8 code, u32 seq)
{
	struct frame f = last;
	u8 body[36] = { type, code };
	struct tcphdr th;
	u16 sum;

	memcpy(&th, f.data + L4_AT, sizeof(th));
	th.seq = htonl(ntohl(th.seq) + seq);
	memcpy(f.data + L4_AT, &th, sizeof(th));
	memcpy(body + 8, f.data + ETH_HLEN, 28);
	sum = net_sum_end(net_sum(body, sizeof(body), 0));
	memcpy(body + 2, &sum, 2);
	give(packet(end_ip(1), 0, IPPROTO_ICMP, body, sizeof(body)), 0);
	turns(3);
}

/* Of a port where nobody is, of a way that is gone for now: RFC 1122, sec. 4.2.3.9. */
static void test_connecting(void **state)
{
	start();
	assert_true(stream_open(w, &stream[0], 5, 1000));
	turns(1500);	/* the neighbour is known */
	assert_true(atomic_load(&stream[0].runs) || stream[0].opened);
	w->look = keep_last;
	assert_true(stream_open(w, &stream[1], 5, 1000));
	turns(5);
	tell(ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	assert_int_equal(end_count(&w->end[0], errors_soft), 1);
	tell(ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 1);
	tell(ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, (u32)-2);
	assert_int_equal(end_count(&w->end[0], errors_ignored), 2);
	assert_false(atomic_load(&stream[1].closed));
	tell(ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	assert_true(atomic_load(&stream[1].closed));
	assert_false(stream[1].opened);
	w->look = passes;
	end();
}

/* One that stands is not ended, whatever somebody says; and it need not believe all. */
static void test_standing(void **state)
{
	static _Atomic bool enough;

	start();
	atomic_store(&enough, false);
	assert_true(stream_open(w, &stream[0], 5, ~0ULL));
	stream[0].enough = &enough;
	while (!atomic_load(&stream[0].runs))
		turn();
	w->look = keep_last;
	turns(300);
	tell(ICMP_DEST_UNREACH, ICMP_PORT_UNREACH, 0);
	tell(ICMP_DEST_UNREACH, ICMP_PROT_UNREACH, 0);
	tell(ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
	tell(ICMP_PARAMETERPROB, 0, 0);
	assert_int_equal(end_count(&w->end[0], errors_soft), 4);
	tell(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 1u << 20);
	tell(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, (u32)-(1 << 20));
	assert_int_equal(end_count(&w->end[0], errors_ignored), 2);
	assert_int_equal(end_count(&w->end[0], shortened), 0);
	tell(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, 0);
	assert_int_equal(end_count(&w->end[0], shortened), 1);
	assert_false(atomic_load(&stream[0].closed));
	w->look = passes;
	atomic_store(&enough, true);
	while (!atomic_load(&stream[0].closed))
		turn();
	assert_int_equal(stream[0].got, stream[0].sent);
	assert_false(stream[0].wrong);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_path_unsaid),
		cmocka_unit_test(test_path_narrow),
		cmocka_unit_test(test_connecting),
		cmocka_unit_test(test_standing),
	};

	return cmocka_run_group_tests_name("path", tests, NULL, NULL);
}
