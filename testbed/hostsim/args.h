/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that use the simulated host share. */
#ifndef HOSTSIM_ARGS_H
#define HOSTSIM_ARGS_H

#include <ctype.h>
#include <stdlib.h>

#include "json.h"

/* False unless @text is a number of 32 bits. */
static inline bool hostsim_seed(const char *text, u64 *seed)
{
	char *end;

	*seed = strtoull(text, &end, 10);
	return isdigit((unsigned char)text[0]) && !*end && *seed <= UINT32_MAX;
}

#endif /* HOSTSIM_ARGS_H */
