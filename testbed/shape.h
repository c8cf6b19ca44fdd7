/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an offered load changes over a period: for the simulated host and for real servers. */
#ifndef TESTBED_SHAPE_H
#define TESTBED_SHAPE_H

#include "rp.h"

#define SHAPE_NOISES	48u
/* Stairs of a step load: up, and as many down. */
#define SHAPE_STEPS	12u

/* Rates are requests per second. */
struct shape_spec {
	double peak;		/* the highest rate */
	double period_s;	/* after it the shape begins again */
	double step;		/* by which a step load rises, and falls */
	double noise[SHAPE_NOISES];	/* added to a sine, one after the other */
};

struct shape {
	const char *name;
	double (*rate)(const struct shape_spec *s, double t_s);	/* 0 <= @t_s < ->period_s */
};

/* A triangle; stairs up and down; a sine with noise; always the peak. */
extern const struct shape shape_slope, shape_step, shape_sine, shape_flat;

/* Noise of up to @rate in both directions; @uniform draws numbers in 0..1. */
void shape_noise(struct shape_spec *s, double rate, double (*uniform)(u64 *rng), u64 *rng);

#endif /* TESTBED_SHAPE_H */
