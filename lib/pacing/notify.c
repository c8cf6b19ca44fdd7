// SPDX-License-Identifier: GPL-2.0-or-later
/* Notifications (sec. 2.3): block until the peer has done k items' worth. */
#include "pacing/pacing.h"

static struct rp_decision notify_idle(struct rp_strategy *s, u64 now_ns)
{
	(void)now_ns;
	return (struct rp_decision){
		.wait = RP_WAIT_BLOCK,
		.threshold = s->params.threshold,
	};
}

const struct rp_strategy_ops rp_strategy_notify = {
	.name = "notify",
	.idle = notify_idle,
};
