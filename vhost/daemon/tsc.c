// SPDX-License-Identifier: GPL-2.0-or-later
/* Measures the rate of the time-stamp counter. */
#include "clock.h"
#include "tsc.h"

struct pair {
	u64 tsc;
	u64 ns;
};

/*
 * The counter and the clock at one moment: of some tries the one that took the
 * least time, so that a preemption between the two readings does not count.
 */
static struct pair read_both(void)
{
	struct pair best = { 0 };
	u64 least = UINT64_MAX;
	int i;

	for (i = 0; i < 16; i++) {
		u64 before = rp_tsc(), ns = clock_ns(CLOCK_MONOTONIC), after = rp_tsc();

		if (after - before >= least)
			continue;
		least = after - before;
		best.tsc = before + least / 2;
		best.ns = ns;
	}
	return best;
}

u64 tsc_measure_hz(void)
{
	struct timespec wait = { .tv_nsec = 50000000 };
	struct pair a = read_both(), b;

	nanosleep(&wait, NULL);
	b = read_both();
	return (u64)((unsigned __int128)(b.tsc - a.tsc) * 1000000000 / (b.ns - a.ns));
}
