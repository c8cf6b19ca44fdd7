// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clients of ringpaced's control socket that are slow, deaf, long-winded, many, gone, or all
 * of it at random: each line has its reply, in order, and nobody waits for another one.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "control_script.h"
#include "rand.h"

#define HELLO	"{\"v\":1,\"id\":7,\"cmd\":\"hello\"}"
#define SCRIPTS	200u

static int set_up(void **state)
{
	bed_open();
	return 0;
}

static int tear_down(void **state)
{
	bed_settle();
	bed_close();
	return 0;
}

static void answers(const struct bed_conn *c, u32 n)
{
	assert_int_equal(c->replies, n);
	assert_int_equal(c->out_at, c->out_bytes);
}

/* A request in two pieces, cut anywhere, and in pieces of a byte. */
static void test_pieces(void **state)
{
	static const char line[] = HELLO "\n";
	struct bed_conn *c = bed_connect();
	size_t cut, bytes = strlen(line);

	for (cut = 1; cut < bytes; cut++) {
		bed_send(c, line, cut);
		bed_run();
		answers(c, (u32)cut - 1);
		bed_send(c, line + cut, bytes - cut);
		bed_run();
		answers(c, (u32)cut);
		assert_string_equal(bed_code(c, (u32)cut - 1), "");
	}
	bed.piece = 1;
	bed_say(c, HELLO);
	bed_say(c, "");
	bed_run();
	answers(c, (u32)cut + 1);
	assert_string_equal(bed_code(c, (u32)cut), "bad-json");
	/* Half a line is no request, and its client's end is no error. */
	bed_send(c, line, 5);
	c->ended = true;
	bed_run();
	answers(c, (u32)cut + 1);
	assert_int_equal(c->state, CONN_CLOSED);
}

static void test_nul(void **state)
{
	static const char bytes[] = "\0\n{\"v\":1,\"cmd\":\"hel\0lo\"}\n{\"v\":1,\"cmd\":\"hello\"}\0\n"
		"{\"v\":1,\"cmd\":\"hel\\u0000lo\"}\n\xff\n" HELLO "\n";
	struct bed_conn *c = bed_connect();
	u32 i;

	bed_send(c, bytes, sizeof(bytes) - 1);
	bed_run();
	answers(c, 6);
	for (i = 0; i < 5; i++)
		assert_string_equal(bed_code(c, i), "bad-json");
	assert_string_equal(bed_code(c, 5), "");
}

/* @bytes of a line, by calls of @piece bytes, and one behind it that is good. */
static void long_line(size_t bytes, size_t piece, const char *code)
{
	struct bed_conn *c = bed_connect();
	char *text = malloc(bytes);

	memset(text, ' ', bytes);
	memcpy(text, HELLO, strlen(HELLO));
	bed.piece = piece;
	bed_send(c, text, bytes);
	bed_send(c, "\n", 1);
	bed_say(c, HELLO);
	bed_run();
	answers(c, 2);
	assert_string_equal(bed_code(c, 0), code);
	assert_string_equal(bed_code(c, 1), "");
	free(text);
}

static void test_long(void **state)
{
	static const size_t piece[] = { 1000, 4096, 65536, 100000, 1u << 20 };
	u32 i;

	for (i = 0; i < sizeof(piece) / sizeof(piece[0]); i++) {
		long_line(LINES_BYTES_MAX - 1, piece[i], "");
		long_line(LINES_BYTES_MAX, piece[i], "");
		long_line(LINES_BYTES_MAX + 1, piece[i], "bad-json");
		long_line(2 * LINES_BYTES_MAX - 1, piece[i], "bad-json");
		long_line(2 * LINES_BYTES_MAX, piece[i], "bad-json");
		long_line(1000000, piece[i], "bad-json");
	}
}

/* One that does not end is answered, once; what its client sends behind is read. */
static void test_endless(void **state)
{
	struct bed_conn *c = bed_connect();
	char text[1000];
	u32 i;

	memset(text, '[', sizeof(text));
	for (i = 0; i < 1000; i++) {
		bed_send(c, text, sizeof(text));
		bed_run();
		assert_int_equal(c->in_at, c->in_bytes);
		answers(c, c->in_bytes > LINES_BYTES_MAX);
	}
}

