// SPDX-License-Identifier: GPL-2.0-or-later
/* Log lines to stderr. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"

const char *const log_level_names[LOG_LEVELS] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static enum log_level max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	max_level = level;
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
	line[n++] = '\n';
	/* Nobody is left to tell when the log cannot be written. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}
