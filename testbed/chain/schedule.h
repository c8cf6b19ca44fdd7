/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the packets of an open-loop load are to be sent: number i at i / rate after
 * the begin, whatever happens to those before it. Times are ns since the begin.
 */
#ifndef CHAIN_SCHEDULE_H
#define CHAIN_SCHEDULE_H

#include "rp.h"

struct schedule {
	u64 rate_pps;		/* >= 1 */
	u64 duration_ns;	/* packets are due before it is over */
};

/* When packet @i is due; rounded up. */
static inline u64 schedule_at_ns(const struct schedule *s, u64 i)
{
	return (u64)(((unsigned __int128)i * 1000000000 + s->rate_pps - 1) / s->rate_pps);
}

/* How many packets there are. */
static inline u64 schedule_total(const struct schedule *s)
{
	return (u64)(((unsigned __int128)s->duration_ns * s->rate_pps + 999999999) / 1000000000);
}

/* How many are due by @elapsed_ns: number i is one of them if it is due then or was before. */
static inline u64 schedule_due(const struct schedule *s, u64 elapsed_ns)
{
	if (elapsed_ns >= s->duration_ns)
		return schedule_total(s);
	return (u64)((unsigned __int128)elapsed_ns * s->rate_pps / 1000000000) + 1;
}

#endif /* CHAIN_SCHEDULE_H */
