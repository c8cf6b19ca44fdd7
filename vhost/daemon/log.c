// SPDX-License-Identifier: GPL-2.0-or-later
/* Log lines to stderr. */
#include <ctype.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "log_limit.h"

const char *const log_level_names[LOG_LEVELS] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static enum log_level max_level = LOG_LEVEL_INFO;
static struct log_limit limit = { .per_s = LOG_PER_S };
static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;

void log_set_level(enum log_level level)
{
	max_level = level;
}

void log_set_rate(u32 lines_per_s)
{
	limit.per_s = lines_per_s;
}

/* @line has room for a newline behind its @n bytes. */
static void put(char *line, int n)
{
	line[n++] = '\n';
	/* Nobody is left to tell when the log cannot be written. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

/* Of a line about @name; those that were not told before it are counted in one. */
static bool may_tell(const char *name, u32 bytes)
{
	char line[128];
	bool may;
	u64 kept;
	int n;

	pthread_mutex_lock(&limit_lock);
	may = log_limit_take(&limit, name, bytes, clock_ns(CLOCK_MONOTONIC), &kept);
	pthread_mutex_unlock(&limit_lock);
	if (kept) {
		n = snprintf(line, sizeof(line) - 1, "ringpaced: warn: %.*s: %llu lines were not "
			     "told, see --log-rate", bytes < 40 ? (int)bytes : 40, name,
			     (unsigned long long)kept);
		put(line, n);
	}
	return may;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[512];
	int head, n, i;
	va_list ap;

	if (level > max_level)
		return;
	head = snprintf(line, sizeof(line), "ringpaced: %s: ",
			log_level_names[level]);
	va_start(ap, fmt);
	n = vsnprintf(line + head, sizeof(line) - head - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	n += head;
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	/* Peers' words are in some lines: they must not forge another one. */
	for (i = head; i < n; i++)
		if (!isprint((unsigned char)line[i]))
			line[i] = ' ';
	while (n > head && line[n - 1] == ' ')
		n--;
	if (may_tell(line + head, log_name_bytes(line + head, (u32)(n - head))))
		put(line, n);
}
