/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOSTD_NOW_H
#define HOSTD_NOW_H

#include <time.h>

#include "rp.h"

static inline u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
}

#endif /* HOSTD_NOW_H */
