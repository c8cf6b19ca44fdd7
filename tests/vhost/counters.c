// SPDX-License-Identifier: GPL-2.0-or-later
/* The schedules of schedule.h, played to the kernel's device. */
#include "dev.h"
#include "schedule.h"
#include "vhost_test.h"

#define RUN(ctx)	((struct run *)(ctx))

_Static_assert(RING == SCHEDULE_SLOTS && ITEM_BYTES == SCHEDULE_ITEM_BYTES, "the schedules' ring");

struct run {
	const struct schedule *s;
	struct dev d;
};

static bool start(void *ctx)
{
	struct vhost_pc_start order = {
		.size_bytes = sizeof(order), .queue = RUN(ctx)->s->queue,
	};

	MUST(&RUN(ctx)->d, VHOST_PC_START, &order);
	return true;
}

static bool counts(void *ctx, struct schedule_counts *c)
{
	struct vhost_pc_stats s = dev_stats(&RUN(ctx)->d, RUN(ctx)->s->queue);

#define X(name) c->name = s.stats.name;
	SCHEDULE_COUNTERS(X)
#undef X
	return true;
}

static void set(struct dev *d, const struct schedule *s)
{
	struct vhost_pc_params p = dev_params(d, s->queue);

	p.strategy = s->strategy;
	p.k = s->k;
	p.y_ns = s->y_ns;
	p.burst = 1;
	p.item_bytes = ITEM_BYTES;
	MUST(d, VHOST_PC_SET_PARAMS, &p);
}

/* On a device of its own, whose counters begin with it. */
static bool play(const struct schedule *s)
{
	struct run r = { .s = s };
	struct queue *q = &r.d.q[s->queue];
	struct schedule_device device = { .start = start, .counts = counts, .ctx = &r };
	bool good;

	dev_open(&r.d, FEATURES);
	set(&r.d, s);
	dev_run(&r.d, 1);
	device.drv = &q->drv;
	device.kick_fd = q->kick;
	device.call_fd = q->call;
	device.bufs = queue_buf(q, 0);
	good = schedule_play(s, &device);
	dev_close(&r.d);
	return good;
}

void test_counters(void)
{
	bool good;
	u32 i, n;

	for (i = 0; i < SCHEDULES; i++) {
		for (n = schedule_attempts(&schedules[i]), good = false; n && !good; n--)
			good = play(&schedules[i]);
		ok(good, "counters of %s", schedules[i].name);
	}
}
