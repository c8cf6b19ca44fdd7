// SPDX-License-Identifier: GPL-2.0-or-later
/* The adaptive strategy: how long it may sleep, and what corrects that. */
#include "pacing/adaptive.h"

/* Late items that are aimed for, in 1/1024: half of what p98 allows. */
#define LATE_GOAL	10

u64 rp_adaptive_ring_limit_ns(const struct rp_strategy *s, const struct adaptive *a)
{
	u32 slots = adaptive_slots(s);

	return less((u64)(slots - 1) * a->e.t_low >> RP_MEAN_SHIFT, rp_mean_ns(&a->e.own));
}

u64 rp_adaptive_ring_left_ns(const struct rp_strategy *s, const struct adaptive *a)
{
	return rp_adaptive_ring_limit_ns(s, a) * a->ring_share / ADAPTIVE_RING_ALL;
}

/*
 * A producer's sleep delays no item that is in the ring. A consumer's does, and
 * it must be shorter than a producer's horizon: see rp_adaptive_move_window().
 */
u64 rp_adaptive_latency_limit_ns(const struct rp_strategy *s, const struct adaptive *a)
{
	if (is_producer(s) || !s->params.dmax_ns)
		return 1000000000;
	return less(s->params.dmax_ns - s->params.dmax_ns / 16 * 3, rp_mean_ns(&a->e.own));
}

static u64 target_ns(const struct rp_strategy *s, const struct adaptive *a)
{
	return min_u64(rp_adaptive_ring_left_ns(s, a),
		       less(rp_adaptive_latency_limit_ns(s, a), a->m_d_ns));
}

u64 rp_adaptive_spread_ns(const struct adaptive *a)
{
	return 2 * rp_mean_dev_ns(&a->e.over.mean);
}

/*
 * Late items that sleeps may cause: half of what p98 leaves them beside those
 * that were late because somebody else had the CPU. Where these are too many,
 * shorter sleeps help nobody.
 */
static u64 late_goal(const struct adaptive *a)
{
	return a->e.spoiled_milli < 3 * LATE_GOAL / 2 ? LATE_GOAL - a->e.spoiled_milli / 2 :
							LATE_GOAL;
}

/*
 * What is there before anything was late: the spread of the timer, and that of
 * the work on the item that has waited longest. While C spins, nothing that is late
 * tells what a sleep would do.
 */
static u64 least_m_d(const struct adaptive *a)
{
	return rp_adaptive_spread_ns(a) + 2 * rp_estimate_own_sigma_ns(&a->e);
}

/*
 * m_D after a cycle: a step up for what was late, a smaller one down for what
 * was not, so that it rests where late_goal() of the items are late. Where waits
 * were looked at together, as many steps at once.
 */
void rp_adaptive_move_m_d(const struct rp_strategy *s, struct adaptive *a,
			  const struct rp_cycle *c)
{
	u64 step = s->params.dmax_ns / 8 * c->waits, most = s->params.dmax_ns / 2;
	u64 late = c->late ? (c->late << 10) / c->timed : 0, goal = late_goal(a);
	u64 least = min_u64(least_m_d(a), most);

	rp_estimate_spoiled(&a->e, c, a->odd);
	if (a->odd)
		return;
	if (late > goal)
		a->m_d_ns += step * (late - goal) >> 10;
	else
		a->m_d_ns = less(a->m_d_ns, step * (goal - late) >> 10);
	a->m_d_ns = a->m_d_ns < least ? least : min_u64(a->m_d_ns, most);
}

/*
 * m_L after a sleep: what is left becomes a quarter shorter than the sleep was
 * when the ring was used up, and a little longer when not. Quick, because two
 * sides that both sleep too long look to each other like slow ones; the
 * producer, who sees the ring dry, retreats. A share, since the ring's time is
 * itself an estimate: bursts move it by more than a sleep is long.
 */
void rp_adaptive_move_m_l(const struct rp_strategy *s, struct adaptive *a, u32 sleeps)
{
	u64 limit = rp_adaptive_ring_limit_ns(s, a);
	u64 most = min_u64(limit, rp_adaptive_latency_limit_ns(s, a));
	u64 left = rp_adaptive_ring_left_ns(s, a);

	/* All is left, and so it stays; a full ring says nothing of who did not let it fill. */
	if (!limit || (a->peer_waited ? !a->slept && !a->pause_ns :
				       a->ring_share == ADAPTIVE_RING_ALL))
		return;
	if (a->peer_waited)
		left = min_u64(left, max_u64(a->target_ns, 1)) / 4 * 3;
	else
		left += sleeps * (most / 256 + 1);
	a->ring_share = (u32)min_u64(left * ADAPTIVE_RING_ALL / limit + 1, ADAPTIVE_RING_ALL);
}

void rp_adaptive_move_target(const struct rp_strategy *s, struct adaptive *a, u64 now_ns)
{
	rp_store(&a->target_ns, rp_loop_limit_ns(&a->loop, target_ns(s, a), now_ns));
}

/* Up by steps, since how long a longer sleep really lasts is learned on the way. */
void rp_adaptive_move_y(struct adaptive *a)
{
	u64 want = less(a->target_ns, rp_mean_ns(&a->e.over.mean));
	u64 y = want < a->y_ns ? want : a->y_ns + (want - a->y_ns + 7) / 8;

	rp_store(&a->y_ns, y ? y : 1);
}
