// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dataplane's telemetry as a sensor, by `telemetry` of its control socket each tick; and
 * orders to it, whose end `status` tells, which is only asked while it is awaited.
 */
#include <stdio.h>

#include "now.h"
#include "sensor.h"

#define TELEMETRY_VERSION	1
#define STATUS_VERSION		1
#define STATUS_NS		1000000000ULL

static double number(const json_t *o, const char *key)
{
	double v = json_number_value(json_object_get(o, key));

	return v > 0 ? v : 0;
}

static u32 count(const json_t *o, const char *key)
{
	double v = number(o, key);

	return v < UINT32_MAX ? (u32)v : UINT32_MAX;
}

/* ---- Telemetry ---- */

/* Its clock may be another: what counts is how old the sample was. */
static u64 taken_at(const json_t *telemetry, const json_t *all, u64 now)
{
	double age = number(telemetry, "now_ns") - number(all, "taken_ns");

	return age <= 0 ? now : age < (double)now ? now - (u64)age : 1;
}

bool dataplane_sample(struct hc_sample *s, const json_t *telemetry, u64 now)
{
	const json_t *all = json_object_get(telemetry, "all");
	double peak = number(all, "peak_milli") / 1000;

	if (json_integer_value(json_object_get(telemetry, "version")) != TELEMETRY_VERSION ||
	    !json_is_object(all) || !number(all, "batch"))
		return false;
	*s = (struct hc_sample){
		.taken_ns = taken_at(telemetry, all, now), .queue = number(all, "queue"),
		.backlog = number(all, "backlog"), .tau_ns = number(all, "tau_ns"),
		.tau_items = number(all, "tau_items"), .batch = count(all, "batch"),
		.items = number(all, "items"), .iterations = number(all, "iterations"),
		.busy_ns = number(all, "busy_ns"), .peak = peak > 1 ? peak : 1,
	};
	return true;
}

static void on_telemetry(void *ctx, const json_t *result, const char *code)
{
	struct dataplane *d = ctx;

	if (dataplane_sample(&d->sample, result, now_ns()))
		d->why[0] = '\0';
	else
		snprintf(d->why, sizeof(d->why), "its answer is no telemetry of version %d",
			 TELEMETRY_VERSION);
}

/* ---- Orders ---- */

static void on_status(void *ctx, const json_t *result, const char *code)
{
	struct dataplane *d = ctx;

	if (json_integer_value(json_object_get(result, "status")) != STATUS_VERSION)
		return;
	d->threads = (u32)json_array_size(json_object_get(result, "threads"));
	d->active = count(result, "active");
	d->under_way = count(json_object_get(result, "moves"), "under_way");
}

static void on_order(void *ctx, const json_t *result, const char *code)
{
	struct dataplane *d = ctx;

	/* "busy" is tried again every tick, as is what was never answered. */
	d->accepted = result && d->sent == d->ordered;
}

/* Not known yet, or on its way; and once in a while. */
static bool wants_status(const struct dataplane *d, u64 now)
{
	return !d->threads || now >= d->status_at ||
	       (d->ordered && (d->active != d->ordered || d->under_way));
}

/* ---- Life ---- */

void dataplane_init(struct dataplane *d, const struct conf_tenant *t, struct loop *loop,
		    u64 timeout_ns)
{
	d->conf = t;
	link_init(&d->link, t->dataplane, loop, timeout_ns);
	d->telemetry_slot = (u32)link_slot(&d->link, on_telemetry, d);
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
		d->threads = 0;
		return;
	}
	link_send(&d->link, d->telemetry_slot, "telemetry", NULL);
	if (wants_status(d, now) && link_send(&d->link, d->status_slot, "status", NULL))
		d->status_at = now + STATUS_NS;
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
