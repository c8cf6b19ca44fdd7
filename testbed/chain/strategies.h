/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strategies that a chain's ports are run with, one after the other. */
#ifndef CHAIN_STRATEGIES_H
#define CHAIN_STRATEGIES_H

#include "pacing/pacing.h"

#define CHAIN_STRATEGIES_MAX	16

struct chain_strategy {
	char label[96];		/* as the user said it: "sleep,y-ns=20000" */
	enum rp_strategy_id id;
	u64 y_ns;		/* length of a sleep */
	u64 dmax_ns;		/* D_MAX of a hop */
	u32 cpu_cap_percent;	/* of a pacer; 0: none */
	u32 burst;		/* most packets a turn, 1..64 */
};

struct chain_strategies {
	u32 n;
	struct chain_strategy of[CHAIN_STRATEGIES_MAX];
};

/*
 * Adds those of "NAME[,KEY=VALUE...][,NAME...]"; a key belongs to the name before it.
 * NULL, or why not (static).
 */
const char *chain_strategies_add(struct chain_strategies *s, const char *list);
/* The label of one that is named twice; NULL: none is. */
const char *chain_strategies_twice(const struct chain_strategies *s);

#endif /* CHAIN_STRATEGIES_H */
