// SPDX-License-Identifier: GPL-2.0-or-later
/* Targets of requests: RFC 9112, sec. 3.2, RFC 3986, secs. 2.1 and 5.2.4. */
#include "target.h"

#include <http_parser.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Not longer than it was. 0: it cannot be decoded. */
static u32 decode(const char *from, u32 bytes, char *to)
{
	u32 i, n = 0;

	for (i = 0; i < bytes; i++) {
		int high, low;

		if (from[i] != '%') {
			to[n++] = from[i];
			continue;
		}
		high = bytes - i > 2 ? digit(from[i + 1]) : -1;
		low = bytes - i > 2 ? digit(from[i + 2]) : -1;
		if (high < 0 || low < 0 || !(high | low))
			return 0;
		to[n++] = (char)(high << 4 | low);
		i += 2;
	}
	return n;
}

/* Back to behind the slash before the last segment; 0: there is none. */
static u32 up(const char *path, u32 n)
{
	if (n < 2)
		return 0;
	for (n--; path[n - 1] != '/'; n--)
		;
	return n;
}

/*
 * In place: what is written is behind what is read. path[0..n) always is what was taken,
 * from a slash to a slash, but for a last segment without one.
 */
static u32 normalise(char *path, u32 bytes)
{
	u32 n = 1, i = 1;

	while (i < bytes) {
		const char *slash = memchr(path + i, '/', bytes - i);
		u32 end = slash ? (u32)(slash - path) : bytes, len = end - i;

		if (len == 2 && path[i] == '.' && path[i + 1] == '.') {
			n = up(path, n);
			if (!n)
				return 0;
		} else if (len && !(len == 1 && path[i] == '.')) {
			memmove(path + n, path + i, len);
			n += len;
			if (slash)
				path[n++] = '/';
		}
		i = end + 1;
	}
	return n;
}

u32 target_path(const char *target, u32 bytes, char *path)
{
	struct http_parser_url u;
	u32 n;

	http_parser_url_init(&u);
	if (!bytes || http_parser_parse_url(target, bytes, 0, &u) ||
	    !(u.field_set & 1 << UF_PATH))
		return 0;
	n = decode(target + u.field_data[UF_PATH].off, u.field_data[UF_PATH].len, path);
	return n && path[0] == '/' ? normalise(path, n) : 0;
}
