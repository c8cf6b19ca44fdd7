// SPDX-License-Identifier: GPL-2.0-or-later
/* Aligned tables of text. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

struct table {
	u32 columns;
	u32 count;
	u32 size;
	char **cell;
};

struct table *table_new(u32 columns)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		abort();
	t->columns = columns;
	return t;
}

static void add(struct table *t, char *text)
{
	if (t->count == t->size) {
		t->size = t->size ? 2 * t->size : 64;
		t->cell = realloc(t->cell, t->size * sizeof(*t->cell));
	}
	if (!t->cell || !text)
		abort();
	t->cell[t->count++] = text;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	add(t, text);
}

void table_number(struct table *t, double v, int decimals)
{
	if (is_known(v))
		table_cell(t, "%.*f", decimals, v);
	else
		table_cell(t, "-");
}

static bool is_text(const char *s)
{
	return isalpha((unsigned char)s[0]);
}

static int width_of(const struct table *t, u32 col)
{
	size_t width = 0, n;
	u32 i;

	for (i = col; i < t->count; i += t->columns) {
		n = strlen(t->cell[i]);
		width = n > width ? n : width;
	}
	return (int)width;
}

/* A column is text if the first row under the heading has text there. */
static bool is_text_column(const struct table *t, u32 col)
{
	u32 i = t->columns + col;

	return i < t->count && is_text(t->cell[i]);
}

void table_print(const struct table *t, FILE *to)
{
	u32 i, col;
	int width;

	for (i = 0; i < t->count; i++) {
		col = i % t->columns;
		width = width_of(t, col);
		fprintf(to, "%s%*s", col ? "  " : "",
			is_text_column(t, col) ? -width : width, t->cell[i]);
		if (col + 1 == t->columns)
			fputc('\n', to);
	}
}

void table_print_markdown(const struct table *t, FILE *to)
{
	u32 i, col;

	for (i = 0; i < t->count; i++) {
		fprintf(to, "| %s ", t->cell[i]);
		if ((i + 1) % t->columns)
			continue;
		fprintf(to, "|\n");
		for (col = 0; i < t->columns && col < t->columns; col++)
			fprintf(to, "|---%s", col + 1 < t->columns ? "" : "|\n");
	}
}

void table_print_turned(const struct table *t, FILE *to)
{
	u32 rows = t->count / t->columns, col, row;
	int head = 0, width = 0, n;

	for (col = 0; col < t->columns; col++) {
		n = (int)strlen(t->cell[col]);
		head = n > head ? n : head;
	}
	for (row = t->columns; row < t->count; row++) {
		n = (int)strlen(t->cell[row]);
		width = n > width ? n : width;
	}
	for (col = 0; col < t->columns; col++) {
		fprintf(to, "%-*s", head, t->cell[col]);
		for (row = 1; row < rows; row++)
			fprintf(to, "  %*s", width, t->cell[row * t->columns + col]);
		fputc('\n', to);
	}
}

void table_free(struct table *t)
{
	u32 i;

	for (i = 0; i < t->count; i++)
		free(t->cell[i]);
	free(t->cell);
	free(t);
}
