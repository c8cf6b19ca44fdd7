// SPDX-License-Identifier: GPL-2.0-or-later
/* The load generator's protocols: replies good and bad, whole, cut anywhere, byte by byte. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "load/proto.h"
#include "rand.h"

#define KEY0	"ringpace:0000000"	/* key 0 and its value */
#define VALUE0	"aa"
#define PAGE	"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define TEXT(x)	(x), sizeof(x) - 1

enum { GET, SET };

struct reply {
	const char *text;
	enum load_outcome outcome;
};

/* From memory of its own size, in pieces that end at @cuts; how many bytes were taken. */
static size_t feed(struct load_proto *p, const struct load_request *r, const u8 *data,
		   const size_t *cuts, u32 n_cuts, enum load_outcome *outcome)
{
	struct load_parser s = { 0 };
	size_t at = 0, used, n;
	u32 i;

	*outcome = LOAD_MORE;
	for (i = 0; i < n_cuts && *outcome == LOAD_MORE; i++) {
		n = cuts[i] - at;
		u8 *piece = malloc(n ? n : 1);

		assert_non_null(piece);
		memcpy(piece, data + at, n);
		used = p->ops->parse(p, &s, r, piece, n, outcome);
		free(piece);
		assert_true(used <= n && (used == n || *outcome != LOAD_MORE));
		at += used;
	}
	return at;
}

/* Where garbage is found out does not matter. */
static void same(size_t taken, size_t end, enum load_outcome outcome, enum load_outcome expected)
{
	assert_int_equal(outcome, expected);
	if (expected != LOAD_GARBAGE)
		assert_int_equal(taken, end);
}

/* In two pieces at each place, and byte by byte: always the same. */
static void check(const struct load_proto *p, const struct load_request *r, const void *data,
		  size_t n, enum load_outcome expected)
{
	size_t whole[2] = { n, n }, *cuts = calloc(n + 1, sizeof(*cuts)), end, i;
	struct load_proto mine = *p;
	enum load_outcome outcome;

	assert_non_null(cuts);
	end = feed(&mine, r, data, whole, 1, &outcome);
	if (outcome != expected)
		fail_msg("outcome %u, not %u, of: %.*s", outcome, expected, (int)n, (const char *)data);
	for (i = 0; i <= n; i++) {
		mine = *p;
		whole[0] = i;
		same(feed(&mine, r, data, whole, 2, &outcome), end, outcome, expected);
	}
	for (i = 0; i < n; i++)
		cuts[i] = i + 1;
	mine = *p;
	same(feed(&mine, r, data, cuts, (u32)n, &outcome), end, outcome, expected);
	free(cuts);
}

/* A whole reply takes all of its bytes and none of the next one's. */
static void check_whole(const struct load_proto *p, const struct load_request *r, const char *text,
			enum load_outcome expected)
{
	const size_t n = strlen(text);
	struct load_proto mine = *p;
	enum load_outcome outcome;
	u8 *twice = malloc(2 * n);
	size_t all = 2 * n;

	assert_non_null(twice);
	memcpy(twice, text, n);
	memcpy(twice + n, text, n);
	check(p, r, text, n, expected);
	assert_int_equal(feed(&mine, r, twice, &all, 1, &outcome), n);
	assert_int_equal(outcome, expected);
	free(twice);
	if (n > 1)	/* and is none without its last byte */
		check(p, r, text, n - 1, LOAD_MORE);
}

static struct load_proto proto(const struct load_proto_ops *ops)
{
	return (struct load_proto){ .ops = ops, .opt = {
		.bytes = 20, .keys = 1000, .get_percent = 99, .host = "h", .path = "/x",
	} };
}

/* ---- Echo ---- */

static void test_echo(void **state)
{
	struct load_proto p = proto(&load_echo);
	struct load_request r = { .id = 0x1122334455667788ULL };
	u8 text[LOAD_REQUEST_MAX];
	u32 n = p.ops->write(&p, &r, text), i;

	assert_int_equal(n, 20);
	assert_true(text[0] == 0x88 && text[7] == 0x11 && text[8] == 0x89);
	check(&p, &r, text, n, LOAD_OK);
	check(&p, &r, text, n - 1, LOAD_MORE);
	for (i = 0; i < n; i++) {
		text[i] ^= 1;
		check(&p, &r, text, n, LOAD_GARBAGE);
		text[i] ^= 1;
	}
}

