// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both protocols of the key-value server: what is answered, whatever the pieces are in
 * which commands come and answers are taken.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <endian.h>

#include "kv_fixture.h"
#include "mem.h"
#include "wire.h"

#define LARGE	KV_VALUE_MAX

/* ---- Text ---- */

struct dialogue {
	const char *says, *hears;
};

#define TEN	"0123456789"
#define K250	TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN \
		TEN TEN TEN TEN TEN TEN

static const struct dialogue dialogues[] = {
	{ "set a 5 0 3\r\nabc\r\nget a\r\n", "STORED\r\nVALUE a 5 3\r\nabc\r\nEND\r\n" },
	{ "set a 4294967295 0 0\r\n\r\ngets a\r\n", "STORED\r\nVALUE a 4294967295 0 1\r\n\r\nEND\r\n" },
	{ "set a 0 0 2\n\r\n\r\nget a\n", "STORED\r\nVALUE a 0 2\r\n\r\n\r\nEND\r\n" },
	{ "get a b\r\nget  a  \r\n", "END\r\nEND\r\n" },
	{ "set a 0 0 1\r\n1\r\nset b 0 0 1\r\n2\r\nget x b a b\r\n",
	  "STORED\r\nSTORED\r\nVALUE b 0 1\r\n2\r\nVALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nEND\r\n" },
	{ "add a 0 0 1\r\n1\r\nadd a 0 0 1\r\n2\r\nreplace a 0 0 1\r\n3\r\nreplace b 0 0 1\r\n4\r\nget a b\r\n",
	  "STORED\r\nNOT_STORED\r\nSTORED\r\nNOT_STORED\r\nVALUE a 0 1\r\n3\r\nEND\r\n" },
	{ "append a 0 0 1\r\n1\r\nset a 7 0 1\r\n1\r\nappend a 9 0 2\r\n23\r\nprepend a 9 0 1\r\n0\r\nget a\r\n",
	  "NOT_STORED\r\nSTORED\r\nSTORED\r\nSTORED\r\nVALUE a 7 4\r\n0123\r\nEND\r\n" },
	{ "cas a 0 0 1 1\r\nx\r\nset a 0 0 1\r\n1\r\ncas a 0 0 1 9\r\n2\r\ncas a 0 0 1 0\r\n2\r\ncas a 0 0 1 1\r\n3\r\ngets a\r\n",
	  "NOT_FOUND\r\nSTORED\r\nEXISTS\r\nEXISTS\r\nSTORED\r\nVALUE a 0 1 2\r\n3\r\nEND\r\n" },
	{ "incr a 1\r\nset a 3 0 2\r\n99\r\nincr a 1\r\ndecr a 2\r\ndecr a 1000\r\nget a\r\n",
	  "NOT_FOUND\r\nSTORED\r\n100\r\n98\r\n0\r\nVALUE a 3 1\r\n0\r\nEND\r\n" },
	{ "set a 0 0 20\r\n18446744073709551615\r\nincr a 2\r\nincr a x\r\nset a 0 0 1\r\nx\r\nincr a 1\r\n"
	  "set a 0 0 20\r\n18446744073709551616\r\nincr a 1\r\n",
	  "STORED\r\n1\r\nCLIENT_ERROR invalid numeric delta argument\r\nSTORED\r\n"
	  "CLIENT_ERROR cannot increment or decrement non-numeric value\r\nSTORED\r\n"
	  "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n" },
	{ "delete a\r\nset a 0 0 1\r\n1\r\ndelete a 0\r\nget a\r\ndelete a 1\r\n",
	  "NOT_FOUND\r\nSTORED\r\nDELETED\r\nEND\r\nCLIENT_ERROR bad command line format\r\n" },
	{ "touch a 1\r\nset a 0 -1 1\r\n1\r\nget a\r\nset a 0 0 1\r\n1\r\ntouch a 100\r\ntouch a x\r\n"
	  "gat 100 a b\r\ngats 0 a\r\ngat x a\r\ngat -1 a\r\nget a\r\n",
	  "NOT_FOUND\r\nSTORED\r\nEND\r\nSTORED\r\nTOUCHED\r\nCLIENT_ERROR invalid exptime argument\r\n"
	  "VALUE a 0 1\r\n1\r\nEND\r\nVALUE a 0 1 2\r\n1\r\nEND\r\nCLIENT_ERROR bad command line format\r\n"
	  "VALUE a 0 1\r\n1\r\nEND\r\nEND\r\n" },
	{ "set a 0 0 1\r\n1\r\nflush_all 100\r\nget a\r\nflush_all\r\nget a\r\nset a 0 0 1\r\n2\r\nget a\r\n"
	  "flush_all x\r\n",
	  "STORED\r\nOK\r\nVALUE a 0 1\r\n1\r\nEND\r\nOK\r\nEND\r\nSTORED\r\nVALUE a 0 1\r\n2\r\nEND\r\n"
	  "CLIENT_ERROR bad command line format\r\n" },
	{ "set a 0 0 1 noreply\r\n1\r\nadd a 0 0 1 noreply\r\n2\r\nincr a 5 noreply\r\ntouch b 1 noreply\r\n"
	  "delete b noreply\r\ncas a 0 0 1 99 noreply\r\n3\r\nverbosity 1 noreply\r\nget a\r\nflush_all noreply\r\nget a\r\n",
	  "VALUE a 0 1\r\n6\r\nEND\r\nEND\r\n" },
	{ "verbosity 1\r\nverbosity\r\nversion noreply\r\nstats noreply\r\n\r\nget\r\nget \r\nGET a\r\nset a\r\nset a 0 0 1 2 3 4 5 6 7 8 9\r\n",
	  "OK\r\nERROR\r\nERROR\r\nERROR\r\nERROR\r\nERROR\r\nERROR\r\nERROR\r\nERROR\r\nERROR\r\n" },
	{ "set a 0 0 2\r\nabcd\r\nget a\r\nset a 0 0 2\r\nab\n\nget a\r\n",
	  "CLIENT_ERROR bad data chunk\r\nEND\r\nCLIENT_ERROR bad data chunk\r\nEND\r\n" },
	{ "set a 0 0 -1\r\nset a x 0 1\r\n1\r\nset a 0 x 1\r\n1\r\nset a 4294967296 0 1\r\n1\r\nget a\r\n",
	  "CLIENT_ERROR bad data chunk\r\nCLIENT_ERROR bad command line format\r\n"
	  "CLIENT_ERROR bad command line format\r\nCLIENT_ERROR bad command line format\r\nEND\r\n" },
	{ "set " K250 " 0 0 1\r\n1\r\nget " K250 "\r\nset " K250 "x 0 0 1\r\n1\r\nget a " K250 "x a\r\nget a\r\n",
	  "STORED\r\nVALUE " K250 " 0 1\r\n1\r\nEND\r\nCLIENT_ERROR bad command line format\r\n"
	  "CLIENT_ERROR bad command line format\r\nEND\r\n" },
	{ "get a\r\nquit\r\nget a\r\n", "END\r\n" },
};

