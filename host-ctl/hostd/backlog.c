// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringpaced's backlog of a tenant's ports as a sensor: it works for a guest that tells
 * nothing of itself.
 *
 * `list` tells how many queues the ports have, then each tick asks for `stats` of the
 * guest's receive queues; when all have answered that is a sample. Waiting is what the
 * ring shows (docs/packets.md, "Backlog"): the lesser of its two numbers.
 */
#include <stdio.h>

#include "now.h"
#include "sensor.h"

#define RATE_ALPHA	0.2

double busy_ns(struct busy *b)
{
	struct virt_stats s;
	u64 ns = 0;

	if (b->conf->polls)
		return 0;
	if (b->native)
		return native_cpu_ns(b->native, &ns) ? (double)ns : 0;
	virt_stats(b->virt, b->domain, &s);
	return (double)s.cpu_ns;
}

/* ---- A sample ---- */

/* Items per second, and since when none has moved. */
static void follow(struct backlog *b, u64 now)
{
	double seconds = b->moved_ns ? (double)(now - b->moved_ns) / 1e9 : 0;

	if (!b->moved_ns || b->done < b->moved) {
		b->per_s = 0;
	} else if (b->done > b->moved && seconds > 0) {
		double rate = (b->done - b->moved) / seconds;

		b->per_s += (b->per_s > 0 ? RATE_ALPHA : 1) * (rate - b->per_s);
	} else {
		return;
	}
	b->moved = b->done;
	b->moved_ns = now;
}

/*
 * Of one of its threads. Little's law: what waits over what goes through is the mean
 * delay, at any load. Nothing that goes through, while some waits, is a thread that stands.
 */
static double item_ns(struct backlog *b, const struct hc_sample *s)
{
	bool stands = s->backlog > 0 && b->sample.backlog > 0 && b->done <= b->sample.items;
	double ns = b->per_s > 0 ? b->threads * 1e9 / b->per_s : 0, since;

	if (!stands)
		b->stands_ns = 0;
	else if (!b->stands_ns)
		b->stands_ns = b->sample.taken_ns;
	since = stands ? (double)(s->taken_ns - b->stands_ns) : 0;
	return since > ns ? since : ns;
}

static void finish(struct backlog *b)
{
	struct hc_sample s = { .taken_ns = now_ns(), .batch = 64, .peak = 1 };
	double packets = 0;
	u32 i;

	for (i = 0; i < b->queues; i++) {
		const struct backlog_queue *q = &b->queue[i];

		packets += q->packets;
		s.backlog += q->waiting;
		if (q->waiting > s.queue)
			s.queue = q->waiting;
	}
	/* A ring that was set up again may show more waiting than came. */
	b->done = packets > s.backlog ? packets - s.backlog : 0;
	if (b->done < b->sample.items)
		b->done = b->sample.items;
	follow(b, s.taken_ns);
	s.items = b->done;
	s.iterations = b->done;
	s.busy_ns = busy_ns(b->busy);
	s.tau_items = 1;
	s.tau_ns = item_ns(b, &s);
	b->sample = s;
	b->why[0] = '\0';
}

/* ---- Answers ---- */

static void give_up(struct backlog *b, const char *why)
{
	b->asking = false;
	b->listed = false;
	snprintf(b->why, sizeof(b->why), "%s", why);
}

static void on_stats(void *ctx, const json_t *result, const char *code)
{
	struct backlog_queue *q = ctx;
	struct backlog *b = q->all;
	const json_t *stats = json_object_get(result, "stats");
	const json_t *backlog = json_object_get(stats, "backlog");
	json_int_t most, told;

	if (!b->asking)
		return;
	if (!json_is_object(stats)) {
		give_up(b, "ringpaced has no such queue now");
		return;
	}
	/* A queue without a driver has nothing waiting. */
	most = json_integer_value(json_object_get(backlog, "most"));
	told = json_integer_value(json_object_get(backlog, "told"));
	q->there = json_is_object(backlog);
	q->waiting = (double)(told < most ? told : most);
	q->packets = (double)json_integer_value(json_object_get(stats, "packets"));
	if (++b->answers < b->queues)
		return;
	b->asking = false;
	finish(b);
}

static void add_queues(struct backlog *b, const char *port, u32 which, const json_t *queues)
{
	const json_t *o;
	size_t i;

	json_array_foreach(queues, i, o) {
		int slot;

		if (strcmp(json_string_value(json_object_get(o, "dir")) ?: "", "rx") ||
		    b->queues == BACKLOG_QUEUES_MAX)
			continue;
		/* Slots are kept when the list is asked for anew. */
		if (!b->queue[b->queues].all) {
			slot = link_slot(b->link, on_stats, &b->queue[b->queues]);
			if (slot < 0)
				return;
			b->queue[b->queues].all = b;
			b->queue[b->queues].slot = (u32)slot;
		}
		b->queue[b->queues].port = which;
		b->queue[b->queues++].queue =
			(u32)json_integer_value(json_object_get(o, "queue"));
	}
}

static void on_list(void *ctx, const json_t *result, const char *code)
{
	const json_t *ports = json_object_get(result, "ports"), *o;
	struct backlog *b = ctx;
	u32 k, found = 0;
	size_t i;

	b->queues = 0;
	json_array_foreach(ports, i, o) {
		const char *name = json_string_value(json_object_get(o, "device"));

		for (k = 0; name && k < b->conf->ports; k++) {
			if (strcmp(name, b->conf->port[k]))
				continue;
			add_queues(b, name, k, json_object_get(o, "queues"));
			found++;
		}
	}
	b->listed = found == b->conf->ports && b->queues;
	if (!b->listed)
		snprintf(b->why, sizeof(b->why), "ringpaced has not all of its ports");
}

/* ---- Ticks ---- */

static void ask(struct backlog *b)
{
	u32 i;

	b->asking = true;
	b->answers = 0;
	for (i = 0; i < b->queues; i++) {
		const struct backlog_queue *q = &b->queue[i];
		json_t *args = json_pack("{s:s, s:i}", "device", b->conf->port[q->port],
					 "queue", (int)q->queue);

		if (!link_send(b->link, q->slot, "stats", args))
			b->asking = false;
	}
}

void backlog_tick(struct backlog *b)
{
	if (!link_up(b->link)) {
		give_up(b, "ringpaced cannot be reached");
		return;
	}
	if (!b->listed)
		link_send(b->link, b->list_slot, "list", NULL);
	else if (!b->asking)
		ask(b);
}

void backlog_init(struct backlog *b, const struct conf_tenant *t, struct link *ringpaced,
		  struct busy *busy)
{
	int slot = link_slot(ringpaced, on_list, b);

	b->conf = t;
	b->link = ringpaced;
	b->busy = busy;
	b->threads = 1;
	b->list_slot = slot < 0 ? 0 : (u32)slot;
	snprintf(b->why, sizeof(b->why), "not asked yet");
}

static int read_backlog(void *ctx, struct hc_sample *s)
{
	const struct backlog *b = ctx;

	*s = b->sample;
	return b->sample.taken_ns ? 0 : -1;
}

const struct hc_sensor_ops backlog_ops = { .name = "ringpaced", .read = read_backlog };
