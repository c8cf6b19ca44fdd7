// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Metronome: M threads share a queue. Who wakes up first serves it until it is
 * empty, then sleeps T_S, which depends on the load; who finds another one at
 * work sleeps T_L. Source: M. Faltelli et al., "Metronome: Adaptive and Precise
 * Intermittent Packet Retrieval in DPDK", CoNEXT 2020, and its repository
 * (marcofaltelli/Metronome, f7c389e), tests/l3fwd/l3fwd_lpm_timer.c,
 * lpm_main_loop().
 *
 * Theory of operation. Here one thread has the ring, so the M threads are M
 * timers of it. It sleeps until the earliest one ends, which is the thread that
 * takes the lock. When the ring is empty, the lock's release: that thread's
 * timer is set to T_S, and a timer that ended during the busy period belongs to
 * a thread that found the lock taken, once or more often, and slept T_L. All of
 * them would wake up late by about as much as the one thread really did.
 *
 * The load rho is the part of the time that is busy, averaged over periods
 * (vacation, then busy). The threads' sleeps are independent, so the mean
 * vacation V comes out as
 *
 *	V = T_S (1 - rho^M) / (M (1 - rho)),
 *	T_S = M V / (1 + rho + ... + rho^(M - 1)).
 */
#include "pacing/peers/peer.h"

#define THREADS		3u		/* M; what the authors run one queue with */
#define V_NS		10000u		/* V, theirs; they have no default */
#define TIMEOUT_LONG_NS	500000u		/* T_L */
#define TIMEOUT_FIRST_NS 20000u		/* T_S while rho is unknown */
/* rho is a fraction of this; so is ALPHA, 3/4 in theirs, of 4. */
#define ONE		65536u
#define ALPHA_QUARTERS	3u

struct metronome {
	u64 wake_ns[THREADS];	/* when their sleeps end */
	u64 late_ns;		/* by how much the last sleep was too long */
	u64 taken_ns;		/* the lock, at last */
	u64 released_ns;
	u64 rho;
	u32 server;		/* who has it, or will be the next */
	bool begun;
};

static void learn_rho(struct metronome *m, u64 now_ns)
{
	u64 busy_ns = now_ns - m->taken_ns;
	u64 period_ns = now_ns - m->released_ns;
	u64 rho = ONE;

	/* A busy period of more than 3 days would overflow; it is busy enough. */
	if (busy_ns < period_ns && busy_ns < 1ULL << 48)
		rho = busy_ns * ONE / period_ns;
	m->rho = (m->rho * ALPHA_QUARTERS + rho * (4 - ALPHA_QUARTERS)) / 4;
}

static u64 short_timeout_ns(const struct metronome *m, u64 v_ns)
{
	u64 power = ONE, sum = 0;
	u32 i;

	for (i = 0; i < THREADS; i++) {
		sum += power;
		power = power * m->rho / ONE;
	}
	return THREADS * v_ns * ONE / sum;
}

/* Who woke up in the busy period found the lock taken, perhaps several times. */
static void miss(struct metronome *m, u64 now_ns)
{
	u64 turn_ns = TIMEOUT_LONG_NS + m->late_ns;
	u32 i;

	for (i = 0; i < THREADS; i++) {
		u64 awake_ns = m->wake_ns[i] + m->late_ns;

		if (awake_ns <= now_ns)
			m->wake_ns[i] += ((now_ns - awake_ns) / turn_ns + 1) * turn_ns;
	}
}

static u32 earliest(const struct metronome *m)
{
	u32 i, first = 0;

	for (i = 1; i < THREADS; i++)
		if (m->wake_ns[i] < m->wake_ns[first])
			first = i;
	return first;
}

static struct rp_decision metronome_idle(struct rp_strategy *s, u64 now_ns)
{
	struct metronome *m = rp_strategy_priv(s, struct metronome);
	u64 v_ns = s->params.y_ns ? s->params.y_ns : V_NS;
	u64 timeout_ns = TIMEOUT_FIRST_NS;
	u32 i;

	if (m->begun) {
		learn_rho(m, now_ns);
		timeout_ns = short_timeout_ns(m, v_ns);
	} else {
		/* All began at once, and one was first. */
		for (i = 0; i < THREADS; i++)
			m->wake_ns[i] = now_ns;
		m->begun = true;
	}
	m->released_ns = now_ns;
	miss(m, now_ns);
	m->wake_ns[m->server] = now_ns + timeout_ns;
	m->server = earliest(m);
	if (m->wake_ns[m->server] <= now_ns)
		m->wake_ns[m->server] = now_ns + 1;	/* that one is late already */
	return peer_sleep(m->wake_ns[m->server] - now_ns);
}

static void metronome_woken(struct rp_strategy *s, enum rp_wake by, u32 ready, u64 now_ns)
{
	struct metronome *m = rp_strategy_priv(s, struct metronome);
	u64 wake_ns = m->wake_ns[m->server];

	(void)by;
	(void)ready;
	m->taken_ns = now_ns;
	m->late_ns = now_ns > wake_ns ? now_ns - wake_ns : 0;
}

const struct rp_strategy_ops rp_peer_metronome = {
	.name = "metronome",
	.idle = metronome_idle,
	.woken = metronome_woken,
};
