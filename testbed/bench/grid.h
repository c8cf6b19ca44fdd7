/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench grid: all strategies over a grid of W_P, W_C, L, D_MAX and work.
 *
 * Theory of operation. A point is what two parties can be set to: W_P, W_C, L and
 * the work's distribution. A cell is a point with a D_MAX. Only adaptive heeds
 * D_MAX; so an entry (a strategy, for adaptive with a D_MAX) is measured once a
 * point, and judged in each of the point's cells. Rounds go through all points,
 * an L at a time, in a random order; the entries of a point follow each other,
 * each round beginning with another one, so that what the machine does meanwhile
 * meets all. Figures are medians over the rounds.
 */
#ifndef BENCH_GRID_H
#define BENCH_GRID_H

#include "bench/competitor.h"
#include "bench/judge.h"
#include "json.h"
#include "pacing/model.h"

#define GRID_VALUES_MAX		16
#define GRID_DMAX_MAX		8
#define GRID_ENTRIES_MAX	(COMPETITORS_MAX + GRID_DMAX_MAX)
#define GRID_ROUNDS_MAX		99

enum grid_regime { GRID_FC, GRID_FP, GRID_EVEN, GRID_REGIMES };
/* "fast consumer", "fast producer", "even" (W_P within 20 % of W_C). */
extern const char *const grid_regime_names[GRID_REGIMES];
enum grid_regime grid_regime(u64 wp_ns, u64 wc_ns);

struct grid_values {
	u32 n;
	u64 v[GRID_VALUES_MAX];
};

struct grid_point {
	u64 wp_ns, wc_ns;
	u32 queue_len;
	enum rp_work_dist dist;
	u32 dmaxes;		/* bit i: judged with the i-th D_MAX */
};

struct grid_entry {
	u32 competitor;
	int dmax;		/* index, or -1: heeds none */
};

struct grid_plan;

/*
 * Where it is measured. Functions return 0, or -1 after fail(); when stopped()
 * became true, -1 without a message. Adding one is adding a file.
 */
struct grid_lane {
	const char *name;
	/* Before the points of one L, of which @first is one. NULL: -1. close() undoes it. */
	void *(*open)(struct grid_plan *g, const struct grid_point *first);
	void (*close)(void *ctx);
	int (*measure)(void *ctx, const struct grid_point *p, const struct grid_entry *e,
		       u32 round, struct run_result *r);
};

extern const struct grid_lane grid_native, grid_sim;

struct grid_plan {
	const struct grid_lane *lane;
	/* Of the simulator: N, S, Y_E, and what a sleep lasts longer than it was to. */
	struct rp_model_in costs;
	u64 yo_ns;
	struct grid_values wp_ns, wc_ns, queue_len, dmax_ns;
	bool dist[RP_WORK_DISTS];
	struct competitors who;
	struct grid_point *points;
	u32 n_points;
	struct grid_entry entries[GRID_ENTRIES_MAX];
	u32 n_entries;
	u32 rounds;
	u64 warmup_ns, duration_ns;
	u64 seed;
	u64 budget_ns;		/* no round begins that would end after it; 0: none */
	/* What was measured: [point][entry][round]. */
	struct figures *figures;
	u32 rounds_done;	/* whole ones */
};

/* @n values from @from to @to, equal ratios between them. */
void grid_values_log(struct grid_values *v, u64 from, u64 to, u32 n);

/* The points and entries of the axes and strategies. 0, or -1 after fail(). */
int grid_plan_full(struct grid_plan *g);
/* @n cells of the same axes, spread over regimes, L and work; g->seed decides. */
int grid_plan_sample(struct grid_plan *g, u32 n);
void grid_plan_free(struct grid_plan *g);

static inline bool grid_applies(const struct grid_entry *e, const struct grid_point *p)
{
	return e->dmax < 0 || p->dmaxes >> e->dmax & 1;
}

static inline struct figures *grid_figures(const struct grid_plan *g, u32 point, u32 entry,
					   u32 round)
{
	return &g->figures[(point * g->n_entries + entry) * g->rounds + round];
}

/* Parameters for both sides of any lane that has them in that struct. */
void grid_set_params(const struct grid_plan *g, const struct grid_point *p,
		     const struct grid_entry *e, struct run_params *to);

/* Measures all; @raw gets a CSV line a measurement. 0, or -1 after fail(), or stopped. */
int grid_measure(struct grid_plan *g, FILE *raw);

/* A judged cell; verdicts and figures by competitor. */
struct grid_cell {
	const struct grid_point *point;
	u64 dmax_ns;
	struct figures f[COMPETITORS_MAX];
	struct verdict v[COMPETITORS_MAX];
	struct best best;
};

/* Calls @each for every cell in which anything was measured. */
void grid_cells(const struct grid_plan *g, void (*each)(void *ctx, const struct grid_cell *c),
		void *ctx);

/*
 * How far apart the rounds of one measurement are: the median of (max - min) /
 * median of their throughput. UNKNOWN with one round.
 */
double grid_spread(const struct grid_plan *g);

/* Whose figures come first: adaptive's, else those of the first. */
u32 grid_subject(const struct grid_plan *g);

/* The result without provenance; new reference. */
json_t *grid_json(const struct grid_plan *g);
void grid_print(const json_t *result);
/* A row a cell and strategy. 0, or -1 after fail(). */
int grid_write_csv(const struct grid_plan *g, const char *path);

#endif /* BENCH_GRID_H */
