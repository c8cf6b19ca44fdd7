/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The papers' figures, drawn from our own data.
 *
 * Theory of operation. A figure is an entry of one table: axes, curves, and a
 * generator that fills a grid, a column for the abscissa and one a curve. The
 * grid is written as CSV; gnuplot gets a script made from the entry and reads
 * that same CSV, so that what is drawn is what is kept.
 */
#ifndef PLOT_PLOT_H
#define PLOT_PLOT_H

#include "pacing/model.h"
#include "util.h"

#define PLOT_COLUMNS_MAX	10
#define PLOT_MARKS_MAX		4

/* Rows of numbers; UNKNOWN leaves a gap in a curve. */
struct grid {
	u32 columns;
	size_t rows, capacity;
	double *cell;
};

void grid_init(struct grid *g, u32 columns);
void grid_free(struct grid *g);
/* Appends a row of g->columns numbers. -1 after fail(). */
int grid_add(struct grid *g, const double *row);
static inline double grid_at(const struct grid *g, size_t row, u32 column)
{
	return g->cell[row * g->columns + column];
}

/* A vertical line with a name. */
struct mark {
	double x;
	const char *label;
	bool solid;
};

enum curve_style { CURVE_LINE, CURVE_DASHED, CURVE_DOTTED, CURVE_POINTS, CURVE_LINE_POINTS,
		   CURVE_BAND };	/* a BAND is filled up to the next column */

struct curve {
	const char *column;	/* its name in the CSV, with the unit */
	const char *title;	/* in the key; NULL: none */
	enum curve_style style;
};

/* What figures are made of; set by the options. */
struct plot_source {
	struct rp_model_in costs;	/* N, S and Y_E only */
	const char *costs_from;		/* in words */
	const char *profile;		/* for fig. 5: a lane or a file */
	const char *data_dir;		/* sleep.json, notify.json */
};

struct figure {
	u32 number;		/* in the paper */
	const char *title;
	const char *x_column, *x_label, *y_label;	/* labels have units */
	bool log_x, log_y;
	struct curve curves[PLOT_COLUMNS_MAX];	/* ends with a NULL column */
	/* Column of the abscissa, then one a curve. NULL, or why not (static). */
	const char *(*fill)(const struct plot_source *src, struct grid *g, struct mark *marks);
	double x_scale, y_scale;	/* CSV to axis, 0: 1 */
	double y_from;		/* where a linear axis begins */
};

extern const struct figure figures[];
extern const u32 figures_count;

/* Number of columns of its grid. */
u32 figure_columns(const struct figure *f);

/* Generators, one file for what is computed and one for what was measured. */
const char *fill_notify_time(const struct plot_source *, struct grid *, struct mark *);
const char *fill_notify_energy(const struct plot_source *, struct grid *, struct mark *);
const char *fill_sleep_regimes(const struct plot_source *, struct grid *, struct mark *);
const char *fill_delta(const struct plot_source *, struct grid *, struct mark *);
const char *fill_random(const struct plot_source *, struct grid *, struct mark *);
const char *fill_sleep_choice(const struct plot_source *, struct grid *, struct mark *);
const char *fill_probed_sleeps(const struct plot_source *, struct grid *, struct mark *);
const char *fill_sleep_time(const struct plot_source *, struct grid *, struct mark *);
const char *fill_sleep_batch(const struct plot_source *, struct grid *, struct mark *);
const char *fill_notify_sweep(const struct plot_source *, struct grid *, struct mark *);
const char *fill_spurious(const struct plot_source *, struct grid *, struct mark *);

/* ---- What benchmarks have left ---- */

/* Headings of `bench grid --csv` and `bench step --csv`. */
#define GRID_CSV_HEAD "wp_ns,wc_ns,queue_len,dmax_ns,work,regime,feasible,strategy,items_per_s,e_ns," \
	"p98_ns,keeps_dmax,x_regret,e_regret,within"
#define STEP_CSV_HEAD "strategy,round,phase,t_ns,items_per_s,late_share,yp_ns,yc_ns,window,mode_p,mode_c," \
	"changes_p,changes_c"
/* And of `load --csv`: an interval a row. */
#define LOAD_CSV_HEAD "t_ns,offered,sent,done,missed,failed,p50_ns,p99_ns,agent_p50_ns"

/*
 * DIR/grid-throughput-WORK and grid-energy-WORK, .svg and .png: heat maps of the
 * regrets of @strategy (NULL: adaptive, else the first). 0, or -1 after fail().
 */
int plot_grid(const char *csv, const char *strategy, const char *dir);
/* DIR/steps-STRATEGY.svg and .png of one, or with NULL of each. 0, or -1 after fail(). */
int plot_steps(const char *csv, const char *strategy, const char *dir);
/* DIR/load.svg and .png; there are no strategies. 0, or -1 after fail(). */
int plot_load(const char *csv, const char *strategy, const char *dir);

#define CSV_COLUMNS_MAX	16
#define CSV_NAME_MAX	24
/*
 * Calls @row for every row of @path, whose heading must be @head; it returns NULL,
 * or what is wrong. NULL, or why not (static).
 */
const char *csv_read(const char *path, const char *head,
		     const char *(*row)(void *ctx, char **cell), void *ctx);
/* UNKNOWN for an empty cell, or no number. */
double csv_number(const char *cell);
/* May it be part of a file's name, of gnuplot's text, and shorter than CSV_NAME_MAX? */
bool csv_name_ok(const char *name);

/* DIR/fig-NN.csv. 0, or -1 after fail(). */
int csv_write(const struct figure *f, const struct grid *g, const char *dir);
/*
 * Lets gnuplot, in @dir, run what @script writes; @what names it in messages. 0, or
 * -1 after fail().
 */
int gnuplot_run(const char *dir, void (*script)(void *ctx, FILE *to), void *ctx,
		const char *what);
/* DIR/fig-NN.svg and .png from DIR/fig-NN.csv. 0, or -1 after fail(). */
int gnuplot_draw(const struct figure *f, const struct grid *g, const struct mark *marks,
		 const char *dir);

#endif /* PLOT_PLOT_H */
