/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strategies: what a party does when it cannot go on.
 *
 * A party is the producer or the consumer of one ring. The runtime (kernel
 * thread, daemon worker, guest driver, simulator) owns the time and the ring;
 * the strategy only decides. It hears what happened (batch done, empty or
 * full, woken, notified) and answers with a decision. It holds no lock, does
 * no allocation, uses no floating point and never blocks, so that it can be
 * called from any context. Source: Lettieri et al., "A Study of I/O
 * Performance of Virtual Machines", secs. 2 and 7. All times are nanoseconds.
 */
#ifndef RP_PACING_H
#define RP_PACING_H

#include "rp.h"

enum rp_role {
	RP_PRODUCER,
	RP_CONSUMER,
};

/* Numbers are ABI: control protocol and guest driver use them. */
enum rp_strategy_id {
	RP_NOTIFY = 0,
	RP_SLEEP = 1,
	RP_BUSY = 2,
	RP_STRATEGIES
};

enum rp_wait {
	RP_WAIT_SPIN,		/* look again at once */
	RP_WAIT_SLEEP,		/* look again after sleep_ns */
	RP_WAIT_BLOCK,		/* ask for a notification at threshold, then block */
};

struct rp_decision {
	enum rp_wait wait;
	u32 threshold;		/* BLOCK: items (consumer) or free slots (producer), >= 1 */
	u64 sleep_ns;		/* SLEEP */
};

enum rp_wake {
	RP_WAKE_NOTIFIED,	/* the peer's notification ended a block */
	RP_WAKE_SLEPT,		/* a sleep ran out */
	RP_WAKE_STOP,		/* the runtime wants the party to look at its orders */
};

/* What the user set. */
struct rp_params {
	enum rp_strategy_id strategy;
	enum rp_role role;
	u32 queue_len;		/* L, slots */
	u32 threshold;		/* k of the notifications that this party receives */
	u64 y_ns;		/* nominal length of a sleep */
};

struct rp_strategy;

/*
 * One table per strategy; adding a strategy is adding a file. init() has
 * validated parameters. The event hooks may be NULL: a static strategy has
 * nothing to learn, and the runtime then skips reading the clock for it.
 */
struct rp_strategy_ops {
	const char *name;
	void (*init)(struct rp_strategy *s);
	/* n >= 1 items were moved by now_ns. */
	void (*batch_done)(struct rp_strategy *s, u32 n, u64 now_ns);
	/* The ring is empty (consumer) or full (producer): what now? */
	struct rp_decision (*idle)(struct rp_strategy *s, u64 now_ns);
	void (*woken)(struct rp_strategy *s, enum rp_wake by, u64 now_ns);
	/* A notification was sent to the peer and took cost_ns. */
	void (*sent)(struct rp_strategy *s, u64 cost_ns, u64 now_ns);
};

struct rp_strategy {
	const struct rp_strategy_ops *ops;
	struct rp_params params;
};

extern const struct rp_strategy_ops rp_strategy_notify;
extern const struct rp_strategy_ops rp_strategy_sleep;
extern const struct rp_strategy_ops rp_strategy_busy;

/* NULL when there is none of that id. */
const struct rp_strategy_ops *rp_strategy_by_id(u32 id);
/* -1 when there is none of that name. */
int rp_strategy_id_by_name(const char *name);

/*
 * NULL when @p is good, else why not, in words that name the parameter.
 * Bounds: queue_len 1..32768, threshold 1..queue_len, y_ns <= 1 s.
 */
const char *rp_params_check(const struct rp_params *p);

/* @p must have passed rp_params_check(). */
void rp_strategy_init(struct rp_strategy *s, const struct rp_params *p);

/*
 * The default threshold of the notifications that a party receives: 1 for a
 * consumer (k_P; a producer cannot know whether more will follow), 3/4 L for a
 * producer (k_C; as Linux's virtqueue_enable_cb_delayed()). When both sides
 * block, k_P + k_C must not exceed L + 1: else the consumer can wait for k_P
 * items while the producer waits for k_C free slots, each with fewer.
 */
static inline u32 rp_default_threshold(enum rp_role role, u32 queue_len)
{
	u32 k = queue_len - queue_len / 4;

	return role == RP_CONSUMER ? 1 : k ? k : 1;
}

#endif /* RP_PACING_H */
