/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Families of metrics: which number of which row they tell. */
#ifndef RINGPACED_METRICS_FAMILIES_H
#define RINGPACED_METRICS_FAMILIES_H

#include "metrics/rows.h"

enum family_type { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_INFO, FAMILY_STATESET, FAMILY_TYPES };

struct family {
	const char *name;	/* without _total or _info; ends with the unit, if there is one */
	const char *help;
	const char *unit;	/* NULL: none */
	enum family_type type;
	enum row_kind of;
	u32 needs;		/* enum row_has, all of them */
	size_t at;		/* of the u64 in the row, or of the first of several */
	u64 scale;		/* what the number is divided by: a power of ten; 0: by 1 */
	bool zero_unknown;	/* 0 is no value but "not known" */
	size_t more;		/* FAMILY_INFO: where its labels are in the row */
	/* Several numbers, told apart by one more label; NULL: just one. */
	const char *label;
	const char *const *names;
	u32 first, count;	/* of names[] */
};

extern const struct family families[];
extern const u32 family_count;

#endif /* RINGPACED_METRICS_FAMILIES_H */
