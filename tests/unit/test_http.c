// SPDX-License-Identifier: GPL-2.0-or-later
/* The HTTP server: its files, targets, requests and replies, over a connection without TCP. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <http_parser.h>

#include "http/target.h"
#include "http_fixture.h"
#include "net/mem.h"
#include "rand.h"

#define BIG_BYTES	100000u
#define LIMIT		(1u << 20)

static struct tree tree;
static struct site *site;
static struct conn c;
static u64 used;

static int set_up(void **state)
{
	char why[256], at[256], outside[] = "/etc/passwd";

	tree_make(&tree);
	tree_dir(&tree, "/sub");
	tree_dir(&tree, "/.hidden");
	tree_file(&tree, "/index.html", 10);
	tree_file(&tree, "/big.bin", BIG_BYTES);
	tree_file(&tree, "/empty.txt", 0);
	tree_file(&tree, "/sub/index.html", 20);
	tree_file(&tree, "/sub/a b.TXT", 30);
	tree_file(&tree, "/.secret", 40);
	tree_file(&tree, "/.hidden/file", 50);
	tree_path(&tree, "/link", at);
	assert_int_equal(symlink(outside, at), 0);
	tree_path(&tree, "/away", at);
	assert_int_equal(symlink("/etc", at), 0);
	site = site_open(tree.root, LIMIT, why, sizeof(why));
	assert_non_null(site);
	http_parser_set_max_header_size(HTTP_REQUEST_BYTES);
	return 0;
}

static int tear_down(void **state)
{
	site_close(site);
	tree_remove(&tree);
	return 0;
}

/* ---- Files ---- */

static const struct site_file *find(const char *path)
{
	return site_find(site, path, (u32)strlen(path));
}

static void test_site(void **state)
{
	assert_non_null(find("/big.bin"));
	assert_int_equal(find("/big.bin")->bytes, BIG_BYTES);
	assert_int_equal(find("/big.bin")->data[1000], 1000 * 7 % 251 + 1);
	assert_int_equal(find("/empty.txt")->bytes, 0);
	assert_ptr_equal(find("/")->data, find("/index.html")->data);
	assert_int_equal(find("/sub/")->bytes, 20);
	assert_non_null(strstr(find("/sub/a b.TXT")->head, "Content-Type: text/plain"));
	assert_non_null(strstr(find("/big.bin")->head, "application/octet-stream"));
	assert_null(find("/sub"));
	assert_null(find("/link"));
	assert_null(find("/away/passwd"));
	assert_null(find("/.secret"));
	assert_null(find("/.hidden/file"));
	assert_null(find(""));
	assert_int_equal(site->count, 7);
}

static void wrong_site(const char *root, u64 limit, const char *says)
{
	char why[256] = "";

	assert_null(site_open(root, limit, why, sizeof(why)));
	assert_non_null(strstr(why, says));
}

static void test_wrong_sites(void **state)
{
	char at[256];
	struct tree none;

	wrong_site(tree.root, 50000, "--http-mib");
	wrong_site("/nowhere/at/all", LIMIT, "cannot be opened");
	tree_path(&tree, "/big.bin", at);
	wrong_site(at, LIMIT, "cannot be opened");
	tree_make(&none);
	tree_file(&none, "/.dot", 5);
	wrong_site(none.root, LIMIT, "no files");
	tree_remove(&none);
}

static void test_date(void **state)
{
	char text[SITE_DATE_BYTES];

	site_date(text, 784111777);
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	site_date(text, INT64_MAX);
	assert_int_equal(strlen(text), SITE_DATE_BYTES - 1);
}

/* ---- Targets ---- */

static void target(const char *t, const char *becomes)
{
	char path[HTTP_TARGET_BYTES];
	u32 n = target_path(t, (u32)strlen(t), path);

	assert_int_equal(n, strlen(becomes));
	assert_memory_equal(path, becomes, n);
}

static void test_targets(void **state)
{
	target("/", "/");
	target("/a", "/a");
	target("/a/b/", "/a/b/");
	target("/a%20b", "/a b");
	target("/%41%2f%2e", "/A/");
	target("/a?b=../c", "/a");
	target("/a#b", "/a");
	target("http://host:80/x/y", "/x/y");
	target("//a///b", "/a/b");
	target("/a/./b/.", "/a/b/");
	target("/a/../b", "/b");
	target("/a/b/..", "/a/");
	target("/a/%2e%2e/b", "/b");
	target("/...", "/...");
	target("/..", "");
	target("/a/../../b", "");
	target("/%2e%2e/etc/passwd", "");
	target("/..%2f..%2fetc/passwd", "");
	target("/a%00b", "");
	target("/a%0", "");
	target("/a%", "");
	target("/%zz", "");
	target("*", "");
	target("a", "");
	target("http://host", "");
	target("", "");
}