static void test_udp_echo(void **state)
{
	struct load_proto p = proto(&load_udp_echo);
	struct load_request r = { .id = 77 };
	struct load_parser s;
	enum load_outcome outcome;
	u8 text[LOAD_REQUEST_MAX];
	u32 n = p.ops->write(&p, &r, text), i;
	u64 id;

	for (i = 0; i <= n + 1; i++) {
		s = (struct load_parser){ 0 };
		p.ops->parse(&p, &s, &r, text, i, &outcome);
		assert_int_equal(outcome, i == n ? LOAD_OK : LOAD_WRONG);
		assert_true(p.ops->answers(text, i, &id) == (i >= 8));
		assert_true(i < 8 || id == 77);
	}
}

/* ---- memcached ---- */

static void test_memcached_requests(void **state)
{
	struct load_proto p = proto(&load_memcached);
	char text[LOAD_REQUEST_MAX];
	struct load_request r = { 0 };
	u32 i, gets = 0, n;
	u64 rng = 1;

	assert_int_equal(p.ops->setup_count(&p), 1000);
	for (i = 0; i < 1000; i++) {
		p.ops->setup(&p, &r, i);
		n = p.ops->write(&p, &r, (u8 *)text);
		assert_in_range(n, 30 + 2, 30 + 5);
		assert_true(r.op == SET && strcspn(text + 4, " ") < 20);
	}
	for (i = 0; i < 100000; i++) {
		p.ops->choose(&p, &r, test_rand(&rng));
		assert_true(r.key < 1000);
		gets += r.op == GET;
	}
	assert_in_range(gets, 98800, 99200);
	r = (struct load_request){ .op = GET };
	n = p.ops->write(&p, &r, (u8 *)text);
	assert_true(n == strlen("get " KEY0 "\r\n") && !memcmp(text, "get " KEY0 "\r\n", n));
	r.op = SET;
	n = p.ops->write(&p, &r, (u8 *)text);
	assert_true(!memcmp(text, "set " KEY0 " 0 0 2\r\n" VALUE0 "\r\n", n));
}

static void test_memcached(void **state)
{
	static const struct reply get[] = {
		{ "VALUE " KEY0 " 0 2\r\n" VALUE0 "\r\nEND\r\n", LOAD_OK },
		{ "VALUE " KEY0 " 0 2 4711\r\n" VALUE0 "\r\nEND\r\n", LOAD_OK },
		{ "VALUE " KEY0 " 0 2\r\nab\r\nEND\r\n", LOAD_WRONG },
		{ "VALUE " KEY0 " 7 2\r\n" VALUE0 "\r\nEND\r\n", LOAD_WRONG },
		{ "VALUE " KEY0 " 0 0\r\n\r\nEND\r\n", LOAD_WRONG },
		{ "VALUE " KEY0 " 0 7\r\nEND\r\n..\r\nEND\r\n", LOAD_WRONG },
		{ "END\r\n", LOAD_MISS },
		{ "ERROR\r\n", LOAD_REJECTED },
		{ "SERVER_ERROR out of memory\r\n", LOAD_REJECTED },
	}, set[] = {
		{ "STORED\r\n", LOAD_OK },
		{ "NOT_STORED\r\n", LOAD_REJECTED },
		{ "CLIENT_ERROR bad data chunk\r\n", LOAD_REJECTED },
	}, bad[] = {	/* to GET */
		{ "VALUE ringpace:00000001 0 2\r\n", LOAD_GARBAGE },
		{ "VALUE " KEY0 " 0 99999999\r\n", LOAD_GARBAGE },
		{ "VALUE " KEY0 " x 2\r\n", LOAD_GARBAGE },
		{ "VALUE " KEY0 " 0 2x\r\n", LOAD_GARBAGE },
		{ "VALUE " KEY0 " 0 -2\r\n", LOAD_GARBAGE },
		{ "VALUE " KEY0 " 0 2\r\n" VALUE0 "x\r\n", LOAD_GARBAGE },
		{ "VALUE " KEY0 " 0 2\r\n" VALUE0 "\r\nVALUE\r\n", LOAD_GARBAGE },
		{ "END\n", LOAD_GARBAGE },
		{ "STORED\r\n", LOAD_GARBAGE },
		{ "\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 400 Bad Request\r\n", LOAD_GARBAGE },
	};
	const struct load_proto p = proto(&load_memcached);
	struct load_request r = { .op = GET };
	char flood[4096];
	u32 i;

	for (i = 0; i < sizeof(get) / sizeof(get[0]); i++)
		check_whole(&p, &r, get[i].text, get[i].outcome);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(&p, &r, bad[i].text, strlen(bad[i].text), bad[i].outcome);
	check(&p, &r, TEXT("E\0D\r\n"), LOAD_GARBAGE);
	memset(flood, 'E', sizeof(flood));
	check(&p, &r, flood, sizeof(flood) / 8, LOAD_GARBAGE);
	r.op = SET;
	for (i = 0; i < sizeof(set) / sizeof(set[0]); i++)
		check_whole(&p, &r, set[i].text, set[i].outcome);
	check(&p, &r, TEXT("END\r\n"), LOAD_GARBAGE);
}

