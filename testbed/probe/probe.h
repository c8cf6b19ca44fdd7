/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The measurements of a host: what others take, what sleeping costs, what notifying costs. */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "lane.h"
#include "samples.h"

#define PROBE_SLEEPS		19

/* The CPUs of P and C. */
#define PROBE_CPUS		2

/* Times of 1 us and more in which a thread that only looks at the clock had no CPU. */
struct probe_gaps {
	int cpu;
	double observed_ns;
	u32 n;
	double lost_share;	/* of that time, all gaps together */
	double max_ns;
	/* From a random moment until the thread has its CPU: 98 and 99 times of 100 at most. */
	double delay_p98_ns, delay_p99_ns;
};

/* Sleeps of one nominal length. */
struct probe_sleep {
	double nominal_ns;
	struct summary y;	/* how long they really were */
	double cost_ns;		/* CPU time of the thread, per sleep */
};

struct probe_sleeps {
	u32 n;
	struct probe_sleep point[PROBE_SLEEPS];
	double ye_ns;		/* Y_E: median cost of the sleeps of 10 us to 100 us */
	double floor_ns;	/* the shortest effective sleep, median */
};

/* One of sec. 4.4's experiments. */
struct probe_notify {
	double wp_ns, wc_ns;
	u32 queue_len;
	struct run_result result;
	struct summary n, s;	/* N of the notifying party, S of the notified one */
};

struct probe {
	bool quick;
	struct probe_gaps gaps[PROBE_CPUS];
	struct probe_sleeps sleeps;	/* of a thread on the host */
	struct probe_sleeps guest;	/* of the guest's driver; n is 0 without a guest */
	struct probe_notify fast_c;	/* N_P, S_C */
	struct probe_notify fast_p;	/* N_C, S_P */
};

/* 0, or -1 after fail(), or when stopped. */
int probe_gaps(struct probe *p);
/* Of gaps in a time of @total_ns; sorts them. */
void probe_gaps_conclude(struct samples *gaps, double total_ns, struct probe_gaps *to);
int probe_sleeps(struct probe *p);
/* For lanes with a guest. */
int probe_guest_sleeps(struct probe *p, const struct lane_ops *lane);
int probe_notify(struct probe *p, const struct lane_ops *lane);

/* The profile as it is stored. New reference. */
json_t *probe_json(const struct probe *p, const char *lane);
void probe_print(const struct probe *p);

#endif /* PROBE_PROBE_H */
