/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples of one time, ns, and what is said about them. */
#ifndef TESTBED_SAMPLES_H
#define TESTBED_SAMPLES_H

#include <jansson.h>

#include "util.h"

struct samples {
	double *v;
	u32 n, room;
};

/* All fields but n and outliers are UNKNOWN when there are no samples. */
struct summary {
	u32 n;
	double mean, sd, min, p50, p98, max;
	/*
	 * Mean without outliers. Those are, first, samples above a millisecond
	 * and ten times the median: somebody else had the CPU. Then, of the
	 * rest, those beyond Tukey's outer fences, three interquartile ranges
	 * from the quartiles. A notification that ended at once and one that had
	 * to wake a CPU both stay in it, in their proportion, as a mean time per
	 * item needs them.
	 */
	double robust;
	u32 outliers;
};

void samples_add(struct samples *s, double v);
void samples_free(struct samples *s);
/* Sorts the samples. */
void samples_summarise(struct samples *s, struct summary *out);
/* With "mean_ns" and the like as keys. New reference. */
json_t *summary_json(const struct summary *s);

#endif /* TESTBED_SAMPLES_H */
