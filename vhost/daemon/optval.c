// SPDX-License-Identifier: GPL-2.0-or-later
/* Values of options. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "optval.h"

bool opt_u32(const char *s, u32 min, u32 max, u32 *out)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(s, &end, 10);
	if (!isdigit((unsigned char)*s) || *end || errno || v < min || v > max)
		return false;
	*out = (u32)v;
	return true;
}
