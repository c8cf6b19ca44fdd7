/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The native lane's two parties, for one experiment or for many.
 *
 * Theory of operation. The driver's party is a thread of this process over a
 * frontend of our own, the device's is a ringpaced of our own. Both stay up from
 * rig_open() to rig_close(), ring and all; rig_change() gives them other work
 * and another strategy between two measurements. So a measurement costs what
 * it takes, and no process need start for it.
 *
 * Functions return 0, or -1 after fail(); when stopped() became true, -1
 * without a message. One thread at a time.
 */
#ifndef NATIVE_RIG_H
#define NATIVE_RIG_H

#include "backend.h"
#include "frontend.h"
#include "party.h"

struct rig {
	const struct run_params *p;	/* what holds now; the caller's, must stay */
	u32 queue;
	struct backend backend;
	struct fe fe;
	struct party *party;
	bool backend_made, fe_open, party_made;
};

/* Sets both up and lets them work. rig_close() undoes it, in both cases. */
int rig_open(struct rig *r, const struct run_params *p);
void rig_close(struct rig *r);

/*
 * Both strategies begin anew, with what @p says, on fwd with an empty ring: what
 * one left there must not be the next one's latency. Direction, item size, CPU of the
 * driver's side and trace must be as they were; L is at most what it was at first.
 */
int rig_change(struct rig *r, const struct run_params *p);

/* Lets both work for @ns, of which progress says that they follow @done_ns. */
int rig_work_for(struct rig *r, u64 ns, u64 done_ns);

/* Warm-up, reset, measured time; fills in stats_p and stats_c. */
int rig_measure(struct rig *r, struct run_sides *out);
/* Fills in trace_p and trace_c if there is a trace. */
int rig_traces(struct rig *r, struct run_sides *out);
/* Stops P for good, lets C finish; fills in lost_at_end. A run's watch ends here. */
int rig_drain(struct rig *r, struct run_sides *out);

#endif /* NATIVE_RIG_H */
