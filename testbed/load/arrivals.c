// SPDX-License-Identifier: GPL-2.0-or-later
/* Arrival processes. */
#include "load/arrivals.h"

#include <math.h>

#define SLOTS		4800u	/* a multiple of the stairs and of the pieces of noise */
#define UNIT_PS		1000000000000ULL

_Static_assert(SLOTS % (2 * SHAPE_STEPS) == 0 && SLOTS % SHAPE_NOISES == 0,
	       "a shape jumps between slots only");

static double draw(struct load_arrivals *a)
{
	if (a->offer->even)
		return 1;
	return (double)dist_sample(&a->dist, UNIT_PS) / (double)UNIT_PS;
}

void load_arrivals_init(struct load_arrivals *a, const struct load_offer *o, u32 stream,
			u32 streams)
{
	const struct dist_spec exponential = { .kind = DIST_EXP };

	*a = (struct load_arrivals){ .offer = o, .streams = streams };
	a->slot_s = o->shape == &shape_flat ? INFINITY : o->rate.period_s / SLOTS;
	dist_init(&a->dist, &exponential, o->seed, stream);
	a->distance = o->even ? (double)stream / streams : draw(a);
}

/* Of this stream, in the present slot. */
static double rate_of(const struct load_arrivals *a)
{
	double t = isinf(a->slot_s) ? 0 : ((double)(a->slot % SLOTS) + 0.5) * a->slot_s;

	return a->offer->shape->rate(&a->offer->rate, t) / a->streams;
}

u64 load_arrivals_next(struct load_arrivals *a)
{
	const double end_s = (double)a->offer->duration_ns / 1e9;
	double rate, slot_end, room;

	while (a->at_s < end_s) {
		rate = rate_of(a);
		slot_end = isinf(a->slot_s) ? end_s : (double)(a->slot + 1) * a->slot_s;
		room = rate * (slot_end - a->at_s);
		if (a->distance < room) {
			a->at_s += a->distance / rate;
			a->distance = draw(a);
			return a->at_s < end_s ? (u64)(a->at_s * 1e9) : LOAD_NEVER;
		}
		a->distance -= room;
		a->at_s = slot_end;
		a->slot++;
	}
	return LOAD_NEVER;
}
