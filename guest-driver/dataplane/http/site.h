/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that a server of HTTP has: all that is below a directory when it starts, in
 * memory that nobody writes to afterwards. So all threads read it without a word to each
 * other, and no request ever becomes a name of the file system.
 */
#ifndef DP_HTTP_SITE_H
#define DP_HTTP_SITE_H

#include "rp.h"

/* The longest path of a file, from the root's slash on. */
#define SITE_PATH_BYTES	1024u

struct site_file {
	const char *path;		/* from the root's slash on; no end of a string */
	u32 path_bytes;
	u32 head_bytes;
	const char *head;		/* Content-Type, Content-Length, Last-Modified */
	const char *modified;		/* as in Last-Modified */
	const u8 *data;
	u64 bytes;
};

struct site {
	struct site_file *file;		/* by path */
	u32 count;
	u8 *memory;			/* of all that files point to */
	u64 memory_bytes;
};

#define SITE_DATE_BYTES	30u

/* As RFC 9110, sec. 5.6.7 has it. */
void site_date(char text[SITE_DATE_BYTES], s64 seconds);

/*
 * Regular files below @root, with at most @limit_bytes of content and names. Symbolic
 * links are not followed, and names that begin with a dot are left out. The index.html
 * of a directory is there under the directory's path, too. NULL, with @why, one line.
 */
struct site *site_open(const char *root, u64 limit_bytes, char *why, u32 why_bytes);
void site_close(struct site *s);

/* NULL: there is none of that path. Any thread. */
const struct site_file *site_find(const struct site *s, const char *path, u32 bytes);

#endif /* DP_HTTP_SITE_H */