/* ---- HTTP ---- */

/* That knows what the page is. */
static struct load_proto learnt(void)
{
	struct load_proto p = proto(&load_http);
	const size_t n = strlen(PAGE);
	enum load_outcome outcome;
	struct load_request r = { 0 };

	assert_int_equal(feed(&p, &r, (const u8 *)PAGE, &n, 1, &outcome), n);
	assert_true(outcome == LOAD_OK && p.learnt && p.body_bytes == 5);
	return p;
}

static void test_http(void **state)
{
	static const struct reply whole[] = {
		{ PAGE, LOAD_OK },
		{ "HTTP/1.1 200\r\ncontent-length:5 \r\nX: y\r\n\r\nhello", LOAD_OK },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", LOAD_OK },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "2;x=y\r\nhe\r\n03\r\nllo\r\n0\r\nT: u\r\n\r\n", LOAD_OK },
		{ "HTTP/1.1 100 Continue\r\n\r\n" PAGE, LOAD_OK },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellO", LOAD_WRONG },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell", LOAD_WRONG },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", LOAD_WRONG },
		{ "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello", LOAD_REJECTED },
		{ "HTTP/1.1 304 Not Modified\r\n\r\n", LOAD_REJECTED },
		{ "HTTP/1.1 503 \r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", LOAD_REJECTED },
	}, bad[] = {
		{ "HTTP/1.1 200 OK\r\n\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
		  LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\r\nno colon\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\r\n: x\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", LOAD_GARBAGE },
		{ "HTTP/1.1 99 OK\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 2000 OK\r\n", LOAD_GARBAGE },
		{ "HTTP/2 200\r\n", LOAD_GARBAGE },
		{ "HTTP/1.\r\n", LOAD_GARBAGE },
		{ "\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n", LOAD_GARBAGE },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "ffffffffffffffffff\r\n", LOAD_GARBAGE },
	};
	const struct load_proto p = learnt();
	const struct load_request r = { 0 };
	u32 i;

	for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		check_whole(&p, &r, whole[i].text, whole[i].outcome);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(&p, &r, bad[i].text, strlen(bad[i].text), bad[i].outcome);
}

/* A head without end, in lines that are long, or many; a long one that is harmless. */
static void test_http_heads(void **state)
{
	static char head[2 * LOAD_HEAD_MAX];
	struct load_proto p = learnt();
	const struct load_request r = { 0 };
	enum load_outcome outcome;
	const size_t all = sizeof(head);
	size_t n;
	u32 i;

	memset(head, 'x', sizeof(head));
	n = (size_t)sprintf(head, "HTTP/1.1 200 OK\r\n");
	head[n] = 'x';
	feed(&p, &r, (u8 *)head, &all, 1, &outcome);
	assert_int_equal(outcome, LOAD_GARBAGE);
	for (i = (u32)n; i + 6 < sizeof(head); i += 6)
		memcpy(head + i, "a: b\r\n", 6);
	feed(&p, &r, (u8 *)head, &all, 1, &outcome);
	assert_int_equal(outcome, LOAD_GARBAGE);
	memset(head, 'x', sizeof(head));
	n = (size_t)sprintf(head, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nCookie: ");
	head[n] = 'x';
	n += 3000;
	n += (size_t)sprintf(head + n, "\r\n\r\nhello");
	check_whole(&p, &r, head, LOAD_OK);
}

/* The server says that it will close the connection. */
static void test_http_last(void **state)
{
	static const struct {
		const char *text;
		bool last;
	} v[] = {
		{ PAGE, false },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", true },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", true },
		{ "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello", false },
	};
	struct load_proto p = learnt();
	const struct load_request r = { 0 };
	enum load_outcome outcome;
	struct load_parser s;
	u32 i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		s = (struct load_parser){ 0 };
		p.ops->parse(&p, &s, &r, (const u8 *)v[i].text, strlen(v[i].text), &outcome);
		assert_int_equal(outcome, LOAD_OK);
		assert_int_equal(s.last, v[i].last);
	}
}

static void test_names(void **state)
{
	u32 i;

	for (i = 0; load_protos[i]; i++)
		assert_ptr_equal(load_proto_by_name(load_protos[i]->name), load_protos[i]);
	assert_int_equal(i, 4);
	assert_null(load_proto_by_name("smtp"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_udp_echo),
		cmocka_unit_test(test_memcached_requests),
		cmocka_unit_test(test_memcached),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_http_heads),
		cmocka_unit_test(test_http_last),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("load protocols", tests, NULL, NULL);
}