/* ---- Requests ---- */

static void begin(void)
{
	used = dp_mem_used();
	conn_begin(&c, site);
}

static void end(void)
{
	conn_http.closed(&c);
	assert_int_equal(dp_mem_used(), used);
}

/* All of it is taken, in pieces of @piece. */
static void ask_in(const char *text, u32 piece)
{
	u32 bytes = (u32)strlen(text), at, n;

	for (at = 0; at < bytes && conn_goes_on(&c); at += n) {
		n = bytes - at < piece ? bytes - at : piece;
		n = conn_http.data(&c, (const u8 *)text + at, n);
		assert_true(n || !conn_goes_on(&c));
	}
	c.out[c.bytes] = '\0';
}

static void ask(const char *text)
{
	ask_in(text, 100000);
}

static bool says(const char *text)
{
	return strstr((char *)c.out, text);
}

static bool has_status(const char *status)
{
	return !strncmp((char *)c.out, "HTTP/1.1 ", 9) && !strncmp((char *)c.out + 9, status, 3);
}

static u32 replies(void)
{
	const char *at = (char *)c.out;
	u32 n = 0;

	for (; (at = strstr(at, "HTTP/1.1 ")); at++)
		n++;
	return n;
}

static void check_body(const char *path)
{
	const struct site_file *f = find(path);

	assert_true(c.bytes > f->bytes);
	assert_memory_equal(c.out + c.bytes - f->bytes, f->data, f->bytes);
	assert_memory_equal(c.out + c.bytes - f->bytes - 4, "\r\n\r\n", 4);
}

