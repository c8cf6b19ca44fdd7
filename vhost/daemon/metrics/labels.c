// SPDX-License-Identifier: GPL-2.0-or-later
/* Labels of metrics as text. */
#include <stdio.h>
#include <string.h>

#include "labels.h"

static char escape_of(char c)
{
	return c == '\n' ? 'n' : c == '\\' || c == '"' ? c : 0;
}

void labels_add(char *text, size_t bytes, const char *name, const char *value)
{
	size_t begin = strlen(text), at = begin;
	int n = snprintf(text + at, bytes - at, "%s%s=\"", at ? "," : "", name);

	if (n < 0 || (size_t)n >= bytes - at)
		goto too_long;
	for (at += (size_t)n; *value; value++) {
		char e = escape_of(*value);

		/* Of this, of the quote behind it, of the end. */
		if (at + (e ? 2 : 1) + 2 > bytes)
			goto too_long;
		if (e)
			text[at++] = '\\';
		text[at++] = e ? e : *value;
	}
	if (at + 2 > bytes)
		goto too_long;
	text[at++] = '"';
	text[at] = '\0';
	return;
too_long:
	text[begin] = '\0';
}
