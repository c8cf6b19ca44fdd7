/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options from a YAML file.
 *
 * The file is written again into what the command line would say, entry by entry,
 * and goes through the same parsers (options.h): there is no rule here but of the
 * file's shape. What a parser says begins with the key that it is about, by
 * which the line is found, or is "unknown key: only a, b are known".
 */
#ifndef RINGPACED_CONFIG_H
#define RINGPACED_CONFIG_H

#include "options.h"

#define CONFIG_MAX_BYTES	(1u << 20)

typedef void config_tell(void *ctx, const char *line);

/*
 * Adds to @o what @text says; @name is the file's, for messages. Each error is told as
 * one line NAME:LINE: KEY: what is wrong; how many there were.
 */
u32 config_parse(const char *name, const char *text, size_t bytes, struct options *o,
		 config_tell *tell, void *ctx);
/* The same of the file at @path. */
u32 config_read(const char *path, struct options *o, config_tell *tell, void *ctx);

#endif /* RINGPACED_CONFIG_H */
