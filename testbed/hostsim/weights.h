/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How well the queues of a NIC get what their weights ask for: ringpaced's own queues
 * (vhost/daemon/net/egress.h), none of them ever empty, in front of a line of simulated time.
 */
#ifndef HOSTSIM_WEIGHTS_H
#define HOSTSIM_WEIGHTS_H

#include "rp.h"

#define WEIGHTS_LINE_BPS	10000000000ULL
#define WEIGHTS_MAX		10u	/* they are drawn from 1..WEIGHTS_MAX */

struct weights_run {
	u32 queues;
	double error;		/* the worst queue's share over that asked for, less 1; absolute */
};

#define WEIGHTS_RUNS	6u

/*
 * A second of a line of WEIGHTS_LINE_BPS each, with 2, 4, 8, 16, 32 and 64 queues. The same
 * @seed, the same frames and weights. Fails, after fail(), without memory or descriptors.
 */
int weights_measure(u64 seed, struct weights_run run[WEIGHTS_RUNS]);

#endif /* HOSTSIM_WEIGHTS_H */
