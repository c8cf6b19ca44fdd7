/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two measurements of a host: what sleeping costs, and what notifying costs. */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "lane.h"
#include "samples.h"

#define PROBE_SLEEPS		19

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
	struct probe_sleeps sleeps;	/* of a thread on the host */
	struct probe_sleeps guest;	/* of the guest's driver; n is 0 without a guest */
	struct probe_notify fast_c;	/* N_P, S_C */
	struct probe_notify fast_p;	/* N_C, S_P */
};

/* 0, or -1 after fail(), or when stopped. */
int probe_sleeps(struct probe *p);
/* For lanes with a guest. */
int probe_guest_sleeps(struct probe *p, const struct lane_ops *lane);
int probe_notify(struct probe *p, const struct lane_ops *lane);

/* The profile as it is stored. New reference. */
json_t *probe_json(const struct probe *p, const char *lane);
void probe_print(const struct probe *p);

#endif /* PROBE_PROBE_H */
