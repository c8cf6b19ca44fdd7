/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the adaptive strategy, and what they share. The hooks and their
 * state machine call the others:
 *
 *   limits	how long a side may sleep, and the margins that correct that
 *   loop	consumer: whether shorter sleeps bring more
 *   window	producer: how short the queue has to be
 *   mode	spin, sleep or block, and how rarely that changes
 *   tell	what it says of itself
 *   learn	what it hands over to one that comes after it
 *
 * Context: the party's thread; what others read for show is stored by rp_store().
 */
#ifndef RP_ADAPTIVE_H
#define RP_ADAPTIVE_H

#include "pacing/estimate.h"

/* The shortest time before a mode that had to be left is tried again. */
#define ADAPTIVE_RETRY_MIN_NS	3000000u
/* A sleep that is only to learn what one costs now: at most one part of the time in so many. */
#define ADAPTIVE_TRY_SHARE	1024
#define ADAPTIVE_RING_ALL	65536u

enum loop_kind { LOOP_NONE, LOOP_USUAL, LOOP_BRIEF };

struct loop_sum {
	u64 items, ns;
	u32 blocks;
};

/* A consumer's trials with shorter sleeps; of its blocks of cycles. */
struct adaptive_loop {
	enum loop_kind kind;	/* of the block that goes on */
	u32 cycles;		/* of it, so far */
	bool awake;		/* it is brief, and spins */
	struct loop_sum block;
	u32 left;		/* usual blocks until the next brief one */
	u32 seed;
	u64 begun_ns;		/* this trial */
	struct loop_sum usual, brief;	/* of it */
	u64 squares;		/* of the usual blocks' items */
	u32 wins;		/* brief blocks in which more came than in the usual ones' mean */
	u64 rest_ns, rest_len_ns;	/* no trial before; the next rest's length */
	u64 cap_ns;		/* longest sleep that gains more than it costs; LOOP_FREE: any */
	u64 until_ns, hold_ns;	/* until then; the next one's length */
};

#define LOOP_FREE	(~0ull)

struct adaptive {
	/* What a sleep that goes by unexamined touches comes first, for the cache */
	enum rp_wait mode;
	enum rp_wait now;	/* the mode, or BLOCK while idle */
	/* The present wait */
	u64 wait_ns;		/* when it began */
	u64 asked_ns;		/* SLEEP */
	u64 look_ns;		/* SLEEP: the next look at the totals, at the latest; 0: now */
	/* Until then a sleep is worth a look that lasts for */
	u64 odd_ns;		/* longer than that beyond what was asked for, */
	s64 excess_most_ns;	/* or with those before for longer than they usually do, */
	u64 busy_most_ns;	/* or is followed by work for longer than that */
	u64 usual_ns;		/* what sleeps last beyond what is asked for */
	/* Since the last look */
	u64 woke_ns;		/* the last wake-up; 0: none */
	u64 busy_ns;		/* from wake-ups to waits, of those that went by */
	s64 excess_ns;		/* of sleeps that went by, beyond usual_ns each */
	u32 passed;		/* so many */
	u32 ready;		/* there at wake-ups */
	u32 empty;		/* the last wake-ups, at which there was nothing */
	struct rp_estimate e;
	struct adaptive_loop loop;
	u64 tick_ns;		/* SPIN: the next look at the totals */
	u64 pause_ns;		/* SPIN: of its pauses until then */
	bool peer_waited;	/* the ring was full or dry at the wake-up */
	u32 calm;		/* looks in a row with nothing to change */
	u32 odd;		/* cycles that a sleep which was far too long has spoiled */
	bool slept;		/* in the mode SLEEP */
	bool gap;		/* there was a pause of the traffic */
	/* The law */
	u64 y_ns;		/* nominal sleep */
	u64 target_ns;		/* effective sleep that is aimed for; 0: none is short enough */
	u64 m_d_ns;
	u32 ring_share;		/* of the ring's time that a sleep may take, in 1/ADAPTIVE_RING_ALL */
	u64 idle_ns;		/* for so long nothing has moved */
	u64 still_ns;		/* cycles without items, since the last one with some */
	u64 repair_ns;		/* longest next block of a producer */
	u32 streak;
	u64 pulse_ns;		/* the last pulse */
	u32 behind;		/* producer: pulses in a row at which C was more than D_MAX behind */
	u32 near;		/* producer: pulses in a row at which C was near */
	u32 dry;		/* producer: cycles in a row in which C waited */
	u32 out;		/* producer: items that were out when it waited last */
	bool shared;		/* the CPU: to spin takes it from whom we wait for */
	bool absent;		/* producer: C is often not there */
	bool wider;		/* producer: the window has just grown, it is not full */
	struct {
		u64 t_ns, sigma_ns;
		u32 w;
	} solved;		/* producer: the window for these estimates; w 0: none yet */
	/* Changes of mode */
	u64 entered_ns, retry_ns;
	u32 failures;		/* of sleeps, lately */
	u64 failed_ns;		/* the last, or one was forgotten */
	u64 try_ns;		/* not before then a sleep that is an experiment */
	u64 doubt_ns;		/* since then another mode has been better; 0: none has */
	/* To tell */
	u64 changes;
	u64 mode_ns[3];
	const char *unmet;
};

