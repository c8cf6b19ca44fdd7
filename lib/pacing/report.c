// SPDX-License-Identifier: GPL-2.0-or-later
/* Turns a party's counters into what people and programs read. */
#include "pacing/report.h"

static u64 mean_ns(const struct rp_clock *c, u64 tsc, u64 n)
{
	return n ? (rp_tsc_to_ns(c, tsc) + n / 2) / n : 0;
}

/* A sleep that a stop cut short can make the total negative. */
static u64 mean_over_ns(const struct rp_clock *c, const struct rp_stats *s, u64 n)
{
	u64 took = rp_load(&s->sleep_tsc), asked = rp_load(&s->sleep_asked_tsc);

	return took > asked ? mean_ns(c, took - asked, n) : 0;
}

static void report_latency(const struct rp_party *p, struct rp_report *r)
{
	const struct rp_hist *h = p->latency;

	if (!h)
		return;
	r->lat_count = rp_load(&h->count);
	r->lat_p50_ns = rp_tsc_to_ns(&p->clock, rp_hist_quantile(h, 500));
	r->lat_p98_ns = rp_tsc_to_ns(&p->clock, rp_hist_quantile(h, 980));
	r->lat_p99_ns = rp_tsc_to_ns(&p->clock, rp_hist_quantile(h, 990));
	r->lat_max_ns = rp_tsc_to_ns(&p->clock, rp_load(&h->max));
}

void rp_party_report(const struct rp_party *p, struct rp_report *r)
{
	const struct rp_clock *c = &p->clock;
	const struct rp_stats *s = &p->stats;

	memset(r, 0, sizeof(*r));
#define COPY(name) r->name = rp_load(&s->name)
	COPY(items);
	COPY(batches);
	COPY(lost);
	COPY(reordered);
	COPY(sent);
	COPY(suppressed);
	COPY(received);
	COPY(spurious);
	COPY(double_checks);
	COPY(blocks);
	COPY(sleeps);
	COPY(late);
	COPY(repaired);
	COPY(rekicks);
#undef COPY
	r->w_ns = mean_ns(c, rp_load(&s->work_tsc), r->items);
	r->n_ns = mean_ns(c, rp_load(&s->notify_tsc), r->sent);
	r->y_ns = mean_ns(c, rp_load(&s->sleep_tsc), r->sleeps);
	r->y_over_ns = mean_over_ns(c, s, r->sleeps);
	r->y_max_ns = rp_tsc_to_ns(c, rp_load(&s->sleep_max_tsc));
	r->wake_ns = mean_ns(c, rp_load(&s->wake_tsc), rp_load(&s->wakes));
	r->spin_ns = rp_tsc_to_ns(c, rp_load(&s->spin_tsc));
	r->block_ns = rp_tsc_to_ns(c, rp_load(&s->block_tsc));
	report_latency(p, r);
}

const char *const rp_wait_names[RP_WAITS] = {
	[RP_WAIT_SPIN] = "spin",
	[RP_WAIT_SLEEP] = "sleep",
	[RP_WAIT_BLOCK] = "block",
};

bool rp_party_status(const struct rp_party *p, struct rp_status *st)
{
	const struct rp_strategy *s = &p->strategy;
	u32 i;

	memset(st, 0, sizeof(*st));
	if (!s->ops || !s->ops->status)
		return false;
	s->ops->status(s, st);
	for (i = 0; i < RP_WAITS; i++)
		st->mode_ns[i] -= p->status_base.mode_ns[i];
	st->mode_changes -= p->status_base.mode_changes;
	return true;
}