static const u32 steps[] = { 0, 1, 3, 7, 1460 }, takes[] = { 0, 1, 5, 300 };

#define COUNT(a)	(sizeof(a) / sizeof((a)[0]))

static struct kv_store *new_store(void)
{
	struct kv_store *st = kv_store_new(KV_MEMORY_MIN, 1);

	assert_non_null(st);
	return st;
}

static void expect(const struct client *c, const void *what, size_t bytes)
{
	if (c->out_bytes == bytes && !memcmp(c->out, what, bytes))
		return;
	printf("# %zu and %zu bytes\n# heard: %.*s\n# not:   %.*s\n", c->out_bytes, bytes, (int)c->out_bytes, (char *)c->out, (int)bytes,
	       (const char *)what);
	fail();
}

static void expect_line(const struct client *c, const char *what)
{
	expect(c, what, strlen(what));
}

static void say_all(const void *says, size_t bytes, const void *hears, size_t hear_bytes, u32 step,
		    u32 take)
{
	struct kv_store *st = new_store();
	struct client c;

	client_open(&c, st);
	c.takes = take;
	client_say(&c, says, bytes, step);
	expect(&c, hears, hear_bytes);
	client_close(&c);
	kv_store_free(st);
}

/* Of each size of pieces, said and heard. */
static void in_all_pieces(const void *says, size_t bytes, const void *hears, size_t hear_bytes)
{
	u32 i, j;

	for (i = 0; i < COUNT(steps); i++)
		for (j = 0; j < COUNT(takes); j++)
			say_all(says, bytes, hears, hear_bytes, steps[i], takes[j]);
}

