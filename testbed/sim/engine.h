/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The simulator's state, shared by its event loop and its short cuts. */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "sim.h"

#define PS_PER_NS	1000ULL
#define NEVER		(~0ULL)

enum act {
	ACT_LOOK,		/* will give up unless something else happens first */
	ACT_WORK,
	ACT_NOTIFY_OUT,		/* sending a kick */
	ACT_NOTIFY_IN,		/* sending a call */
	ACT_START,		/* S after a notification */
	ACT_SLEEP,
	ACT_ARM,		/* between asking for a notification and the second look */
	ACT_BLOCK,
	ACT_SPIN,
	ACT_PAUSE,		/* a spin in which the queue is not looked at */
};

/* When an item was published by P, and since when it could have been taken. */
struct stamp {
	u64 enq, ext;
};

struct queue {
	u64 head, tail;		/* items ever removed, ever published */
	u64 mask;		/* of the ring of stamps */
	struct stamp *ring;
	u32 len;
	u32 armed_c, armed_p;	/* threshold that the blocked side asked for, 0: none */
	bool pending_c, pending_p;	/* notified while not blocked */
};

struct sim;

struct party {
	const struct sim *sim;
	/*
	 * When it is done with @act: time in ps, doubled, plus 1 for ACT_LOOK.
	 * So at one instant everybody's work ends before anybody gives up.
	 */
	u64 key;
	enum act act;
	bool at_out;		/* waits for its output, not its input */
	bool woken;		/* by a notification, and no item moved since */
	u32 run_batches;	/* since the last wait, or pulse */
	bool waited;		/* for a slot, since its last item */
	u32 run;		/* items since the last wake-up or notification */
	u64 since;		/* begin of ACT_SPIN */
	u64 cost_ps;		/* of the present ACT_SLEEP */
	u64 block_ps;		/* longest ACT_BLOCK, 0: for ever */
	u64 w_ps;
	struct dist *w;
	const struct sim_fall *fall;
	struct rp_strategy s_in, s_out;	/* as a consumer; as a producer */
};

enum { D_WP, D_WC, D_NP, D_NC, D_SP, D_SC, D_YP, D_YC, D_YE, D_YO, DISTS };

struct sim {
	const struct sim_config *cfg;
	struct sim_result *res;
	u32 n;				/* parties */
	struct party party[SIM_STAGES_MAX];
	struct queue queue[SIM_STAGES_MAX - 1];
	struct dist dist[DISTS];
	u64 taken, taken_before;	/* when P took its request, and the one before */
	u64 begin;			/* of the measurement */
	u64 target;			/* items at which the phase ends */
	u64 now;
	u64 look_ps;			/* of the watch: its next */
	bool constant;			/* no random numbers, no learning strategy */
	const char *error;
};

static inline u32 queue_fill(const struct queue *q)
{
	return (u32)(q->tail - q->head);
}

/* An item leaves the chain at @now. */
static inline void item_done(struct sim *s, const struct stamp *st, u64 now)
{
	struct sim_result *r = s->res;
	u64 latency = now - st->enq, service = now - st->ext;

	r->items++;
	r->latency_ps += latency;
	rp_hist_add(&r->latency, latency / PS_PER_NS);
	if (s->cfg->dmax_ns && latency > s->cfg->dmax_ns * PS_PER_NS) {
		r->late++;
		s->party[s->n - 1].s_in.news = true;
	}
	if (service > r->service_max_ps)
		r->service_max_ps = service;
}

/* ---- Short cuts, with the same result as event by event ---- */

/* Runs P and C, both at work, until one of them has to look around. */
void sim_both_work(struct sim *s);

struct sim_skip;
struct sim_skip *sim_skip_new(const struct sim *s);
void sim_skip_free(struct sim_skip *k);
/*
 * To be called when party @who is about to give up: if the whole state is that
 * of an earlier such moment, advances by as many whole periods as fit.
 */
void sim_skip_try(struct sim_skip *k, struct sim *s, u32 who);

#endif /* SIM_ENGINE_H */
