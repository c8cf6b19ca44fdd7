/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flow: what one TX queue sends, into the one RX queue that it is linked to, or
 * through a switch, or into a port that steers (spread.h), into many.
 *
 * Theory of operation. A flow is two parties that share a thread: the consumer
 * of the TX queue and the producer of the RX queue. Each turn moves a batch, or
 * several that are short, and tells both of them. When nothing could be moved, the side that is the
 * reason decides how to wait: the consumer when TX is empty, the producer when
 * RX is full. Packets that RX has no buffer for stay in the TX queue, so that
 * below saturation nothing is lost, and above it the sender is held up. But a
 * peer that stops altogether must not hold it up for ever: after ->full_ns
 * packets are dropped until there are buffers again.
 *
 * Of a flow into many only the consumer is a party, and receivers are called once a
 * turn. A full one behind a switch drops frames (switch.h), after a wait of fixed
 * length at most; one of a port that steers holds the sender up as above.
 *
 * Only our side is paced. A guest's driver is stock: it reclaims and posts as
 * it likes, so the producer uses the whole ring and no window.
 *
 * A port may have a limit (limit.h): then a flow of its leaves TX alone while there is
 * no credit, and sleeps as its consumer would, but by no strategy's word.
 *
 * The main thread owns a flow that no pacer has; see pacer.h.
 */
#ifndef RINGPACED_FLOW_H
#define RINGPACED_FLOW_H

#include "pacing/learned.h"
#include "pacing/party.h"
#include "limit.h"
#include "port_ops.h"
#include "spread.h"
#include "switch.h"

enum flow_state {
	FLOW_RUNS,
	FLOW_PAUSES,		/* until ->until_tsc, without giving up the CPU */
	FLOW_WAITS,		/* until ->until_tsc, or ->waiting's notification */
};

/* How a port's queues are paced: what the user sets. */
struct flow_params {
	u32 strategy;		/* enum rp_strategy_id */
	u64 y_ns;
	u64 dmax_ns;
	u32 cpu_cap_percent;
	u32 k;			/* 0: the default */
	u32 burst;		/* packets that are published at once, 1..BATCH_PACKETS */
	u64 full_ns;		/* how long a full RX queue holds senders up */
};

struct flow {
	struct port_queue *tx;
	struct port_queue *rx;		/* NULL: nobody is there */
	struct switch_port *via;	/* instead of ->rx: what TX sends goes through a switch */
	struct spread *spread;		/* the same, of a port that steers */
	bool owns_rx;			/* false: others write it, and one of them arms */
	struct limit *limit;		/* of what TX sends; NULL: none */
	u64 full_tsc;			/* ->full_ns of the receiver */
	struct rp_party c, p;
	struct rp_learned c_learned, p_learned;
	/* Of the pacer */
	bool alone;			/* no other flow has its thread */
	struct switch_turn *turn;	/* scratch of its thread, for ->via and ->spread */
	enum flow_state state;
	struct rp_party *waiting;	/* the party that waits, or the last that did */
	bool blocked;			/* armed: a notification ends the wait */
	bool cut;			/* the wait is shorter than was asked for */
	u64 until_tsc;			/* ~0: no end */
	u64 full_since_tsc;		/* 0: RX is not full */
	u64 end_tsc;			/* of the last turn that moved something */
	u32 moved_c, moved_p;		/* in it, until the parties have heard */
};

/* No ring yet, and nothing learned. */
void flow_init(struct flow *f, struct port_queue *tx);
/*
 * Both queues may be used from now on: the parties begin, with what @c and @p
 * say, which have been checked. @hz: of the counter.
 */
void flow_begin(struct flow *f, const struct flow_params *c, const struct flow_params *p,
		u64 hz);

/* The rest is the pacer's thread's. */
void flow_start(struct flow *f);
/* One turn; @b is scratch. Has it moved something? Afterwards ->state tells what comes next. */
bool flow_turn(struct flow *f, struct batch *b, u64 now_tsc);
/* Ends a pause or a wait: by its end, or by a notification. */
void flow_resume(struct flow *f, enum rp_wake by);
/* Since its last turn, in which it moved nothing, others had the thread's CPU for so long. */
void flow_gave(struct flow *f, u64 ns);
/* Leaves both queues as they were found. */
void flow_stop(struct flow *f);

static inline u64 flow_now_tsc(const struct flow *f)
{
	return f->c.now_tsc > f->p.now_tsc ? f->c.now_tsc : f->p.now_tsc;
}

#endif /* RINGPACED_FLOW_H */