static void test_text(void **state)
{
	u32 i;

	for (i = 0; i < COUNT(dialogues); i++)
		in_all_pieces(dialogues[i].says, strlen(dialogues[i].says), dialogues[i].hears,
			      strlen(dialogues[i].hears));
}

static void expect_text(const char *says, size_t bytes, const char *hears)
{
	say_all(says, bytes, hears, strlen(hears), 1460, 0);
	say_all(says, bytes, hears, strlen(hears), 7, 5);
}

/* A get of more keys than any line could have, and lines that are too long. */
static void test_long_lines(void **state)
{
	char *line = malloc(1 << 20), *at = line;
	u32 i;

	at += sprintf(at, "set k7777 0 0 1\r\nv\r\nget");
	for (i = 0; i < 20000; i++)
		at += sprintf(at, " k%u", i);
	at += sprintf(at, "\r\n");
	expect_text(line, (size_t)(at - line), "STORED\r\nVALUE k7777 0 1\r\nv\r\nEND\r\n");
	memset(line, 'x', 5000);
	memcpy(line + 5000, "\r\nget a\r\n", 9);
	expect_text(line, 5009, "CLIENT_ERROR line too long\r\nEND\r\n");
	memcpy(line, "get ", 4);
	expect_text(line, 5009, "CLIENT_ERROR bad command line format\r\nEND\r\n");
	free(line);
}

static u8 byte_at(u32 i)
{
	return (u8)(i * 2654435761u >> 13);
}

/* As large as it may be, there and twice back; and one byte more, which takes the old one away. */
static void test_large(void **state)
{
	u8 *says = malloc(LARGE + 100), *hears = malloc(2 * LARGE + 200), *v;
	int n = sprintf((char *)says, "set a 0 0 %u\r\n", LARGE);
	int h = sprintf((char *)hears, "STORED\r\nVALUE a 0 %u\r\n", LARGE);
	u32 i;

	v = hears + h;
	for (i = 0; i < LARGE; i++)
		says[n + (int)i] = v[i] = byte_at(i);
	memcpy(says + n + LARGE, "\r\nget a a\r\n", 11);
	n += (int)LARGE + 11;
	h += (int)LARGE + sprintf((char *)v + LARGE, "\r\nVALUE a 0 %u\r\n", LARGE);
	memcpy(hears + h, v, LARGE);
	memcpy(hears + h + LARGE, "\r\nEND\r\n", 7);
	say_all(says, (u32)n, hears, (u32)h + LARGE + 7, 1460, 0);
	say_all(says, (u32)n, hears, (u32)h + LARGE + 7, 1460, 7000);
	say_all(says, (u32)n, hears, (u32)h + LARGE + 7, 0, 64240);

	n = sprintf((char *)says, "set a 0 0 1\r\n1\r\nset a 0 0 %u\r\n", LARGE + 1);
	memset(says + n, 'x', LARGE + 1);
	memcpy(says + n + LARGE + 1, "\r\nget a\r\n", 9);
	n += (int)LARGE + 10;
	h = sprintf((char *)hears, "STORED\r\nSERVER_ERROR object too large for cache\r\nEND\r\n");
	say_all(says, (u32)n, hears, (u32)h, 1460, 0);
	free(says);
	free(hears);
}

