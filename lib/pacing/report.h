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

/* X(name): the numbers of struct rp_status of which 0 means "not known". */
#define RP_STATUS_FIELDS(X)						\
	X(threshold) X(window) X(predicted_t_ns) X(w_own_ns) X(w_peer_ns)	\
	X(n_ns) X(s_ns) X(y_e_ns) X(y_min_ns)

/* Likewise: what comes, in 1/1000; and how far to trust estimates, in percent. */
#define RP_ARRIVAL_FIELDS(X)	X(batch) X(burst) X(occupancy)
#define RP_CONFIDENCE_FIELDS(X)	X(w_own) X(w_peer) X(n) X(s) X(y_e) X(y_min)

/* "spin", "sleep", "block", by enum rp_wait. */
extern const char *const rp_wait_names[RP_WAITS];

/*
 * What the party's strategy says of itself; false: it says nothing. mode_ns
 * and mode_changes are since the statistics began, or since the strategy did
 * if that was later. May be called from any thread, as above, but not while
 * another one sets the party up.
 */
bool rp_party_status(const struct rp_party *p, struct rp_status *st);

#endif /* RP_REPORT_H */
