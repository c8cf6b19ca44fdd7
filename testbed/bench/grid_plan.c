// SPDX-License-Identifier: GPL-2.0-or-later
/* Which points are measured, which cells are judged. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/grid.h"
#include "samples.h"

const char *const grid_regime_names[GRID_REGIMES] = {
	[GRID_FC] = "fast consumer",
	[GRID_FP] = "fast producer",
	[GRID_EVEN] = "even",
};

enum grid_regime grid_regime(u64 wp_ns, u64 wc_ns)
{
	if (10 * wp_ns > 12 * wc_ns)
		return GRID_FC;
	return 10 * wc_ns > 12 * wp_ns ? GRID_FP : GRID_EVEN;
}

void grid_values_log(struct grid_values *v, u64 from, u64 to, u32 n)
{
	double step = n > 1 ? log((double)to / (double)from) / (n - 1) : 0;

	for (v->n = 0; v->n < n; v->n++)
		v->v[v->n] = (u64)llround((double)from * exp(step * v->n));
}

static void plan_entries(struct grid_plan *g)
{
	u32 c, d;

	g->n_entries = 0;
	for (c = 0; c < g->who.n; c++) {
		if (!competitor_heeds_dmax(&g->who.of[c])) {
			g->entries[g->n_entries++] = (struct grid_entry){ c, -1 };
			continue;
		}
		for (d = 0; d < g->dmax_ns.n; d++)
			g->entries[g->n_entries++] = (struct grid_entry){ c, (int)d };
	}
}

static void add_point(struct grid_plan *g, u64 wp_ns, u64 wc_ns, u32 len, enum rp_work_dist dist,
		      u32 dmaxes)
{
	g->points[g->n_points++] = (struct grid_point){ wp_ns, wc_ns, len, dist, dmaxes };
}

static int make_room(struct grid_plan *g, u32 points)
{
	size_t i, n;

	plan_entries(g);
	g->points = calloc(points, sizeof(*g->points));
	n = (size_t)points * g->n_entries * g->rounds;
	g->figures = calloc(n, sizeof(*g->figures));
	if (!g->points || !g->figures)
		return fail("bench grid: out of memory");
	for (i = 0; i < n; i++)
		g->figures[i] = (struct figures){ UNKNOWN, UNKNOWN, UNKNOWN };
	return 0;
}

int grid_plan_full(struct grid_plan *g)
{
	const u32 all = (1u << g->dmax_ns.n) - 1;
	u32 p, c, l, dist;

	if (make_room(g, g->wp_ns.n * g->wc_ns.n * g->queue_len.n * RP_WORK_DISTS))
		return -1;
	for (dist = 0; dist < RP_WORK_DISTS; dist++)
		for (l = 0; g->dist[dist] && l < g->queue_len.n; l++)
			for (p = 0; p < g->wp_ns.n; p++)
				for (c = 0; c < g->wc_ns.n; c++)
					add_point(g, g->wp_ns.v[p], g->wc_ns.v[c],
						  (u32)g->queue_len.v[l], dist, all);
	return 0;
}

static u64 draw(const struct grid_values *v, u64 *rng)
{
	return v->v[(rp_work_exp(1u << 20, rng) >> 3) % v->n];
}

/* Draws W_P and W_C of @want; of any regime if the axes have none of that. */
static void draw_work(const struct grid_plan *g, enum grid_regime want, u64 *rng, u64 *wp, u64 *wc)
{
	u32 i;

	for (i = 0; i < 1000; i++) {
		*wp = draw(&g->wp_ns, rng);
		*wc = draw(&g->wc_ns, rng);
		if (grid_regime(*wp, *wc) == want)
			return;
	}
}

int grid_plan_sample(struct grid_plan *g, u32 n)
{
	u64 rng = g->seed, wp, wc;
	u32 i, dist;

	if (make_room(g, n))
		return -1;
	for (i = 0; i < n; i++) {
		draw_work(g, i % GRID_REGIMES, &rng, &wp, &wc);
		dist = i / GRID_REGIMES % RP_WORK_DISTS;
		if (!g->dist[dist])
			dist = !dist;
		add_point(g, wp, wc, (u32)g->queue_len.v[(i / 2) % g->queue_len.n], dist,
			  1u << ((rp_work_exp(1u << 20, &rng) >> 3) % g->dmax_ns.n));
	}
	return 0;
}

void grid_plan_free(struct grid_plan *g)
{
	free(g->points);
	free(g->figures);
	g->points = NULL;
	g->figures = NULL;
}

u32 grid_subject(const struct grid_plan *g)
{
	u32 i;

	for (i = 0; i < g->who.n; i++)
		if (g->who.of[i].id == RP_ADAPTIVE)
			return i;
	return 0;
}

/* ---- Cells ---- */

/* What is known of the rounds; the number of them. */
static u32 collect(const struct grid_plan *g, u32 point, u32 entry, size_t field, double *v)
{
	double x;
	u32 r, n = 0;

	for (r = 0; r < g->rounds; r++) {
		x = *(double *)((char *)grid_figures(g, point, entry, r) + field);
		if (is_known(x))
			v[n++] = x;
	}
	return n;
}

static double median_of(const struct grid_plan *g, u32 point, u32 entry, size_t field)
{
	double v[GRID_ROUNDS_MAX];

	return median(v, collect(g, point, entry, field, v));
}

double grid_spread(const struct grid_plan *g)
{
	double v[GRID_ROUNDS_MAX], mid, result;
	struct samples all = { 0 };
	u32 p, e, n;

	for (p = 0; p < g->n_points; p++) {
		for (e = 0; e < g->n_entries; e++) {
			n = collect(g, p, e, offsetof(struct figures, x_per_s), v);
			mid = median(v, n);	/* sorts them, too */
			if (n > 1 && mid > 0)
				samples_add(&all, (v[n - 1] - v[0]) / mid);
		}
	}
	result = median(all.v, all.n);
	samples_free(&all);
	return result;
}

static void fill_cell(const struct grid_plan *g, u32 point, u32 d, struct grid_cell *c)
{
	struct figures *f;
	u32 i;

	c->point = &g->points[point];
	c->dmax_ns = g->dmax_ns.v[d];
	for (i = 0; i < g->n_entries; i++) {
		if (g->entries[i].dmax >= 0 && g->entries[i].dmax != (int)d)
			continue;
		f = &c->f[g->entries[i].competitor];
		f->x_per_s = median_of(g, point, i, offsetof(struct figures, x_per_s));
		f->e_ns = median_of(g, point, i, offsetof(struct figures, e_ns));
		f->p98_ns = median_of(g, point, i, offsetof(struct figures, p98_ns));
	}
}

void grid_cells(const struct grid_plan *g, void (*each)(void *ctx, const struct grid_cell *c),
		void *ctx)
{
	struct grid_cell c;
	u32 p, d;

	for (p = 0; p < g->n_points; p++) {
		for (d = 0; d < g->dmax_ns.n; d++) {
			if (!(g->points[p].dmaxes >> d & 1))
				continue;
			fill_cell(g, p, d, &c);
			if (judge_cell(c.f, g->who.n, (double)c.dmax_ns, c.v, &c.best))
				each(ctx, &c);
		}
	}
}
