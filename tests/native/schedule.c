// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The schedules of tests/vhost/schedule.h, played to ringpaced's device; the kernel's
 * has to count the same (tests/vhost/counters.c).
 */
#include "schedule.h"

#include "bed.h"

#define QUEUES	2u

struct run {
	const struct schedule *s;
	struct backend backend;
	struct fe fe;
	struct rp_drv drv[QUEUES];
};

static bool start(void *ctx)
{
	struct run *r = ctx;

	return !backend_do(&r->backend, "start", r->s->queue, NULL);
}

static bool counts(void *ctx, struct schedule_counts *c)
{
	struct run *r = ctx;
	json_t *v = backend_stats(&r->backend, r->s->queue);

#define X(name) c->name = (u64)json_integer_value(json_object_get(v, #name));
	SCHEDULE_COUNTERS(X)
#undef X
	json_decref(v);
	return v;
}

static int set(struct run *r)
{
	json_t *args = json_pack("{s:s, s:I, s:i, s:i}", "strategy",
				 rp_strategy_by_id(r->s->strategy)->name,
				 "y_ns", (json_int_t)r->s->y_ns, "burst", 1,
				 "item_bytes", (int)SCHEDULE_ITEM_BYTES);

	if (r->s->k)
		json_object_set_new(args, "k", json_integer(r->s->k));
	return backend_do(&r->backend, "set", r->s->queue, args);
}

/* The device is the daemon's. 0, or -1 after fail(). */
static int open_device(struct run *r)
{
	const struct fe_options fo = {
		.socket = r->backend.socket,
		.queues = QUEUES,
		.queue_size = SCHEDULE_SLOTS,
		.data_bytes = SCHEDULE_SLOTS * SCHEDULE_ITEM_BYTES,
		.timeout_ms = BACKEND_TIMEOUT_MS,
	};
	u32 q;

	if (fe_open(&r->fe, &fo))
		return fail("%s", r->fe.error);
	for (q = 0; q < QUEUES; q++)
		if (rp_drv_init(&r->drv[q], &r->fe.queue[q].ring,
				fe_has(&r->fe, VIRTIO_RING_F_EVENT_IDX), fe_gpa_delta(&r->fe)))
			return fail("a ring of %u slots cannot be set up", SCHEDULE_SLOTS);
	if (fe_start(&r->fe))
		return fail("%s", r->fe.error);
	/* The handshake's orders have begun the party more than once. */
	return backend_wait_ready(&r->backend, r->s->queue) || set(r) ||
	       backend_do(&r->backend, "reset", r->s->queue, NULL) ? -1 : 0;
}

static bool play_device(struct run *r)
{
	struct schedule_device device = { .start = start, .counts = counts, .ctx = r };
	const struct fe_queue *q = &r->fe.queue[r->s->queue];
	bool good = false;
	u32 i;

	if (!open_device(r)) {
		device.drv = &r->drv[r->s->queue];
		device.kick_fd = q->kick_fd;
		device.call_fd = q->call_fd;
		device.bufs = r->fe.data;
		good = schedule_play(r->s, &device);
	}
	for (i = 0; i < QUEUES; i++)
		rp_drv_free(&r->drv[i]);
	fe_close(&r->fe);
	return good;
}

/* With a daemon of its own. */
static bool play(const struct schedule *s)
{
	struct run r = { .s = s };
	bool good = !backend_start(&r.backend, 1, SCHEDULE_ITEM_BYTES, NULL) && play_device(&r);

	backend_stop(&r.backend);
	return good;
}

int main(void)
{
	bool good;
	u32 i, n;

	catch_signals();
	for (i = 0; i < SCHEDULES && !stopped(); i++) {
		for (n = schedule_attempts(&schedules[i]), good = false; n && !good; n--)
			good = play(&schedules[i]);
		bed_ok(good, "counters of", schedules[i].name);
	}
	return bed_finish();
}
