/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a dataplane tells of its load, for controllers: this header is all that they
 * need. rp-dataplane answers the order `telemetry` (docs/dataplane.md) with a JSON
 * object whose "version" is DP_TELEMETRY_VERSION; it grows when a field changes its
 * meaning or goes. "all" has the fields of DP_TELEMETRY_ALL, "threads" of each thread
 * those of DP_TELEMETRY_FIELDS, and those of DP_TELEMETRY_AVERAGES as lists, one
 * value for each of "alphas".
 *
 * Each thread takes a sample every DP_TELEMETRY_NS while it runs, and when it goes to
 * rest. Counters run on and never go back.
 */
#ifndef DP_TELEMETRY_H
#define DP_TELEMETRY_H

#include "rp.h"

#define DP_TELEMETRY_VERSION	1u
#define DP_TELEMETRY_NS		10000000ULL

/* Weights of the newest sample in the averages: slow ones first. In 1/1000. */
#define DP_ALPHAS		3u
#define DP_ALPHA_MILLI		{ 50, 200, 600 }

/*
 * taken_ns	when, CLOCK_MONOTONIC or the counter that the dataplane has instead
 * queue	Q: packets that wait for the thread; those of groups that come included
 * tau_ns	length of the last iteration that had something to do,
 * tau_items	and the packets that it processed
 * delay_ns	ceil(Q / B) * tau
 * idle_ppm	share of the time since the last sample without anything to do, in 1/10^6
 * items	counter: packets processed
 * iterations	counter: turns that had something to do,
 * busy_ns	and the time that they took
 * new_items	packets processed since the last sample
 */
#define DP_TELEMETRY_FIELDS(X) \
	X(taken_ns) X(queue) X(tau_ns) X(tau_items) X(delay_ns) X(idle_ppm) \
	X(items) X(iterations) X(busy_ns) X(new_items)

/* Exponential averages over samples; queue_milli is Q in 1/1000. */
#define DP_TELEMETRY_AVERAGES(X) \
	X(queue_milli_avg) X(tau_ns_avg) X(delay_ns_avg) X(idle_ppm_avg)

/*
 * Of all threads, as the host controller's sensors take it: queue, tau_ns and
 * tau_items of the fullest thread, backlog the sum of all queues, batch B,
 * peak_milli the busiest thread's packets over the mean, in 1/1000. taken_ns is the
 * oldest sample of a thread that runs; of one that rests the present is known.
 */
#define DP_TELEMETRY_ALL(X) \
	X(taken_ns) X(queue) X(backlog) X(tau_ns) X(tau_items) X(batch) \
	X(items) X(iterations) X(busy_ns) X(peak_milli)

#define DP_FIELD(name)		u64 name;
#define DP_AVERAGE(name)	u64 name[DP_ALPHAS];

struct dp_telemetry {
	DP_TELEMETRY_FIELDS(DP_FIELD)
	DP_TELEMETRY_AVERAGES(DP_AVERAGE)
};

struct dp_telemetry_all {
	DP_TELEMETRY_ALL(DP_FIELD)
};

#endif /* DP_TELEMETRY_H */
