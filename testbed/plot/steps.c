// SPDX-License-Identifier: GPL-2.0-or-later
/* What a strategy does while the load changes: `bench step`'s samples over the time. */
#include <stdlib.h>
#include <string.h>

#include "plot/plot.h"

#define STRATEGIES_MAX	32
#define PHASES_MAX	16
#define WIDTH_PX	900
#define PANEL_PX	200
#define RATE_NS		10e6

enum { F_STRATEGY, F_ROUND, F_PHASE, F_T, F_RATE, F_LATE, F_YP, F_YC, F_WINDOW, F_DRAWN };

struct sample {
	u32 strategy, round;
	double v[F_DRAWN];	/* from F_T on */
};

struct phase {
	char name[CSV_NAME_MAX];
	double begin_ns;
};

struct steps {
	struct sample *samples;
	size_t n, room;
	u32 n_strategies, n_phases;
	char strategy[STRATEGIES_MAX][CSV_NAME_MAX];
	struct phase phase[PHASES_MAX];	/* of the first strategy's first round */
	u32 drawn;		/* strategy that is being drawn */
};

/* ---- The data ---- */

/* STRATEGIES_MAX: no room. */
static u32 strategy_of(struct steps *s, const char *name)
{
	u32 i;

	for (i = 0; i < s->n_strategies && strcmp(s->strategy[i], name); i++)
		;
	if (i == s->n_strategies && i < STRATEGIES_MAX)
		strcpy(s->strategy[s->n_strategies++], name);
	return i;
}

static const char *note_phase(struct steps *s, const struct sample *of, const char *name)
{
	if (of->strategy || of->round != s->samples[0].round)
		return NULL;
	if (s->n_phases && !strcmp(s->phase[s->n_phases - 1].name, name))
		return NULL;
	if (s->n_phases == PHASES_MAX)
		return "more than 16 phases";
	strcpy(s->phase[s->n_phases].name, name);
	s->phase[s->n_phases++].begin_ns = of->v[F_T];
	return NULL;
}

static struct sample *new_sample(struct steps *s)
{
	struct sample *more;

	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 1024;
		more = realloc(s->samples, s->room * sizeof(*more));
		if (!more)
			return NULL;
		s->samples = more;
	}
	return &s->samples[s->n++];
}

static const char *add_row(void *ctx, char **field)
{
	struct steps *s = ctx;
	struct sample *to = new_sample(s);
	u32 i;

	if (!to)
		return "out of memory";
	if (!csv_name_ok(field[F_STRATEGY]) || !csv_name_ok(field[F_PHASE]))
		return "no name of a strategy or a phase";
	for (i = F_T; i < F_DRAWN; i++)
		to->v[i] = csv_number(field[i]);
	if (!is_known(csv_number(field[F_ROUND])) || !is_known(to->v[F_T]))
		return "no round, or no time";
	to->round = (u32)csv_number(field[F_ROUND]);
	to->strategy = strategy_of(s, field[F_STRATEGY]);
	if (to->strategy == STRATEGIES_MAX)
		return "more than 32 strategies";
	return note_phase(s, to, field[F_PHASE]);
}

/* ---- The script ---- */

static bool is_drawn(const struct steps *s, const struct sample *x)
{
	return x->strategy == s->drawn && x->round == s->samples[0].round;
}

/* One column of one strategy's first round, scaled. False: none of it is known. */
static bool write_column(const struct steps *s, u32 column, double scale, FILE *to)
{
	const struct sample *x;
	bool any = false;

	fprintf(to, "$c%u << EOD\n", column);
	for (x = s->samples; x < s->samples + s->n; x++) {
		if (!is_drawn(s, x) || !is_known(x->v[column]))
			continue;
		fprintf(to, "%.3f %.6g\n", x->v[F_T] / 1e6, x->v[column] * scale);
		any = true;
	}
	if (!any)	/* gnuplot refuses to draw nothing */
		fputs("-9 0\n", to);
	fputs("EOD\n", to);
	return any;
}

/* Means over RATE_NS: a side that sleeps moves nothing in many a millisecond. */
static void write_rate(const struct steps *s, FILE *to)
{
	double sum = 0, begin = 0;
	const struct sample *x;
	u32 n = 0;

	fprintf(to, "$c%u << EOD\n", F_RATE);
	for (x = s->samples; x < s->samples + s->n; x++) {
		if (!is_drawn(s, x) || !is_known(x->v[F_RATE]))
			continue;
		if (n && x->v[F_T] - begin >= RATE_NS) {
			fprintf(to, "%.3f %.6g\n", begin / 1e6, sum / n / 1e3);
			n = 0;
			sum = 0;
		}
		begin = n ? begin : x->v[F_T];
		sum += x->v[F_RATE];
		n++;
	}
	if (n)
		fprintf(to, "%.3f %.6g\n", begin / 1e6, sum / n / 1e3);
	fputs("EOD\n", to);
}

