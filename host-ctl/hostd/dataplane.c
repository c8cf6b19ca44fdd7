// SPDX-License-Identifier: GPL-2.0-or-later
/* A dataplane's telemetry as a sensor, by `status` of its control socket. */
#include <stdio.h>

#include "now.h"
#include "sensor.h"

static double number(const json_t *o, const char *key)
{
	double v = json_number_value(json_object_get(o, key));

	return v > 0 ? v : 0;
}

/* Of telemetry that tells queues each thread has all of these keys. */
static bool take_thread(struct view_thread *t, const json_t *o)
{
	*t = (struct view_thread){
		.parked = json_is_true(json_object_get(o, "parked")),
		.processed = number(o, "processed"), .turns = number(o, "turns"),
		.queue = number(o, "queue"), .tau_ns = number(o, "tau_ns"),
		.tau_items = number(o, "tau_items"), .busy_ns = number(o, "busy_ns"),
	};
	return json_object_get(o, "queue") && json_object_get(o, "tau_ns") &&
	       json_object_get(o, "busy_ns");
}

bool view_from_status(struct view *v, const json_t *status)
{
	const json_t *threads = json_object_get(status, "threads"), *o;
	size_t i;

	*v = (struct view){
		.active = (u32)number(status, "active"), .batch = (u32)number(status, "batch"),
		.under_way = (u32)number(json_object_get(status, "moves"), "under_way"),
		.has_queues = true,
	};
	if (!json_is_integer(json_object_get(status, "telemetry")) || !json_array_size(threads))
		return false;
	json_array_foreach(threads, i, o) {
		if (v->threads == VIEW_THREADS_MAX)
			break;
		v->has_queues &= take_thread(&v->thread[v->threads++], o);
	}
	return true;
}

static void sample(struct dataplane *d)
{
	struct hc_sample s = { .taken_ns = d->taken_ns, .peak = 1,
			       .batch = d->view.batch ? d->view.batch : 64 };
	const struct view_thread *worst = &d->view.thread[0];
	u32 i;

	for (i = 0; i < d->view.threads; i++) {
		const struct view_thread *t = &d->view.thread[i];

		s.items += t->processed;
		s.iterations += t->turns;
		s.busy_ns += t->busy_ns;
		s.backlog += t->queue;
		if (t->queue > worst->queue)
			worst = t;
	}
	s.queue = worst->queue;
	s.tau_ns = worst->tau_ns;
	s.tau_items = worst->tau_items;
	d->sample = s;
}

static void on_status(void *ctx, const json_t *result, const char *code)
{
	struct dataplane *d = ctx;

	if (!view_from_status(&d->view, result)) {
		snprintf(d->why, sizeof(d->why), "its answer is no telemetry");
		return;
	}
	d->taken_ns = now_ns();
	d->why[0] = '\0';
	if (d->view.has_queues)
		sample(d);
	else
		snprintf(d->why, sizeof(d->why), "its telemetry tells no depth of queues");
}

static void on_order(void *ctx, const json_t *result, const char *code)
{
	struct dataplane *d = ctx;

	/* "busy" is tried again every tick, as is what was never answered. */
	d->accepted = result && d->sent == d->ordered;
}

void dataplane_init(struct dataplane *d, const struct conf_tenant *t, struct loop *loop,
		    u64 timeout_ns)
{
	d->conf = t;
	link_init(&d->link, t->dataplane, loop, timeout_ns);
	d->status_slot = (u32)link_slot(&d->link, on_status, d);
	d->order_slot = (u32)link_slot(&d->link, on_order, d);
	snprintf(d->why, sizeof(d->why), "not asked yet");
}

void dataplane_fini(struct dataplane *d)
{
	link_fini(&d->link);
}

void dataplane_tick(struct dataplane *d, u64 now)
{
	link_tick(&d->link, now);
	if (!link_up(&d->link)) {
		snprintf(d->why, sizeof(d->why), "it cannot be reached");
		/* Another one may answer there next, and know of no order. */
		d->accepted = false;
		return;
	}
	link_send(&d->link, d->status_slot, "status", NULL);
	if (d->ordered && !d->accepted &&
	    link_send(&d->link, d->order_slot, "threads",
		      json_pack("{s:i}", "threads", (int)d->ordered)))
		d->sent = d->ordered;
}

static int read_dataplane(void *ctx, struct hc_sample *s)
{
	const struct dataplane *d = ctx;

	*s = d->sample;
	return d->sample.taken_ns ? 0 : -1;
}

const struct hc_sensor_ops dataplane_ops = { .name = "dataplane", .read = read_dataplane };
