// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads CSV files of our own making; whoever edited them is not trusted. */
#include <stdlib.h>
#include <string.h>

#include "plot/plot.h"

static u32 split(char *line, char **cell, u32 room)
{
	u32 n = 0;
	char *c;

	line[strcspn(line, "\r\n")] = 0;
	while ((c = strsep(&line, ",")) && n < room)
		cell[n++] = c;
	return c ? room + 1 : n;
}

static u32 columns_of(const char *head)
{
	u32 n = 1;

	for (; *head; head++)
		n += *head == ',';
	return n;
}

static const char *read_rows(FILE *f, const char *path, const char *head,
			     const char *(*row)(void *ctx, char **cell), void *ctx)
{
	char *line = NULL, *cell[CSV_COLUMNS_MAX];
	const char *why = NULL;
	size_t room = 0, n;

	for (n = 1; !why && getline(&line, &room, f) > 0; n++) {
		if (n == 1)
			why = strncmp(line, head, strlen(head)) ? "its columns are others" : NULL;
		else if (split(line, cell, CSV_COLUMNS_MAX) != columns_of(head))
			why = "a row has not as many columns as the heading";
		else
			why = row(ctx, cell);
		if (why)
			why = because("%s, line %zu: %s", path, n, why);
	}
	if (!why && n == 1)
		why = because("%s is empty", path);
	free(line);
	return why;
}

const char *csv_read(const char *path, const char *head,
		     const char *(*row)(void *ctx, char **cell), void *ctx)
{
	FILE *f = fopen(path, "re");
	const char *why;

	if (!f)
		return because("cannot read %s: %m", path);
	why = read_rows(f, path, head, row, ctx);
	fclose(f);
	return why;
}

double csv_number(const char *cell)
{
	char *end;
	double v = strtod(cell, &end);

	return *cell && !*end ? v : UNKNOWN;
}

bool csv_name_ok(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-. ");

	return *name && !name[n] && n < CSV_NAME_MAX;
}
