/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lanes: the places where an experiment can run, with the same flags and the
 * same result.
 *
 * Theory of operation. A lane sets up producer and consumer, lets them run
 * through the warm-up, resets both sides' statistics at once, waits for the
 * measured time, and hands back what each side said about itself: STATS and
 * trace objects of docs/control.md, the driver's side and the device's side
 * alike. The merge (run_merge()) makes one result of the two; it is the only
 * place that knows how, so that figures of different lanes can be compared.
 */
#ifndef TESTBED_LANE_H
#define TESTBED_LANE_H

#include <jansson.h>

#include "pacing/pacing.h"
#include "pacing/work.h"
#include "util.h"

enum run_dir_id {
	RUN_FWD,		/* guest (driver) to host (device) */
	RUN_REV,		/* host to guest */
};

extern const char *const run_dir_names[];

/* Who serves the device. */
enum run_backend_id {
	RUN_USER,		/* ringpaced, over vhost-user */
	RUN_KERNEL,		/* vhost_pc.ko */
};

extern const char *const run_backend_names[];

struct argp_state;
struct ctl;
struct lane_ops;

/*
 * Who takes part in a run, for those who watch it. Owned by the lane, valid
 * during the call.
 */
struct run_scene {
	pid_t device_pid;	/* the process that serves the device; 0: the kernel does */
	const char *domain;	/* libvirt's name of the VM; NULL: there is none */
	bool kvm;
	struct ctl *agent;	/* the guest's agent, idle; NULL: there is none */
	bool fwd;
	/*
	 * STATS of the device's queues, added up: the clock exchange, too, causes
	 * notifications. NULL after fail(). New reference.
	 */
	json_t *(*device_stats)(void *ctx);
	void *ctx;
};

/*
 * Watches a run from outside. begin() is called when both sides are set up and
 * nothing moves, before the device's party learns its strategy (one that sleeps
 * never rests), and all statistics are reset after it; end() is called when
 * both have come to rest, with the driver's STATS of the whole run: whatever was
 * counted in between was counted of the same events. A watched run has no
 * warm-up, after which statistics would be reset once more. Both return 0, or
 * -1 after fail(), which ends the run.
 */
struct run_watch {
	int (*begin)(struct run_watch *w, const struct run_scene *s);
	int (*end)(struct run_watch *w, const struct run_scene *s, const json_t *driver);
};

/* What was asked for; checked by run_params_check(). */
struct run_params {
	const struct lane_ops *lane;
	enum run_dir_id dir;
	enum run_backend_id backend;
	enum rp_strategy_id strategy_p, strategy_c;
	u64 wp_ns, wc_ns;	/* work per item */
	enum rp_work_dist w_dist;	/* of both sides */
	u64 yp_ns, yc_ns;	/* length of a sleep */
	u64 dmax_ns;		/* D_MAX; 0: none */
	u32 cpu_cap_percent;	/* of one CPU, of either side; 0: none */
	u32 queue_len;		/* L, slots */
	u32 kp, kc;		/* thresholds; 0: default (1, 3/4 L) */
	u32 burst;		/* items published at once, >= 1 */
	u32 item_bytes;
	u64 duration_ns;	/* measured */
	u64 warmup_ns;		/* before it */
	int cpu_p, cpu_c;	/* -1: the lane chooses */
	bool trace;		/* record both sides' slow events (for S) */
	bool progress;		/* a terminal watches stderr */
	const char *keep_trace;	/* file for both traces, or NULL */
	struct run_watch *watch;	/* or NULL */
};

/* What the two parties said. References belong to the struct; NULL: nothing. */
struct run_sides {
	json_t *stats_p, *stats_c;	/* STATS */
	json_t *trace_p, *trace_c;	/* results of `trace` */
	json_t *clock;			/* the exchange beside KVM's record (clock_json()); NULL: no KVM */
	char accel[16];			/* "none", "kvm", "tcg" */
	/*
	 * Items that the producer published and nobody consumed although both
	 * sides had the time; a lane that cannot drain leaves it UNKNOWN.
	 */
	double lost_at_end;
};

