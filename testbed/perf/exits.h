/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a guest leaves its virtual CPUs: what `perf kvm stat` tells of a VM. */
#ifndef PERF_EXITS_H
#define PERF_EXITS_H

#include <jansson.h>
#include <stdio.h>

#include "util.h"

/* SVM's and VMX's reasons are fewer. */
#define EXIT_REASONS_MAX	128

struct exits {
	struct {
		char name[40];		/* KVM's: "npf", "EPT_MISCONFIG" */
		double count;
		double mean_ns;		/* from the exit to the next entry */
	} reason[EXIT_REASONS_MAX];
	u32 n;
	double total;
	bool lost;			/* perf lost events: counts are too low */
};

/* What `perf kvm stat report` wrote. NULL, or why not (static). */
const char *exits_parse(struct exits *e, FILE *from);
/* Reads what `perf kvm stat record` recorded in the file @data. NULL, or why not (static). */
const char *exits_read(struct exits *e, const char *data);

/* {"count","per_s","lost_events","reasons":[...]}. New reference. */
json_t *exits_json(const struct exits *e, double window_ns);
void exits_print(const struct exits *e, double window_ns, FILE *to);

#endif /* PERF_EXITS_H */