static void test_time(void **state)
{
	static const char set[] = "set a 0 10 1\r\n1\r\nset b 0 0 1\r\n2\r\nflush_all 20\r\n";
	struct kv_store *st = new_store();
	struct client c;

	client_open(&c, st);
	client_say(&c, set, strlen(set), 0);
	c.now_ns += 9999999999;
	client_say(&c, "get a b\r\n", 9, 0);
	c.now_ns += 1;
	client_say(&c, "get a b\r\n", 9, 0);
	c.now_ns += 10000000000;
	client_say(&c, "get a b\r\n", 9, 0);
	client_say(&c, "set b 0 0 1\r\n3\r\nget b\r\n", 23, 0);
	expect_line(&c, "STORED\r\nSTORED\r\nOK\r\nVALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n2\r\nEND\r\n"
		   "VALUE b 0 1\r\n2\r\nEND\r\nEND\r\nSTORED\r\nVALUE b 0 1\r\n3\r\nEND\r\n");
	client_close(&c);
	kv_store_free(st);
}

static void test_stats(void **state)
{
	static const char says[] = "set a 0 0 1\r\n1\r\nget a b\r\ndelete b\r\nstats\r\n";
	static const char *const lines[] = {
		"STAT cmd_get 2\r\n", "STAT cmd_set 1\r\n", "STAT get_hits 1\r\n", "STAT get_misses 1\r\n",
		"STAT delete_misses 1\r\n", "STAT curr_items 1\r\n", "STAT limit_maxbytes 8388608\r\n",
	};
	struct kv_store *st = new_store();
	struct client c;
	u32 i;

	client_open(&c, st);
	client_say(&c, says, strlen(says), 1);
	client_take(&c, (const u8 *)"", 1);
	for (i = 0; i < COUNT(lines); i++)
		assert_non_null(strstr((char *)c.out, lines[i]));
	assert_string_equal((char *)c.out + c.out_bytes - 6, "END\r\n");
	client_close(&c);
	kv_store_free(st);
}

/* ---- Binary ---- */

struct bytes {
	u8 *at;
	size_t n;
};

static void add_bytes(struct bytes *b, const void *data, size_t n)
{
	if (n)
		memcpy(b->at + b->n, data, n);
	b->n += n;
}

struct packet {
	u8 op;
	const char *extras;
	u8 extras_bytes;
	const char *key, *value;
	u16 status;
	u64 cas;
};

static void add_packet(struct bytes *b, u8 magic, const struct packet *p)
{
	u32 key = p->key ? (u32)strlen(p->key) : 0, value = p->value ? (u32)strlen(p->value) : 0;
	const struct kv_wire_head h = {
		.magic = magic, .opcode = p->op, .key_bytes = htons((u16)key),
		.extras_bytes = p->extras_bytes, .status = htons(p->status),
		.body_bytes = htonl(p->extras_bytes + key + value), .opaque = 0x01020304,
		.cas = htobe64(p->cas),
	};

	add_bytes(b, &h, sizeof(h));
	add_bytes(b, p->extras, p->extras_bytes);
	add_bytes(b, p->key, key);
	add_bytes(b, p->value, value);
}

#define E8	"\0\0\0\5\0\0\0\0", 8
#define E4	"\0\0\0\5", 4
#define NO_TIME	"\0\0\0\0", 4
#define E20	"\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\7\0\0\0\0", 20
#define E20_NO	"\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\7\377\377\377\377", 20
#define NO	NULL, 0

