// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * TCP of flow groups, turn by turn: two ends, a wire that a test plays, and a clock of
 * its own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

/* Room for all windows of a queue's streams at once. */
#define SLOTS	1024u
#include "tcp_streams.h"

#define THREADS	2u
#define STREAMS	40u

static struct wire *w;
static struct stream stream[STREAMS];
static u64 used, joined;

static void begin(void)
{
	u64 seed = test_seed();

	used = dp_mem_used();
	wire_seed(seed);
	w = wire_new(THREADS, &stream_app, &conn_echo, wire_now);
	w->rng = seed;
}

/* All memory is back. */
static void end(void)
{
	u32 i;

	for (i = 0; i < ENDS; i++) {
		assert_int_equal(end_late(&w->end[i]), 0);
		joined += end_count(&w->end[i], joined);
	}
	wire_free(w);
	assert_int_equal(dp_mem_used(), used);
}

/* A millisecond. */
static void turn(void)
{
	wire_turn(w);
	ends_turn(w);
	atomic_fetch_add(&w->clock_ns, 1000000);
}

static void turns(u32 n)
{
	while (n--)
		turn();
}

static bool all_closed(u32 n)
{
	while (n--)
		if (!atomic_load(&stream[n].closed))
			return false;
	return true;
}

/* Of end 0's group. */
static struct dp_thread *owner(u32 g)
{
	struct dp *dp = w->end[0].dp;

	return &dp->threads[dp_owner(dp, g)];
}

static void open_streams(u32 n, u64 goal)
{
	u32 i;

	for (i = 0; i < n; i++)
		assert_true(stream_open(w, &stream[i], i * 7 % GROUPS, goal));
}

/* Until all streams are closed; a virtual minute is long. */
static void run(u32 n)
{
	u32 i;

	for (i = 0; i < 60000 && !all_closed(n); i++)
		turn();
	assert_true(all_closed(n));
}

static void check(u32 n, u64 goal)
{
	while (n--) {
		assert_false(stream[n].wrong);
		assert_int_equal(stream[n].got, goal);
	}
}

static void test_echo(void **state)
{
	begin();
	open_streams(STREAMS, 100000);
	run(STREAMS);
	check(STREAMS, 100000);
	/* Each came to the group that has opened it, and each has found a neighbour. */
	assert_int_equal(end_count(&w->end[1], opened), STREAMS);
	turns(100);
	assert_int_equal(end_count(&w->end[1], closed), STREAMS);
	assert_int_equal(end_count(&w->end[0], malformed) + end_count(&w->end[1], malformed), 0);
	assert_int_equal(w->lost, 0);
	end();
}

static void test_bad_wire(void **state)
{
	begin();
	w->lose = 20;
	w->twice = 10;
	w->overtake = 50;
	open_streams(8, 200000);
	run(8);
	check(8, 200000);
	assert_true(w->lost > 0);
	end();
}

/* Of end 0's frames so many SYNs are lost, and then the first segment so many times. */
static u32 syns_to_lose, firsts_to_lose, first_seq;

static bool is_not_lost(struct wire *on, u32 to, struct frame *f)
{
	struct tcphdr tcp;
	u32 *n;

	if (!to || f->data[ETH_HLEN + offsetof(struct iphdr, protocol)] != IPPROTO_TCP)
		return true;
	memcpy(&tcp, f->data + ETH_HLEN + sizeof(struct iphdr), sizeof(tcp));
	if (tcp.syn)
		first_seq = ntohl(tcp.seq) + 1;
	else if (ntohl(tcp.seq) != first_seq || f->p.bytes < 1000)
		return true;
	n = tcp.syn ? &syns_to_lose : &firsts_to_lose;
	if (!*n)
		return true;
	--*n;
	return false;
}

/* RFC 6298: three SYNs take 3 s; the data begin with a time-out of 3 s, which doubles. */
static void test_lost_syns(void **state)
{
	u32 i;

	begin();
	/* The neighbour is known from then on. */
	open_streams(1, 1000);
	run(1);
	w->look = is_not_lost;
	syns_to_lose = 3;
	firsts_to_lose = 2;
	assert_true(stream_open(w, &stream[1], 7, 200000));
	for (i = 0; i < 15000 && !atomic_load(&stream[1].closed); i++)
		turn();
	assert_true(atomic_load(&stream[1].closed));
	assert_int_equal(syns_to_lose + firsts_to_lose, 0);
	assert_int_equal(stream[1].got, 200000);
	assert_false(stream[1].wrong);
	/* No sooner, either. */
	assert_true(i > 12000);
	end();
}

