/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The figures of one hop: of its link, its pacer, and who receives. */
#ifndef CHAIN_HOP_H
#define CHAIN_HOP_H

#include "chain/figures.h"

/* Of a thread in the measured time; UNKNOWN where nothing passed it. */
struct chain_thread {
	double cpu;		/* 0..1 of one CPU */
	double cpu_ns;		/* per packet */
	double waits_per_s;
	double utilisation;	/* 0..1 of the time, by the clock */
};

struct chain_hop {
	double seconds;
	double packets;		/* that the pacer passed on in the measured time */
	double sent, received;	/* in the whole run */
	/* As the receiver saw them come: of all hops until here; UNKNOWN of a VM. */
	double reordered, duplicates, bad;
	double stage_lost;	/* that the receiver did not pass on; UNKNOWN of the sink */
	double tx_kicks, tx_calls, rx_calls, rx_kicks;	/* per packet */
	double tx_fill, rx_fill;	/* 0..1 */
	const char *regime_tx, *regime_rx;	/* NULL: not known; owned by the looks */
	const char *unmet;
	double sleeps_per_s, blocks_per_s;	/* of the pacer */
	struct chain_thread pacer, stage;
};

/* Hop @i (from 0). */
void hop_figures(const struct chain *c, const struct chain_looks *l, u32 i, struct chain_hop *h);
/* Of party @i (0: the generator), of @packets in @seconds. */
void stage_figures(const struct chain_looks *l, u32 i, double packets, double seconds,
		   struct chain_thread *t);
/* Packets that VM @l has received and not sent, in the whole run. */
double stage_lost(const struct worker_look *l);
json_t *hop_json(const struct chain *c, const struct chain_looks *l, u32 i,
		 const struct chain_hop *h);
json_t *thread_json(const struct chain_thread *t);
/* "generator", "vm 1", ..., "sink"; static, of four buffers in turn. */
const char *chain_party_name(const struct chain *c, u32 i);

#endif /* CHAIN_HOP_H */
