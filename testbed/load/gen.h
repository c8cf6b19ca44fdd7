/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The load generator's core: one thread's connections, and the requests on them.
 *
 * Theory of operation. It goes through phases: connections are opened, at a pace; the
 * protocol's set-up requests are sent, each as soon as there is room; it is ready,
 * and waits to be told when the load begins; then each request is sent when it is due, on
 * the next connection with fewer than ->pipeline on their way; in the end it waits for
 * the replies, for as long as a reply may take. What is due while no connection has room
 * stays in the arrival process, which never waits for replies: it is sent later,
 * and counted as late, or, at the end, as unsent. Latency counts from when a request was due.
 *
 * A connection fails as a whole: by error, garbage, its end, or a reply that does not
 * come in time. Its requests then count as failed, and it is opened again,
 * at the pace, RETRY_NS later. Of datagrams only the one request is given up. Before
 * the load any failure is an error.
 *
 * It knows time by a struct load_clock and the world by a struct load_transport alone.
 * One thread; others may set ->begin_ns and ->stop, and look at ->phase and ->stats.
 */
#ifndef LOAD_GEN_H
#define LOAD_GEN_H

#include "load/arrivals.h"
#include "load/stats.h"
#include "load/transport.h"

#define LOAD_PIPELINE_MAX	4u
#define LOAD_CONNECTIONS_MAX	50000u
#define LOAD_READ_BYTES		65536u

struct load_clock {
	u64 (*now_ns)(void *ctx);
	void *ctx;
};

struct load_gen_config {
	const struct load_proto_ops *proto;
	struct load_proto_options opt;
	const char *target;	/* for messages */
	u32 connections;
	u32 pipeline;		/* requests on their way per connection, 1..4 */
	u64 connect_gap_ns;	/* between two that are opened */
	u64 connect_ns, timeout_ns;	/* the most for a connection, and for a reply */
	u64 late_ns;
	u64 warmup_ns, interval_ns;
	const struct load_offer *offer;	/* warm-up included */
	u32 stream, streams;	/* its share of the offer */
	u32 part, parts;	/* and of the set-up requests */
};

enum load_phase {
	LOAD_CONNECTING, LOAD_SETUP, LOAD_READY, LOAD_RUNNING, LOAD_DRAINING,
	LOAD_ENDED,
	LOAD_FAILED		/* before the load: ->error */
};

enum load_conn_state { CONN_CLOSED, CONN_OPENING, CONN_OPEN };

struct load_conn {
	enum load_conn_state state;
	bool ready;		/* in the queue of those with room */
	u64 since_ns;		/* opening; closed: when it may be opened again */
	u32 pending;		/* requests on their way, the oldest first */
	struct load_request request[LOAD_PIPELINE_MAX];
	struct load_parser parser;	/* of the oldest one's reply */
	/* Of a request that was taken in part; NULL: there is none. */
	u8 *rest;
	u32 rest_at, rest_bytes;
};

/* Numbers of connections, each at most once. */
struct load_queue {
	u32 *conn;
	u32 size, first, n;
};

struct load_gen {
	struct load_gen_config config;
	struct load_transport *transport;
	struct load_clock clock;
	struct load_proto proto;
	struct load_arrivals arrivals;
	struct dist dist;	/* which requests */
	struct load_conn *conn;
	struct load_queue ready, closed;
	u32 open;
	u64 out;		/* requests on their way */
	u64 next_id;
	u64 next_connect_ns, next_scan_ns;
	u32 setup_next, setup_count, setup_done;
	u64 next_due_ns;	/* LOAD_NEVER: no more are due */
	u64 end_ns;		/* of the load, then of draining */
	struct load_stats stats;
	u32 phase;		/* enum load_phase; release */
	u32 stop;		/* set by others: ends early with what there is */
	u64 begin_ns;		/* set by others, release; 0: not yet */
	char error[256];
	u8 buffer[LOAD_READ_BYTES];
};

/* False: no memory. load_gen_free() undoes it in both cases; the transport stays the caller's. */
bool load_gen_init(struct load_gen *g, const struct load_gen_config *c, struct load_transport *t,
		   struct load_clock clock);
void load_gen_free(struct load_gen *g);
/* Until it has ended or failed. */
void load_gen_run(struct load_gen *g);

/* ---- Its parts ---- */

/* What can be done at @now_ns; when there may be more to do without an event. */
u64 load_gen_turn(struct load_gen *g, u64 now_ns);
void load_gen_event(struct load_gen *g, const struct load_event *ev, u64 now_ns);

static inline u64 load_gen_now(const struct load_gen *g)
{
	return g->clock.now_ns(g->clock.ctx);
}

/* Of one connection (conn.c). Opens those whose time has come; when the next one's comes. */
u64 load_conn_open_some(struct load_gen *g, u64 now_ns);
/* One with room for a request, NULL: none. */
struct load_conn *load_conn_with_room(struct load_gen *g);
void load_conn_send(struct load_gen *g, struct load_conn *c, const struct load_request *r);
void load_conn_fail(struct load_gen *g, struct load_conn *c, enum load_outcome why, int err,
		    u64 now_ns);
/* Gives up what has waited too long. */
void load_conn_scan(struct load_gen *g, u64 now_ns);
void load_conn_give_up_all(struct load_gen *g, u64 now_ns);
/* A request has ended. Before the load the generator fails if not well. */
void load_request_ended(struct load_gen *g, const struct load_request *r, enum load_outcome outcome,
			u64 now_ns);

#endif /* LOAD_GEN_H */
