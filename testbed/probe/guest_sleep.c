// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sleeping in the guest, whose timer is not the host's: P is the guest's driver,
 * much faster than C, and sleeps whenever the ring is full. Y comes from its
 * trace; Y_E is what the host charged to the vCPU beside the work, by the number
 * of sleeps.
 */
#include <math.h>

#include "probe/probe.h"
#include "spans.h"

static const u32 nominal_ns[] = { 1000, 10000, 50000, 100000, 1000000 };
static const u32 quick_nominal_ns[] = { 10000, 100000 };

static void plan(struct run_params *r, const struct probe *p, const struct lane_ops *lane,
		 u32 y_ns)
{
	run_params_default(r);
	r->lane = lane;
	r->strategy_p = r->strategy_c = RP_SLEEP;
	r->yp_ns = y_ns;
	r->yc_ns = 50000;
	r->wp_ns = 500;
	/* Slow enough for an emulated P to be the faster one. */
	r->wc_ns = 20000;
	r->duration_ns = p->quick ? NSEC_PER_SEC / 5 : NSEC_PER_SEC;
	r->warmup_ns = NSEC_PER_SEC / 20;
}

static double cost_of_sleep(const struct run_result *r)
{
	double work = r->items_per_s * r->wp_ns;

	return r->sleeps_p_per_s > 0 ? fmax(0, r->cpu_p * 1e9 - work) / r->sleeps_p_per_s :
	       UNKNOWN;
}

static int one_length(const struct run_params *r, struct probe_sleep *at)
{
	struct run_sides sides = { .lost_at_end = UNKNOWN };
	struct samples v = { 0 };
	struct run_result result;
	int rc;

	at->nominal_ns = (double)r->yp_ns;
	rc = r->lane->run(r, &sides);
	run_progress_end(r);
	if (!rc) {
		run_merge(r, &sides, &result);
		at->cost_ns = cost_of_sleep(&result);
		spans_collect(r, &sides, SPAN_YP, &v);
		samples_summarise(&v, &at->y);
	}
	samples_free(&v);
	run_sides_free(&sides);
	return rc;
}

int probe_guest_sleeps(struct probe *p, const struct lane_ops *lane)
{
	const u32 *y_ns = p->quick ? quick_nominal_ns : nominal_ns;
	u32 i, n = p->quick ? 2 : sizeof(nominal_ns) / sizeof(nominal_ns[0]);
	struct run_params r;

	for (i = 0; i < n; i++) {
		plan(&r, p, lane, y_ns[i]);
		if (one_length(&r, &p->guest.point[i]))
			return -1;
		if (!p->guest.point[i].y.n)
			return fail("the guest's driver never slept in %.1f s: is the machine too "
				    "busy to run both parties?", (double)r.duration_ns / 1e9);
	}
	p->guest.n = n;
	return 0;
}