/* Who sends and does not read is read from no more; the others are served. */
static void test_deaf(void **state)
{
	struct bed_conn *deaf = bed_connect(), *other = bed_connect();
	const u32 n = 1000;
	size_t read_to;
	u32 i;

	deaf->room = 100;
	for (i = 0; i < n; i++)
		bed_say(deaf, "{\"v\":1,\"id\":7,\"cmd\":\"list\"}");
	bed_run();
	answers(other, 0);
	assert_int_equal(deaf->replies, 0);
	read_to = deaf->in_at;
	assert_true(read_to < deaf->in_bytes);
	bed_say(other, HELLO);
	bed_run();
	answers(other, 1);
	assert_int_equal(deaf->in_at, read_to);
	/* A little at a time, as it is read. */
	for (i = 0; i < 1000; i++) {
		deaf->room = 100;
		bed_run();
	}
	assert_true(deaf->replies > 0 && deaf->replies < n);
	deaf->room = SIZE_MAX;
	bed_run();
	answers(deaf, n);
}

static void test_many(void **state)
{
	u32 i;

	for (i = 0; i < CONTROL_CLIENTS_MAX + 6; i++)
		bed_say(bed_connect(), HELLO);
	bed_run();
	for (i = 0; i < CONTROL_CLIENTS_MAX; i++)
		answers(&bed.conn[i], 1);
	for (; i < CONTROL_CLIENTS_MAX + 6; i++) {
		answers(&bed.conn[i], 1);
		assert_string_equal(bed_code(&bed.conn[i], 0), "busy");
		assert_int_equal(bed.conn[i].state, CONN_CLOSED);
	}
	bed.conn[5].gone = true;
	bed.conn[6].ended = true;
	bed_run();
	for (i = 0; i < 3; i++)
		bed_say(bed_connect(), HELLO);
	bed_run();
	for (i = 0; i < 3; i++) {
		answers(&bed.conn[CONTROL_CLIENTS_MAX + 6 + i], 1);
		assert_string_equal(bed_code(&bed.conn[CONTROL_CLIENTS_MAX + 6 + i], 0),
				    i < 2 ? "" : "busy");
	}
}

static void captured(const char *name, bool is)
{
	const struct port *p = net_find(&bed_net, name);
	u32 i;

	for (i = 0; i < 2 * p->opt.pairs; i++)
		assert_int_equal(!!p->queue[i]->capture, is);
}

/* A descriptor comes with its reply and no other one; a capture ends with its client. */
static void test_capture(void **state)
{
	static const char order[] = "{\"v\":1,\"cmd\":\"capture\",\"device\":\"a\"}";
	struct bed_conn *c = bed_connect(), *other = bed_connect();

	c->room = 10;
	bed_say(c, order);
	bed_say(c, order);
	bed_say(c, HELLO);
	bed_run();
	assert_int_equal(c->descriptors, 1);
	captured("a", true);
	bed_say(other, order);
	net_bed_play(20, 10);
	bed_run();
	assert_string_equal(bed_code(other, 0), "busy");
	c->room = SIZE_MAX;
	bed_run();
	answers(c, 3);
	assert_string_equal(bed_code(c, 1), "busy");
	assert_int_equal(c->descriptors, 1);
	c->gone = true;
	bed_run();
	captured("a", false);
	bed_say(other, order);
	bed_run();
	assert_string_equal(bed_code(other, 1), "");
	assert_int_equal(other->descriptors, 1);
	/* Before it has got it. */
	c = bed_connect();
	c->room = 0;
	bed_say(c, "{\"v\":1,\"cmd\":\"capture\",\"device\":\"c\",\"queue\":1}");
	bed_run();
	assert_non_null(net_find(&bed_net, "c")->queue[1]->capture);
	c->gone = true;
	bed_run();
	captured("c", false);
	assert_int_equal(c->descriptors, 0);
}

/* Orders with any numbers by clients of any kind; a third of the bytes is noise. */
static void test_random(void **state)
{
	u64 rng = test_seed();
	u32 i;

	for (i = 0; i < SCRIPTS; i++) {
		u8 text[300];
		u32 n = test_below(&rng, sizeof(text)), k;

		for (k = 0; k < n; k++)
			text[k] = test_below(&rng, 3) ? (u8)test_rand(&rng) : SCRIPT_MARK;
		script_play(text, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nul, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_endless, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_deaf, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_capture, set_up, tear_down),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
