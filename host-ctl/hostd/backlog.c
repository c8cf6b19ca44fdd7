// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ringpaced's backlog of a tenant's ports as a sensor: it works for a guest that tells
 * nothing of itself.
 *
 * Each tick asks for the ports of all tenants at once. Waiting is what the ring shows
 * (docs/packets.md, "Backlog"): the lesser of its two numbers. Of ports that steer it is
 * asked every GROUPS_NS, too, what came by each flow group: a group is one thread's at a
 * time, so the busiest one says how uneven the threads' load is at least.
 */
#include <stdio.h>
#include <stdlib.h>

#include "now.h"
#include "sensor.h"

#define RATE_ALPHA	0.2
#define GROUPS_NS	100000000ULL
#define GROUPS_MAX	4096u
/* Of fewer packets chance alone makes one group the busiest. */
#define PEAK_PACKETS	1000.0

double busy_ns(struct busy *b)
{
	struct virt_stats s;
	u64 ns = 0;

	if (b->conf->polls)
		return 0;
	if (b->native)
		return native_cpu_ns(b->native, now_ns(), &ns) ? (double)ns : 0;
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

/* @s has what waits. @packets: that came to the rings. */
static void finish(struct backlog *b, struct hc_sample *s, double packets)
{
	/* A ring that was set up again may show more waiting than came. */
	b->done = packets > s->backlog ? packets - s->backlog : 0;
	if (b->done < b->sample.items)
		b->done = b->sample.items;
	follow(b, s->taken_ns);
	s->items = b->done;
	s->iterations = b->done;
	s->busy_ns = busy_ns(b->busy);
	s->tau_items = 1;
	s->tau_ns = item_ns(b, s);
	s->peak = b->peak;
	b->sample = *s;
	b->why[0] = '\0';
}

/* ---- Flow groups ---- */

/* What came by each group since .peak was told; the sum and the most. False: other groups. */
static bool since(struct backlog *b, const double *now, u32 n, double *sum, double *most)
{
	u32 i;

	*sum = *most = 0;
	if (n != b->groups)
		return false;
	for (i = 0; i < n; i++) {
		double came = now[i] - b->group[i];

		/* The counters began anew. */
		if (came < 0)
			return false;
		*sum += came;
		*most = came > *most ? came : *most;
	}
	return true;
}

static void take_counts(struct backlog *b, const double *now, u32 n)
{
	double sum, most, *group;
	bool known = since(b, now, n, &sum, &most);

	if (known && n && sum < PEAK_PACKETS)
		return;
	b->peak = known && n && b->threads * most > sum ? b->threads * most / sum : 1;
	group = n ? realloc(b->group, n * sizeof(*group)) : NULL;
	if (!group)
		n = 0;
	else
		b->group = memcpy(group, now, n * sizeof(*group));
	b->groups = n;
}

/* ---- Answers ---- */

/* What the answer has of a tenant. */
struct told {
	struct hc_sample s;
	double packets;
	u32 groups;
	const char *missing;		/* a port */
};

/* By each group of the ports of one tenant, in turn. */
static double group_packets[GROUPS_MAX];

static void take_queue(struct told *t, struct scan *text)
{
	/* A queue without a driver has nothing waiting. */
	double waiting = scan_element(text) ? scan_number(text) : 0;

	t->s.backlog += waiting;
	if (waiting > t->s.queue)
		t->s.queue = waiting;
	if (!scan_element(text))
		return;
	t->packets += scan_number(text);
	while (scan_element(text))
		scan_skip(text);
}

/* False: it is none. */
static bool take_port(struct told *t, struct scan *text)
{
	bool found = false;
	struct scan key;

	if (!scan_enter(text, '{'))
		return false;
	while (scan_member(text, &key)) {
		if (scan_is(&key, "rx") && scan_enter(text, '[')) {
			found = true;
			while (scan_element(text))
				if (scan_enter(text, '['))
					take_queue(t, text);
		} else if (scan_is(&key, "group_packets") && scan_enter(text, '[')) {
			while (scan_element(text)) {
				double packets = scan_number(text);

				if (t->groups < GROUPS_MAX)
					group_packets[t->groups++] = packets;
			}
		} else if (!scan_is(&key, "rx") && !scan_is(&key, "group_packets")) {
			scan_skip(text);
		}
	}
	return found;
}

static void take_tenant(struct backlog *b, struct scan *ports, bool groups, u64 now)
{
	struct told t = { .s = { .taken_ns = now, .batch = 64 } };
	u32 i;

	for (i = 0; i < b->conf->ports; i++)
		if (!(scan_element(ports) && take_port(&t, ports)) && !t.missing)
			t.missing = b->conf->port[i];
	if (groups)
		take_counts(b, group_packets, t.groups);
	if (t.missing)
		snprintf(b->why, sizeof(b->why), "ringpaced has no port %s", t.missing);
	else
		finish(b, &t.s, t.packets);
}

static struct scan ports_of(struct scan result)
{
	struct scan key;

	if (scan_enter(&result, '{'))
		while (scan_member(&result, &key)) {
			if (scan_is(&key, "ports") && scan_enter(&result, '['))
				return result;
			scan_skip(&result);
		}
	return (struct scan){ result.end, result.end };
}

void backlogs_take(struct backlogs *all, struct scan result)
{
	struct scan ports = ports_of(result);
	u64 now = now_ns();
	u32 i;

	for (i = 0; i < all->count; i++)
		take_tenant(all->of[i], &ports, all->groups, now);
}

static void on_backlog(void *ctx, struct scan result, const char *code)
{
	struct backlogs *all = ctx;
	u32 i;

	for (i = 0; !result.at && i < all->count; i++)
		snprintf(all->of[i]->why, sizeof(all->of[i]->why), "ringpaced refuses: %.40s", code ?: "");
	if (result.at)
		backlogs_take(all, result);
}

/* ---- Ticks ---- */

/* They stay the same. NULL: no memory. */
static const char *args_of(struct backlogs *all, bool groups)
{
	if (!all->args[groups])
		all->args[groups] = link_args(json_pack("{s:O, s:b}", "devices", all->devices,
							"groups", groups));
	return all->args[groups];
}

void backlogs_tick(struct backlogs *all, u64 now)
{
	bool groups = now >= all->groups_at;
	const char *args;
	u32 i;

	if (!all->count)
		return;
	if (!link_up(all->link)) {
		for (i = 0; i < all->count; i++)
			snprintf(all->of[i]->why, sizeof(all->of[i]->why),
				 "ringpaced cannot be reached");
		return;
	}
	args = args_of(all, groups);
	if (!args || !link_send(all->link, all->slot, "backlog", args))
		return;
	all->groups = groups;
	if (groups)
		all->groups_at = now + GROUPS_NS;
}

void backlogs_init(struct backlogs *all, struct link *ringpaced)
{
	*all = (struct backlogs){ .link = ringpaced, .devices = json_array() };
	all->slot = (u32)link_scan_slot(ringpaced, on_backlog, all);
}

void backlogs_fini(struct backlogs *all)
{
	u32 i;

	for (i = 0; i < all->count; i++)
		free(all->of[i]->group);
	json_decref(all->devices);
	free(all->args[0]);
	free(all->args[1]);
}

void backlogs_add(struct backlogs *all, struct backlog *b, const struct conf_tenant *t,
		  struct busy *busy)
{
	u32 i;

	*b = (struct backlog){ .conf = t, .busy = busy, .threads = 1, .peak = 1 };
	for (i = 0; i < t->ports; i++)
		json_array_append_new(all->devices, json_string(t->port[i]));
	all->of[all->count++] = b;
	snprintf(b->why, sizeof(b->why), "not asked yet");
}

static int read_backlog(void *ctx, struct hc_sample *s)
{
	const struct backlog *b = ctx;

	*s = b->sample;
	return b->sample.taken_ns ? 0 : -1;
}

const struct hc_sensor_ops backlog_ops = { .name = "ringpaced", .read = read_backlog };