/* One that is not answered has a status of 0xffff. */
static const struct {
	struct packet says, hears;
} packets[] = {
	{ { KV_OP_GET, NO, "a", NULL, 0, 0 }, { KV_OP_GET, NO, NULL, "Not found", 1, 0 } },
	{ { KV_OP_GETK, NO, "a", NULL, 0, 0 }, { KV_OP_GETK, NO, "a", NULL, 1, 0 } },
	{ { KV_OP_GETKQ, NO, "a", NULL, 0, 0 }, { .status = 0xffff } },
	{ { KV_OP_SET, E8, "a", "xy", 0, 0 }, { KV_OP_SET, NO, NULL, NULL, 0, 1 } },
	{ { KV_OP_GET, NO, "a", NULL, 0, 0 }, { KV_OP_GET, E4, NULL, "xy", 0, 1 } },
	{ { KV_OP_GETKQ, NO, "a", NULL, 0, 0 }, { KV_OP_GETKQ, E4, "a", "xy", 0, 1 } },
	{ { KV_OP_ADD, E8, "a", "z", 0, 0 }, { KV_OP_ADD, NO, NULL, "Data exists for key.", 2, 0 } },
	{ { KV_OP_REPLACE, E8, "b", "z", 0, 0 }, { KV_OP_REPLACE, NO, NULL, "Not found", 1, 0 } },
	{ { KV_OP_SET, E8, "a", "z", 0, 9 }, { KV_OP_SET, NO, NULL, "Data exists for key.", 2, 0 } },
	{ { KV_OP_SETQ, E8, "a", "", 0, 1 }, { .status = 0xffff } },
	{ { KV_OP_APPENDQ, NO, "a", "12", 0, 0 }, { .status = 0xffff } },
	{ { KV_OP_PREPEND, NO, "a", "0", 0, 0 }, { KV_OP_PREPEND, NO, NULL, NULL, 0, 4 } },
	{ { KV_OP_APPEND, NO, "b", "0", 0, 0 }, { KV_OP_APPEND, NO, NULL, "Not stored.", 5, 0 } },
	{ { KV_OP_TOUCH, NO_TIME, "a", NULL, 0, 0 }, { KV_OP_TOUCH, E4, NULL, NULL, 0, 4 } },
	{ { KV_OP_GAT, NO_TIME, "a", NULL, 0, 0 }, { KV_OP_GAT, E4, NULL, "012", 0, 4 } },
	{ { KV_OP_GATKQ, NO_TIME, "a", NULL, 0, 0 }, { KV_OP_GATKQ, E4, "a", "012", 0, 4 } },
	{ { KV_OP_GATQ, NO_TIME, "b", NULL, 0, 0 }, { .status = 0xffff } },
	{ { KV_OP_INCREMENT, E20_NO, "n", NULL, 0, 0 }, { KV_OP_INCREMENT, NO, NULL, "Not found", 1, 0 } },
	{ { KV_OP_INCREMENTQ, E20, "n", NULL, 0, 0 }, { .status = 0xffff } },
	{ { KV_OP_DECREMENTQ, E20, "n", NULL, 0, 0 }, { .status = 0xffff } },
	{ { KV_OP_GET, NO, "n", NULL, 0, 0 }, { KV_OP_GET, NO_TIME, NULL, "5", 0, 6 } },
	{ { KV_OP_DELETE, NO, "a", NULL, 0, 9 }, { KV_OP_DELETE, NO, NULL, "Data exists for key.", 2, 0 } },
	{ { KV_OP_DELETEQ, NO, "a", NULL, 0, 4 }, { .status = 0xffff } },
	{ { KV_OP_DELETEQ, NO, "a", NULL, 0, 0 }, { KV_OP_DELETEQ, NO, NULL, "Not found", 1, 0 } },
	{ { KV_OP_VERBOSITY, NO_TIME, NULL, NULL, 0, 0 }, { KV_OP_VERBOSITY, NO, NULL, NULL, 0, 0 } },
	{ { 0x7f, NO, "some", "more", 0, 0 }, { 0x7f, NO, NULL, "Unknown command", 0x81, 0 } },
	{ { KV_OP_GET, NO, NULL, NULL, 0, 0 }, { KV_OP_GET, NO, NULL, "Invalid arguments", 4, 0 } },
	{ { KV_OP_GET, E4, "a", NULL, 0, 0 }, { KV_OP_GET, NO, NULL, "Invalid arguments", 4, 0 } },
	{ { KV_OP_GET, NO, K250 "x", NULL, 0, 0 }, { KV_OP_GET, NO, NULL, "Invalid arguments", 4, 0 } },
	{ { KV_OP_NOOP, NO, NULL, "x", 0, 0 }, { KV_OP_NOOP, NO, NULL, "Invalid arguments", 4, 0 } },
	{ { KV_OP_FLUSHQ, NO, NULL, NULL, 0, 0 }, { .status = 0xffff } },
	{ { KV_OP_FLUSH, NO_TIME, NULL, NULL, 0, 0 }, { KV_OP_FLUSH, NO, NULL, NULL, 0, 0 } },
	{ { KV_OP_GETQ, NO, "n", NULL, 0, 0 }, { .status = 0xffff } },
	{ { KV_OP_NOOP, NO, NULL, NULL, 0, 0 }, { KV_OP_NOOP, NO, NULL, NULL, 0, 0 } },
	{ { KV_OP_QUIT, NO, NULL, NULL, 0, 0 }, { KV_OP_QUIT, NO, NULL, NULL, 0, 0 } },
};

