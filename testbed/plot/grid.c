// SPDX-License-Identifier: GPL-2.0-or-later
/* The numbers of a figure, and their CSV. */
#include <stdlib.h>
#include <string.h>

#include "plot/plot.h"

void grid_init(struct grid *g, u32 columns)
{
	*g = (struct grid){ .columns = columns };
}

void grid_free(struct grid *g)
{
	free(g->cell);
	g->cell = NULL;
	g->rows = g->capacity = 0;
}

int grid_add(struct grid *g, const double *row)
{
	size_t bytes = g->columns * sizeof(*row), more = g->capacity ? 2 * g->capacity : 64;
	double *cell;

	if (g->rows == g->capacity) {
		cell = realloc(g->cell, more * bytes);
		if (!cell)
			return fail("plot: out of memory");
		g->cell = cell;
		g->capacity = more;
	}
	memcpy(g->cell + g->rows++ * g->columns, row, bytes);
	return 0;
}

u32 figure_columns(const struct figure *f)
{
	u32 n = 0;

	while (f->curves[n].column)
		n++;
	return n + 1;
}

static void write_cells(const struct figure *f, const struct grid *g, FILE *to)
{
	size_t r;
	u32 c;

	fputs(f->x_column, to);
	for (c = 1; c < g->columns; c++)
		fprintf(to, ",%s", f->curves[c - 1].column);
	for (r = 0; r < g->rows; r++) {
		for (c = 0; c < g->columns; c++) {
			fputc(c ? ',' : '\n', to);
			if (is_known(grid_at(g, r, c)))
				fprintf(to, "%.10g", grid_at(g, r, c));
		}
	}
	fputc('\n', to);
}

int csv_write(const struct figure *f, const struct grid *g, const char *dir)
{
	char path[600];
	FILE *to;
	int bad;

	snprintf(path, sizeof(path), "%s/fig-%02u.csv", dir, f->number);
	to = fopen(path, "we");
	if (!to)
		return fail("cannot write %s: %m", path);
	write_cells(f, g, to);
	bad = ferror(to);
	if (fclose(to) || bad)
		return fail("cannot write %s: %m", path);
	return 0;
}
