// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of the log in their formats. */
#include <stdio.h>
#include <sys/stat.h>

#include "clock.h"
#include "log/log_format.h"
#include "log/log_limit.h"

const char *log_program = "ringpaced";

/* By enum log_level: those of syslog(3). */
static const u8 priorities[LOG_LEVELS] = { 3, 4, 6, 7 };

bool log_is_journal(const char *stream, int fd)
{
	unsigned long long device, inode;
	struct stat st;
	char more;

	return stream && sscanf(stream, "%llu:%llu%c", &device, &inode, &more) == 2 &&
	       fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

/* Appends "@key":"@text"; of what is printable only these two are special. */
static u32 put_string(char *to, const char *key, const char *text, u32 bytes)
{
	u32 n = (u32)sprintf(to, ",\"%s\":\"", key), i;

	for (i = 0; i < bytes; i++) {
		if (text[i] == '"' || text[i] == '\\')
			to[n++] = '\\';
		to[n++] = text[i];
	}
	to[n++] = '"';
	return n;
}

static u32 put_time(char *to, u64 real_ns, u64 mono_ns)
{
	time_t seconds = (time_t)(real_ns / NSEC_PER_SEC);
	struct tm tm;
	u32 n;

	gmtime_r(&seconds, &tm);
	n = (u32)strftime(to, 64, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &tm);
	return n + (u32)sprintf(to + n, ".%09lluZ\",\"mono_ns\":%llu",
				(unsigned long long)(real_ns % NSEC_PER_SEC),
				(unsigned long long)mono_ns);
}

static u32 put_json(char *to, const struct log_entry *e)
{
	u32 name = log_name_bytes(e->text, e->bytes), rest = 0;
	const char *level = log_level_names[e->level];
	u32 n = put_time(to, e->real_ns, e->mono_ns);

	n += put_string(to + n, "level", level, (u32)strlen(level));
	if (name < e->bytes) {
		n += put_string(to + n, "about", e->text, name);
		rest = name + 1;
		rest += rest < e->bytes && e->text[rest] == ' ';
	}
	n += put_string(to + n, "message", e->text + rest, e->bytes - rest);
	to[n++] = '}';
	return n;
}

u32 log_format_line(char line[LOG_LINE_BYTES], const struct log_entry *e,
		    enum log_format format, bool journal)
{
	u32 n = journal ? (u32)sprintf(line, "<%u>", priorities[e->level]) : 0;

	if (format == LOG_FORMAT_JSON)
		n += put_json(line + n, e);
	else
		n += (u32)sprintf(line + n, "%s: %s: %.*s", log_program, log_level_names[e->level],
				  (int)e->bytes, e->text);
	line[n++] = '\n';
	return n;
}
