/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the requests of an open-loop load are to be sent, whatever becomes of those
 * before them. Knows neither clock nor socket: times are ns since the load's begin.
 *
 * Theory of operation. Arrival number i is due when the integral of the rate has grown
 * by the i-th distance: 1 for even spacing, exponential with mean 1 for a Poisson
 * process, whose rate may thus change as it likes. The rate is constant for a slot
 * of 1/4800 of the shape's period. Streams are the threads' shares of one process:
 * Poisson streams are independent, even ones interleave.
 */
#ifndef LOAD_ARRIVALS_H
#define LOAD_ARRIVALS_H

#include "shape.h"
#include "sim/dist.h"

#define LOAD_NEVER	UINT64_MAX

struct load_offer {
	const struct shape *shape;
	struct shape_spec rate;		/* requests per second */
	bool even;			/* else Poisson */
	u64 duration_ns;
	u64 seed;
};

struct load_arrivals {
	const struct load_offer *offer;	/* outlives it */
	u32 streams;
	double at_s;
	double slot_s;			/* infinite: the rate never changes */
	u64 slot;			/* in which at_s is */
	double distance;		/* to the next arrival */
	struct dist dist;
};

/* The same offer and stream give the same arrivals. */
void load_arrivals_init(struct load_arrivals *a, const struct load_offer *o, u32 stream,
			u32 streams);
/* When the next one is due; LOAD_NEVER once the load is over. Never before the last. */
u64 load_arrivals_next(struct load_arrivals *a);

#endif /* LOAD_ARRIVALS_H */
