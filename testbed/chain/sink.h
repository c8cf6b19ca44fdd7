/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a chain: takes packets, counts them, and measures how long each took. */
#ifndef CHAIN_SINK_H
#define CHAIN_SINK_H

#include "chain/worker.h"
#include "hist/hist.h"

struct sink {
	struct chain_worker worker;
	u32 head_at, routers;	/* of frames, CHAIN_AT_...; how many they came by */
	u64 measure_tsc;	/* set by the caller: what comes from then on is in ->latency */
	struct rp_hist latency;	/* ticks, from when packets were due */
};

/* ->worker.arrivals has been initialised. */
int sink_start(struct sink *s);

#endif /* CHAIN_SINK_H */
