// SPDX-License-Identifier: GPL-2.0-or-later
/* Heat maps: W_P across, W_C up, a panel for each L and D_MAX. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/grid.h"
#include "plot/plot.h"

#define PANEL_PX	240

struct map {
	const struct grid_plan *g;
	enum rp_work_dist dist;
	bool energy;		/* else throughput */
	/* Of the panel that is being written. */
	u32 queue_len;
	u64 dmax_ns;
	FILE *to;
};

static u32 index_of(const struct grid_values *v, u64 x)
{
	u32 i;

	for (i = 0; i < v->n && v->v[i] != x; i++)
		;
	return i;
}

/* An infeasible cell is not drawn: the panel's grey shows. */
static void write_cell(void *ctx, const struct grid_cell *c)
{
	const struct map *m = ctx;
	const struct verdict *v = &c->v[grid_subject(m->g)];
	double regret = m->energy ? v->e_regret : v->x_regret;

	if (c->point->dist != m->dist || c->point->queue_len != m->queue_len ||
	    c->dmax_ns != m->dmax_ns || !is_known(regret))
		return;
	fprintf(m->to, "%u %u %.4f\n", index_of(&m->g->wp_ns, c->point->wp_ns),
		index_of(&m->g->wc_ns, c->point->wc_ns), regret);
}

static void write_tics(const char *axis, const struct grid_values *v, FILE *to)
{
	u32 i;

	fprintf(to, "set %stics (", axis);
	for (i = 0; i < v->n; i++)
		fprintf(to, "%s\"%.2g\" %u", i ? ", " : "", (double)v->v[i] / 1000, i);
	fprintf(to, ")\nset %srange [-0.5:%g]\n", axis, v->n - 0.5);
}

static void write_data(struct map *m, u32 l, u32 d, FILE *to)
{
	m->queue_len = (u32)m->g->queue_len.v[l];
	m->dmax_ns = m->g->dmax_ns.v[d];
	m->to = to;
	fprintf(to, "$p%u_%u << EOD\n", l, d);
	/* One cell that lies outside: gnuplot refuses to draw nothing. */
	fputs("-9 -9 1\n", to);
	grid_cells(m->g, write_cell, m);
	fputs("EOD\n", to);
}

static void write_panels(const struct map *m, const char *title, FILE *to)
{
	const struct grid_plan *g = m->g;
	u32 l, d;

	fprintf(to, "set multiplot layout %u,%u title \"%s\" font ',16'\n", g->queue_len.n,
		g->dmax_ns.n, title);
	for (l = 0; l < g->queue_len.n; l++)
		for (d = 0; d < g->dmax_ns.n; d++)
			fprintf(to, "set title \"L %llu, D_{MAX} %g µs\"\nplot $p%u_%u using "
				"1:2:(0.48):(0.48):3 with boxxyerror fillcolor palette notitle\n",
				(unsigned long long)g->queue_len.v[l],
				(double)g->dmax_ns.v[d] / 1000, l, d);
	fputs("unset multiplot\n", to);
}

static void write_script(void *ctx, FILE *to)
{
	struct map *m = ctx;
	const u32 w = 80 + m->g->dmax_ns.n * (PANEL_PX + 40);
	const u32 h = 60 + m->g->queue_len.n * (PANEL_PX + 20);
	char base[32], title[96];
	u32 l, d;

	snprintf(base, sizeof(base), "grid-%s-%s", m->energy ? "energy" : "throughput",
		 rp_work_dist_names[m->dist]);
	snprintf(title, sizeof(title), "%s: %s, %s work", m->g->who.of[grid_subject(m->g)].name,
		 m->energy ? "E / E*" : "X* / X", rp_work_dist_names[m->dist]);
	fputs("set encoding utf8\n", to);
	for (l = 0; l < m->g->queue_len.n; l++)
		for (d = 0; d < m->g->dmax_ns.n; d++)
			write_data(m, l, d, to);
	write_tics("x", &m->g->wp_ns, to);
	write_tics("y", &m->g->wc_ns, to);
	fprintf(to, "set xlabel \"W_P, µs\"\nset ylabel \"W_C, µs\"\nset style fill solid noborder\n"
		"set object 1 rectangle from graph 0,0 to graph 1,1 behind fillcolor '#d0d0d0'\n"
		"set palette defined (0 '#009E73', 1 '#F0E442', 2 '#D55E00')\n"
		"set cbrange [1:%s]\n", m->energy ? "1.3" : "1.1");
	fprintf(to, "set terminal svg size %u,%u font 'sans-serif,12' background '#ffffff'\n"
		"set output '%s.svg'\n", w, h, base);
	write_panels(m, title, to);
	fprintf(to, "set terminal pngcairo size %u,%u font 'sans-serif,12' background '#ffffff'\n"
		"set output '%s.png'\n", w, h, base);
	write_panels(m, title, to);
	fputs("unset output\n", to);
}

int grid_plot(const struct grid_plan *g, const char *dir)
{
	struct map m = { .g = g };
	u32 dist, energy;

	if (mkdir(dir, 0777) && errno != EEXIST)
		return fail("cannot make the directory %s for figures: %m", dir);
	for (dist = 0; dist < RP_WORK_DISTS; dist++) {
		for (energy = 0; g->dist[dist] && energy < 2; energy++) {
			m.dist = dist;
			m.energy = energy;
			if (gnuplot_run(dir, write_script, &m, "the grid"))
				return -1;
		}
	}
	return 0;
}
