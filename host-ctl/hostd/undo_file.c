// SPDX-License-Identifier: GPL-2.0-or-later
#include "undo_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX	(16u << 20)

/* ---- Writing ---- */

/* One write, so that a line is there whole or has no end. */
static int write_line(int fd, const json_t *v)
{
	char *text = json_dumps(v, JSON_COMPACT);
	size_t bytes = text ? strlen(text) : 0;
	ssize_t n = -1;

	errno = ENOMEM;
	if (text) {
		text[bytes] = '\n';	/* in place of its end: written by its length */
		errno = ENOSPC;		/* of a part */
		n = write(fd, text, bytes + 1);
	}
	free(text);
	return n == (ssize_t)bytes + 1 ? 0 : -errno;
}

static int replace(struct undo_file *f, const json_t *whole)
{
	char temp[160];
	int rc;

	undo_file_close(f);
	snprintf(temp, sizeof(temp), "%s.new", f->path);
	f->fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0)
		return -errno;
	rc = write_line(f->fd, whole);
	if (!rc && rename(temp, f->path))
		rc = -errno;
	if (rc)
		undo_file_close(f);
	return rc;
}

/* Somebody may have removed it. */
static bool is_there(const struct undo_file *f)
{
	struct stat st;

	return f->fd >= 0 && !fstat(f->fd, &st) && st.st_nlink;
}

int undo_file_add(struct undo_file *f, json_t *line, json_t *(*whole)(void *ctx), void *ctx)
{
	json_t *all;
	int rc;

	if (!f->path || (line && f->lines < UNDO_LINES_MAX && is_there(f))) {
		rc = f->path ? write_line(f->fd, line) : 0;
		f->lines++;
	} else {
		all = whole(ctx);
		rc = all ? replace(f, all) : -ENOMEM;
		json_decref(all);
	}
	json_decref(line);
	if (rc)
		undo_file_close(f);
	return rc;
}

void undo_file_close(struct undo_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->lines = 0;
}

/* ---- Reading ---- */

static char *read_all(const char *path, size_t *bytes)
{
	char *text = NULL;
	struct stat st;
	FILE *f = fopen(path, "re");

	if (f && !fstat(fileno(f), &st) && st.st_size >= 0 && st.st_size <= BYTES_MAX)
		text = malloc((size_t)st.st_size + 1);
	*bytes = text ? fread(text, 1, (size_t)st.st_size, f) : 0;
	if (f)
		fclose(f);
	return text;
}

/* The first object may have lines, for people; what follows has one each. */
static const char *take_all(const char *text, size_t bytes,
			    const char *(*take)(void *, const json_t *, bool), void *ctx)
{
	const char *at = text, *end = text + bytes, *why = NULL;
	json_error_t e;
	bool first;
	json_t *v;

	for (first = true; !why; first = false) {
		while (at < end && isspace((unsigned char)*at))
			at++;
		if (!first && !memchr(at, '\n', (size_t)(end - at)))
			return NULL;
		v = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK,
			       &e);
		why = v ? take(ctx, v, first) : "not JSON";
		json_decref(v);
		at += v ? e.position : 0;
	}
	return why;
}

const char *undo_file_read(const struct undo_file *f,
			   const char *(*take)(void *ctx, const json_t *o, bool first), void *ctx)
{
	const char *why = "not to be read";
	size_t bytes;
	char *text;

	if (access(f->path, F_OK) && errno == ENOENT)
		return NULL;
	text = read_all(f->path, &bytes);
	if (text)
		why = take_all(text, bytes, take, ctx);
	free(text);
	return why;
}
