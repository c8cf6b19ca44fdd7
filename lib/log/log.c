// SPDX-License-Identifier: GPL-2.0-or-later
/* Log lines to stderr. */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "log/log.h"
#include "log/log_format.h"
#include "log/log_limit.h"

const char *const log_level_names[LOG_LEVELS] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static enum log_level max_level = LOG_LEVEL_INFO;	/* relaxed */
static enum log_format format;
static bool journal;		/* stderr is its stream */
static struct log_limit limit = { .per_s = LOG_PER_S };
static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t out_lock = PTHREAD_MUTEX_INITIALIZER;
static u64 unread;		/* lines that found no room; under out_lock */

void log_set_level(enum log_level level)
{
	rp_store(&max_level, level);
}

bool log_wants(enum log_level level)
{
	return level <= rp_load(&max_level);
}

void log_set_rate(u32 lines_per_s)
{
	pthread_mutex_lock(&limit_lock);
	limit.per_s = lines_per_s;
	pthread_mutex_unlock(&limit_lock);
}

void log_set_format(enum log_format f)
{
	format = f;
	journal = log_is_journal(getenv("JOURNAL_STREAM"), STDERR_FILENO);
}

/* Whoever reads the log may be slow, or stopped: no thread of ours waits for it. */
static bool has_room(void)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

/* False: it has no room. (A pipe has some for a page, or none: no line is cut.) */
static bool write_line(const char *line, u32 bytes)
{
	if (!has_room())
		return false;
	/* Nobody is left to tell of an error here. */
	return write(STDERR_FILENO, line, bytes) >= 0 || errno != EAGAIN;
}

/* What was lost before is told first. out_lock is held. */
static bool tell_unread(void)
{
	char line[LOG_LINE_BYTES], text[80];
	struct log_entry e = {
		.level = LOG_LEVEL_WARN, .text = text,
		.real_ns = clock_ns(CLOCK_REALTIME), .mono_ns = clock_ns(CLOCK_MONOTONIC),
	};

	if (!unread)
		return true;
	e.bytes = (u32)snprintf(text, sizeof(text), "log: %llu lines were lost: nobody read it",
				(unsigned long long)unread);
	if (!write_line(line, log_format_line(line, &e, format, journal)))
		return false;
	unread = 0;
	return true;
}

/* @text: printable. */
static void put(enum log_level level, const char *text, u32 bytes)
{
	const struct log_entry e = {
		.level = level, .text = text, .bytes = bytes,
		.real_ns = clock_ns(CLOCK_REALTIME), .mono_ns = clock_ns(CLOCK_MONOTONIC),
	};
	char line[LOG_LINE_BYTES];
	u32 n = log_format_line(line, &e, format, journal);

	pthread_mutex_lock(&out_lock);
	if (!tell_unread() || !write_line(line, n))
		unread++;
	pthread_mutex_unlock(&out_lock);
}

/* Of a line about @name; those that were not told before it are counted in one. */
static bool may_tell(const char *name, u32 bytes)
{
	char text[128];
	bool may;
	u64 kept;
	int n;

	pthread_mutex_lock(&limit_lock);
	may = log_limit_take(&limit, name, bytes, clock_ns(CLOCK_MONOTONIC), &kept);
	pthread_mutex_unlock(&limit_lock);
	if (kept) {
		n = snprintf(text, sizeof(text), "%.*s: %llu lines were not told, see --log-rate",
			     bytes < 40 ? (int)bytes : 40, name, (unsigned long long)kept);
		put(LOG_LEVEL_WARN, text, (u32)n);
	}
	return may;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[LOG_TEXT_BYTES];
	int n, i;
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if (n > (int)sizeof(text) - 1)
		n = sizeof(text) - 1;
	/* Peers' words are in some lines: they must not forge another one. */
	for (i = 0; i < n; i++)
		if (!isprint((unsigned char)text[i]))
			text[i] = ' ';
	while (n && text[n - 1] == ' ')
		n--;
	if (may_tell(text, log_name_bytes(text, (u32)n)))
		put(level, text, (u32)n);
}
