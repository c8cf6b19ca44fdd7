/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a party tells the world: counters as they are, times as means or
 * totals in nanoseconds. The names are the JSON keys of every lane and the
 * fields of the guest driver's struct virtio_pc_stats.
 */
#ifndef RP_REPORT_H
#define RP_REPORT_H

#include "pacing/party.h"

/* X(name): see struct rp_stats for the counters. */
#define RP_REPORT_FIELDS(X)						\
	X(items) X(batches) X(lost) X(reordered)			\
	X(sent) X(suppressed) X(received) X(spurious) X(double_checks)	\
	X(blocks) X(sleeps)						\
	X(late)		/* consumer: latency above dmax_ns */		\
	X(repaired) X(rekicks)						\
	X(w_ns)		/* mean work per item */			\
	X(n_ns)		/* mean cost of a notification sent */		\
	X(y_ns)		/* mean effective sleep */			\
	X(y_max_ns)							\
	X(y_over_ns)	/* mean overshoot of a sleep */			\
	X(wake_ns)	/* mean, enqueue of the waking item to wake */	\
	X(spin_ns) X(block_ns)	/* totals */				\
	X(lat_count) X(lat_p50_ns) X(lat_p98_ns) X(lat_p99_ns) X(lat_max_ns)

struct rp_report {
#define X(name) u64 name;
	RP_REPORT_FIELDS(X)
#undef X
};

/* May be called from any thread; values may lag each other by a batch. */
void rp_party_report(const struct rp_party *p, struct rp_report *r);

#endif /* RP_REPORT_H */
