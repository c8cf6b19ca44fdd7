/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All counters of a chain at one time, and how full its rings are over time. */
#ifndef CHAIN_LOOK_H
#define CHAIN_LOOK_H

#include "chain/chain.h"

/* Of a hop. */
struct hop_look {
	u64 at_ns;
	json_t *tx, *rx;	/* STATS of the queue that the sender, the receiver has */
	double pacer_cpu_ns, pacer_waits;
	double tx_kicks, rx_kicks;	/* by the sender, by the receiver */
};

struct chain_look {
	u64 at_ns;
	/* The generator, the VMs, the sink: that at the end of hop k (from 1) is number k. */
	struct worker_look party[CHAIN_HOPS_MAX + 1];
	struct hop_look hop[CHAIN_HOPS_MAX];
};

/* 0, or -1 after fail(); chain_look_free() undoes it in both cases. @l is zeroed. */
int chain_look(struct chain *c, struct chain_look *l);
void chain_look_free(struct chain_look *l);

/* Sums of what was seen; of a ring whose slots we cannot see n stays 0. */
struct fill {
	double sum;		/* shares of the slots that are full */
	u32 n;
};

struct chain_fill {
	struct fill tx[CHAIN_HOPS_MAX], rx[CHAIN_HOPS_MAX];
};

/* One look at all rings. */
void chain_fill_look(const struct chain *c, struct chain_fill *f);

static inline double fill_mean(const struct fill *f)
{
	return f->n ? f->sum / f->n : UNKNOWN;
}

#endif /* CHAIN_LOOK_H */