/* The two sides' exchange of clocks, held against KVM's record; docs/perf.md, "The clock". */
struct run_clock {
	bool kvm;		/* there is one */
	bool exchanged;
	bool compared;		/* else ->why not */
	bool agrees;		/* within the bound of the exchange's error */
	s64 offset_tsc;		/* the host's counter minus the guest's */
	s64 kvm_offset_tsc;	/* the guest's minus the host's */
	double difference_ns;
	char why[200];
};

/* UNKNOWN where the lane could not measure. Rates are per second. */
struct run_result {
	struct run_params params;
	char accel[16];
	double items, items_per_s;
	double t_ns;		/* time per item */
	double e_ns;		/* CPU time of both sides per item */
	double cpu_p, cpu_c;	/* 0..1 */
	double kicks_per_s;	/* driver to device */
	double spurious_kicks_per_s;
	double calls_per_s;	/* device to driver */
	double sleeps_p_per_s, sleeps_c_per_s;
	double batch;
	double lat_p50_ns, lat_p98_ns, lat_p99_ns, lat_max_ns;
	double clock_error_ns;	/* of the two sides' alignment, a bound; in the latencies, too */
	double wp_ns, wc_ns, np_ns, nc_ns, sp_ns, sc_ns, yp_ns, yc_ns;
	double lost, reordered;
	double late;		/* 0..1, of the items: latency above D_MAX */
	/* What the strategies say of themselves; "" and UNKNOWN if they do not. */
	char regime[32];	/* "sFC"; "sFC/idle" where P and C differ */
	char unmet[192];	/* which bound is not met, and why */
	double predicted_t_ns;
	double time_p[RP_WAITS], time_c[RP_WAITS];	/* 0..1, by enum rp_wait */
	struct run_clock clock;
};

/* Adding a lane: its file, its declaration here, a line in lane.c's table. */
struct lane_ops {
	const char *name;
	/* Only where it is named: not one of "all lanes", which have to be quick. */
	bool on_demand;
	/* False, and why not in words in *@why (static). Cheap. */
	bool (*available)(const char **why);
	/* The same of the kernel's backend in this lane; NULL: it has none. */
	bool (*kernel_available)(const char **why);
	/*
	 * NULL when the lane can do @p, else why not, as run_params_check().
	 * The hook may be NULL: whatever run_params_check() lets through.
	 */
	const char *(*check)(const struct run_params *p);
	/*
	 * Runs one experiment to its end; cleans up behind itself. 0, or -1
	 * after fail(); when stopped() became true, -1 without a message.
	 */
	int (*run)(const struct run_params *p, struct run_sides *out);
};

extern const struct lane_ops lane_native;
extern const struct lane_ops lane_vm;
extern const struct lane_ops lane_nested;

/* Ends with NULL. */
extern const struct lane_ops *const lanes[];
const struct lane_ops *lane_by_name(const char *name);
/* The lane that --lane names, else an argp error (exit 2). */
const struct lane_ops *opt_lane(struct argp_state *state, const char *arg);

void run_params_default(struct run_params *p);
/* NULL when @p, and its lane with it, is good, else why not, in words that name the option. */
const char *run_params_check(const struct run_params *p);

/* The threshold @asked for, or the default: of the notifications that @role receives. */
static inline u32 run_threshold(enum rp_role role, u32 asked, u32 queue_len)
{
	return asked ? asked : rp_default_threshold(role, queue_len);
}

/* Runs @p in its lane, keeps the traces if asked to, merges. 0 or -1. */
int run_experiment(const struct run_params *p, struct run_result *r);

void run_sides_free(struct run_sides *s);
/* As one object, and back: absent or null is unknown. New reference. */
json_t *run_sides_json(const struct run_sides *s);
void run_sides_read(const json_t *v, struct run_sides *s);
void run_merge(const struct run_params *p, const struct run_sides *s,
	       struct run_result *r);
/* For a result that is not of run_merge(): nothing is known of bounds, regimes and clocks. */
void run_result_no_pacing(struct run_result *r);
/* The result as the JSON object that every lane prints. New reference. */
json_t *run_result_json(const struct run_result *r);
/* A table with its heading, then a row per result. */
struct table *run_table(void);
void run_table_row(struct table *t, const struct run_result *r);

/* Progress on stderr when p->progress: "run fwd notify 3/5 s". */
void run_progress(const struct run_params *p, u64 done_ns);
void run_progress_end(const struct run_params *p);

#endif /* TESTBED_LANE_H */
