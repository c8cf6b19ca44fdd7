/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advice: from measured rates and D_MAX to a strategy and its parameters.
 *
 * Theory of operation. Evidence is gathered from a run's file, from a live
 * queue or from the command line; what nobody measured stays UNKNOWN. The
 * finding names the regime and the faster party (sec. 7.1 of Lettieri et al.)
 * and estimates the work. Each strategy is then given the best parameters
 * that it can have under D_MAX (7.2, 7.3), the model says what they would
 * give, and the paper's rule takes one of them.
 */
#ifndef ADVISE_ADVISE_H
#define ADVISE_ADVISE_H

#include <jansson.h>

#include "lane.h"
#include "pacing/model.h"
#include "profile.h"

#define NOBODY	(-1)

/* UNKNOWN where nobody said. Rates are per second; directions are the items'. */
struct evidence {
	double items_per_s;
	double p_to_c_per_s, spurious_per_s;	/* notifications of items; of these in vain */
	double c_to_p_per_s;			/* of free slots */
	double sleeps_p_per_s, sleeps_c_per_s;
	double wp_ns, wc_ns, np_ns, nc_ns, sp_ns, sc_ns, yp_ns, yc_ns, ye_ns;
	double cpu_p;				/* 0..1 */
	int mode_p, mode_c;			/* enum rp_strategy_id, or -1 */
	u32 queue_len, kp, kc;			/* 0: not known */
	const struct profile *profile;		/* or NULL */
};

struct finding {
	char regime[24];		/* "" when not known */
	const char *regime_from;	/* in words */
	int faster;			/* enum rp_role, or NOBODY */
	double w_ns;			/* max(W_P, W_C) */
	bool w_is_bound;		/* w_ns is an upper bound only */
	const char *w_from;
	/* Of each party: a value (low = high), or a range for the faster one. */
	double wp_low_ns, wp_high_ns, wc_low_ns, wc_high_ns;
	json_t *notes;			/* strings for the user */
};

enum met { MET_NO, MET_YES, MET_UNKNOWN };

/* A strategy with its parameters. */
struct choice {
	enum rp_strategy_id strategy;
	const char *regime;		/* that it leads to; NULL: not known */
	u32 queue_len, kp, kc;
	double y_ns, y_nominal_ns;	/* effective; to be asked for, if a profile tells */
	double t_ns, e_ns, d_ns;
	enum met met;
	char why[256];			/* why it is not met or not possible, or "" */
};

struct advice {
	struct finding f;
	double dmax_ns;
	u32 queue_len;			/* L that was given, or assumed */
	double y_max_ns;		/* D_MAX / 2 - W */
	struct choice choice[RP_STATIC_STRATEGIES];	/* by strategy */
	int recommended;		/* enum rp_strategy_id, or -1 */
	char why[384];			/* of the recommendation, or of there being none */
};

/* Appends to @f->notes. */
void advise_note(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void evidence_init(struct evidence *e);
/* From a run; @index of the file's runs, -1: its only one. 0, or -1 after fail(). */
int evidence_file(struct evidence *e, const char *path, int index);
/*
 * Samples a queue of ringpaced over @interval_ns; changes nothing there.
 * 0, or -1 after fail() (silent when stopped).
 */
int evidence_live(struct evidence *e, const char *control, const char *device, u32 queue,
		  u64 interval_ns);

/* Names the regime and estimates the work. f->notes is a new reference. */
void advise_find(const struct evidence *e, struct finding *f);
/* Fills in what follows from a->f. */
void advise_choose(const struct evidence *e, double dmax_ns, struct advice *a);

json_t *advice_json(const struct evidence *e, const struct advice *a);
void advice_print(const struct evidence *e, const struct advice *a);

#endif /* ADVISE_ADVISE_H */
