// SPDX-License-Identifier: GPL-2.0-or-later
/* A load over the time: `ringpace load`'s intervals. */
#include "plot/plot.h"

enum { L_T, L_OFFERED, L_SENT, L_DONE, L_MISSED, L_FAILED, L_P50, L_P99, L_AGENT, L_COLUMNS };

static const char *add_row(void *ctx, char **field)
{
	struct grid *g = ctx;
	double row[L_COLUMNS];
	u32 i;

	for (i = 0; i < L_COLUMNS; i++) {
		row[i] = csv_number(field[i]);
		if (i < L_P50 && !is_known(row[i]))
			return "no number";
	}
	return grid_add(g, row) ? "out of memory" : NULL;
}

/* A step ends with the next row, and the last one is as long as that before it. */
static double width_ns(const struct grid *g, size_t row)
{
	if (g->rows < 2)
		return 1e9;
	row = row + 1 < g->rows ? row : g->rows - 2;
	return grid_at(g, row + 1, L_T) - grid_at(g, row, L_T);
}

/* As $cN: seconds, and the column, of a second or in microseconds. */
static void write_column(const struct grid *g, u32 column, FILE *to)
{
	bool rate = column < L_P50, any = false;
	size_t i;
	double v;

	fprintf(to, "$c%u << EOD\n", column);
	for (i = 0; i < g->rows; i++) {
		v = grid_at(g, i, column);
		if (!is_known(v))
			continue;
		v = rate ? v * 1e9 / width_ns(g, i) : v / 1e3;
		fprintf(to, "%.6f %.6g\n", grid_at(g, i, L_T) / 1e9, v);
		any = true;
	}
	if (!any)	/* gnuplot refuses to draw nothing */
		fputs("-9 1\n", to);
	fputs("EOD\n", to);
}

static void write_panels(FILE *to)
{
	fputs("set multiplot layout 2,1\nset ylabel \"requests/s\"\nset yrange [0:*]\n", to);
	fprintf(to, "plot $c%u with steps linewidth 2 linecolor '#808080' title 'offered', "
		"$c%u with steps linecolor '#0072B2' title 'done', "
		"$c%u with steps linecolor '#D55E00' title 'missed', "
		"$c%u with steps linecolor '#CC79A7' title 'failed'\n",
		L_OFFERED, L_DONE, L_MISSED, L_FAILED);
	fputs("set ylabel \"latency, µs\"\nset yrange [*:*]\nset logscale y\n", to);
	fprintf(to, "plot $c%u with steps linecolor '#0072B2' title 'p50', "
		"$c%u with steps linecolor '#D55E00' title 'p99', "
		"$c%u with points pointtype 7 pointsize 0.4 linecolor '#009E73' title 'agent p50'\n"
		"unset logscale y\nunset multiplot\n", L_P50, L_P99, L_AGENT);
}

static void write_script(void *ctx, FILE *to)
{
	const struct grid *g = ctx;
	u32 i;

	fputs("set encoding utf8\n", to);
	for (i = L_OFFERED; i < L_COLUMNS; i++)
		write_column(g, i, to);
	fputs("set border 3\nset tics nomirror out\nset lmargin 12\nset xlabel \"t, s\"\n"
	      "set key outside below horizontal\n", to);
	fprintf(to, "set xrange [0:%.6f]\n",
		(grid_at(g, g->rows - 1, L_T) + width_ns(g, g->rows - 1)) / 1e9);
	fputs("set terminal svg size 900,600 font 'sans-serif,12' background '#ffffff'\n"
	      "set output 'load.svg'\n", to);
	write_panels(to);
	fputs("set terminal pngcairo size 900,600 font 'sans-serif,12' background '#ffffff'\n"
	      "set output 'load.png'\n", to);
	write_panels(to);
	fputs("unset output\n", to);
}

int plot_load(const char *csv, const char *strategy, const char *dir)
{
	struct grid g;
	const char *why;
	int rc;

	grid_init(&g, L_COLUMNS);
	why = csv_read(csv, LOAD_CSV_HEAD, add_row, &g);
	if (!why && strategy)
		why = "a load has no strategies";
	if (!why && !g.rows)
		why = because("%s has no intervals", csv);
	rc = why ? fail("cannot draw the load: %s", why) :
		   gnuplot_run(dir, write_script, &g, "the load");
	grid_free(&g);
	return rc;
}
