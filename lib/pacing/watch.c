// SPDX-License-Identifier: GPL-2.0-or-later
/* A producer's watch over its notifications. */
#include "pacing/party.h"

/* Nobody answers: looks become rarer, down to this. */
#define MOST_NS		1000000000u

void rp_watch_init(struct rp_party *p)
{
	const struct rp_strategy *s = &p->strategy;

	memset(&p->watch, 0, sizeof(p->watch));
	if (s->params.role != RP_PRODUCER || !s->ops->watches || !p->ring || !p->ring->owed)
		return;
	p->watch.least_tsc = rp_ns_to_tsc(&p->clock, s->params.dmax_ns / 2);
	p->watch.most_tsc = rp_ns_to_tsc(&p->clock, MOST_NS);
}

void rp_watch_tell(struct rp_party *p)
{
	rp_add(&p->stats.rekicks, 1);
	p->ring->notify(p);
	p->now_tsc = rp_tsc();
}

static void begin(struct rp_watch *w, u32 wish, u64 now_tsc)
{
	w->due = true;
	w->wish = wish;
	w->wait_tsc = w->least_tsc;
	w->since_tsc = now_tsc;
}

bool rp_watch_look(struct rp_party *p)
{
	struct rp_watch *w = &p->watch;
	u32 wish;

	if (!w->least_tsc)
		return false;
	w->look_tsc = p->now_tsc;
	if (!p->ring->owed(p, &wish)) {
		w->due = false;
		return false;
	}
	if (!w->due || wish != w->wish) {
		begin(w, wish, p->now_tsc);
		return false;
	}
	if (p->now_tsc - w->since_tsc < w->wait_tsc)
		return false;
	rp_watch_tell(p);
	w->since_tsc = p->now_tsc;
	w->wait_tsc = 2 * w->wait_tsc < w->most_tsc ? 2 * w->wait_tsc : w->most_tsc;
	return true;
}

u64 rp_watch_left_ns(const struct rp_party *p)
{
	const struct rp_watch *w = &p->watch;
	u64 passed = p->now_tsc - w->since_tsc;

	if (!w->least_tsc || !w->due)
		return 0;
	return passed < w->wait_tsc ? rp_tsc_to_ns(&p->clock, w->wait_tsc - passed) + 1 : 1;
}
