// SPDX-License-Identifier: GPL-2.0-or-later
/* The grid's verdicts as JSON, as CSV, and for people. */
#include <stdlib.h>
#include <string.h>

#include "bench/grid.h"
#include "plot/plot.h"

struct sums {
	const struct grid_plan *g;
	u32 subject;
	u32 infeasible;
	json_t *infeasible_cells;
	struct tally who[COMPETITORS_MAX];
	struct tally regime[GRID_REGIMES];	/* the subject's */
	u32 regime_infeasible[GRID_REGIMES];
};

/* ---- JSON ---- */

static json_t *why_infeasible(const struct grid_plan *g, const struct grid_cell *c)
{
	const struct grid_point *p = c->point;
	u64 queue_ns = p->queue_len * (p->wc_ns > p->wp_ns ? p->wc_ns : 0);
	const char *why = queue_ns > c->dmax_ns ?
		"a full queue takes longer than D_MAX: L W_C > D_MAX" :
		"nobody's p98 is that short";

	return json_pack("{s:I, s:I, s:i, s:I, s:s, s:s, s:s, s:o}",
			 "wp_ns", (json_int_t)p->wp_ns, "wc_ns", (json_int_t)p->wc_ns,
			 "queue_len", (int)p->queue_len, "dmax_ns", (json_int_t)c->dmax_ns,
			 "work", rp_work_dist_names[p->dist], "why", why,
			 "nearest", g->who.of[c->best.p98].name,
			 "nearest_p98_ns", json_number_or_null(c->f[c->best.p98].p98_ns, 0));
}

static void add_cell(void *ctx, const struct grid_cell *c)
{
	struct sums *s = ctx;
	enum grid_regime regime = grid_regime(c->point->wp_ns, c->point->wc_ns);
	u32 i;

	if (!c->best.feasible) {
		s->infeasible++;
		s->regime_infeasible[regime]++;
		json_array_append_new(s->infeasible_cells, why_infeasible(s->g, c));
		return;
	}
	for (i = 0; i < s->g->who.n; i++)
		tally_add(&s->who[i], &c->v[i]);
	tally_add(&s->regime[regime], &c->v[s->subject]);
}

/* 0 in a tally is "none". */
static json_t *regret(double v)
{
	return json_number_or_null(v > 0 ? v : UNKNOWN, 4);
}

static json_t *tally_json(struct tally *t)
{
	return json_pack("{s:i, s:i, s:o, s:o, s:i, s:o, s:o}", "cells", (int)t->cells,
			 "within", (int)t->within,
			 "worst_x_regret", regret(t->worst_x_regret),
			 "worst_e_regret", regret(t->worst_e_regret),
			 "dmax_missed", (int)t->dmax_missed,
			 "median_x_regret", json_number_or_null(tally_median_x(t), 4),
			 "median_e_regret", json_number_or_null(tally_median_e(t), 4));
}

static json_t *tallies_json(struct sums *s)
{
	json_t *v = json_object();
	u32 i;

	for (i = 0; i < s->g->who.n; i++)
		json_object_set_new(v, s->g->who.of[i].name, tally_json(&s->who[i]));
	return v;
}

static json_t *regimes_json(struct sums *s)
{
	json_t *v = json_object(), *t;
	u32 i;

	for (i = 0; i < GRID_REGIMES; i++) {
		t = tally_json(&s->regime[i]);
		json_object_set_new(t, "infeasible", json_integer(s->regime_infeasible[i]));
		json_object_set_new(v, grid_regime_names[i], t);
	}
	return v;
}

static json_t *costs_json(const struct grid_plan *g)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "np_ns", (json_int_t)g->costs.np_ns,
			 "nc_ns", (json_int_t)g->costs.nc_ns, "sp_ns", (json_int_t)g->costs.sp_ns,
			 "sc_ns", (json_int_t)g->costs.sc_ns, "ye_ns", (json_int_t)g->costs.ye_ns,
			 "yo_ns", (json_int_t)g->yo_ns);
}

