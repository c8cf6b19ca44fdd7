/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Competitors: strategies as benchmarks hold them against each other, both
 * sides alike. A static sleep is one competitor for each length.
 */
#ifndef BENCH_COMPETITOR_H
#define BENCH_COMPETITOR_H

#include "lane.h"

#define COMPETITORS_MAX	24

struct competitor {
	char name[24];		/* "adaptive", "sleep-100us" */
	enum rp_strategy_id id;
	u64 y_ns;		/* 0: the strategy's own */
};

struct competitors {
	u32 n;
	struct competitor of[COMPETITORS_MAX];
};

/* All that there are, adaptive first; sleep with 20, 50, 100 and 250 us. */
void competitors_all(struct competitors *c);
/*
 * Of a list like "adaptive,notify,sleep-100us"; "sleep" is sleep-50us. NULL, or
 * why not (static).
 */
const char *competitors_parse(struct competitors *c, const char *list);
/* One more; "sleep" as above. NULL, or why not (static). */
const char *competitors_add(struct competitors *c, const char *name);
/* Makes it the strategy of both sides. */
void competitor_apply(const struct competitor *c, struct run_params *p);
/* Is what it does another thing with another D_MAX? */
bool competitor_heeds_dmax(const struct competitor *c);

#endif /* BENCH_COMPETITOR_H */
