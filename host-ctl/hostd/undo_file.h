/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state file: a JSON object that tells all, and then a line for each thing that came
 * since. Writing one costs one system call, however much is known. A line without an
 * end was being written when the controller was killed: what it tells of was not done.
 * After UNDO_LINES_MAX lines, and when a line could not be written whole, the file is
 * replaced by one that tells all.
 */
#ifndef HOSTD_UNDO_FILE_H
#define HOSTD_UNDO_FILE_H

#include <jansson.h>

#include "rp.h"

#define UNDO_LINES_MAX	4096u

struct undo_file {
	const char *path;	/* NULL: nothing is written */
	int fd;			/* -1: the next write replaces the file */
	u32 lines;
};

/* Takes @line; makes the whole by @whole when that is due. 0 or -errno. */
int undo_file_add(struct undo_file *f, json_t *line, json_t *(*whole)(void *ctx), void *ctx);
/*
 * Each object of the file in turn, borrowed; @take returns NULL, or why it is no good. NULL, or
 * that; without a file there is none.
 */
const char *undo_file_read(const struct undo_file *f,
			   const char *(*take)(void *ctx, const json_t *o, bool first), void *ctx);
void undo_file_close(struct undo_file *f);

#endif /* HOSTD_UNDO_FILE_H */
