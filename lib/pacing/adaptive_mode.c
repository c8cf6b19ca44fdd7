// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The adaptive strategy: which mode is the best, and how rarely that changes.
 * Every change has two thresholds and a time that must pass.
 */
#include "pacing/adaptive.h"

/* Share of the time, in 1/1024, from which on a side waits "often". */
#define OFTEN_UP	82
#define OFTEN_DOWN	41
/* And from which on to spin costs much. */
#define MUCH		164
/*
 * To spin again so soon after another mode was tried doubles the time to the
 * next try; one that lasted for RETRY_GOOD such times halves it.
 */
#define RETRY_GOOD	16
#define RETRY_MAX_NS	10000000000ull
/*
 * And every such failure makes a sleep need an eighth more to spare, up to this;
 * after so long without a change one is forgotten.
 */
#define FAILURES_MAX	16
#define FORGET_NS	120000000000ull
/*
 * Another mode must be better for so long on end: random queues wander, and a peer that
 * loses its CPU for a millisecond or two is none that is slow. Twice as long to begin to
 * sleep, as the share of waiting has to forget such a moment first; it costs energy only.
 */
#define DOUBT_NS	5000000u

static bool cap_allows_spin(const struct rp_strategy *s)
{
	return !s->params.cpu_cap_percent || s->params.cpu_cap_percent >= 100;
}

bool rp_adaptive_may_spin(const struct rp_strategy *s, const struct adaptive *a)
{
	return cap_allows_spin(s) && !a->shared;
}

bool rp_adaptive_waits_often(const struct adaptive *a)
{
	return a->e.wait_milli >= (a->mode == RP_WAIT_SLEEP ? OFTEN_DOWN :
				   OFTEN_UP + OFTEN_UP * a->failures / 8);
}

static bool can_sleep(const struct adaptive *a)
{
	u64 shortest = rp_mean_ns(&a->e.y_min);

	/* A bit to spare when it does not yet. */
	return a->target_ns >= shortest + (a->mode == RP_WAIT_SLEEP ? 0 :
					   shortest / 8 * (1 + a->failures));
}

static enum rp_wait best_mode(const struct rp_strategy *s, const struct adaptive *a)
{
	if (rp_adaptive_waits_often(a) && a->e.y_min.n < RP_MEAN_FULL / 2)
		return RP_WAIT_SLEEP;	/* to learn what it costs */
	if (!rp_adaptive_may_spin(s, a) &&
	    rp_adaptive_latency_limit_ns(s, a) <= rp_mean_ns(&a->e.y_min))
		return RP_WAIT_BLOCK;
	if (!rp_adaptive_may_spin(s, a))
		return RP_WAIT_SLEEP;
	return rp_adaptive_waits_often(a) && can_sleep(a) ? RP_WAIT_SLEEP : RP_WAIT_SPIN;
}

/*
 * It was a sleep, and is to be a spin again: how long until the next try? One
 * that does not wait much loses little by spinning, so it has time. Who goes on
 * waiting, and found its sleeps too long, will find that again however long
 * they went well: bursts fill the ring now and then.
 */
static void judge_sleep(struct adaptive *a, u64 now_ns)
{
	u64 good = RETRY_GOOD * (a->e.wait_milli >= MUCH ? a->retry_ns : RETRY_MAX_NS);
	bool lasted = now_ns - a->entered_ns >= good;

	a->retry_ns = lasted ? max_u64(a->retry_ns / 2, ADAPTIVE_RETRY_MIN_NS) :
			       min_u64(2 * a->retry_ns, RETRY_MAX_NS);
	if (lasted && !rp_adaptive_waits_often(a))
		return;
	a->failures = min_u32(a->failures + 1, FAILURES_MAX);
	a->failed_ns = now_ns;
}

static void forget_failure(struct adaptive *a, u64 now_ns)
{
	if (!a->failures || now_ns - a->failed_ns < FORGET_NS)
		return;
	a->failures--;
	a->failed_ns = now_ns;
}

static void change_mode(struct adaptive *a, enum rp_wait to, u64 busy_ns, u64 now_ns)
{
	/* Who sleeps, and has not waited for long, does not begin to doubt only now. */
	if (!a->doubt_ns)
		a->doubt_ns = to == RP_WAIT_SPIN ? now_ns - busy_ns : now_ns;
	if (now_ns - a->doubt_ns < (to == RP_WAIT_SPIN ? 1 : 2) * DOUBT_NS)
		return;
	/* Quicker to leave a mode that does harm than to try it again. */
	if (to != RP_WAIT_SPIN && now_ns - a->entered_ns < a->retry_ns)
		return;
	a->doubt_ns = 0;
	if (to == RP_WAIT_SPIN && a->changes)
		judge_sleep(a, now_ns);
	rp_store(&a->mode, to);
	a->entered_ns = now_ns;
	rp_store(&a->y_ns, 1);
	rp_add(&a->changes, 1);
}

void rp_adaptive_move_mode(const struct rp_strategy *s, struct adaptive *a, u64 busy_ns,
			   u64 now_ns)
{
	enum rp_wait best;

	forget_failure(a, now_ns);
	best = best_mode(s, a);
	if (!a->entered_ns) {
		/* The mode to begin with, found at the first wait. */
		rp_store(&a->mode, best);
		a->entered_ns = now_ns;
	} else if (best != a->mode) {
		change_mode(a, best, busy_ns, now_ns);
	} else {
		a->doubt_ns = 0;
	}
}

/*
 * Between two waits, which may be far apart: what was better lately is not better on end; and
 * who slept as the faster side, and is the slower one now, is not to sleep when it waits next.
 */
void rp_adaptive_review_mode(const struct rp_strategy *s, struct adaptive *a, u64 busy_ns,
			     u64 now_ns)
{
	if (a->mode == RP_WAIT_SLEEP && a->entered_ns)
		rp_adaptive_move_mode(s, a, busy_ns, now_ns);
	else if (a->mode == RP_WAIT_SPIN && !rp_adaptive_waits_often(a))
		a->doubt_ns = 0;
}

/*
 * What a sleep costs changes with the host's load, and who spins since it cost
 * too much would never find out. So now and then one that waits often takes a
 * single one; a consumer only where it keeps D_MAX as far as sleeps were known.
 */
bool rp_adaptive_tries_sleep(const struct rp_strategy *s, const struct adaptive *a, u64 now_ns)
{
	return a->mode == RP_WAIT_SPIN && now_ns >= a->try_ns &&
	       rp_adaptive_waits_often(a) && a->e.y_min.n &&
	       rp_mean_ns(&a->e.y_min) + 2 * rp_adaptive_spread_ns(a) <=
	       rp_adaptive_latency_limit_ns(s, a);
}

void rp_adaptive_tell_unmet(const struct rp_strategy *s, struct adaptive *a)
{
	const char *why = NULL;

	if (!is_producer(s) && s->params.dmax_ns && a->e.late_milli > 20)
		why = a->shared ? "D_MAX: late because others use this CPU" :
		      a->mode != RP_WAIT_SLEEP ?
		      "D_MAX: late although C spins; W_C, the host's delays or a full ring take longer" :
		      cap_allows_spin(s) ?
		      "D_MAX: sleeps overrun, or the ring holds more than D_MAX's worth of work" :
		      "D_MAX: the shortest sleep is too long, and the CPU cap forbids to spin";
	else if (a->target_ns < rp_mean_ns(&a->e.y_min) && !cap_allows_spin(s))
		why = "throughput: the shortest sleep outlasts the ring, and the CPU cap forbids to spin";
	rp_store(&a->unmet, why);
}
