// SPDX-License-Identifier: GPL-2.0-or-later
/* Fills in a domain template. */
#include "vm/xml.h"

#include <stdlib.h>
#include <string.h>

static const char *escape_of(char c)
{
	switch (c) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '\'': return "&apos;";
	case '"': return "&quot;";
	default: return NULL;
	}
}

static void put_escaped(FILE *to, const char *s)
{
	const char *e;

	for (; *s; s++) {
		e = escape_of(*s);
		if (e)
			fputs(e, to);
		else
			fputc(*s, to);
	}
}

/* Length of the word after an @, 0 when there is none. */
static size_t word_len(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	return s[n] == '@' ? n : 0;
}

static const char *value_of(const struct xml_var *v, const char *word, size_t n)
{
	for (; v->word; v++)
		if (strlen(v->word) == n && !memcmp(v->word, word, n))
			return v->value;
	return NULL;
}

char *xml_fill(const char *text, const struct xml_var *vars, char *unknown)
{
	const char *value, *s = text;
	char *out = NULL;
	size_t size, n;
	FILE *to = open_memstream(&out, &size);

	unknown[0] = 0;
	while (to && *s) {
		n = *s == '@' ? word_len(s + 1) : 0;
		if (!n) {
			fputc(*s++, to);
			continue;
		}
		value = value_of(vars, s + 1, n);
		if (value)
			put_escaped(to, value);
		else if (!unknown[0])
			snprintf(unknown, 32, "%.*s", (int)(n < 31 ? n : 31), s + 1);
		s += n + 2;
	}
	if (!to || fclose(to) || unknown[0]) {
		free(out);
		return NULL;
	}
	return out;
}

/* FNV-1a, 64 bits. */
static u64 hash(const char *s, u64 h)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ULL;
	return h;
}

/* Version 8 (free form) of RFC 9562. */
void xml_uuid(const char *name, char out[37])
{
	u64 a = hash(name, 0xcbf29ce484222325ULL), b = hash(name, a);

	snprintf(out, 37, "%08x-%04x-8%03x-8%03x-%012llx", (u32)(a >> 32),
		 (u32)(a >> 16) & 0xffff, (u32)a & 0xfff, (u32)(b >> 48) & 0xfff,
		 (unsigned long long)(b & 0xffffffffffffULL));
}
