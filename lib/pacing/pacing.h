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
	RP_STATIC_STRATEGIES,	/* the papers' three end here */
	RP_ADAPTIVE = 3,
	/* What others do, to compare with: pacing/peers. */
	RP_VHOST_BUSYLOOP = 4,
	RP_KVM_HALT_POLL = 5,
	RP_OVS_SLEEP = 6,
	RP_QEMU_POLL = 7,
	RP_NAPI = 8,
	RP_METRONOME = 9,
	RP_STRATEGIES
};

enum rp_wait {
	RP_WAIT_SPIN,		/* keep the CPU, and look again after wait_ns */
	RP_WAIT_SLEEP,		/* look again after wait_ns */
	RP_WAIT_BLOCK,		/* ask for a notification at threshold, then block */
	RP_WAITS
};

/* The longest wait_ns of a SPIN that a runtime must heed. */
#define RP_SPIN_MAX_NS	100000u

struct rp_decision {
	enum rp_wait wait;
	u32 threshold;		/* BLOCK: items (consumer) or free slots (producer), >= 1 */
	/*
	 * SPIN: 0, look at once. A pause in which the ring is not touched lets
	 * a batch grow and leaves its cache lines to the peer.
	 * SLEEP: the length. BLOCK: at most so long, 0: for ever.
	 */
	u64 wait_ns;
};

enum rp_wake {
	RP_WAKE_NOTIFIED,	/* the peer's notification ended a block */
	RP_WAKE_SLEPT,		/* a sleep ran out */
	RP_WAKE_TIMEOUT,	/* a block was as long as it might be */
	RP_WAKE_STOP,		/* the runtime wants the party to look at its orders */
};

/* What the user set. */
struct rp_params {
	enum rp_strategy_id strategy;
	enum rp_role role;
	u32 queue_len;		/* L, slots */
	u32 threshold;		/* k of the notifications that this party receives */
	u64 y_ns;		/* nominal length of a sleep */
	u64 dmax_ns;		/* D_MAX, bound of the p98 latency; 0: none */
	u32 cpu_cap_percent;	/* of one CPU, the party's own; 0: none */
};

/*
 * What happened since the party's statistics began, for a strategy that asks.
 * Counters may go back to 0 at any time (a reset of the statistics).
 */
struct rp_totals {
	u64 items;
	u64 timed;		/* consumer: items whose latency is known */
	u64 late;		/* of those, longer than D_MAX */
	u64 peer_waits;		/* consumer: times that the producer says it waited */
	u64 work_ns;		/* in work that moved items */
	u64 sent, notify_ns;	/* notifications sent, and their cost */
	u64 sleeps, sleep_ns;
	u64 blocks, block_ns;
	u64 spin_ns;
	u64 wakes, wake_ns;	/* consumer: enqueue of the waking item to wake */
	u64 cpu_ns;		/* of the thread; 0: the runtime does not know */
};

struct rp_strategy;

/* What a strategy may ask of its runtime. */
struct rp_env_ops {
	/*
	 * Costs a few ten ns, and with @cpu a system call more; without, cpu_ns
	 * is left 0.
	 */
	void (*totals)(const struct rp_strategy *s, struct rp_totals *t, bool cpu);
};

/* What a strategy says of itself; what it does not know is 0 or NULL. */
struct rp_status {
	const char *regime;	/* the model's name for it: "sFC", or "idle" */
	const char *unmet;	/* NULL, or which bound is not met, and why */
	enum rp_wait mode;
	u64 wait_ns;		/* Y, or the pause of SPIN */
	u32 threshold;
	u32 window;		/* producer: most items outstanding */
	u64 predicted_t_ns;
	u64 w_own_ns, w_peer_ns;	/* estimates of W */
	u64 n_ns, s_ns, y_e_ns;		/* of N, S, and Y_E */
	u64 y_min_ns;		/* how long the shortest sleep lasts */
	u64 batch_milli;	/* items between two waits, in 1/1000 */
	/*
	 * Variance by mean of the number of items that come in a time, in 1/1000:
	 * regular 0, exponential 1000, bursts of b items up to 1000 b.
	 */
	u64 burst_milli;
	u64 occupancy_milli;	/* items in the ring when a sleep ends, in 1/1000 */
	/* How far to trust the estimates, in percent. */
	u32 conf_w_own, conf_w_peer, conf_n, conf_s, conf_y_e, conf_y_min;
	u64 mode_changes;
	u64 mode_ns[RP_WAITS];	/* by enum rp_wait: time in that mode, its work included */
};

