// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Notification costs (004, sec. 4.4), from the traces of two experiments: a
 * fast consumer, whom P must notify again and again (N_P, S_C), and a fast
 * producer on a short queue, whom C must notify (N_C, S_P).
 */
#include "probe/probe.h"
#include "spans.h"

#define SAMPLES_MIN	20u
#define TRIES		3u

static void plan(struct run_params *r, const struct probe *p, const struct lane_ops *lane)
{
	run_params_default(r);
	r->lane = lane;
	r->wc_ns = 2000;
	r->duration_ns = p->quick ? NSEC_PER_SEC / 10 : 2 * NSEC_PER_SEC;
	r->warmup_ns = p->quick ? NSEC_PER_SEC / 50 : NSEC_PER_SEC / 5;
}

static bool enough(const struct probe_notify *e)
{
	return e->n.n >= SAMPLES_MIN && e->s.n >= SAMPLES_MIN;
}

static int too_few(const char *what, const struct probe_notify *e)
{
	return fail("the %s experiment gave %u notifications and %u wake-ups, not the %u that are "
		    "needed: is the machine too busy to run both parties?", what, e->n.n, e->s.n,
		    SAMPLES_MIN);
}

static void summarise(const struct run_params *r, const struct run_sides *sides,
		      enum span_kind kind, struct summary *out)
{
	struct samples v = { 0 };

	spans_collect(r, sides, kind, &v);
	samples_summarise(&v, out);
	samples_free(&v);
}

static int run_once(const struct run_params *r, enum span_kind n, enum span_kind s,
		    struct probe_notify *e)
{
	struct run_sides sides = { .lost_at_end = UNKNOWN };
	int rc;

	e->wp_ns = (double)r->wp_ns;
	e->wc_ns = (double)r->wc_ns;
	e->queue_len = r->queue_len;
	rc = r->lane->run(r, &sides);
	run_progress_end(r);
	if (!rc) {
		run_merge(r, &sides, &e->result);
		summarise(r, &sides, n, &e->n);
		summarise(r, &sides, s, &e->s);
	}
	run_sides_free(&sides);
	return rc;
}

/* A machine that gives the parties little time gets more of it. */
static int experiment(const char *what, struct run_params *r, enum span_kind n,
		      enum span_kind s, struct probe_notify *e)
{
	u32 tries = 0;

	do {
		if (run_once(r, n, s, e))
			return -1;
		r->duration_ns *= 4;
	} while (!enough(e) && ++tries < TRIES);
	return enough(e) ? 0 : too_few(what, e);
}

int probe_notify(struct probe *p, const struct lane_ops *lane)
{
	struct run_params r;

	plan(&r, p, lane);
	r.wp_ns = 4000;
	if (experiment("fast consumer", &r, SPAN_NP, SPAN_SC, &p->fast_c))
		return -1;
	plan(&r, p, lane);
	r.wp_ns = 500;
	r.queue_len = 8;
	return experiment("fast producer", &r, SPAN_NC, SPAN_SP, &p->fast_p);
}
