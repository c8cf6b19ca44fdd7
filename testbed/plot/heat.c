// SPDX-License-Identifier: GPL-2.0-or-later
/* Heat maps of a grid's regrets: W_P across, W_C up, a panel for each L and D_MAX. */
#include <stdlib.h>
#include <string.h>

#include "plot/plot.h"

#define PANEL_PX	240
#define VALUES_MAX	16

enum { WP, WC, LEN, DMAX, AXES };

struct axis {
	u32 n;
	double v[VALUES_MAX];	/* ascending */
};

struct cell {
	double at[AXES];
	char work[CSV_NAME_MAX], strategy[CSV_NAME_MAX];
	double x_regret, e_regret;	/* UNKNOWN: infeasible, or not measured */
};

struct heat {
	struct axis axis[AXES];
	struct cell *cells;
	size_t n, room;
	/* Of the map that is being drawn. */
	const char *strategy, *work;
	bool energy;		/* else throughput */
};

/* ---- The data ---- */

static bool add_value(struct axis *a, double v)
{
	u32 i, j;

	for (i = 0; i < a->n && a->v[i] < v; i++)
		;
	if (i < a->n && a->v[i] == v)
		return true;
	if (a->n == VALUES_MAX)
		return false;
	for (j = a->n++; j > i; j--)
		a->v[j] = a->v[j - 1];
	a->v[i] = v;
	return true;
}

static struct cell *new_cell(struct heat *h)
{
	struct cell *more;

	if (h->n == h->room) {
		h->room = h->room ? 2 * h->room : 256;
		more = realloc(h->cells, h->room * sizeof(*more));
		if (!more)
			return NULL;
		h->cells = more;
	}
	return &h->cells[h->n++];
}

static const char *add_row(void *ctx, char **field)
{
	enum { F_WORK = 4, F_STRATEGY = 7, F_X = 12, F_E = 13 };
	struct heat *h = ctx;
	struct cell *c = new_cell(h);
	u32 i;

	if (!c)
		return "out of memory";
	for (i = 0; i < AXES; i++) {
		c->at[i] = csv_number(field[i]);
		if (!(c->at[i] > 0))
			return "W, L or D_MAX is no number above 0";
		if (!add_value(&h->axis[i], c->at[i]))
			return "more than 16 values of W, L or D_MAX";
	}
	if (!csv_name_ok(field[F_WORK]) || !csv_name_ok(field[F_STRATEGY]))
		return "no name of work or strategy";
	strcpy(c->work, field[F_WORK]);
	strcpy(c->strategy, field[F_STRATEGY]);
	c->x_regret = csv_number(field[F_X]);
	c->e_regret = csv_number(field[F_E]);
	return NULL;
}

static bool has_strategy(const struct heat *h, const char *name)
{
	size_t i;

	for (i = 0; i < h->n && strcmp(h->cells[i].strategy, name); i++)
		;
	return i < h->n;
}

/* Whose regrets: @asked's, else adaptive's, else the first's. */
static const char *choose(struct heat *h, const char *path, const char *asked)
{
	if (!h->n)
		return because("%s has no cells", path);
	h->strategy = asked ? asked : has_strategy(h, "adaptive") ? "adaptive" : h->cells[0].strategy;
	if (!has_strategy(h, h->strategy))
		return because("%s has no strategy %s", path, h->strategy);
	return NULL;
}

/* ---- The script ---- */

static u32 index_of(const struct axis *a, double x)
{
	u32 i;

	for (i = 0; i < a->n && a->v[i] != x; i++)
		;
	return i;
}

/* An infeasible cell is not drawn: the panel's grey shows. */
static void write_data(const struct heat *h, u32 l, u32 d, FILE *to)
{
	const struct cell *c;
	double regret;

	fprintf(to, "$p%u_%u << EOD\n", l, d);
	/* One cell that lies outside: gnuplot refuses to draw nothing. */
	fputs("-9 -9 1\n", to);
	for (c = h->cells; c < h->cells + h->n; c++) {
		regret = h->energy ? c->e_regret : c->x_regret;
		if (!strcmp(c->strategy, h->strategy) && !strcmp(c->work, h->work) &&
		    c->at[LEN] == h->axis[LEN].v[l] && c->at[DMAX] == h->axis[DMAX].v[d] &&
		    is_known(regret))
			fprintf(to, "%u %u %.4f\n", index_of(&h->axis[WP], c->at[WP]),
				index_of(&h->axis[WC], c->at[WC]), regret);
	}
	fputs("EOD\n", to);
}