static double end_ms(const struct steps *s)
{
	const struct sample *x;
	double end = 1;

	for (x = s->samples; x < s->samples + s->n; x++)
		if (is_drawn(s, x) && x->v[F_T] / 1e6 > end)
			end = x->v[F_T] / 1e6;
	return end;
}

static void write_phases(const struct steps *s, FILE *to)
{
	u32 i;

	for (i = 0; i < s->n_phases; i++) {
		fprintf(to, "set arrow from first %.3f, graph 0 to first %.3f, graph 1 nohead "
			"linecolor '#a0a0a0' dashtype 2\n", s->phase[i].begin_ns / 1e6,
			s->phase[i].begin_ns / 1e6);
		fprintf(to, "set label %u \"%s\" at first %.3f, graph 1.06 left textcolor '#404040'\n",
			i + 1, s->phase[i].name, s->phase[i].begin_ns / 1e6);
	}
}

static void write_panels(const struct steps *s, bool sleeps, FILE *to)
{
	u32 i;

	fprintf(to, "set multiplot layout %u,1 title \"%s\" font ',16'\n", sleeps ? 3 : 2,
		s->strategy[s->drawn]);
	fprintf(to, "set ylabel \"items/ms\"\nplot $c%u with steps linecolor '#0072B2' notitle\n", F_RATE);
	for (i = 0; i < s->n_phases; i++)
		fprintf(to, "unset label %u\n", i + 1);
	fprintf(to, "set ylabel \"late, %%\"\nplot $c%u with impulses linecolor '#D55E00' notitle\n",
		F_LATE);
	if (sleeps)
		fprintf(to, "set ylabel \"Y, µs\"\nset y2label \"window, slots\"\nset y2tics\n"
			"set y2range [0:*]\nset key outside below horizontal\n"
			"plot $c%u with steps linecolor '#0072B2' title 'Y_P', "
			"$c%u with steps linecolor '#009E73' title 'Y_C', "
			"$c%u axes x1y2 with steps linecolor '#CC79A7' title 'window'\n"
			"unset y2tics\nunset y2label\nunset key\n", F_YP, F_YC, F_WINDOW);
	fputs("unset multiplot\n", to);
}

static void write_script(void *ctx, FILE *to)
{
	const struct steps *s = ctx;
	const char *name = s->strategy[s->drawn];
	bool sleeps;
	u32 height;

	fputs("set encoding utf8\n", to);
	write_rate(s, to);
	write_column(s, F_LATE, 100, to);
	sleeps = write_column(s, F_YP, 1e-3, to);
	sleeps |= write_column(s, F_YC, 1e-3, to);
	sleeps |= write_column(s, F_WINDOW, 1, to);
	height = 60 + (sleeps ? 3 : 2) * PANEL_PX;
	fputs("set border 3\nset tics nomirror out\nset lmargin 10\nset rmargin 8\nset xlabel \"t, ms\"\n"
	      "set yrange [0:*]\nset ytics autofreq\n", to);
	fprintf(to, "set xrange [0:%.0f]\n", end_ms(s));
	write_phases(s, to);
	fprintf(to, "set terminal svg size %u,%u font 'sans-serif,12' background '#ffffff'\n"
		"set output 'steps-%s.svg'\n", WIDTH_PX, height, name);
	write_panels(s, sleeps, to);
	write_phases(s, to);
	fprintf(to, "set terminal pngcairo size %u,%u font 'sans-serif,12' background '#ffffff'\n"
		"set output 'steps-%s.png'\n", WIDTH_PX, height, name);
	write_panels(s, sleeps, to);
	fputs("unset output\n", to);
}

int plot_steps(const char *csv, const char *strategy, const char *dir)
{
	struct steps s = { .n = 0 };
	const char *why = csv_read(csv, STEP_CSV_HEAD, add_row, &s);
	bool any = false;
	int rc = 0;

	for (; !why && !rc && s.drawn < s.n_strategies; s.drawn++) {
		if (strategy && strcmp(s.strategy[s.drawn], strategy))
			continue;
		any = true;
		rc = gnuplot_run(dir, write_script, &s, "the steps");
	}
	if (!why && !any)
		why = because("%s has no strategy %s", csv, strategy ?: "at all");
	if (why)
		rc = fail("cannot draw the steps: %s", why);
	free(s.samples);
	return rc;
}
