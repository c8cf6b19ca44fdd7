/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Simulator of chains P -> C, P -> C/P -> ... -> C of parties and queues, in
 * the model's terms, driven by the strategies of lib/pacing that also ship.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "hist/hist.h"
#include "pacing/model.h"
#include "dist.h"

#define SIM_STAGES_MAX	64u

/* Batch-dependent work (004, sec. 9.2): W falls from its start to min_ns over so many items. */
struct sim_fall {
	u64 min_ns;
	u32 items;		/* 0: W does not fall */
};

struct sim_result;

/* Looks at a run from its start on, warm-up included. */
struct sim_watch {
	u64 every_ns;
	/* @so_far since the warm-up's end, or the start; with the present statuses. */
	void (*look)(void *ctx, u64 now_ns, const struct sim_result *so_far);
	void *ctx;
};

struct sim_config {
	/* N, S, Y, Y_E, L, k of every queue; the modes and W are below. */
	struct rp_model_in model;
	/* What a party does that finds its output full (P), its input empty (C). */
	enum rp_strategy_id strategy_p, strategy_c;
	u32 stages;		/* parties, 2..SIM_STAGES_MAX */
	u64 w_ns[SIM_STAGES_MAX];
	struct dist_spec wp, wc;	/* of the first stage; of all others */
	struct dist_spec np, nc, sp, sc, yp, yc, ye, yo;
	struct sim_fall fall_p, fall_c;
	/*
	 * Between asking for notifications and the second look, ns; an item
	 * that comes meanwhile causes a spurious notification.
	 */
	u64 window_ns;
	u64 yo_ns;		/* what a sleep lasts longer than it was to; 0 in the model */
	/*
	 * A closed loop: so many items are out at most, and P says nothing of having
	 * waited, as if each were a reply's to come before the next; 0: L.
	 */
	u32 outstanding;
	u64 spin_turn_ns;	/* so long who spins is not asked again; 0: the default, 50 */
	u64 dmax_ns;		/* D_MAX, for strategies that heed it; 0: none */
	u64 items;		/* measured, at the end of the chain */
	u64 warmup;		/* items before them */
	u64 seed;
	const struct sim_watch *watch;	/* or NULL; of learning strategies' runs */
	bool plain;		/* every event one by one: the reference for the short cuts */
};

/* CPU time by cause, ps, and counts. */
struct sim_party {
	u64 work_ps, notify_ps, start_ps, sleep_cost_ps, spin_ps, arm_ps;
	u64 worked, started;	/* how many W, S */
	/*
	 * Times above are booked whole when they begin. This takes off what is
	 * still to come at the end of the run, and adds what was at its begin;
	 * modulo 2^64.
	 */
	u64 edges_ps;
};

/* Of one queue: its producer (p) and its consumer (c). */
struct sim_queue {
	u64 kicks, calls;	/* notifications P to C, C to P */
	u64 spurious_kicks, spurious_calls;	/* woken by one, and nothing to do */
	u64 double_checks;	/* the second look found work */
	u64 waits_p;		/* items before which the producer had to wait */
	u64 blocks_p, blocks_c, sleeps_p, sleeps_c;
	u64 kick_ps, call_ps, sleep_p_ps, sleep_c_ps;	/* their durations, totals */
};

struct sim_result {
	u64 items;
	u64 time_ps;
	u64 latency_ps;		/* total */
	/*
	 * The longest from the moment that a request could be taken (the
	 * producer took the one before it) to the end of the last party's work.
	 */
	u64 service_max_ps;
	u64 late;		/* items whose latency was above D_MAX */
	struct rp_status status_p, status_c;	/* at the end, of the first and last party */
	u64 changes_p, changes_c;	/* of their modes, in the measured time */
	u64 skipped;		/* items that were accounted for by whole periods */
	u32 stages;
	struct sim_party party[SIM_STAGES_MAX];
	struct sim_queue queue[SIM_STAGES_MAX - 1];
	struct rp_hist latency;	/* ns, publication by P to the end of the last party's work */
};

/* NULL when @c is possible, else why not, in words that name the parameter. */
const char *sim_check(const struct sim_config *c);

/* @c must have passed sim_check(). NULL, or why the run could not be finished. */
const char *sim_run(const struct sim_config *c, struct sim_result *r);

/* CPU time of @p. */
static inline u64 sim_party_cpu_ps(const struct sim_party *p)
{
	return p->work_ps + p->notify_ps + p->start_ps + p->sleep_cost_ps + p->spin_ps +
	       p->arm_ps + p->edges_ps;
}

#endif /* SIM_SIM_H */
