// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stand-ins for the daemons of tenants. A load that goes up and down by half of its mean
 * with a period of 20 s, which is another's phase for each; threads that take what they can.
 */
#include "standin.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>

#define ITEM_NS		1500.0	/* of a thread */
#define ITER_NS		400.0
#define BATCH		64.0
#define MEAN		0.4	/* of all threads' capacity */
#define PERIOD_S	20.0
#define GROUPS		16u	/* of a port */

struct text {
	char *out;
	u32 bytes;
	bool full;
};

__attribute__((format(printf, 2, 3)))
static void add(struct text *t, const char *fmt, ...)
{
	u32 room = STANDIN_ANSWER_MAX - t->bytes;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->out + t->bytes, room, fmt, ap);
	va_end(ap);
	t->full |= n < 0 || (u32)n >= room;
	if (!t->full)
		t->bytes += (u32)n;
}

static u32 end(struct text *t)
{
	add(t, "}\n");
	return t->full ? 0 : t->bytes;
}

/* ---- The load ---- */

void standin_init(struct standin *s, u32 number, u64 now)
{
	*s = (struct standin){ .number = number, .active = 1, .at_ns = now, .page.mem.fd = -1 };
}

static void play(struct standin *s, u64 now)
{
	double t = (double)now / 1e9 / PERIOD_S + 0.37 * s->number;
	double can = STANDIN_THREADS * 1e9 / ITEM_NS * MEAN * (1 + s->number % 4 * 0.2);
	double dt = (double)(now - s->at_ns), full = dt * s->active, items, rho;

	s->rate = can * (1 + 0.5 * sin(6.283185307179586 * t));
	items = fmin(s->rate * dt / 1e9, full / (ITEM_NS + ITER_NS / BATCH));
	rho = full > 0 ? items * ITEM_NS / full : 0;
	s->items += items;
	/* Batches grow as the threads fill. */
	s->iterations += items / fmin(BATCH, 1 / fmax(1 - rho, 1 / BATCH));
	s->busy_ns += fmin(full, items * ITEM_NS + items * (1 - rho) * ITER_NS);
	s->waiting = fmin(BATCH, rho / fmax(1 - rho, 0.01));
	s->at_ns = now;
}

/* ---- rp-dataplane ---- */

int standin_open_page(struct standin *s)
{
	int err = dp_page_make(&s->page, STANDIN_THREADS, (u32)BATCH, 0);

	if (!err)
		standin_tick(s, s->at_ns);
	return err;
}

void standin_close_page(struct standin *s)
{
	dp_page_unmake(&s->page);
}

/* Counters are all the first thread's, which never rests; the packets of now are everybody's. */
void standin_tick(struct standin *s, u64 now)
{
	struct dp_telemetry t;
	double before = s->items;
	u32 i;

	play(s, now);
	for (i = 0; i < STANDIN_THREADS; i++) {
		t = (struct dp_telemetry){ .taken_ns = now };
		if (i < s->active) {
			t.queue = (u64)s->waiting;
			t.tau_items = (u64)fmax(s->waiting, 1);
			t.tau_ns = (u64)(ITER_NS + ITEM_NS * fmax(s->waiting, 1));
			t.new_items = (u64)((s->items - before) / s->active);
		}
		if (!i) {
			t.items = (u64)s->items;
			t.iterations = (u64)s->iterations;
			t.busy_ns = (u64)s->busy_ns;
		}
		dp_board_write(&s->page.page->board[i], &t);
		dp_board_rest(&s->page.page->board[i], i >= s->active);
	}
}

static void add_thread(struct text *t, const struct standin *s, u32 id)
{
	bool runs = id < s->active;
	double part = runs ? 1.0 / s->active : 0;

	add(t, "%s{\"thread\":%u,\"resting\":%s", id ? "," : "", id, runs ? "false" : "true");
#define FIELD(name)	add(t, ",\"" #name "\":%.0f", (double)s->items * part);
#define AVERAGE(name)	add(t, ",\"" #name "\":[%.0f,%.0f,%.0f]", s->waiting * 1e3, s->waiting * 1e3, \
			    s->waiting * 1e3);
	DP_TELEMETRY_FIELDS(FIELD)
	DP_TELEMETRY_AVERAGES(AVERAGE)
#undef FIELD
#undef AVERAGE
	add(t, "}");
}

static void add_telemetry(struct text *t, const struct standin *s, bool threads)
{
	u32 i;

	add(t, "{\"version\":%u,\"now_ns\":%llu,\"interval_ns\":%llu,\"all\":"
	    "{\"taken_ns\":%llu,\"queue\":%.0f,\"backlog\":%.0f,\"tau_ns\":%.0f,\"tau_items\":%.0f,"
	    "\"batch\":%.0f,\"items\":%.0f,\"iterations\":%.0f,\"busy_ns\":%.0f,\"peak_milli\":1050}", DP_TELEMETRY_VERSION, (unsigned long long)s->at_ns,
	    (unsigned long long)DP_TELEMETRY_NS, (unsigned long long)s->at_ns, s->waiting,
	    s->waiting * s->active, ITER_NS + ITEM_NS * fmax(s->waiting, 1), fmax(s->waiting, 1),
	    BATCH, s->items, s->iterations, s->busy_ns);
	if (threads)
		add(t, ",\"alphas\":[0.05,0.2,0.6],\"threads\":[");
	for (i = 0; threads && i < STANDIN_THREADS; i++)
		add_thread(t, s, i);
	add(t, threads ? "]}" : "}");
}

