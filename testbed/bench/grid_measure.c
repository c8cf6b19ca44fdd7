// SPDX-License-Identifier: GPL-2.0-or-later
/* Goes through the grid: an L at a time, another strategy each time. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/grid.h"

static const char raw_head[] =
	"round,wp_ns,wc_ns,queue_len,work,dmax_ns,strategy,items_per_s,e_ns,p50_ns,p98_ns,max_ns,"
	"wp_measured_ns,wc_measured_ns,cpu_p,cpu_c,kicks_per_s,calls_per_s,sleeps_p_per_s,"
	"sleeps_c_per_s\n";

struct walk {
	struct grid_plan *g;
	FILE *raw;
	void *lane;		/* what its open() gave */
	u32 round, done, total;
	u64 begin_ns;
};

static void field(FILE *to, double v, int decimals)
{
	if (is_known(v))
		fprintf(to, ",%.*f", decimals, v);
	else
		fputc(',', to);
}

static void write_raw(const struct walk *w, const struct grid_point *p, const char *who,
		      const struct run_result *r)
{
	FILE *to = w->raw;

	fprintf(to, "%u,%llu,%llu,%u,%s,%llu,%s", w->round + 1, (unsigned long long)p->wp_ns,
		(unsigned long long)p->wc_ns, p->queue_len, rp_work_dist_names[p->dist],
		(unsigned long long)r->params.dmax_ns, who);
	field(to, r->items_per_s, 0);
	field(to, r->e_ns, 1);
	field(to, r->lat_p50_ns, 0);
	field(to, r->lat_p98_ns, 0);
	field(to, r->lat_max_ns, 0);
	field(to, r->wp_ns, 0);
	field(to, r->wc_ns, 0);
	field(to, r->cpu_p, 4);
	field(to, r->cpu_c, 4);
	field(to, r->kicks_per_s, 0);
	field(to, r->calls_per_s, 0);
	field(to, r->sleeps_p_per_s, 0);
	field(to, r->sleeps_c_per_s, 0);
	fputc('\n', to);
	/* What was measured stays, whatever ends us. */
	fflush(to);
}

void grid_set_params(const struct grid_plan *g, const struct grid_point *p,
		     const struct grid_entry *e, struct run_params *to)
{
	to->wp_ns = p->wp_ns;
	to->wc_ns = p->wc_ns;
	to->queue_len = p->queue_len;
	to->w_dist = p->dist;
	to->dmax_ns = e->dmax >= 0 ? g->dmax_ns.v[e->dmax] : 0;
	competitor_apply(&g->who.of[e->competitor], to);
}

static int measure(struct walk *w, u32 point, u32 entry)
{
	const struct grid_plan *g = w->g;
	const struct grid_entry *e = &g->entries[entry];
	const char *who = g->who.of[e->competitor].name;
	struct run_result r;

	if (g->lane->measure(w->lane, &g->points[point], e, w->round, &r))
		return -1;
	if (r.lost > 0 || r.reordered > 0)
		return fail("bench grid: %s lost %.0f items, %.0f came out of order: the figures "
			    "are worth nothing", who, r.lost, r.reordered);
	*grid_figures(g, point, entry, w->round) = (struct figures){
		.x_per_s = r.items_per_s, .e_ns = r.e_ns, .p98_ns = r.lat_p98_ns,
	};
	write_raw(w, &g->points[point], who, &r);
	return 0;
}

static void progress(struct walk *w)
{
	double took = (double)(now_ns() - w->begin_ns) / 1e9;

	w->done++;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rbench grid: round %u/%u, %u/%u, %.0f s left \033[K", w->round + 1,
			w->g->rounds, w->done, w->total,
			took / w->done * (w->total - w->done));
}

static int measure_point(struct walk *w, u32 point)
{
	struct grid_plan *g = w->g;
	u32 i, entry;

	for (i = 0; i < g->n_entries; i++) {
		entry = (i + w->round * (g->n_entries / g->rounds + 1)) % g->n_entries;
		if (!grid_applies(&g->entries[entry], &g->points[point]))
			continue;
		if (measure(w, point, entry))
			return -1;
		progress(w);
	}
	return 0;
}

/* All points of one L. */
static int measure_len(struct walk *w, const u32 *order, u32 len)
{
	struct grid_plan *g = w->g;
	u32 i;
	int rc = 0;

	w->lane = NULL;
	for (i = 0; i < g->n_points && !rc; i++) {
		if (g->points[order[i]].queue_len != len)
			continue;
		if (!w->lane)
			w->lane = g->lane->open(g, &g->points[order[i]]);
		rc = w->lane ? measure_point(w, order[i]) : -1;
	}
	if (w->lane)
		g->lane->close(w->lane);
	return rc;
}

static void shuffle(u32 *order, u32 n, u64 *rng)
{
	u32 i, j, x;

	for (i = 0; i < n; i++)
		order[i] = i;
	for (i = n; i > 1; i--) {
		j = (u32)(rp_work_exp(1ULL << 32, rng) % i);
		x = order[i - 1];
		order[i - 1] = order[j];
		order[j] = x;
	}
}

static int measure_round(struct walk *w, u32 *order, u64 *rng)
{
	u32 l;

	shuffle(order, w->g->n_points, rng);
	for (l = 0; l < w->g->queue_len.n; l++)
		if (measure_len(w, order, (u32)w->g->queue_len.v[l]))
			return -1;
	w->g->rounds_done++;
	return 0;
}

static u32 count(const struct grid_plan *g)
{
	u32 p, e, n = 0;

	for (p = 0; p < g->n_points; p++)
		for (e = 0; e < g->n_entries; e++)
			n += grid_applies(&g->entries[e], &g->points[p]);
	return n * g->rounds;
}

/* Would another round, as long as those before, end in time? */
static bool in_time(const struct walk *w)
{
	u64 took = now_ns() - w->begin_ns;

	return !w->g->budget_ns || !w->round || took + took / w->round < w->g->budget_ns;
}

int grid_measure(struct grid_plan *g, FILE *raw)
{
	struct walk w = { .g = g, .raw = raw, .total = count(g), .begin_ns = now_ns() };
	u32 *order = calloc(g->n_points, sizeof(*order));
	u64 rng = g->seed;
	int rc = 0;

	if (!order)
		return fail("bench grid: out of memory");
	fputs(raw_head, raw);
	for (; w.round < g->rounds && !rc && in_time(&w); w.round++)
		rc = measure_round(&w, order, &rng);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	free(order);
	return rc;
}
