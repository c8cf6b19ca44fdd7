// SPDX-License-Identifier: GPL-2.0-or-later
/* Values of options. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static u32 least(u32 a, u32 b, u32 c)
{
	u32 ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters must be changed, put in or left out (Levenshtein). */
static u32 distance(const char *a, const char *b)
{
	size_t i, k, n = strlen(b);
	u32 row[OPT_WORD_MAX];

	for (k = 0; k <= n; k++)
		row[k] = (u32)k;
	for (i = 0; a[i]; i++) {
		u32 diagonal = row[0];

		row[0] = (u32)i + 1;
		for (k = 0; k < n; k++) {
			u32 above = row[k + 1];

			row[k + 1] = least(above + 1, row[k] + 1, diagonal + (a[i] != b[k]));
			diagonal = above;
		}
	}
	return row[n];
}

bool opt_nearest(const char *list, const char *word, char nearest[OPT_WORD_MAX], bool *exact)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz-";
	u32 best = 3, d;

	*exact = false;
	while (*(list += strcspn(list, letters))) {
		size_t n = strspn(list, letters);
		char known[OPT_WORD_MAX] = "";

		memcpy(known, list, n < sizeof(known) ? n : sizeof(known) - 1);
		list += n;
		d = distance(word, known);
		if (d >= best || d >= strlen(known))
			continue;
		best = d;
		*exact = !d;
		strcpy(nearest, known);
	}
	return best < 3;
}
