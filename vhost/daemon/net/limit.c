// SPDX-License-Identifier: GPL-2.0-or-later
/* Token buckets without rounding. */
#include "limit.h"

#define BITS		8u
#define BURST_PARTS	100u	/* of a second, by default */
#define BURST_BYTES_MIN	65536u

/* ---- A bucket ---- */

static void begin(struct limit_bucket *b, u64 rate, u64 burst, u64 hz)
{
	b->rate = rate;
	b->burst = b->credit = (s64)(burst * hz);
}

static void fill(struct limit_bucket *b, u64 ticks)
{
	unsigned __int128 come = (unsigned __int128)ticks * b->rate;
	u64 room = b->credit < b->burst ? (u64)(b->burst - b->credit) : 0;

	b->credit = come < room ? b->credit + (s64)come : b->burst;
}

static bool has_credit(const struct limit_bucket *b)
{
	return !b->rate || b->credit > 0;
}

/* Ticks until there is credit again. */
static u64 empty_for(const struct limit_bucket *b)
{
	return has_credit(b) ? 0 : (u64)-b->credit / b->rate + 1;
}

/* ---- Both ---- */

static u64 or_default(u64 burst, u64 rate, u64 min, u64 max)
{
	u64 part = rate / BURST_PARTS;

	return burst ? burst : part < min ? min : part < max ? part : max;
}

const char *limit_check(const struct limit_params *p)
{
	if (p->burst_packets && !p->pps)
		return "burst-packets: there is no rate-pps";
	if (p->burst_bytes && !p->bps)
		return "burst-bytes: there is no rate-bps";
	return NULL;
}

void limit_begin(struct limit *l, const struct limit_params *p, u64 hz, u64 now_tsc)
{
	u64 packets = or_default(p->burst_packets, p->pps, BATCH_PACKETS, LIMIT_BURST_PACKETS_MAX);
	u64 bytes = or_default(p->burst_bytes, p->bps / BITS, BURST_BYTES_MIN,
			       LIMIT_BURST_BYTES_MAX);
	u64 half = ~0ULL;

	l->on = p->pps || p->bps;
	l->hz = hz;
	l->last_tsc = now_tsc;
	begin(&l->packets, p->pps, packets, hz);
	begin(&l->bits, p->bps, bytes * BITS, hz);
	/* A rest must not be so long that a bucket runs over meanwhile. */
	if (p->pps)
		half = (u64)l->packets.burst / p->pps / 2;
	if (p->bps && (u64)l->bits.burst / p->bps / 2 < half)
		half = (u64)l->bits.burst / p->bps / 2;
	l->rest_tsc = (u64)((unsigned __int128)hz * LIMIT_REST_NS / 1000000000u);
	if (half < l->rest_tsc)
		l->rest_tsc = half;
}

bool limit_open(struct limit *l, u64 now_tsc)
{
	/* Counters of two CPUs may differ by a little. */
	if (now_tsc > l->last_tsc) {
		fill(&l->packets, now_tsc - l->last_tsc);
		fill(&l->bits, now_tsc - l->last_tsc);
		l->last_tsc = now_tsc;
	}
	return has_credit(&l->packets) && has_credit(&l->bits);
}

/*
 * Bits that a packet is charged for. A guest may describe 4 GiB, which are dropped: as
 * much as the longest frame is what they cost. Of a whole batch the units fit a s64.
 */
static u64 bits_of(const struct packet *p)
{
	return (u64)BITS * (p->bytes < PACKET_MAX_BYTES ? p->bytes : PACKET_MAX_BYTES);
}

_Static_assert((u64)BITS * PACKET_MAX_BYTES * BATCH_PACKETS < (1ULL << 63) / LIMIT_HZ_MAX,
	       "what a batch costs is no overflow");

u32 limit_admit(const struct limit *l, const struct batch *b)
{
	s64 packets = l->packets.credit, bits = l->bits.credit;
	u32 i;

	for (i = 0; i < b->n; i++) {
		if ((l->packets.rate && packets <= 0) || (l->bits.rate && bits <= 0))
			break;
		packets -= (s64)l->hz;
		bits -= (s64)(bits_of(&b->pkt[i]) * l->hz);
	}
	return i;
}

void limit_charge(struct limit *l, const struct batch *b, u32 n)
{
	u64 bits = 0;
	u32 i;

	for (i = 0; i < n; i++)
		bits += bits_of(&b->pkt[i]);
	if (l->packets.rate)
		l->packets.credit -= (s64)(n * l->hz);
	if (l->bits.rate)
		l->bits.credit -= (s64)(bits * l->hz);
}

u64 limit_until_tsc(struct limit *l)
{
	u64 packets = empty_for(&l->packets), bits = empty_for(&l->bits);
	u64 ticks = packets > bits ? packets : bits;

	rp_add(&l->waits, 1);
	return l->last_tsc + (ticks > l->rest_tsc ? ticks : l->rest_tsc);
}
