/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system's clocks as numbers. */
#ifndef RP_CLOCK_H
#define RP_CLOCK_H

#include <time.h>

#include "rp.h"

#define NSEC_PER_SEC	1000000000ull

/* 0 when there is no such clock: a thread's goes with the thread. */
static inline u64 clock_ns(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) < 0)
		return 0;
	return (u64)ts.tv_sec * NSEC_PER_SEC + (u64)ts.tv_nsec;
}

#endif /* RP_CLOCK_H */
