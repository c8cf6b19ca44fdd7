/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who was how good in one cell of the grid, and over many.
 *
 * X* is the highest throughput of any strategy that keeps D_MAX (p98 <= D_MAX),
 * E* the least energy per item among those that keep it within 2 % of X*. A
 * strategy's regrets are X* / X and E / E*; it is within if it keeps D_MAX, loses
 * at most 3 % of throughput and takes at most 10 % more energy. In an
 * infeasible cell nobody keeps D_MAX.
 */
#ifndef BENCH_JUDGE_H
#define BENCH_JUDGE_H

#include "util.h"

#define JUDGE_X_SLACK	0.02	/* what counts as X* when E* is sought */
#define JUDGE_X_REGRET	1.03
#define JUDGE_E_REGRET	1.10

/* Of one strategy in one cell; UNKNOWN: not measured. */
struct figures {
	double x_per_s;		/* items */
	double e_ns;
	double p98_ns;
};

struct verdict {
	bool measured, keeps_dmax, within;
	double x_regret, e_regret;	/* UNKNOWN in an infeasible cell */
};

struct best {
	bool feasible;
	u32 x, e;		/* who, if feasible */
	u32 p98;		/* who has the least */
};

/* @f, @v: @n strategies. False if nothing was measured. */
bool judge_cell(const struct figures *f, u32 n, double dmax_ns, struct verdict *v,
		struct best *b);

/* Of one strategy over feasible cells; zeroed at first. */
struct tally {
	u32 cells, within, dmax_missed;
	double worst_x_regret, worst_e_regret;	/* 0: none */
	/* Of the cells where it keeps D_MAX. */
	u32 kept, room;
	double *x_regret, *e_regret;
};

void tally_add(struct tally *t, const struct verdict *v);
/* UNKNOWN if there is none. */
double tally_median_x(struct tally *t);
double tally_median_e(struct tally *t);
void tally_free(struct tally *t);

#endif /* BENCH_JUDGE_H */
