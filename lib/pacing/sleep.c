// SPDX-License-Identifier: GPL-2.0-or-later
/* Polling by sleeping (sec. 2.2): look again after a fixed time. */
#include "pacing/pacing.h"

static struct rp_decision sleep_idle(struct rp_strategy *s, u64 now_ns)
{
	(void)now_ns;
	return (struct rp_decision){
		.wait = RP_WAIT_SLEEP,
		.wait_ns = s->params.y_ns,
	};
}

const struct rp_strategy_ops rp_strategy_sleep = {
	.name = "sleep",
	.idle = sleep_idle,
};
