/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `ringpace load`: a run of the generator's threads and its agent, and what came of it. */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <jansson.h>

#include "load/gen.h"
#include "util.h"

#define LOAD_THREADS_MAX	64u

struct load_transport_kind {
	const char *name;
	u32 threads_max;	/* that can use it at once, the agent's included */
	/* NULL after fail(). */
	struct load_transport *(*make)(const struct load_target *t, u32 conns);
};

/* A port has two: datagrams, and streams, which have its name as well. */
extern const struct load_transport_kind load_transport_sockets, load_transport_port,
	load_transport_port_tcp;
/* Lets the program open so many sockets. 0, or -1 after fail(). */
int load_sockets_allow(u32 conns);

struct load_params {
	const struct load_transport_kind *transport;
	struct load_target target;
	struct load_gen_config gen;	/* ->connections of all threads; shares are filled in */
	struct load_offer offer;	/* ->duration_ns: with the warm-up */
	double rate;		/* of the offer's peak, requests per second */
	u32 threads;
	u32 cpus;		/* 0: threads are not pinned; else in turns on these */
	int cpu[LOAD_THREADS_MAX];
	double agent_rate;	/* requests per second; 0: no agent */
	const char *progress;	/* on stderr, led by these words; NULL: none */
	/*
	 * Called by the thread that called load_run(), about every 20 ms, with how much of
	 * the measured time is over and how many requests are done by then; or NULL.
	 */
	void (*look)(void *ctx, u64 measured_ns, u64 done);
	void *look_ctx;
};

struct load_result {
	struct load_stats all, agent;
	double rate;		/* as offered */
	double cpu_share_max;	/* of the busiest thread, set-up included, 0..1 */
	u64 measured_ns;
	bool stopped, has_agent;
};

/* Echo by sockets: what `ringpace load` does unless told otherwise, but for target and times. */
void load_params_default(struct load_params *p);
/* Sets the peak, and what follows from it. */
void load_params_rate(struct load_params *p, double rate);
/*
 * One run. 0, or -1 after fail(): nothing was measured. load_result_free() undoes it
 * in both cases.
 */
int load_run(const struct load_params *p, struct load_result *r);
void load_result_free(struct load_result *r);

/* ---- Reports ---- */

/* New reference. */
json_t *load_result_json(const struct load_params *p, const struct load_result *r);
void load_result_print(const struct load_params *p, const struct load_result *r, FILE *to);
/* 0, or -1 after fail(). */
int load_result_csv(const struct load_result *r, const char *path);

#endif /* LOAD_LOAD_H */