/* No frames for end @i from now on, but those that come. */
static void starve(u32 i)
{
	struct soft_port *sp = w->end[i].sp;
	struct dp_pkt *p;
	u32 q;

	w->starves[i] = true;
	for (q = 0; q < THREADS; q++)
		while ((p = sp->port.ops->alloc(&sp->port, q)))
			dp_list_add(&w->spare, p);
}

/* Frames that are lost, and none to send them again in, for longer than TCP waits. */
static void test_few_frames(void **state)
{
	static _Atomic bool enough;
	u32 i, e;

	begin();
	open_streams(8, ~0ULL);
	for (i = 0; i < 8; i++)
		stream[i].enough = &enough;
	/* The first requests are lost until the neighbour is known. */
	for (i = 0; i < 8; i++)
		while (!atomic_load(&stream[i].runs))
			turn();
	w->lose = 20;
	for (i = 0; i < 20000; i++) {
		turn();
		for (e = 0; e < ENDS; e++)
			if (!w->starves[e] && !test_below(&w->rng, 300))
				starve(e);
			else if (w->starves[e] && !test_below(&w->rng, 300))
				w->starves[e] = false;
	}
	assert_true(end_count(&w->end[0], no_memory) && end_count(&w->end[1], no_memory));
	memset(w->starves, 0, sizeof(w->starves));
	atomic_store(&enough, true);
	/* A window that was closed in a drought is asked about once a minute by then. */
	turns(120000);
	run(8);
	for (i = 0; i < 8; i++) {
		assert_true(stream[i].got > 0 && stream[i].got == stream[i].sent);
		assert_false(stream[i].wrong);
	}
	end();
}

/* One that does not read holds its peer up, and nobody else. */
static void test_closed_window(void **state)
{
	u64 passed;
	u32 i;

	begin();
	open_streams(2, 400000);
	stream[0].mute = true;
	for (i = 0; i < 5000 && !atomic_load(&stream[1].closed); i++)
		turn();
	assert_int_equal(stream[0].got, 0);
	assert_int_equal(stream[1].got, 400000);
	assert_true(stream[0].sent < 400000);
	turns(10000);
	/* Two closed windows are asked about now and then. */
	passed = w->passed;
	turns(1000);
	assert_true(w->passed - passed < 10);
	stream[0].mute = false;
	conn_resume(owner(0), stream[0].c);
	run(2);
	check(2, 400000);
	end();
}

static void test_abort(void **state)
{
	begin();
	open_streams(2, 10000000);
	while (stream[0].got < 100000)
		turn();
	conn_abort(stream[0].c);
	conn_resume(owner(0), stream[0].c);
	run(1);
	turns(50);
	assert_int_equal(end_count(&w->end[1], closed), 1);
	assert_false(atomic_load(&stream[1].closed));
	end();
}

/* All groups of both ends, again and again, while streams go on. */
static void test_moves(void **state)
{
	u32 i, e, g, moves = 0;

	begin();
	open_streams(STREAMS, 100000);
	for (i = 0; i < 60000 && !all_closed(STREAMS); i++) {
		turn();
		for (e = 0; e < ENDS; e++)
			for (g = i % 3; g < GROUPS; g += 3)
				moves += !dp_move(w->end[e].dp, g,
						  (dp_owner(w->end[e].dp, g) + 1) % THREADS);
	}
	check(STREAMS, 100000);
	assert_true(moves > 1000);
	turns(50);
	for (e = 0; e < ENDS; e++)
		assert_int_equal(w->end[e].dp->moves.dropped, 0);
	end();
}

