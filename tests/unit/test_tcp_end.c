// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a server ends a connection that its peer goes on writing to, how long it waits for
 * one that does nothing, and data that it sends without a copy.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tcp_fixture.h"

#define ANSWER_BYTES	50000u
#define LIMIT_MS	3000u
#define LINGER_MS	10000u

/* The client writes until it is told to end, and notes what comes. */
static struct client {
	struct conn *c;
	u64 got, sent;
	bool wrong, writes, ends_too, told_end;
	u32 closed;
} client;

/* The server answers the first byte, all at once, and ends; or does nothing, and is late. */
static struct server {
	struct conn *c;
	u32 put, late, closed, opened;
	bool answers, again;
} server;

static u8 answer[ANSWER_BYTES];
static struct wire *w;
static u64 used;

static void client_write(struct conn *c)
{
	static const u8 some[1000];
	u32 n;

	do {
		n = client.writes ? conn_send(c, some, sizeof(some)) : 0;
		client.sent += n;
	} while (n);
}

static int client_opened(struct conn *c)
{
	client.c = c;
	conn_send(c, (const u8 *)"?", 1);
	client_write(c);
	return 0;
}

static u32 client_data(struct conn *c, const u8 *data, u32 bytes)
{
	client.wrong |= client.got + bytes > ANSWER_BYTES ||
			memcmp(data, answer + client.got, bytes);
	client.got += bytes;
	return bytes;
}

static void client_ended(struct conn *c)
{
	client.told_end = true;
	if (client.ends_too)
		conn_close(c);
}

static void client_closed(struct conn *c)
{
	client.closed++;
}

static const struct conn_app client_app = {
	.name = "client", .opened = client_opened, .data = client_data, .sent = client_write,
	.ended = client_ended, .closed = client_closed,
};

static int server_opened(struct conn *c)
{
	server.c = c;
	server.opened++;
	conn_limit(c, LIMIT_MS);
	return 0;
}

static u32 server_data(struct conn *c, const u8 *data, u32 bytes)
{
	if (server.again)
		conn_limit(c, LIMIT_MS);
	if (!server.answers)
		return bytes;
	server.put += conn_send_kept(c, answer + server.put, ANSWER_BYTES - server.put);
	if (server.put == ANSWER_BYTES)
		conn_end(c);
	return 1;
}

static void server_ended(struct conn *c)
{
	conn_close(c);
}

static void server_late(struct conn *c)
{
	server.late++;
	conn_abort(c);
}

static void server_closed(struct conn *c)
{
	server.closed++;
}

static const struct conn_app server_app = {
	.name = "server", .opened = server_opened, .data = server_data, .ended = server_ended,
	.late = server_late, .closed = server_closed,
};

static void turns(u32 ms)
{
	while (ms--) {
		wire_turn(w);
		ends_turn(w);
		atomic_fetch_add(&w->clock_ns, 1000000);
	}
}

static void begin(bool answers, bool writes, bool ends_too)
{
	u64 seed = test_seed();
	struct dp *dp;
	u32 i;

	for (i = 0; i < ANSWER_BYTES; i++)
		answer[i] = (u8)(i * 31 >> 3);
	used = dp_mem_used();
	wire_seed(seed);
	w = wire_new(1, &client_app, &server_app, wire_now);
	w->rng = seed;
	client = (struct client){ .writes = writes, .ends_too = ends_too };
	server = (struct server){ .answers = answers };
	dp = w->end[0].dp;
	assert_non_null(conn_open(&dp->threads[0], &dp->groups[3], end_ip(1), SERVICE,
				  &client_app, NULL));
	turns(2500);
	assert_int_equal(server.opened, 1);
}

static void end(void)
{
	assert_false(client.wrong);
	wire_free(w);
	assert_int_equal(dp_mem_used(), used);
}

/* The whole answer arrives, though the peer never stops. Once it does, all is over. */
static void test_end(void **state)
{
	begin(true, true, false);
	assert_int_equal(client.got, ANSWER_BYTES);
	assert_true(client.told_end);
	assert_false(client.closed || server.closed);
	assert_true(client.sent > 10 * ANSWER_BYTES);
	client.writes = false;
	conn_close(client.c);
	conn_resume(&w->end[0].dp->threads[0], client.c);
	turns(500);
	assert_int_equal(client.closed, 1);
	assert_int_equal(server.closed, 1);
	end();
}

static void test_both_end(void **state)
{
	begin(true, false, true);
	assert_int_equal(client.got, ANSWER_BYTES);
	assert_int_equal(client.closed, 1);
	assert_int_equal(server.closed, 1);
	end();
}

/* A peer that does not end is not waited for for ever. */
static void test_linger(void **state)
{
	begin(true, false, false);
	assert_true(client.told_end);
	assert_false(server.closed);
	turns(LINGER_MS);
	assert_int_equal(server.closed, 1);
	assert_int_equal(server.late, 0);
	turns(100);
	assert_int_equal(client.closed, 1);
	end();
}

static void test_late(void **state)
{
	begin(false, false, false);
	turns(LIMIT_MS - 2000);
	assert_int_equal(server.late, 0);
	turns(2000);
	assert_int_equal(server.late, 1);
	assert_int_equal(server.closed, 1);
	turns(100);
	assert_int_equal(client.closed, 1);
	end();
}

/* Each time that it is set it begins anew. */
static void test_again(void **state)
{
	begin(false, true, false);
	server.again = true;
	turns(3 * LIMIT_MS);
	assert_int_equal(server.late, 0);
	client.writes = false;
	turns(LIMIT_MS + 2000);
	assert_int_equal(server.late, 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_both_end),
		cmocka_unit_test(test_linger),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests_name("tcp_end", tests, NULL, NULL);
}