static void add_status(struct text *t, const struct standin *s)
{
	u32 i;

	add(t, "{\"status\":1,\"app\":\"stand-in\",\"active\":%u,\"batch\":64,\"threads\":[", s->active);
	for (i = 0; i < STANDIN_THREADS; i++)
		add(t, "%s{\"thread\":%u}", i ? "," : "", i);
	add(t, "],\"owners\":[],\"moves\":{\"under_way\":0}}");
}

static void order_threads(struct text *t, struct standin *s, const json_t *request)
{
	json_int_t n = json_integer_value(json_object_get(request, "threads"));

	s->active = n < 1 ? 1 : n > STANDIN_THREADS ? STANDIN_THREADS : (u32)n;
	add(t, "{\"ordered\":0}");
}

/* Up to the result; "" when it is no order. */
static const char *begin(struct text *t, const json_t *request)
{
	const char *cmd = json_string_value(json_object_get(request, "cmd"));

	add(t, "{\"v\":1,\"id\":%lld,\"ok\":true,\"result\":",
	    json_integer_value(json_object_get(request, "id")));
	return cmd ? cmd : "";
}

/* The envelope is the stand-in's anyway: a refusal is made of it. */
static u32 refuse(struct text *t, const json_t *request, const char *code)
{
	t->bytes = 0;
	add(t, "{\"v\":1,\"id\":%lld,\"ok\":false,\"error\":{\"code\":\"%s\",\"message\":\"\"}",
	    json_integer_value(json_object_get(request, "id")), code);
	return end(t);
}

static u32 answer(struct standin *s, const json_t *request, const char *cmd, struct text *t,
		  int *fd)
{
	if (!strcmp(cmd, "telemetry-page") && !s->page.page)
		return refuse(t, request, "unknown-command");
	if (!strcmp(cmd, "telemetry")) {
		add_telemetry(t, s, !json_is_false(json_object_get(request, "threads")));
	} else if (!strcmp(cmd, "telemetry-page")) {
		*fd = s->page.mem.fd;
		add(t, "{\"page\":%u,\"bytes\":%zu}", DP_PAGE_VERSION, s->page.mem.bytes);
	} else if (!strcmp(cmd, "status")) {
		add_status(t, s);
	} else if (!strcmp(cmd, "threads")) {
		order_threads(t, s, request);
	} else {
		add(t, "{}");
	}
	return end(t);
}

u32 standin_dataplane(struct standin *s, const char *line, size_t bytes, u64 now,
		      char out[STANDIN_ANSWER_MAX], int *fd)
{
	json_t *request = json_loadb(line, bytes, 0, NULL);
	struct text t = { .out = out };
	const char *cmd = begin(&t, request);
	u32 n;

	*fd = -1;
	if (!s->page.page)
		play(s, now);
	n = answer(s, request, cmd, &t, fd);
	json_decref(request);
	return n;
}

/* ---- ringpaced ---- */

static void add_port(struct text *t, const struct standin *s, bool groups)
{
	u32 i;

	add(t, "{\"device\":\"p%u\",\"rx\":[[%.0f,%.0f]]", s->number, s->waiting,
	    floor(s->items + s->waiting));
	for (i = 0; groups && i < GROUPS; i++)
		add(t, "%s%.0f", i ? "," : ",\"group_packets\":[", floor(s->items / GROUPS));
	add(t, groups ? "]}" : "}");
}

static void add_backlog(struct text *t, struct standin *s, u32 n, const json_t *request, u64 now)
{
	bool groups = json_is_true(json_object_get(request, "groups"));
	const json_t *ports = json_object_get(request, "devices"), *v;
	const char *name;
	size_t i;
	u32 k;

	add(t, "{\"ports\":[");
	json_array_foreach(ports, i, v) {
		name = json_string_value(v);
		if (i)
			add(t, ",");
		if (!name || sscanf(name, "p%u", &k) != 1 || k >= n) {
			add(t, "null");
			continue;
		}
		s[k].active = STANDIN_THREADS;
		play(&s[k], now);
		add_port(t, &s[k], groups);
	}
	add(t, "]}");
}

u32 standin_ringpaced(struct standin *s, u32 n, const char *line, size_t bytes, u64 now,
		      char out[STANDIN_ANSWER_MAX])
{
	json_t *request = json_loadb(line, bytes, 0, NULL);
	struct text t = { .out = out };

	if (!strcmp(begin(&t, request), "backlog"))
		add_backlog(&t, s, n, request, now);
	else
		add(&t, "{}");
	json_decref(request);
	return end(&t);
}
