// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dataplane's telemetry as a sensor, from the page that it passes (`telemetry-page` of its
 * control socket), or by `telemetry`; and orders to it, whose end `status` tells.
 *
 * The page is asked for once a connection, and goes with it: that a dataplane has ended is
 * seen by the connection, never by the page, which stays as it was. Whose counters go on, or
 * who answers, runs. Of who does neither for a second, as threads at rest do, an answer to
 * `status` says so, or that none comes.
 */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "log/log.h"
#include "now.h"
#include "sensor.h"

#define TELEMETRY_VERSION	1
#define STATUS_VERSION		1
/* Of who may stand still; and of who does not, as others may order threads, too. */
#define STATUS_NS		1000000000ULL
#define STATUS_RARE_NS		10000000000ULL

static u32 count(struct scan *text)
{
	double v = scan_number(text);

	return v < UINT32_MAX ? (u32)v : UINT32_MAX;
}

/* It runs, or has answered: `status` need not be asked for before so long. */
static void lives(struct dataplane *d, u64 now)
{
	u64 next = now + STATUS_NS, last = d->told_ns + STATUS_RARE_NS;

	d->status_at = next < last ? next : last;
}

/* ---- Telemetry ---- */

/* How much faster than ours its clock may go, and what is another clock. */
#define DRIFT		1000u	/* 1 in so many */
#define OTHER_NS	1000000000.0

/*
 * From its clock to ours. An answer may be late, the clock that it holds is not: the least of
 * what lies between them is the truth, which drifts. Were a sample's time that of its
 * arrival, what came in 20 ms would seem to have come in 10 when one answer is late.
 */
static void keep_clock(struct dataplane_clock *c, double there, u64 now)
{
	double between = (double)now - there, since = (double)(now - c->now_ns);

	if (!c->now_ns || between < c->between || between > c->between + OTHER_NS)
		c->between = between;
	else
		c->between += fmin(between - c->between, since / DRIFT);
	c->now_ns = now;
}

static u64 taken_at(const struct dataplane_clock *c, double taken_there, u64 now)
{
	double taken = taken_there + c->between;

	return taken >= (double)now ? now : taken > 1 ? (u64)taken : 1;
}

static void take_all(struct hc_sample *s, struct scan *text, double *taken)
{
	const struct {
		const char *name;
		double *to;
	} fields[] = {
		{ "taken_ns", taken }, { "queue", &s->queue }, { "backlog", &s->backlog },
		{ "tau_ns", &s->tau_ns }, { "tau_items", &s->tau_items }, { "items", &s->items },
		{ "iterations", &s->iterations }, { "busy_ns", &s->busy_ns },
		{ "peak_milli", &s->peak },
	};
	struct scan key;
	u32 i;

	while (scan_member(text, &key)) {
		double v = scan_number(text);

		if (scan_is(&key, "batch"))
			s->batch = v < UINT32_MAX ? (u32)v : UINT32_MAX;
		for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (scan_is(&key, fields[i].name))
				*fields[i].to = v;
	}
}

bool dataplane_sample(struct hc_sample *sample, struct dataplane_clock *clock, struct scan text,
		      u64 now)
{
	double version = 0, there = 0, taken = 0;
	struct hc_sample s = { 0 };
	struct scan key;

	if (!text.at || !scan_enter(&text, '{'))
		return false;
	while (scan_member(&text, &key)) {
		if (scan_is(&key, "version"))
			version = scan_number(&text);
		else if (scan_is(&key, "now_ns"))
			there = scan_number(&text);
		else if (!scan_is(&key, "all"))
			scan_skip(&text);
		else if (scan_enter(&text, '{'))
			take_all(&s, &text, &taken);
	}
	if (version < TELEMETRY_VERSION || version > TELEMETRY_VERSION || !s.batch)
		return false;
	keep_clock(clock, there, now);
	s.taken_ns = taken_at(clock, taken, now);
	s.peak = s.peak > 1000 ? s.peak / 1000 : 1;
	*sample = s;
	return true;
}

static void on_telemetry(void *ctx, struct scan result, const char *code)
{
	struct dataplane *d = ctx;
	u64 now = now_ns();

	lives(d, now);
	/* One from before there were arguments: the next one goes without. */
	if (!result.at && !d->is_old && code && !strcmp(code, "unknown-key"))
		d->is_old = true;
	else if (dataplane_sample(&d->sample, &d->clock, result, now))
		d->why[0] = '\0';
	else
		snprintf(d->why, sizeof(d->why), "its answer is no telemetry of version %d",
			 TELEMETRY_VERSION);
}

/* ---- The page ---- */

static void refuse_page(struct dataplane *d, const char *why)
{
	if (!d->page_refused)
		log_warn("%s: its telemetry page cannot be used: %s; it is asked by orders instead",
			 d->conf->dataplane, why);
	d->page_refused = true;
}

static void on_page(void *ctx, const json_t *result, const char *code)
{
	struct dataplane *d = ctx;
	int fd = link_take_fd(&d->link);
	const char *why = fd < 0 ? "no memory came with the answer" : NULL;

	/* One that refuses is older, or behind a device: nothing to tell of. */
	if (result && !why)
		why = dp_page_open(&d->page, fd);
	if (d->page.page)
		d->threads = d->page.threads;
	if (fd >= 0)
		close(fd);
	if (result && why)
		refuse_page(d, why);
	else if (result)
		d->page_refused = false;
}

