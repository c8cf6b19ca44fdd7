/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much a port may send: packets and bits a second, by token buckets.
 *
 * Theory of operation. Nothing is dropped: while a bucket has no credit the port's
 * flows leave its TX queues alone and sleep, and its guest is held up by full rings.
 * Credit is counted in units of which a packet (or a bit) costs as many as the counter
 * has ticks a second, and a tick brings as many as the rate: so there is no
 * rounding, and none to add up. A packet goes while there is any credit, and is owed
 * for: in a time t a port sends at most burst + rate * t, and one packet more.
 *
 * One thread has all flows of a port with a limit, and its buckets are that thread's.
 */
#ifndef RINGPACED_LIMIT_H
#define RINGPACED_LIMIT_H

#include "packet.h"

#define LIMIT_PPS_MAX		1000000000ull
#define LIMIT_BPS_MAX		1000000000000ull
#define LIMIT_BURST_PACKETS_MAX	1000000u
#define LIMIT_BURST_BYTES_MAX	(64u << 20)
#define LIMIT_HZ_MAX		((1ULL << 33) - 1)
/* Credit for so long is saved up before a flow that was held up goes on. */
#define LIMIT_REST_NS		100000u

/* What the user sets; 0: no limit, or the default burst. */
struct limit_params {
	u64 pps, bps;
	u64 burst_packets;	/* default: 10 ms of the rate, BATCH_PACKETS at least */
	u64 burst_bytes;	/* default: 10 ms of the rate, 64 KiB at least */
};

struct limit_bucket {
	u64 rate;		/* units a tick; 0: no limit */
	s64 credit;
	s64 burst;		/* most that it can have */
};

struct limit {
	bool on;
	u64 hz;			/* units that a packet, or a bit, costs */
	u64 last_tsc;		/* credit is up to date as of then */
	u64 rest_tsc;
	struct limit_bucket packets, bits;
	u64 waits;		/* read relaxed: times that a flow was held up */
};

/* NULL, or what is wrong with it. */
const char *limit_check(const struct limit_params *p);
/* Buckets are full; ->waits stays. @hz: of the counter, LIMIT_HZ_MAX at most. */
void limit_begin(struct limit *l, const struct limit_params *p, u64 hz, u64 now_tsc);

/* ---- Of the thread ---- */

/* May a packet go? */
bool limit_open(struct limit *l, u64 now_tsc);
/* It is open: how many of the batch, from its first on. */
u32 limit_admit(const struct limit *l, const struct batch *b);
/* The first @n have gone. */
void limit_charge(struct limit *l, const struct batch *b, u32 n);
/* It is not open: when to look again. */
u64 limit_until_tsc(struct limit *l);

#endif /* RINGPACED_LIMIT_H */
