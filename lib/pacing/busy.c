// SPDX-License-Identifier: GPL-2.0-or-later
/* Polling by busy waiting (sec. 2.1): never leave the core. */
#include "pacing/pacing.h"

static struct rp_decision busy_idle(struct rp_strategy *s, u64 now_ns)
{
	(void)s;
	(void)now_ns;
	return (struct rp_decision){ .wait = RP_WAIT_SPIN };
}

const struct rp_strategy_ops rp_strategy_busy = {
	.name = "busy",
	.idle = busy_idle,
};
