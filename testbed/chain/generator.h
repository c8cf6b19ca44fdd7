/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The begin of a chain: sends numbered packets when they are due, or, when it is
 * held up, as soon as it can. Their time counts from when they were due.
 */
#ifndef CHAIN_GENERATOR_H
#define CHAIN_GENERATOR_H

#include "chain/schedule.h"
#include "chain/worker.h"
#include "hist/hist.h"

struct generator {
	struct chain_worker worker;
	/* Set by the caller. */
	struct schedule schedule;	/* ->rate_pps 0: whenever there is room */
	u64 measure_tsc;	/* what is sent from then on is in ->behind */
	u32 flows, frame_bytes;
	u32 head_at;		/* CHAIN_AT_... */
	bool spin;		/* waits without sleeping */
	u64 begin_tsc;		/* of the schedule */
	struct rp_clock clock;	/* of the counter */
	/* The thread's. */
	struct rp_hist behind;	/* ticks from when packets were due until they were written */
	u32 done;		/* release; pairs with acquire: the load is over */
};

int generator_start(struct generator *g);

#endif /* CHAIN_GENERATOR_H */
