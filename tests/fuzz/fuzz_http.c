// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is what a client sends to the HTTP server, how it is cut, and
 * how much room there is for replies. Crashes and sanitizer reports count, memory that is
 * gone, requests that are neither taken nor answered, and replies that are none.
 */
#include <http_parser.h>

#include "../unit/http_fixture.h"
#include "net/mem.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static struct tree tree;
static struct site *site;
static struct conn c;

static void clean_up(void)
{
	tree_remove(&tree);
}

static void set_up(void)
{
	tree_make(&tree);
	atexit(clean_up);
	tree_dir(&tree, "/a");
	tree_file(&tree, "/index.html", 5);
	tree_file(&tree, "/a/b", 3000);
	tree_file(&tree, "/a/c.txt", 0);
	site = http_open(tree.root, 1 << 20);
	if (!site)
		abort();
}

/* Whole replies, one behind the other, but for the last one if the server was stopped. */
static void check_replies(void)
{
	http_parser_settings none = { 0 };
	http_parser p;
	u32 at = 0;

	while (at < c.bytes) {
		static const char ours[] = "HTTP/1.1 ";
		u8 *end = memmem(c.out + at, c.bytes - at, "\r\n\r\n", 4);
		u32 n = c.bytes - at, head = end ? (u32)(end - c.out) + 4 - at : n;

		if (memcmp(c.out + at, ours, n < 9 ? n : 9))
			abort();
		http_parser_init(&p, HTTP_RESPONSE);
		if (http_parser_execute(&p, &none, (char *)c.out + at, head) != head)
			abort();
		at += head;
		/* What follows is its content, or, of one to HEAD, the next reply. */
		if (at < c.bytes && p.content_length && p.content_length != ~0ULL &&
		    memcmp(c.out + at, ours, c.bytes - at < 9 ? c.bytes - at : 9))
			at += p.content_length < c.bytes - at ? (u32)p.content_length :
								c.bytes - at;
	}
}

/* One piece of what has come; how much was taken. */
static u32 show(const u8 *data, u32 bytes, u32 room)
{
	u32 n;

	c.room += room;
	if (c.room > OUT_BYTES - c.bytes)
		c.room = OUT_BYTES - c.bytes;
	n = conn_http.data(&c, data, bytes);
	if (n > bytes)
		abort();
	/* There was room enough for any head, and it does not go on. */
	if (!n && bytes && conn_goes_on(&c) && c.room > 8192)
		abort();
	return n;
}

static void talk(const u8 *data, u32 left)
{
	while (left > 2 && conn_goes_on(&c)) {
		u32 piece = data[0] + 1u, room = data[1] * 16u;

		data += 2;
		left -= 2;
		piece = piece < left ? piece : left;
		left -= piece;
		while (piece && conn_goes_on(&c) && c.bytes < OUT_BYTES) {
			u32 n = show(data, piece, room);

			data += n;
			piece -= n;
			if (!n)
				room += 512;
		}
		if (c.bytes == OUT_BYTES)
			return;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	u64 used;

	if (!site)
		set_up();
	used = dp_mem_used();
	conn_begin(&c, site);
	c.room = 0;
	talk(data, (u32)bytes);
	if (conn_goes_on(&c)) {
		if (bytes & 1)
			conn_http.ended(&c);
		else
			conn_http.late(&c);
		c.room = OUT_BYTES - c.bytes;
		conn_http.sent(&c);
	}
	check_replies();
	conn_http.closed(&c);
	if (dp_mem_used() != used)
		abort();
	return 0;
}
