/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Distributions of the simulator's parameters, each with random numbers of its own. */
#ifndef SIM_DIST_H
#define SIM_DIST_H

#include "rp.h"

enum dist_kind {
	DIST_CONST,
	DIST_NORMAL,		/* rel: standard deviation / mean, cut off at 0 */
	DIST_EXP,
	DIST_TRACE,		/* values one after the other, from the start again */
};

/* What the user asked for. The owner of @trace outlives the run. */
struct dist_spec {
	enum dist_kind kind;
	double rel;
	const u64 *trace_ps;
	u32 trace_len;
};

struct dist {
	struct dist_spec spec;
	u32 pos;
	bool have_spare;
	double spare;
	u64 rng[4];
};

/* @stream tells apart the parameters of one run. */
void dist_init(struct dist *d, const struct dist_spec *spec, u64 seed, u32 stream);
u64 dist_sample(struct dist *d, u64 mean_ps);
/* 64 random bits of the same generator, whatever the distribution. */
u64 dist_bits(struct dist *d);

static inline u64 dist_draw(struct dist *d, u64 mean_ps)
{
	return d->spec.kind == DIST_CONST ? mean_ps : dist_sample(d, mean_ps);
}

/*
 * Parses const | normal:REL | exp | trace:FILE; REL is a fraction (0.05) or a
 * percentage (5%), FILE holds times in ns, one a line, # begins a comment.
 * NULL, or why not. dist_spec_free() frees a trace.
 */
const char *dist_parse(const char *text, struct dist_spec *spec);
/* Can nothing but 0 be drawn? */
bool dist_all_zero(const struct dist_spec *spec, u64 mean_ps);
void dist_spec_free(struct dist_spec *spec);

#endif /* SIM_DIST_H */
