/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of the log: as text for people, or as one JSON object. */
#ifndef RP_LOG_FORMAT_H
#define RP_LOG_FORMAT_H

#include "log/log.h"

/* Room for a line of LOG_TEXT_BYTES in any format, newline included. */
#define LOG_TEXT_BYTES	512u
#define LOG_LINE_BYTES	(2 * LOG_TEXT_BYTES + 256)

/* How text begins; at most 15 bytes. To be set before anything is logged. */
extern const char *log_program;

struct log_entry {
	enum log_level level;
	const char *text;	/* ->bytes, printable ASCII: "NAME: what happened" */
	u32 bytes;
	u64 real_ns, mono_ns;
};

/*
 * Writes a whole line, newline included; its bytes. @journal: with the level in front, as
 * the journal wants it (sd-daemon(3)).
 */
u32 log_format_line(char line[LOG_LINE_BYTES], const struct log_entry *e,
		    enum log_format format, bool journal);
/* Is descriptor @fd the one that $JOURNAL_STREAM names, DEVICE:INODE? NULL: there is none. */
bool log_is_journal(const char *stream, int fd);

#endif /* RP_LOG_FORMAT_H */