/* While there is no memory nothing comes, and nobody is harmed; then all goes on. */
static void test_no_memory(void **state)
{
	static void *all[500000];
	u32 n = 0, i;

	begin();
	open_streams(4, 300000);
	while (stream[0].got < 50000)
		turn();
	dp_mem_limit(0);
	for (i = 0; i <= 11; i++)
		while (n < 500000 && (all[n] = dp_mem_alloc(i < 11 ? 48u << i / 2 : 2032)))
			n++;
	assert_true(n < 500000);
	turns(3000);
	assert_true(end_count(&w->end[0], no_memory) + end_count(&w->end[1], no_memory) > 0);
	assert_false(all_closed(1));
	while (n--)
		dp_mem_free(all[n]);
	run(4);
	check(4, 300000);
	dp_mem_limit(256u << 20);
	end();
}

/* ---- What somebody else sends into a connection ---- */

static struct tcphdr seen;	/* of the last segment to end 1 */
static u32 acks;		/* segments without data from end 1 */

static bool look(struct wire *wire, u32 to, struct frame *f)
{
	if (f->p.data[12] != 8 || f->p.data[13])
		return true;
	if (to)
		memcpy(&seen, f->data + ETH_HLEN + sizeof(struct iphdr), sizeof(seen));
	else
		acks += f->p.bytes == ETH_HLEN + sizeof(struct iphdr) + sizeof(struct tcphdr);
	return true;
}

/* To end 1, with flags, and @seq and @ack away from what its peer would send. */
static void inject(u8 flags, u32 seq, u32 ack, const char *data)
{
	struct frame *f = (struct frame *)dp_list_pop(&w->spare);
	u32 bytes = (u32)strlen(data);
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
		.tot_len = htons((u16)(sizeof(ip) + sizeof(struct tcphdr) + bytes)),
		.saddr = end_ip(0), .daddr = end_ip(1),
	};
	struct tcphdr th = seen;

	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	th.doff = 5;
	th.seq = htonl(ntohl(seen.seq) + seq);
	th.ack_seq = htonl(ntohl(seen.ack_seq) + ack);
	((u8 *)&th)[13] = flags;
	memcpy(f->data, (u8[]){ 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0 }, ETH_HLEN);
	memcpy(f->data + ETH_HLEN, &ip, sizeof(ip));
	memcpy(f->data + ETH_HLEN + sizeof(ip), &th, sizeof(th));
	memcpy(f->data + ETH_HLEN + sizeof(ip) + sizeof(th), data, bytes);
	f->p.bytes = ETH_HLEN + (u32)sizeof(ip) + (u32)sizeof(th) + bytes;
	steer_frame(&w->end[1], &f->p);
	f->p.sound = true;
	assert_true(soft_port_input(w->end[1].sp, &f->p));
	acks = 0;
	turns(5);
}

#define RST	4
#define SYN	2
#define ACK	16

/* RFC 5961. */
static void test_blind(void **state)
{
	begin();
	w->look = look;
	assert_true(stream_open(w, &stream[0], 5, 3000));
	/* What comes back is not read, so that the connection stays. */
	stream[0].mute = true;
	turns(8000);
	acks = 0;
	turns(20);
	assert_int_equal(acks, 0);
	inject(RST, 100, 0, "");
	assert_int_equal(acks, 1);
	/* One for each half second. */
	inject(SYN, 100, 0, "");
	assert_int_equal(acks, 0);
	turns(600);
	inject(SYN, 100, 0, "");
	assert_int_equal(acks, 1);
	turns(600);
	inject(ACK, 0, 1u << 30, "data that nobody has sent");
	assert_int_equal(acks, 1);
	inject(0, 0, 0, "data without an ACK");
	assert_int_equal(acks, 0);
	assert_int_equal(end_count(&w->end[1], closed), 0);
	/* The very number that is expected: it could be the peer. */
	inject(RST, 0, 0, "");
	assert_int_equal(end_count(&w->end[1], closed), 1);
	end();
}

/* All of this over ports that cut long frames, or none that does. */
static void test_joined(void **state)
{
	if (SUPER_BYTES)
		assert_true(joined > 10000);
	else
		assert_int_equal(joined, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_bad_wire),
		cmocka_unit_test(test_lost_syns),
		cmocka_unit_test(test_few_frames),
		cmocka_unit_test(test_closed_window),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_blind),
		cmocka_unit_test(test_joined),
	};

	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
