/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host controller's core: what its sensors tell of the tenants in, changes of
 * configuration through its actuators out. It does no I/O and reads no clock: the
 * caller owns time and calls hc_run() when hc_next() is due. Not thread-safe.
 *
 * Three rhythms. Every fast_ns each tenant's queueing delay is looked at, and only a
 * tenant that is being overloaded is acted upon. Every metric_ns the averages and the
 * capacities are brought up to date. Every decide_ns all tenants are decided upon and
 * arbitrated. docs/host.md tells the control law.
 */
#ifndef HOST_CTL_CONTROL_H
#define HOST_CTL_CONTROL_H

#include "arbiter.h"

#define HC_TENANTS_MAX		64u
#define HC_SENSORS_MAX		4u
#define HC_ACTUATORS_MAX	8u
#define HC_NAME_MAX		32u
#define HC_ALPHAS		3u

/* ---- Sensors ---- */

/* What a sensor knows of a tenant. Counters run on and never go back. */
struct hc_sample {
	u64 taken_ns;		/* when; the controller judges its age by that */
	double queue;		/* Q: items waiting, of the fullest thread */
	double backlog;		/* of all threads together */
	double tau_ns;		/* length of that thread's last iteration */
	double tau_items;	/* and its items; 0: not told, taken to be B */
	u32 batch;		/* B: most items of an iteration */
	/* Counters, all threads; busy_ns may be told less often than the others. */
	double items, iterations, busy_ns;
	double peak;		/* busiest thread's items over the mean, 1 when even */
};

struct hc_sensor_ops {
	const char *name;
	/* 0, or a negative errno: the sensor is absent. Must not block. */
	int (*read)(void *ctx, struct hc_sample *s);
};

struct hc_sensor {
	const struct hc_sensor_ops *ops;
	void *ctx;
};

enum hc_basis {
	HC_FRESH,
	HC_STALE,		/* the last sample is too old: nothing is taken away */
	HC_ABSENT,		/* no sensor answers, or for too long: the safe step */
};

/* ---- Actuators ---- */

enum hc_enforced {
	HC_ENFORCED,
	HC_PENDING,		/* begun; settled() tells the end */
	HC_EMULATED,		/* by a stand-in */
	HC_DRY_RUN,		/* nothing was done */
	HC_NOBODY,		/* what it would act on is not there now */
	HC_FAILED,
};

struct hc_change {
	u32 tenant;
	const char *name;
	struct hc_config from, to;
	u32 free_cores;		/* of the host, after it */
};

struct hc_actuator_ops {
	const char *name;
	/* Must not block. */
	enum hc_enforced (*apply)(void *ctx, const struct hc_change *c);
	/* Is what was pending for the tenant done? NULL: nothing is ever pending. */
	bool (*settled)(void *ctx, u32 tenant);
};

/* When a tenant grows they act in this order, when it shrinks in the opposite one. */
struct hc_actuator {
	const struct hc_actuator_ops *ops;
	void *ctx;
};

/* Does nothing and says so; the context is not used. */
extern const struct hc_actuator_ops hc_dry_run_ops;

/* ---- Decisions ---- */

enum hc_why {
	HC_HOLD,		/* the configuration fits */
	HC_HOLD_RECENT,		/* less would do, but it was changed only now */
	HC_HOLD_STALE,
	HC_HOLD_PENDING,	/* the last change is still being carried out */
	HC_ADD_DELAY,		/* the average delay nears the bound */
	HC_ADD_LOAD,		/* the load nears the capacity */
	HC_ADD_DANGER,		/* on the fast path: overloaded */
	HC_REMOVE_IDLE,		/* idle above the threshold */
	HC_SAFE,		/* blind: the strongest step */
	HC_TAKEN,		/* given to a tenant that needs it more */
	HC_DENIED,		/* would need more than arbitration grants */
	HC_BEGIN,		/* what a tenant is given when the controller begins */
	HC_WHYS
};

struct hc_decision {
	u64 now_ns;
	const char *tenant;
	enum hc_why why;
	u32 from, wanted, to;	/* steps */
	struct hc_config from_config, to_config;
	double delay_ns[HC_ALPHAS], worst_ns, bound_ns;
	double load;		/* items per second */
	double capacity_from, capacity_to;
	double idle;		/* at full batches */
	double threshold;	/* of [from, to] when from > to, else of the step below */
	const char *sensor;	/* NULL: none */
	enum hc_basis basis;
	u64 age_ns;		/* of the sample */
	u32 actuators;		/* that acted */
	struct {
		const char *name;
		enum hc_enforced enforced;
	} act[HC_ACTUATORS_MAX];
};

/* "add_danger" and the like, also used in JSON. */
extern const char *const hc_why_names[HC_WHYS];
extern const char *const hc_basis_names[];
extern const char *const hc_enforced_names[];

/* ---- The controller ---- */

struct hc_settings {
	u64 fast_ns, metric_ns, decide_ns;
	double alpha[HC_ALPHAS];	/* ascending: the last follows fastest */
	double add_delay;	/* of the bound: average delay above which to add */
	double late;		/* part of the items that may wait longer than the bound */
	double keep;		/* part kept free beyond that after removing */
	double danger;		/* of the bound, for the fast path */
	double sigmas;		/* standard deviations by which something must stand out of chance */
	u64 drain_ns;		/* in which a backlog shall be gone */
	u64 hold_ns;		/* after adding, before anything is removed */
	u64 hold_max_ns;	/* which it grows to when removing proves wrong */
	u64 regret_ns;		/* for which a step that proved too weak is not tried again */
	double regret;		/* at more than this part less of the load of then */
	u64 stale_ns;		/* age above which a sample is stale */
	u64 blind_ns;		/* and above which the tenant gets the safe step */
};

