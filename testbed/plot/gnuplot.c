// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes gnuplot's script of a figure and lets gnuplot draw it. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plot/plot.h"

#define NO_GNUPLOT	127	/* exit code of a child that could not exec, as the shells' */

/* Okabe and Ito's, to be told apart by colour-blind eyes too; grey for what is beside. */
static const char *const colours[] = {
	"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#000000", "#56B4E9",
};

static double scale_or_1(double s)
{
	return s > 0 ? s : 1;
}

/* ---- The script ---- */

/* Rows of the key, which stands below the axes. */
static u32 key_rows(const struct figure *f)
{
	u32 i, n = 0;

	for (i = 0; f->curves[i].column; i++)
		n += f->curves[i].title != NULL;
	return n;
}

static void write_axes(const struct figure *f, FILE *to)
{
	fprintf(to, "set encoding utf8\nset title \"%s\" font ',16'\n", f->title);
	fprintf(to, "set xlabel \"%s\" offset 0,0.4\nset ylabel \"%s\"\n", f->x_label, f->y_label);
	if (f->log_x)
		fputs("set logscale x\n", to);
	if (f->log_y)
		fputs("set logscale y\n", to);
	else
		fprintf(to, "set yrange [%g:*]\n", f->y_from);
	fprintf(to, "set grid linecolor '#d0d0d0' linewidth 1\nset border 3\n"
		"set tics nomirror out font ',14'\nset lmargin 10\nset rmargin 4\n"
		"set key at screen 0.5, screen 0.01 center bottom Left reverse samplen 2.5\n"
		"set bmargin %.1f\nset datafile separator ','\nset datafile missing ''\n",
		3.2 + 1.1 * key_rows(f));
}

/* Their names stand at the top, each a line lower than the one before. */
static void write_marks(const struct figure *f, const struct mark *marks, FILE *to)
{
	double scale = scale_or_1(f->x_scale);
	u32 i;

	for (i = 0; i < PLOT_MARKS_MAX; i++) {
		if (!marks[i].label)
			continue;
		fprintf(to, "set arrow from first %.10g, graph 0 to first %.10g, graph 1 nohead "
			"linecolor '#606060' linewidth 1.5 dashtype %s\n", marks[i].x * scale,
			marks[i].x * scale, marks[i].solid ? "solid" : "2");
		fprintf(to, "set label \"%s\" at first %.10g, graph %.2f left offset 0.4,0 "
			"textcolor '#404040' font ',14'\n", marks[i].label, marks[i].x * scale,
			0.97 - 0.07 * i);
	}
}

static const char *style_of(const struct curve *c)
{
	switch (c->style) {
	case CURVE_DASHED:
		return "lines dashtype 2 linewidth 2";
	case CURVE_DOTTED:
		return "lines dashtype 3 linewidth 2.5";
	case CURVE_POINTS:
		return "points pointtype 7 pointsize 0.7";
	case CURVE_LINE_POINTS:
		return "linespoints pointtype 7 pointsize 0.5 linewidth 2";
	default:
		return "lines linewidth 2";
	}
}

/* A band takes two columns and is grey; it lies behind the curves after it. */
static u32 write_curve(const struct figure *f, const char *csv, u32 i, u32 colour, FILE *to)
{
	const struct curve *c = &f->curves[i];
	double x = scale_or_1(f->x_scale), y = scale_or_1(f->y_scale);

	fprintf(to, "%s'%s' using ($1*%g):", i ? ", " : "plot ", csv, x);
	if (c->style == CURVE_BAND) {
		fprintf(to, "($%u*%g):($%u*%g) with filledcurves linecolor '#d9d9d9'", i + 2, y,
			i + 3, y);
	} else {
		fprintf(to, "($%u*%g) with %s linecolor '%s'", i + 2, y, style_of(c),
			colours[colour % (sizeof(colours) / sizeof(colours[0]))]);
	}
	if (c->title)
		fprintf(to, " title \"%s\"", c->title);
	else
		fputs(" notitle", to);
	return c->style == CURVE_BAND ? 2 : 1;
}

static void write_plot(const struct figure *f, const char *csv, FILE *to)
{
	u32 i = 0, colour = 0, taken;

	while (f->curves[i].column) {
		taken = write_curve(f, csv, i, colour, to);
		colour += taken == 1;
		i += taken;
	}
	fputc('\n', to);
}

static void write_script(const struct figure *f, const struct mark *marks, FILE *to)
{
	const u32 height = 420 + 22 * key_rows(f);
	char base[16], csv[24];

	snprintf(base, sizeof(base), "fig-%02u", f->number);
	snprintf(csv, sizeof(csv), "%s.csv", base);
	write_axes(f, to);
	write_marks(f, marks, to);
	fprintf(to, "set terminal svg size 640,%u font 'sans-serif,16' background '#ffffff' "
		"name 'fig%02u'\nset output '%s.svg'\n", height, f->number, base);
	write_plot(f, csv, to);
	fprintf(to, "set terminal pngcairo size 1280,%u font 'sans-serif,16' fontscale 2 "
		"linewidth 2 pointscale 2 background '#ffffff'\nset output '%s.png'\nreplot\n"
		"unset output\n", 2 * height, base);
}

/* ---- The process ---- */

/* In the child: the script comes on @fd, file names in it are relative to @dir. */
static void become_gnuplot(int fd, const char *dir)
{
	if (dup2(fd, 0) < 0 || chdir(dir))
		_exit(1);
	signal(SIGPIPE, SIG_DFL);
	execlp("gnuplot", "gnuplot", "-", (char *)NULL);
	_exit(NO_GNUPLOT);
}

static pid_t start(const char *dir, FILE **to)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return fail("cannot run gnuplot: pipe: %m");
	pid = fork();
	if (!pid)
		become_gnuplot(ends[0], dir);
	close(ends[0]);
	*to = pid > 0 ? fdopen(ends[1], "w") : NULL;
	if (!*to)
		close(ends[1]);
	if (pid < 0)
		return fail("cannot run gnuplot: fork: %m");
	return pid;
}

static int judge(const char *what, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_GNUPLOT)
		return fail("gnuplot cannot be run: is it installed? `apt-get install gnuplot-nox` "
			    "does that");
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return fail("gnuplot could not draw %s; see its message above", what);
	return 0;
}

int gnuplot_run(const char *dir, void (*script)(void *ctx, FILE *to), void *ctx, const char *what)
{
	FILE *to = NULL;
	int status = 1;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);	/* a gnuplot that ended early is told by its status */
	pid = start(dir, &to);
	if (pid < 0)
		return -1;
	if (to) {
		script(ctx, to);
		fclose(to);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return judge(what, status);
}

struct drawing {
	const struct figure *f;
	const struct mark *marks;
};

static void script_of(void *ctx, FILE *to)
{
	const struct drawing *d = ctx;

	write_script(d->f, d->marks, to);
}

int gnuplot_draw(const struct figure *f, const struct grid *g, const struct mark *marks,
		 const char *dir)
{
	struct drawing d = { f, marks };
	char what[16];

	snprintf(what, sizeof(what), "figure %u", f->number);
	return gnuplot_run(dir, script_of, &d, what);
}