static void read_page(struct dataplane *d, u64 now)
{
	struct dp_telemetry_all all;
	const char *why = dp_page_read(&d->page, now, &all);

	snprintf(d->why, sizeof(d->why), "%s", why ? : "");
	if (why)
		return;
	if ((double)all.iterations != d->sample.iterations)
		lives(d, now);
	d->sample = (struct hc_sample){
		.taken_ns = all.taken_ns, .queue = (double)all.queue,
		.backlog = (double)all.backlog, .tau_ns = (double)all.tau_ns,
		.tau_items = (double)all.tau_items, .batch = (u32)all.batch,
		.items = (double)all.items, .iterations = (double)all.iterations,
		.busy_ns = (double)all.busy_ns,
		.peak = all.peak_milli > 1000 ? (double)all.peak_milli / 1000 : 1,
	};
}

static void take_sample(struct dataplane *d, u64 now)
{
	if (!d->page_asked)
		d->page_asked = link_send_for_fd(&d->link, d->page_slot, "telemetry-page");
	if (d->page.page)
		read_page(d, now);
	else
		link_send(&d->link, d->telemetry_slot, "telemetry",
			  d->is_old ? NULL : "\"threads\":false");
}

/* ---- Orders ---- */

static u32 members(struct scan *text)
{
	u32 n = 0;

	if (!scan_enter(text, '['))
		return 0;
	for (; scan_element(text); n++)
		scan_skip(text);
	return n;
}

static u32 under_way(struct scan *text)
{
	struct scan key;
	u32 n = 0;

	if (!scan_enter(text, '{'))
		return 0;
	while (scan_member(text, &key)) {
		if (scan_is(&key, "under_way"))
			n = count(text);
		else
			scan_skip(text);
	}
	return n;
}

bool dataplane_status(struct dataplane *d, struct scan text)
{
	u32 version = 0, threads = 0, active = 0, moves = 0;
	struct scan key;

	if (!text.at || !scan_enter(&text, '{'))
		return false;
	while (scan_member(&text, &key)) {
		if (scan_is(&key, "status"))
			version = count(&text);
		else if (scan_is(&key, "active"))
			active = count(&text);
		else if (scan_is(&key, "threads"))
			threads = members(&text);
		else if (scan_is(&key, "moves"))
			moves = under_way(&text);
		else
			scan_skip(&text);
	}
	if (version != STATUS_VERSION)
		return false;
	d->threads = threads;
	d->active = active;
	d->under_way = moves;
	d->known = true;
	return true;
}

static void on_status(void *ctx, struct scan result, const char *code)
{
	dataplane_status(ctx, result);
}

/* What is ordered, of so many as it has. */
static u32 target(const struct dataplane *d)
{
	return d->ordered < d->threads ? d->ordered : d->threads;
}

static void on_order(void *ctx, const json_t *result, const char *code)
{
	struct dataplane *d = ctx;

	/* "busy" is tried again every tick, as is what was never answered. */
	d->accepted = result && d->sent == target(d);
	d->known = false;
}

/* Not known yet; or an order that it has taken is on its way; or once in a while. */
static bool wants_status(const struct dataplane *d, u64 now)
{
	return !d->threads || now >= d->status_at || (d->accepted && !dataplane_has_done(d));
}

static void ask_status(struct dataplane *d, u64 now)
{
	if (!link_send(&d->link, d->status_slot, "status", NULL))
		return;
	d->told_ns = now;
	d->status_at = now + STATUS_NS;
}

/* Not before it is known how many it has: more would be refused. */
static void send_order(struct dataplane *d)
{
	char args[32];

	if (!d->threads || d->held)
		return;
	snprintf(args, sizeof(args), "\"threads\":%u", target(d));
	if (link_send(&d->link, d->order_slot, "threads", args))
		d->sent = target(d);
}

void dataplane_order(struct dataplane *d, u32 threads)
{
	d->ordered = threads;
	d->accepted = false;
	send_order(d);
}

bool dataplane_has_done(const struct dataplane *d)
{
	return d->accepted && d->known && !d->under_way && d->active == target(d);
}

/* ---- Life ---- */

void dataplane_init(struct dataplane *d, const struct conf_tenant *t, u64 timeout_ns,
		    struct loop *loop)
{
	d->conf = t;
	link_init(&d->link, t->dataplane, timeout_ns, loop);
	d->telemetry_slot = (u32)link_scan_slot(&d->link, on_telemetry, d);
	d->page_slot = (u32)link_slot(&d->link, on_page, d);
	d->status_slot = (u32)link_scan_slot(&d->link, on_status, d);
	d->order_slot = (u32)link_slot(&d->link, on_order, d);
	snprintf(d->why, sizeof(d->why), "not asked yet");
}

void dataplane_fini(struct dataplane *d)
{
	dp_page_close(&d->page);
	link_fini(&d->link);
}

void dataplane_tick(struct dataplane *d, u64 now, bool wanted)
{
	link_tick(&d->link, now);
	if (!link_up(&d->link)) {
		snprintf(d->why, sizeof(d->why), "it cannot be reached");
		/* Another one may answer there next, and know of no order. */
		d->accepted = false;
		d->threads = 0;
		d->clock.now_ns = 0;
		d->page_asked = d->is_old = false;
		dp_page_close(&d->page);
		return;
	}
	if (wanted)
		take_sample(d, now);
	if (d->ordered && !d->accepted)
		send_order(d);
	if (wants_status(d, now))
		ask_status(d, now);
}

static int read_dataplane(void *ctx, struct hc_sample *s)
{
	const struct dataplane *d = ctx;

	*s = d->sample;
	return d->sample.taken_ns ? 0 : -1;
}

const struct hc_sensor_ops dataplane_ops = { .name = "dataplane", .read = read_dataplane };