/*
 * One table per strategy; adding a strategy is adding a file. init() has
 * validated parameters and priv zeroed. The event hooks may be NULL: a static
 * strategy has nothing to learn, and the runtime then skips reading the clock
 * for it. All times are the runtime's monotonic nanoseconds.
 */
struct rp_strategy_ops {
	const char *name;
	bool watches;		/* as a producer, over its notifications: pacing/watch.h */
	void (*init)(struct rp_strategy *s);
	/* n >= 1 items were moved by now_ns. */
	void (*batch_done)(struct rp_strategy *s, u32 n, u64 now_ns);
	/* s->pulse batches were moved, the last by now_ns, without a wait. */
	void (*pulse)(struct rp_strategy *s, u32 ready, u64 now_ns);
	/*
	 * The ring is empty (consumer), or full or s->window reached
	 * (producer): what now?
	 */
	struct rp_decision (*idle)(struct rp_strategy *s, u64 now_ns);
	/*
	 * A SLEEP or BLOCK ended. @ready: items (consumer) or free slots within
	 * the window (producer) that are there now.
	 */
	void (*woken)(struct rp_strategy *s, enum rp_wake by, u32 ready, u64 now_ns);
	/* A notification was sent to the peer and took cost_ns. */
	void (*sent)(struct rp_strategy *s, u64 cost_ns, u64 now_ns);
	/* How it waits in general, for one that changes that by itself. Any thread may ask. */
	enum rp_wait (*mode)(const struct rp_strategy *s);
	/* May be called by any thread while the party runs. */
	void (*status)(const struct rp_strategy *s, struct rp_status *st);
	/*
	 * What it learned, for one that comes after it: at most
	 * RP_LEARNED_BYTES; returns the length. learn() takes that, right after
	 * init(), and ignores what it does not know or believe.
	 */
	u32 (*learned)(const struct rp_strategy *s, void *buf);
	void (*learn)(struct rp_strategy *s, const void *buf, u32 bytes);
};

#define RP_PULSE_BATCHES	64
#define RP_LEARNED_BYTES	128
/* Words of a strategy's own state. */
#define RP_STRATEGY_PRIV	192

struct rp_strategy {
	const struct rp_strategy_ops *ops;
	const struct rp_env_ops *env;	/* set by the runtime, before init */
	struct rp_params params;
	/* Producer: at most so many items outstanding; 1..queue_len. */
	u32 window;
	u32 pulse;		/* batches between pulse()s, 1..RP_PULSE_BATCHES */
	/*
	 * Consumer: the runtime sets it when an item was late, or the producer
	 * said that it waited; whoever heeds it clears it.
	 */
	bool news;
	u64 priv[RP_STRATEGY_PRIV];
};

/* The state of a strategy whose own struct is @type. */
#define rp_strategy_priv(s, type)					\
	({ _Static_assert(sizeof(type) <= sizeof((s)->priv), "RP_STRATEGY_PRIV"); \
	   (type *)(s)->priv; })

extern const struct rp_strategy_ops rp_strategy_notify;
extern const struct rp_strategy_ops rp_strategy_sleep;
extern const struct rp_strategy_ops rp_strategy_busy;
extern const struct rp_strategy_ops rp_strategy_adaptive;
extern const struct rp_strategy_ops rp_peer_vhost_busyloop;
extern const struct rp_strategy_ops rp_peer_kvm_halt_poll;
extern const struct rp_strategy_ops rp_peer_ovs_sleep;
extern const struct rp_strategy_ops rp_peer_qemu_poll;
extern const struct rp_strategy_ops rp_peer_napi;
extern const struct rp_strategy_ops rp_peer_metronome;

/* NULL when there is none of that id. */
const struct rp_strategy_ops *rp_strategy_by_id(u32 id);
/* -1 when there is none of that name. */
int rp_strategy_id_by_name(const char *name);

/*
 * NULL when @p is good, else why not, in words that name the parameter.
 * Bounds: queue_len 1..32768, threshold 1..queue_len, y_ns and dmax_ns <= 1 s,
 * cpu_cap_percent <= 100; the adaptive strategy needs a dmax_ns.
 */
const char *rp_params_check(const struct rp_params *p);

/* @p must have passed rp_params_check(). @env may be NULL for a static strategy. */
void rp_strategy_init(struct rp_strategy *s, const struct rp_params *p,
		      const struct rp_env_ops *env);

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