json_t *grid_json(const struct grid_plan *g)
{
	struct sums s = {
		.g = g, .subject = grid_subject(g), .infeasible_cells = json_array(),
	};
	json_t *v;
	u32 i;

	grid_cells(g, add_cell, &s);
	v = tally_json(&s.who[s.subject]);
	json_object_set_new(v, "subject", json_string(g->who.of[s.subject].name));
	json_object_set_new(v, "infeasible", json_integer(s.infeasible));
	json_object_set_new(v, "by_strategy", tallies_json(&s));
	json_object_set_new(v, "by_regime", regimes_json(&s));
	json_object_set_new(v, "infeasible_cells", s.infeasible_cells);
	json_object_set_new(v, "lane", json_string(g->lane->name));
	if (g->lane == &grid_sim)
		json_object_set_new(v, "costs", costs_json(g));
	json_object_set_new(v, "rounds", json_integer(g->rounds_done));
	json_object_set_new(v, "complete", json_boolean(g->rounds_done == g->rounds));
	json_object_set_new(v, "x_spread", json_number_or_null(grid_spread(g), 4));
	json_object_set_new(v, "warmup_ns", json_integer((json_int_t)g->warmup_ns));
	json_object_set_new(v, "duration_ns", json_integer((json_int_t)g->duration_ns));
	json_object_set_new(v, "seed", json_integer((json_int_t)g->seed));
	for (i = 0; i < g->who.n; i++)
		tally_free(&s.who[i]);
	for (i = 0; i < GRID_REGIMES; i++)
		tally_free(&s.regime[i]);
	return v;
}

/* ---- For people ---- */

static void row(struct table *t, const char *name, const json_t *v)
{
	table_cell(t, "%s", name);
	table_number(t, json_number_at(v, "cells"), 0);
	table_number(t, json_number_at(v, "within"), 0);
	table_number(t, json_number_at(v, "dmax_missed"), 0);
	table_number(t, json_number_at(v, "median_x_regret"), 3);
	table_number(t, json_number_at(v, "worst_x_regret"), 3);
	table_number(t, json_number_at(v, "median_e_regret"), 3);
	table_number(t, json_number_at(v, "worst_e_regret"), 3);
}

static void print_tallies(const char *head, const json_t *tallies)
{
	static const char *const heads[] = {
		"cells", "within", "late", "X*/X median", "worst", "E/E* median", "worst",
	};
	struct table *t = table_new(1 + sizeof(heads) / sizeof(*heads));
	const char *name;
	json_t *v;
	u32 i;

	table_cell(t, "%s", head);
	for (i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		table_cell(t, "%s", heads[i]);
	json_object_foreach((json_t *)tallies, name, v)
		row(t, name, v);
	table_print(t, stdout);
	table_free(t);
}

void grid_print(const json_t *v)
{
	print_tallies("strategy", json_object_get(v, "by_strategy"));
	printf("\n%s, by regime\n", json_string_value(json_object_get(v, "subject")));
	print_tallies("regime", json_object_get(v, "by_regime"));
	printf("\n%s is within 3 %% of the best throughput and 10 %% of the least energy, in its "
	       "bound, in %.0f of %.0f cells; in %.0f more no strategy keeps D_MAX\n",
	       json_string_value(json_object_get(v, "subject")), json_number_at(v, "within"),
	       json_number_at(v, "cells"), json_number_at(v, "infeasible"));
	printf("medians of %.0f rounds", json_number_at(v, "rounds"));
	if (is_known(json_number_at(v, "x_spread")))
		printf(", whose throughputs are %.1f %% apart (median)",
		       json_number_at(v, "x_spread") * 100);
	printf("; %s\n", json_string_value(json_object_get(v, "machine")));
}

/* ---- CSV ---- */

struct csv {
	const struct grid_plan *g;
	FILE *to;
};

static void number(FILE *to, double v, int decimals)
{
	if (is_known(v))
		fprintf(to, ",%.*f", decimals, v);
	else
		fputc(',', to);
}

static void write_cell(void *ctx, const struct grid_cell *c)
{
	const struct csv *csv = ctx;
	const struct grid_point *p = c->point;
	FILE *to = csv->to;
	u32 i;

	for (i = 0; i < csv->g->who.n; i++) {
		fprintf(to, "%llu,%llu,%u,%llu,%s,%s,%d,%s", (unsigned long long)p->wp_ns,
			(unsigned long long)p->wc_ns, p->queue_len,
			(unsigned long long)c->dmax_ns, rp_work_dist_names[p->dist],
			grid_regime_names[grid_regime(p->wp_ns, p->wc_ns)], c->best.feasible,
			csv->g->who.of[i].name);
		number(to, c->f[i].x_per_s, 0);
		number(to, c->f[i].e_ns, 1);
		number(to, c->f[i].p98_ns, 0);
		fprintf(to, ",%d", c->v[i].keeps_dmax);
		number(to, c->v[i].x_regret, 4);
		number(to, c->v[i].e_regret, 4);
		fprintf(to, ",%d\n", c->v[i].within);
	}
}

int grid_write_csv(const struct grid_plan *g, const char *path)
{
	struct csv csv = { .g = g, .to = fopen(path, "we") };
	int bad;

	if (!csv.to)
		return fail("cannot write %s: %m", path);
	fputs(GRID_CSV_HEAD "\n", csv.to);
	grid_cells(g, write_cell, &csv);
	bad = ferror(csv.to);
	if (fclose(csv.to) || bad)
		return fail("cannot write %s: %m", path);
	return 0;
}
