/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A simulated host: one socket with a polling dataplane, one background job, and the
 * sensors and actuators of the host controller. docs/host.md tells the model.
 *
 * Time goes in ticks of HS_TICK_NS. Within one, each thread is a queue with Poisson
 * arrivals and a server whose speed follows from the configuration; order within a
 * tick is not modelled. Flow groups move between threads in sets.
 */
#ifndef HOSTSIM_H
#define HOSTSIM_H

#include "../../host-ctl/batch.h"
#include "../../host-ctl/control.h"

#define HS_TICK_NS	100000ULL
#define HS_CORES	8u
#define HS_THREADS	(2 * HS_CORES)
#define HS_GROUPS	128u
#define HS_MOVES	(HS_THREADS * HS_THREADS)
#define HS_BINS		512u
#define HS_BIN_NS	5000u

/* The host of 000: 13 clock rates and turbo, 1.3 for the second threads. */
extern const struct hc_host hs_host;
/* The SLO of 000, sec. 2, and the bound of the queueing delay, sec. 4.3. */
#define HS_SLO_NS	500000u
#define HS_BOUND_NS	300000u
/* The highest load that 000 offers, requests per second. */
#define HS_PEAK_PPS	6.2e6

/*
 * Of one change all sets move at once, as our dataplane has it; or one after the other, as that
 * of 000 does.
 */
enum hs_moves { HS_PARALLEL, HS_SERIAL };

enum hs_move_state { HS_MOVE_PLANNED, HS_MOVE_UNDER_WAY, HS_MOVE_ENDED };

/* A set of flow groups that goes from one thread to another; what arrives meanwhile is held. */
struct hs_move {
	u32 from, to;
	u32 groups;
	u8 group[HS_GROUPS];
	enum hs_move_state state;
	u64 begin_ns, end_ns;		/* when it is due */
	double held, share;		/* items, and the load of its groups, while it is under way */
};

/* Groups are first spread by few large moves, then evened out by many small ones. */
enum hs_plan { HS_REFINE, HS_COARSE };

/* Of the last second, or since hs_count_reset(). */
struct hs_count {
	double requests, late;		/* late: above the SLO */
	double energy_j, batch_s;	/* batch_s: seconds of the whole host's background job */
	u64 ns;
	double bin[HS_BINS];		/* latency, the last one is all above */
};

struct hs {
	u64 now_ns;
	double load;			/* offered, requests per second */
	u64 rng;
	struct hc_config config;	/* that has been ordered */
	u32 batch_cores;		/* that the background job may have */
	double weight[HS_GROUPS];	/* share of the load */
	u8 owner[HS_GROUPS];
	double share[HS_THREADS];	/* sums of weight */
	double queue[HS_THREADS];
	double tau_ns[HS_THREADS], tau_items[HS_THREADS];	/* last iteration */
	bool ordered;			/* other threads are to be used; not planned yet */
	enum hs_plan plan;
	enum hs_moves how;
	u32 moves, due, ended;		/* planned; the first so many are due at a time; have ended */
	bool growing;
	struct hs_move move[HS_MOVES];
	bool on_way[HS_GROUPS];
	double items, iterations, busy_ns;
	double heat_w;			/* of turbo, rising over minutes */
	u32 migrations;
	double migration_ns;		/* total */
	struct hs_count count;
};

/*
 * With all flow groups placed for @c and nothing queued; the same @seed, the same run. Moves in
 * parallel, unless .how is set to something else.
 */
void hs_init(struct hs *h, const struct hc_config *c, u64 seed);
void hs_tick(struct hs *h);
void hs_count_reset(struct hs *h);
/* The 99th percentile of what was counted, ns; the upper edge of its bin. */
double hs_p99_ns(const struct hs_count *c);
/* Seconds whose 99th percentile is above the SLO count as violations. */
bool hs_violated(const struct hs_count *c);

/* ---- Parts of the model ---- */

/* Uniform in 0..1; Poisson. */
double hs_uniform(u64 *rng);
double hs_poisson(u64 *rng, double mean);
/* Of an item and of an iteration, of a thread alone on its core, ns. */
double hs_item_ns(double ghz);
double hs_iter_ns(double ghz);
#define HS_BATCH	64u
/* Of @cores that run, each with so many busy threads, ignoring turbo's heat. */
double hs_core_w(double ghz, u32 threads, double utilisation);
/* 000, sec. 2: turbo's heat comes over a few minutes. */
#define HS_HEAT_W	4.0
#define HS_HEAT_S	60
extern const double hs_idle_w;
bool hs_is_turbo(const struct hc_config *c);

/* Spreads the flow groups over the threads of @h->config, at once. */
void hs_place(struct hs *h);
/* The moves by which that would be done, as @h->plan says. */
void hs_plan(struct hs *h);
/* Each thread's share, of the groups that it has and that are not on their way. */
void hs_sum_up(struct hs *h);
/* Moves, begun when @h->ordered. */
void hs_move_tick(struct hs *h);
static inline bool hs_is_moving(const struct hs *h)
{
	return h->ended < h->due;
}
/* Items that wait for the end of moves. */
double hs_held(const struct hs *h);

/* ---- Several tenants ---- */

#define HS_TENANTS_MAX	8u

/*
 * A host whose cores tenants share, each core at one clock and one latency-critical tenant's at
 * a time. Batch tenants have what is left.
 */
struct hs_host {
	u32 tenants, batches;
	struct hs *of[HS_TENANTS_MAX];	/* in the controller's order */
	u32 batch_cores;		/* that batch tenants may have together, */
	struct hc_batch batch[HS_TENANTS_MAX];	/* and what the controller has given each */
};

/* Cores that a tenant has or has not left yet. */
u32 hs_cores_held(const struct hs *h);

/* ---- As the controller sees it ---- */
extern const struct hc_sensor_ops hs_sensor_ops;		/* context: a struct hs */
extern const struct hc_actuator_ops hs_freq_ops, hs_batch_ops, hs_threads_ops;	/* a struct hs_host */

#endif /* HOSTSIM_H */