static void test_get(void **state)
{
	begin();
	ask("GET /big.bin?x HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(has_status("200"));
	assert_true(says("\r\nContent-Length: 100000\r\n"));
	assert_true(says("\r\nDate: ") && says("\r\nLast-Modified: "));
	assert_false(says("Connection:"));
	check_body("/big.bin");
	assert_int_equal(c.kept, BIG_BYTES);
	assert_true(conn_goes_on(&c));
	end();
}

static void test_head(void **state)
{
	begin();
	ask("HEAD /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(has_status("200") && says("Content-Length: 100000"));
	assert_memory_equal(c.out + c.bytes - 4, "\r\n\r\n", 4);
	c.bytes = 0;
	ask("HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(has_status("404") && says("Content-Length: 14"));
	assert_memory_equal(c.out + c.bytes - 4, "\r\n\r\n", 4);
	assert_true(conn_goes_on(&c));
	end();
}

/* However it is cut, requests ahead of replies included. */
static void test_pieces(void **state)
{
	static const char text[] = "\r\nGET /sub/ HTTP/1.1\r\nHost: a\r\nIf-None-Match: x\r\n\r\n"
				   "GET /sub/a%20b.TXT HTTP/1.1\r\nHost: b\r\n\r\n"
				   "GET /empty.txt HTTP/1.1\r\nhOST:\r\n\r\n"
				   "GET /none HTTP/1.1\r\nHost: a\r\n\r\n";
	static u8 whole[4096];
	u32 piece, bytes;

	begin();
	ask(text);
	bytes = c.bytes;
	memcpy(whole, c.out, bytes);
	assert_int_equal(replies(), 4);
	assert_true(has_status("200") && says("HTTP/1.1 404"));
	end();
	for (piece = 1; piece < 40; piece++) {
		begin();
		ask_in(text, piece);
		assert_int_equal(c.bytes, bytes);
		/* Up to the date. */
		assert_memory_equal(c.out, whole, 17);
		assert_true(conn_goes_on(&c));
		end();
	}
}

/* While a reply has no room nothing more is taken; nothing is lost for that. */
static void test_room(void **state)
{
	const char *text = "GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n";
	u32 first = (u32)strlen(text), turns = 0;
	char both[128];

	begin();
	snprintf(both, sizeof(both), "%s%s", text, "GET /empty.txt HTTP/1.1\r\nHost: a\r\n\r\n");
	c.room = 100;
	assert_int_equal(conn_http.data(&c, (u8 *)both, (u32)strlen(both)), first);
	/* Not even the head has room. */
	assert_int_equal(c.bytes, 0);
	assert_int_equal(conn_http.data(&c, (u8 *)both + first, 5), 0);
	for (; c.bytes < BIG_BYTES && turns < 100000; turns++) {
		c.room = 1000;
		conn_http.sent(&c);
	}
	assert_true(turns < 200);
	c.room = 1000;
	conn_http.sent(&c);
	check_body("/big.bin");
	c.room = OUT_BYTES;
	c.bytes = 0;
	ask(both + first);
	assert_true(has_status("200"));
	end();
}

static void refused(const char *text, const char *status)
{
	u32 piece;

	for (piece = 1; piece < 100000; piece *= 50) {
		begin();
		ask_in(text, piece);
		assert_true(has_status(status));
		assert_int_equal(replies(), 1);
		assert_true(says("\r\nConnection: close\r\n"));
		assert_true(c.ends && !c.aborts);
		/* What comes now has nobody to read it. */
		assert_int_equal(conn_http.data(&c, (u8 *)"GET", 3), 0);
		end();
	}
}

static void test_refused(void **state)
{
	static char longs[3][20000];
	u32 i;

	refused("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", "400");
	refused("GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", "400");
	refused("GET / HTTP/1.1\r\n\r\n", "400");
	refused("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400");
	refused("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "400");
	refused("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
		"Content-Length: 5\r\n\r\n", "400");
	refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde", "405");
	refused("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "405");
	refused("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "405");
	refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "505");
	refused("GET / HTTP/111.1\r\nHost: a\r\n\r\n", "505");
	refused("GET /\r\n\r\n", "505");
	refused("\x16\x03\x01\x02", "400");
	i = (u32)sprintf(longs[0], "GET /");
	memset(longs[0] + i, 'a', HTTP_TARGET_BYTES);
	refused(longs[0], "414");
	i = (u32)sprintf(longs[1], "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	memset(longs[1] + i, 'a', HTTP_REQUEST_BYTES);
	refused(longs[1], "431");
	i = (u32)sprintf(longs[2], "GET / HTTP/1.1\r\nHost: a\r\n");
	while (i < HTTP_REQUEST_BYTES)
		i += (u32)sprintf(longs[2] + i, "A: b\r\n");
	refused(longs[2], "431");
}

static void stays(const char *text, const char *status, bool does)
{
	begin();
	ask(text);
	assert_true(has_status(status));
	assert_int_equal(conn_goes_on(&c), does);
	assert_int_equal(says("\r\nConnection: close\r\n"), !does);
	end();
}

static void test_stays(void **state)
{
	stays("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "200", true);
	stays("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "200", false);
	stays("GET / HTTP/1.0\r\n\r\n", "200", false);
	stays("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200", true);
	stays("GET /.. HTTP/1.1\r\nHost: a\r\n\r\n", "400", true);
	stays("GET /none HTTP/1.1\r\nHost: a\r\n\r\n", "404", true);
	stays("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "200",
	      true);
	stays("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "200", true);
	stays("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	      "3\r\nabc\r\n0\r\nHost: b\r\n\r\n", "200", true);
}

static void test_since(void **state)
{
	char text[256];

	begin();
	snprintf(text, sizeof(text), "GET /big.bin HTTP/1.1\r\nHost: a\r\n"
		 "If-Modified-Since: %s\r\n\r\n", find("/big.bin")->modified);
	ask(text);
	assert_true(has_status("304"));
	assert_memory_equal(c.out + c.bytes - 4, "\r\n\r\n", 4);
	assert_false(says("Content-Length"));
	c.bytes = 0;
	ask("GET /big.bin HTTP/1.1\r\nHost: a\r\nIf-Modified-Since: yesterday, or the day before "
	    "that\r\n\r\n");
	assert_true(has_status("200"));
	end();
}

/* The peer's end, and that of time, in the midst of what there is. */
static void test_ends(void **state)
{
	begin();
	conn_http.ended(&c);
	assert_true(c.closes);
	end();

	begin();
	assert_int_equal(c.limit_ms, HTTP_LIMIT_MS);
	ask("GET /big.b");
	conn_http.late(&c);
	assert_true(c.ends);
	end();

	begin();
	c.room = 1000;
	ask("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
	conn_http.ended(&c);
	assert_true(conn_goes_on(&c));
	c.limit_ms = 0;
	c.room = 1000;
	conn_http.sent(&c);
	assert_int_equal(c.limit_ms, HTTP_LIMIT_MS);
	c.room = OUT_BYTES / 2;
	conn_http.sent(&c);
	check_body("/big.bin");
	assert_true(c.ends);
	end();

	begin();
	c.room = 1000;
	ask("GET /big.bin HTTP/1.1\r\nHost: a\r\n\r\n");
	conn_http.late(&c);
	assert_true(c.aborts);
	end();
}

/* A request that has no place is refused, and a connection that has none reset. */
static void test_no_memory(void **state)
{
	static void *all[200000];
	u32 n = 0;

	begin();
	dp_mem_limit(0);
	while (n < 200000 && (all[n] = dp_mem_alloc(1600)))
		n++;
	assert_true(n < 200000);
	ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(has_status("503") && c.ends);
	while (n--)
		dp_mem_free(all[n]);
	dp_mem_limit(256u << 20);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_site),
		cmocka_unit_test(test_wrong_sites),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_stays),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests_name("http", tests, set_up, tear_down);
}
