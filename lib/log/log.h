/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines to stderr, one write each, from any thread; so many of one device a second.
 * Nobody waits: what stderr has no room for is lost, and counted in a later line.
 */
#ifndef RP_LOG_H
#define RP_LOG_H

#include "rp.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVELS
};

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

extern const char *const log_level_names[LOG_LEVELS];

/* By the main thread, at any time. */
void log_set_level(enum log_level level);
/* Would such a line be written? For those that take long to make. */
bool log_wants(enum log_level level);
/* Of each device or port, after LOG_BURST at once (log_limit.h); 0: no limit. */
void log_set_rate(u32 lines_per_s);
void log_set_format(enum log_format format);
void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)	log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)	log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif /* RP_LOG_H */
