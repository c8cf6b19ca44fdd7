/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measured against model against simulator, over a sweep of one parameter.
 *
 * Theory of operation. Every point of a sweep is run in the lane. The model and
 * the simulator then get what that very run measured (W, N, S, Y: sec. 5, not
 * the nominal values), so that their error is the model's and not the clock's.
 * A second pair of predictions has only what was known before: the nominal W
 * and the host's profile; its error is what a user of `ringpace model` can
 * expect.
 */
#ifndef VALIDATE_VALIDATE_H
#define VALIDATE_VALIDATE_H

#include <jansson.h>

#include "lane.h"
#include "profile.h"

enum source {
	SRC_MEASURED,
	SRC_MODEL,		/* closed forms, from means */
	SRC_SIM,		/* simulator, from means */
	SRC_SIM_DIST,		/* simulator, from single N, S, Y in the order of the trace */
	SRC_BEFORE_MODEL,	/* nominal W, profile */
	SRC_BEFORE_SIM,
	SOURCES
};

extern const char *const source_names[SOURCES];

/* Per item where the name says so. UNKNOWN: does not apply, or no closed form. */
struct outcome {
	const char *regime;	/* of the model; else NULL */
	double t_ns, t_min_ns, t_max_ns;
	double batch;		/* items per sleep or notification of either side */
	double kicks, spurious, calls;	/* notifications per item */
	double sleeps;		/* per item, both sides */
};

struct point {
	double nominal_ns;	/* of what is swept: Y, or W_P */
	struct run_result run;
	double window_ns;	/* of C's double check */
	struct outcome of[SOURCES];
};

/* What a sweep keeps fixed; the plots mark places by it. */
#define SWEEP_QUEUE_LEN		512u
#define SLEEP_WP_NS		2000u
#define SLEEP_WC_NS		1000u
#define NOTIFY_WC_NS		2000u

#define POINTS_MAX	128
#define STEPS_MAX	8

/* A jump of T on the staircase of sLS. */
struct step {
	double predicted_y_ns;	/* by the simulator, with the sweep's W */
	double t_below_ns, t_above_ns;
	double measured_y_ns;	/* where the measured T crosses the middle; or UNKNOWN */
};

struct sweep;

struct sweep_ops {
	const char *name;	/* "sleep", "notify" */
	const char *swept;	/* "y", "wp": key of the point */
	/* Runs all points; 0, or -1 after fail(), or when stopped. */
	int (*run)(struct sweep *s);
};

struct sweep {
	const struct sweep_ops *ops;
	const struct lane_ops *lane;
	const struct profile *profile;	/* NULL: none */
	bool quick;
	u32 n;
	struct point point[POINTS_MAX];	/* ascending by nominal_ns, once run */
	u32 steps;
	struct step step[STEPS_MAX];
};

extern const struct sweep_ops sweep_sleep, sweep_notify;

/* Runs one point with @p and makes all predictions for it. 0 or -1. */
int sweep_point(struct sweep *s, const struct run_params *p, double nominal_ns);

/* Fills in all outcomes but the measured one. Returns 0, or -1 after fail(). */
int predict(struct point *pt, const struct run_sides *sides, const struct profile *profile);
/* T of the simulator with constant parameters and sleeps of @y_ns on both sides. */
double predict_sleep_t(u32 queue_len, double wp_ns, double wc_ns, double y_ns);

/* Predicts the steps between the sweep's first and last Y. */
void steps_predict(struct sweep *s, double wp_ns, double wc_ns, double y_max_ns);
/* Finds them in the measured points. */
void steps_locate(struct sweep *s);

/* Of @predicted to @measured, percent; UNKNOWN when one is, or nothing was measured. */
double error_pct(double predicted, double measured);
/* The same of one source's value to the measured one. */
double t_error(const struct point *pt, enum source src);
double batch_error(const struct point *pt, enum source src);
double kicks_error(const struct point *pt, enum source src);
double calls_error(const struct point *pt, enum source src);
/* Median of the sizes of the errors of all points. */
double median_error(const struct sweep *s, enum source src,
		    double (*error)(const struct point *, enum source));
/* How many of the @of points without a closed form lie within the model's bounds. */
u32 within_bounds(const struct sweep *s, u32 *of);

json_t *sweep_json(const struct sweep *s);
/* DIR/NAME.json and DIR/NAME.csv of what sweep_json() made. 0 or -1. */
int sweep_write(const json_t *v, const char *name, const char *dir);
void sweep_print(const struct sweep *s);

#endif /* VALIDATE_VALIDATE_H */