/* Of the simulated host; those of ringpace-hostd are its configuration file's (docs/host.md). */
extern const struct hc_settings hc_defaults;

struct hc_tenant_config {
	char name[HC_NAME_MAX];
	const struct hc_policy *policy;
	u64 bound_ns;		/* of the queueing delay */
	s32 priority;
	u32 min_step, max_step;
	u32 first_step;		/* what it has when the controller begins */
	u32 sensors;		/* in the order of preference */
	struct hc_sensor sensor[HC_SENSORS_MAX];
};

struct hc_tenant {
	struct hc_tenant_config cfg;
	struct hc_capacity cap;
	u32 step;
	u32 held_cores;			/* while .pending: that it has not left yet */
	/* A step that it was granted, but others have not left the cores yet; 0: none */
	u32 awaited;
	u32 awaited_why;		/* enum hc_why */
	u64 awaited_ns;			/* since when */
	u64 refused_ns;			/* when it last asked in vain on the fast path; 0: never */
	enum hc_basis basis;
	const char *sensor;
	struct hc_sample last, metric;	/* newest; of the last metric tick */
	struct hc_sample learned;	/* at which busy_ns last moved */
	double arrivals;		/* up to .last */
	double window[4];		/* arrivals at the last fast ticks */
	u64 window_ns[4];
	double metric_arrivals;
	double worst_now_ns, worst_ns;	/* delay of the fullest thread; its slowest average */
	double mean_now_ns, delay_ns[HC_ALPHAS], load[HC_ALPHAS];	/* delay of all threads */
	bool have_metric, have_load, have_learned, pending;
	u64 added_ns, removed_ns;	/* when last; 0: never */
	u64 hold_ns;			/* at present */
	struct {
		u64 ns;			/* when it last proved too weak; 0: never */
		double load;		/* and for what */
	} weak[HC_STEPS_MAX];
	u64 quiet_ns;			/* until when no metric is taken: it would mix two steps */
};

struct hc {
	struct hc_settings set;
	struct hc_host host;
	u32 tenants, actuators;
	struct hc_tenant tenant[HC_TENANTS_MAX];
	struct hc_actuator actuator[HC_ACTUATORS_MAX];
	u64 fast_at, metric_at, decide_at;
	/* Told every decision, also those to do nothing. */
	void (*record)(void *ctx, const struct hc_decision *d);
	void *record_ctx;
};

void hc_init(struct hc *c, const struct hc_host *host, const struct hc_settings *set);
/* NULL, or why not. */
const char *hc_add_tenant(struct hc *c, const struct hc_tenant_config *cfg);
const char *hc_add_actuator(struct hc *c, const struct hc_actuator_ops *ops, void *ctx);
/*
 * Has the actuators bring about every tenant's first step; call it once, after all were
 * added. One that fails is recorded, and the tenant counts as having its first step.
 */
void hc_begin(struct hc *c, u64 now_ns);
/*
 * Lowers first steps until all fit into the host's cores, the highest priority last.
 * NULL, or why not even the minima do.
 */
const char *hc_fit(struct hc *c);
/* What was learned of a tenant goes on, if its policy is as it was. */
void hc_inherit(struct hc_tenant *t, const struct hc_tenant *before);
/* The gains of a table that was kept, of all steps; false: they are none, and are not taken. */
bool hc_take_gains(struct hc_tenant *t, const double *gain, u32 steps);
/*
 * Is the tenant far from its bound, and known to be, so that a sample in half of decide_ns is
 * enough? Its sensors may then be asked less often: that costs more than all else.
 */
bool hc_is_calm(const struct hc *c, u32 tenant);
u64 hc_next(const struct hc *c);
void hc_run(struct hc *c, u64 now_ns);
/*
 * The same, but that of a tenant whose bit is 0 nothing is read: it is calm, and no sensor of
 * it has anything new. All have to be looked at by decide_ns, and by half of stale_ns.
 */
void hc_run_some(struct hc *c, u64 now_ns, u64 tenants);

/* ---- Between control.c and decide.c ---- */

/* Of @queue items, as in docs/host.md. */
double hc_delay_ns(const struct hc_sample *s, double queue);
/*
 * What the slow average of the fullest thread's delay may be. Of a queue with random arrivals
 * that waits longer than the bound for set.late of its items the mean is bound / ln(1 / late);
 * that of the longest of n such queues is 1 + 1/2 + ... 1/n times as long. And what chance adds.
 */
double hc_worst_limit(const struct hc *c, const struct hc_tenant *t);
void hc_decide_all(struct hc *c, u64 now_ns);
/* A tenant has left cores: who was granted them gets them. */
void hc_decide_awaited(struct hc *c, u64 now_ns);
/* It has more now: what was late before is not held against that. */
void hc_forget_delay(struct hc_tenant *t);
/* On the fast path, of one tenant. */
void hc_decide_danger(struct hc *c, u32 tenant, u64 now_ns);

#endif /* HOST_CTL_CONTROL_H */