static inline bool is_producer(const struct rp_strategy *s)
{
	return s->params.role == RP_PRODUCER;
}

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

static inline u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

static inline u64 less(u64 a, u64 b)
{
	return a > b ? a - b : 0;
}

/* What of a ring this side may use. */
static inline u32 adaptive_slots(const struct rp_strategy *s)
{
	return is_producer(s) ? s->window : s->params.queue_len;
}

/* ---- Limits ---- */

/* The time in which the peer uses the ring up: sLS begins there. */
u64 rp_adaptive_ring_limit_ns(const struct rp_strategy *s, const struct adaptive *a);
/* The same less the margin m_L. */
u64 rp_adaptive_ring_left_ns(const struct rp_strategy *s, const struct adaptive *a);
/* The longest effective sleep that keeps D_MAX, without a margin. */
u64 rp_adaptive_latency_limit_ns(const struct rp_strategy *s, const struct adaptive *a);
/* Twice the mean deviation of what sleeps last too long. */
u64 rp_adaptive_spread_ns(const struct adaptive *a);
/* After a cycle with c->timed > 0, of a consumer. */
void rp_adaptive_move_m_d(const struct rp_strategy *s, struct adaptive *a,
			  const struct rp_cycle *c);
/* After a cycle of so many sleeps. */
void rp_adaptive_move_m_l(const struct rp_strategy *s, struct adaptive *a, u32 sleeps);
void rp_adaptive_move_target(const struct rp_strategy *s, struct adaptive *a, u64 now_ns);
void rp_adaptive_move_y(struct adaptive *a);

/* ---- Loop ---- */

void rp_loop_init(struct adaptive_loop *l);
/* Before a wait: is it a brief one, of a trial? ->awake says how; that of a block that begins is @awake. */
bool rp_loop_is_brief(struct adaptive_loop *l, bool awake, u64 now_ns);
/* The cycle of that sleep has ended. */
void rp_loop_cycle(struct adaptive_loop *l, const struct rp_cycle *c, u64 target_ns, u64 now_ns);
/* The next wait is no sleep, or this one was not as it was to be. */
void rp_loop_broken(struct adaptive_loop *l);
/* The ring was full: it is what holds the peer back, and that is known. No trial for a while. */
void rp_loop_full(struct adaptive_loop *l, u64 now_ns);
/* What of @target_ns brings no less than shorter sleeps would. */
u64 rp_loop_limit_ns(struct adaptive_loop *l, u64 target_ns, u64 now_ns);

/* ---- Window ---- */

void rp_adaptive_move_window(struct rp_strategy *s, struct adaptive *a);
/* The hook. */
void rp_adaptive_pulse(struct rp_strategy *s, u32 ready, u64 now_ns);

/* ---- Mode ---- */

bool rp_adaptive_may_spin(const struct rp_strategy *s, const struct adaptive *a);
bool rp_adaptive_waits_often(const struct adaptive *a);
/* Is a sleep due whose only purpose is to learn what one costs? */
bool rp_adaptive_tries_sleep(const struct rp_strategy *s, const struct adaptive *a, u64 now_ns);
/* After a cycle with @busy_ns of work. */
void rp_adaptive_move_mode(const struct rp_strategy *s, struct adaptive *a, u64 busy_ns,
			   u64 now_ns);
/* The side has not waited for a while, and its totals were looked at: @busy_ns of work. */
void rp_adaptive_review_mode(const struct rp_strategy *s, struct adaptive *a, u64 busy_ns,
			     u64 now_ns);
void rp_adaptive_tell_unmet(const struct rp_strategy *s, struct adaptive *a);

/* ---- Hooks ---- */

/* The totals were looked at: what is added up until the next look is 0 again. */
void rp_adaptive_looked(struct adaptive *a);
void rp_adaptive_status(const struct rp_strategy *s, struct rp_status *st);
u32 rp_adaptive_learned(const struct rp_strategy *s, void *buf);
void rp_adaptive_learn(struct rp_strategy *s, const void *buf, u32 bytes);

#endif /* RP_ADAPTIVE_H */
