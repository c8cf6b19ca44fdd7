/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The driver's side as a pinned host thread: P of a fwd queue, C of a rev
 * queue, over the rings of a frontend.
 *
 * Theory of operation. The thread owns ring, party and statistics. The main
 * thread gives orders through one mailbox, ->order, and waits until it is
 * empty again; a party that is blocked is woken for it by its own call
 * eventfd. Items live in slots of the shared memory, slot n % ring size for
 * the n-th buffer; with a device that completes in order, descriptor, ring
 * entry and slot of a buffer then never change partners and are written once.
 * A device that completes out of order is found out and given up.
 */
#ifndef NATIVE_PARTY_H
#define NATIVE_PARTY_H

#include <pthread.h>

#include "frontend.h"
#include "pacing/party.h"
#include "pacing/report.h"

enum party_order {
	PARTY_NO_ORDER,
	PARTY_RESET,		/* statistics and trace begin anew */
	PARTY_REPORT,		/* fill in ->report and what is with it */
	PARTY_TRAFFIC,		/* go on with ->next.traffic; the strategy hears nothing of it */
	PARTY_PACE,		/* ->next.pacing and .traffic: the strategy begins anew */
	PARTY_STOP,
};

/* What there is to do, as an application would have it. */
struct party_traffic {
	u64 w_ns;
	enum rp_work_dist w_dist;
	/* Of a producer; all 0: it never runs out of items. */
	bool idle;		/* it has none */
	u64 burst_items;	/* it has so many, then none for gap_ns, and so on */
	u64 gap_ns;		/* 0: after the first burst it has none */
};

struct party_options {
	struct rp_params pacing;	/* role: producer on fwd, consumer on rev */
	struct party_traffic traffic;
	u32 burst;
	u32 item_bytes;
	int cpu;		/* -1: not pinned */
	bool trace;
};

struct party {
	struct rp_party rp;
	struct rp_drv drv;
	struct fe_queue *fq;
	struct party_options opt;
	u8 *items;
	u32 stride_bytes;	/* of a slot */
	u32 slot_mask;
	u32 item_bytes;
	u64 posted;		/* items' buffers given to the device, ever */
	u64 completed;		/* of those, that came back */
	u64 left;		/* producer: items until it has none */
	const char *broken;	/* NULL, or why the ring was given up */
	/* Orders */
	u32 order;		/* enum party_order; release by main, then by thread */
	struct party_options next;	/* of PARTY_TRAFFIC, PARTY_PACE */
	int tid;		/* of the thread, for /proc; 0 until it runs */
	bool ended;		/* the thread takes no more orders */
	pthread_t thread;
	bool started;
	/* Of PARTY_REPORT */
	struct rp_report report;
	struct rp_status status;	/* of its strategy; only if has_status */
	bool has_status;
	u64 duration_ns, cpu_ns;
	u64 done;		/* items that the device has completed, ever */
	u64 taken;		/* of those, that the party has taken back */
	u64 next_seq;		/* consumer: number of the next expected item */
	u64 reset_ns, reset_cpu_ns;
};

/* Bytes of data that a queue of @queue_size slots needs in the frontend. */
u64 party_data_bytes(u32 queue_size, u32 item_bytes);

/*
 * Before fe_start(). @items: party_data_bytes() of the frontend's memory. 0, or
 * -1 after fail(). party_free() undoes it, in both cases.
 */
int party_init(struct party *n, struct fe *f, u32 queue, u8 *items,
	       const struct party_options *opt);
void party_free(struct party *n);

/*
 * On a fwd queue, after fe_start() and before party_start(): tells the device
 * that both sides read the same counter. 0, or -1 after fail().
 */
int party_clock(struct party *n, u32 timeout_ms);

int party_start(struct party *n);
/*
 * Gives @order and waits until it is carried out; PARTY_STOP joins the thread.
 * -1 after fail() if the thread has given the ring up (PARTY_STOP works then,
 * too).
 */
int party_order(struct party *n, enum party_order order);

/* PARTY_TRAFFIC and PARTY_PACE with what they need. L is at most what it was at first. */
int party_set_traffic(struct party *n, const struct party_traffic *traffic);
int party_set_pace(struct party *n, const struct rp_params *pacing,
		   const struct party_traffic *traffic);

/* Items that the device has completed, ever; any thread, modulo 2^16. */
u16 party_done(const struct party *n);
/* Items that were published and are not completed; exact once it has stopped. */
u64 party_outstanding(const struct party *n);
/* Kicks the device, whatever it asked for. */
void party_kick(struct party *n);

#endif /* NATIVE_PARTY_H */