/* Numbers of cas count in each shard; there is one in so small a store. */
static void test_binary(void **state)
{
	struct bytes says = { malloc(65536), 0 }, hears = { malloc(65536), 0 };
	u32 i;

	for (i = 0; i < COUNT(packets); i++) {
		add_packet(&says, KV_REQUEST, &packets[i].says);
		if (packets[i].hears.status != 0xffff)
			add_packet(&hears, KV_RESPONSE, &packets[i].hears);
	}
	in_all_pieces(says.at, says.n, hears.at, hears.n);
	free(says.at);
	free(hears.at);
}

/* A head whose lengths cannot be ends the connection, as nobody knows what follows. */
static void test_binary_broken(void **state)
{
	struct kv_wire_head h = { .magic = KV_REQUEST, .key_bytes = htons(10), .body_bytes = htonl(9) };
	struct kv_store *st = new_store();
	struct client c;
	u32 i;

	for (i = 0; i < 2; i++) {
		client_open(&c, st);
		if (i)
			client_say(&c, &(struct kv_wire_head){ .magic = KV_REQUEST, .opcode = KV_OP_NOOP },
				   sizeof(h), 0);
		client_say(&c, &h, sizeof(h), 1);
		assert_true(c.s.closes);
		client_close(&c);
		h.magic = 'g';
	}
	kv_store_free(st);
}

/* Without memory for what is not whole yet a connection ends; the next ones go on. */
static void test_no_memory(void **state)
{
	struct kv_store *st = new_store();
	struct client c;
	void *taken[4096];
	u32 n = 0;

	dp_mem_limit(0);
	while (n < 4096 && (taken[n] = dp_mem_alloc(40)))
		n++;
	client_open(&c, st);
	client_say(&c, "get a\r\nget", 10, 0);
	assert_true(c.s.broken);
	expect_line(&c, "END\r\n");
	client_close(&c);
	while (n)
		dp_mem_free(taken[--n]);
	dp_mem_limit(256 << 20);
	client_open(&c, st);
	client_say(&c, "get a\r\n", 7, 1);
	expect_line(&c, "END\r\n");
	client_close(&c);
	kv_store_free(st);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_binary),
		cmocka_unit_test(test_binary_broken),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
