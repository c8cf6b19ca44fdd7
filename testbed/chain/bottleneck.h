/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds up a chain.
 *
 * The chain is a row of servers (generator, pacer, VM, pacer, ..., sink) with a
 * ring between each two. The slowest one fills the ring before it; those before that
 * one find their output full, so that theirs fill, too; those behind it drain theirs.
 * So the bottleneck is the server that takes from the last ring that is full. When
 * none is, the chain keeps up; the bottleneck is then the server that is busy nearly
 * all the time, if there is one.
 */
#ifndef CHAIN_BOTTLENECK_H
#define CHAIN_BOTTLENECK_H

#include "util.h"

/*
 * Mean share of the slots: who blocked on a full ring is called when a quarter is still
 * in it, so that a ring that is full again and again is more than half full in the mean.
 */
#define BOTTLENECK_FULL		0.5
#define BOTTLENECK_BUSY		0.9

/* UNKNOWN: not measured. */
struct chain_server {
	double in_fill;		/* of the ring that it takes from, 0..1 */
	double utilisation;	/* 0..1 of the time it was waiting for neither side */
};

enum bottleneck_why { BOTTLENECK_NONE, BOTTLENECK_RING_FULL, BOTTLENECK_IS_BUSY };

/* The index of the bottleneck among @n servers, first the generator, and *@why; or -1. */
int bottleneck_find(const struct chain_server *s, u32 n, enum bottleneck_why *why);
/* The one that is busiest, whether it holds anybody up or not; -1: none is known. */
int bottleneck_busiest(const struct chain_server *s, u32 n);

/*
 * In which regime of the model (docs/model.md) a ring with a static strategy is, by the
 * number of times a packet that C found it empty and P found it full: who waits is the
 * faster one. "nS*": both wait, so it is nSCS, nSPS or nSS. NULL: nobody waits, or the
 * strategy is none of the model's.
 */
const char *bottleneck_regime(u32 strategy, double waits_c, double waits_p);

#endif /* CHAIN_BOTTLENECK_H */
