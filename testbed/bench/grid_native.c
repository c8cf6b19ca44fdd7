// SPDX-License-Identifier: GPL-2.0-or-later
/* The grid on real rings: one rig an L. */
#include <stdlib.h>

#include "bench/grid.h"
#include "native/rig.h"

#define WARMUP_ITEMS	2000

struct native {
	const struct grid_plan *g;
	struct rig rig;
	struct run_params params;
};

static void native_close(void *ctx)
{
	struct native *n = ctx;

	rig_close(&n->rig);
	free(n);
}

static void *native_open(struct grid_plan *g, const struct grid_point *first)
{
	struct native *n = calloc(1, sizeof(*n));

	if (!n) {
		fail("bench grid: out of memory");
		return NULL;
	}
	n->g = g;
	run_params_default(&n->params);
	n->params.trace = n->params.progress = false;
	n->params.duration_ns = g->duration_ns;
	grid_set_params(g, first, &g->entries[0], &n->params);
	if (!rig_open(&n->rig, &n->params))
		return n;
	native_close(n);
	return NULL;
}

/* Strategies are given 2000 items to find their way, where that is longer. */
static u64 warmup_ns(const struct grid_plan *g, const struct grid_point *p)
{
	u64 items_ns = WARMUP_ITEMS * (p->wp_ns > p->wc_ns ? p->wp_ns : p->wc_ns);

	return items_ns > g->warmup_ns ? items_ns : g->warmup_ns;
}

static int native_measure(void *ctx, const struct grid_point *p, const struct grid_entry *e,
			  u32 round, struct run_result *r)
{
	struct native *n = ctx;
	struct run_sides sides = { .lost_at_end = 0 };	/* not at an end */
	int rc;

	(void)round;
	grid_set_params(n->g, p, e, &n->params);
	n->params.warmup_ns = warmup_ns(n->g, p);
	rc = rig_change(&n->rig, &n->params) || rig_measure(&n->rig, &sides) ? -1 : 0;
	if (!rc)
		run_merge(&n->params, &sides, r);
	run_sides_free(&sides);
	return rc;
}

const struct grid_lane grid_native = {
	.name = "native",
	.open = native_open,
	.close = native_close,
	.measure = native_measure,
};