static void write_tics(const char *name, const struct axis *a, FILE *to)
{
	u32 i;

	fprintf(to, "set %stics (", name);
	for (i = 0; i < a->n; i++)
		fprintf(to, "%s\"%.2g\" %u", i ? ", " : "", a->v[i] / 1000, i);
	fprintf(to, ")\nset %srange [-0.5:%g]\n", name, a->n - 0.5);
}

static void write_panels(const struct heat *h, FILE *to)
{
	const struct axis *len = &h->axis[LEN], *dmax = &h->axis[DMAX];
	u32 l, d;

	fprintf(to, "set multiplot layout %u,%u title \"%s: %s, %s work\" font ',16'\n", len->n,
		dmax->n, h->strategy, h->energy ? "E / E*" : "X* / X", h->work);
	for (l = 0; l < len->n; l++)
		for (d = 0; d < dmax->n; d++)
			fprintf(to, "set title \"L %g, D_{MAX} %g µs\"\nplot $p%u_%u using "
				"1:2:(0.48):(0.48):3 with boxxyerror fillcolor palette notitle\n",
				len->v[l], dmax->v[d] / 1000, l, d);
	fputs("unset multiplot\n", to);
}

static void write_script(void *ctx, FILE *to)
{
	const struct heat *h = ctx;
	const u32 w = 80 + h->axis[DMAX].n * (PANEL_PX + 40);
	const u32 height = 60 + h->axis[LEN].n * (PANEL_PX + 20);
	const char *kind = h->energy ? "energy" : "throughput";
	u32 l, d;

	fputs("set encoding utf8\n", to);
	for (l = 0; l < h->axis[LEN].n; l++)
		for (d = 0; d < h->axis[DMAX].n; d++)
			write_data(h, l, d, to);
	write_tics("x", &h->axis[WP], to);
	fputs("set xtics rotate by 45 right\n", to);
	write_tics("y", &h->axis[WC], to);
	fprintf(to, "set xlabel \"W_P, µs\"\nset ylabel \"W_C, µs\"\nset style fill solid noborder\n"
		"set object 1 rectangle from graph 0,0 to graph 1,1 behind fillcolor '#d0d0d0'\n"
		"set palette defined (0 '#009E73', 1 '#F0E442', 2 '#D55E00')\n"
		"set cbrange [1:%s]\n", h->energy ? "1.3" : "1.1");
	fprintf(to, "set terminal svg size %u,%u font 'sans-serif,12' background '#ffffff'\n"
		"set output 'grid-%s-%s.svg'\n", w, height, kind, h->work);
	write_panels(h, to);
	fprintf(to, "set terminal pngcairo size %u,%u font 'sans-serif,12' background '#ffffff'\n"
		"set output 'grid-%s-%s.png'\n", w, height, kind, h->work);
	write_panels(h, to);
	fputs("unset output\n", to);
}

static bool has_work(const struct heat *h, const char *work)
{
	size_t i;

	for (i = 0; i < h->n && strcmp(h->cells[i].work, work); i++)
		;
	return i < h->n;
}

static int draw(struct heat *h, const char *dir)
{
	static const char *const works[] = { "const", "exp" };
	u32 i, energy;

	for (i = 0; i < 2; i++) {
		h->work = works[i];
		for (energy = 0; has_work(h, h->work) && energy < 2; energy++) {
			h->energy = energy;
			if (gnuplot_run(dir, write_script, h, "the grid"))
				return -1;
		}
	}
	return 0;
}

int plot_grid(const char *csv, const char *strategy, const char *dir)
{
	struct heat h = { .n = 0 };
	const char *why = csv_read(csv, GRID_CSV_HEAD, add_row, &h);
	int rc;

	if (!why)
		why = choose(&h, csv, strategy);
	rc = why ? fail("cannot draw the grid: %s", why) : draw(&h, dir);
	free(h.cells);
	return rc;
}
