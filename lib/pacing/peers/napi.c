// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * NAPI: poll until there is less than a budget, then enable the interrupt, or,
 * with napi_defer_hard_irqs, poll again after gro_flush_timeout, until so many
 * polls in a row were empty. Source: Linux 6.1, net/core/dev.c, __napi_poll(),
 * napi_complete_done(), napi_watchdog().
 */
#include "pacing/peers/peer.h"

#define NAPI_POLL_WEIGHT	64u
/* Of Linux's commit 6f8b12d661d0, which introduced it; its default is 0. */
#define NAPI_DEFER_HARD_IRQS	10u

struct napi {
	u32 work;		/* of the present poll */
	u32 defer_hard_irqs_count;
};

static void napi_batch_done(struct rp_strategy *s, u32 n, u64 now_ns)
{
	struct napi *p = rp_strategy_priv(s, struct napi);

	(void)now_ns;
	/* A poll that used up its budget is followed by another. */
	p->work = (p->work + n % NAPI_POLL_WEIGHT) % NAPI_POLL_WEIGHT;
}

static struct rp_decision napi_idle(struct rp_strategy *s, u64 now_ns)
{
	struct napi *p = rp_strategy_priv(s, struct napi);

	(void)now_ns;
	if (p->work)
		p->defer_hard_irqs_count = s->params.y_ns ? NAPI_DEFER_HARD_IRQS : 0;
	p->work = 0;
	if (!p->defer_hard_irqs_count)
		return peer_block(s);
	p->defer_hard_irqs_count--;
	return peer_sleep(s->params.y_ns);
}

const struct rp_strategy_ops rp_peer_napi = {
	.name = "napi",
	.batch_done = napi_batch_done,
	.idle = napi_idle,
};
