// SPDX-License-Identifier: GPL-2.0-or-later
/* The control protocol: requests, their arguments, replies. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "capture/capture.h"
#include "control.h"
#include "describe.h"
#include "net/limitopt.h"
#include "net/net_control.h"
#include "net/net_egress.h"
#include "net/rss_control.h"
#include "reload.h"

#define PROTOCOL_VERSION	1

struct request {
	struct lines_peer *peer;	/* NULL: the client cannot capture */
	struct devices *devices;
	json_t *args;		/* the whole object */
	char *events;		/* the result's last member as text, or NULL */
	struct ctl_error err;
};

struct command {
	const char *name;
	const char *const *keys;	/* beside v, id and cmd; NULL ends it */
	/* The result, or NULL with ->err filled in. */
	json_t *(*run)(struct request *r);
};

static struct queue *find_queue(struct request *r)
{
	const char *name = args_string(r->args, "device", &r->err);
	struct device *d;
	u64 index;

	if (!name)
		return NULL;
	d = devices_find(r->devices, name);
	if (!d) {
		ctl_fail(&r->err, "no-device", "device: there is no \"%s\"", name);
		return NULL;
	}
	if (!args_required_u64(r->args, "queue", 0, UINT32_MAX, &index, &r->err))
		return NULL;
	if (index >= d->queue_count) {
		ctl_fail(&r->err, "no-queue", "queue: %s has 0..%u", name,
			 d->queue_count - 1);
		return NULL;
	}
	return &d->queues[index];
}

static struct queue *find_rev_queue(struct request *r)
{
	struct queue *q = find_queue(r);

	if (!q || queue_is_rev(q))
		return q;
	ctl_fail(&r->err, "no-queue",
		 "queue: %u is a fwd queue, where the driver produces", q->index);
	return NULL;
}

static json_t *run_hello(struct request *r)
{
	return json_pack("{s:s, s:i, s:i, s:I}", "program", "ringpaced",
			 "protocol", PROTOCOL_VERSION, "pid", (int)getpid(),
			 "tsc_hz", (json_int_t)queue_tsc_hz);
}

static json_t *run_list(struct request *r)
{
	json_t *list = json_array(), *result;
	u32 i;

	for (i = 0; i < r->devices->count; i++)
		json_array_append_new(list, describe_device(r->devices->dev[i]));
	result = json_pack("{s:o}", "devices", list);
	net_control_list(r->devices->net, result);
	return result;
}

/* Does the request name something other than the work? */
static bool sets_pacing(const json_t *args)
{
	static const char *const others[] = {
		"v", "id", "cmd", "device", "queue", "w_ns", "w_dist", NULL
	};
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)args, key, value)
		if (!args_known(key, others))
			return true;
	return false;
}

static json_t *run_set(struct request *r)
{
	struct port *port = net_control_port(r->devices->net, r->args);
	struct queue_params p;
	struct queue *q;
	int rc;

	if (port)
		return net_control_set(port, r->args, &r->err);
	q = find_queue(r);
	if (!q || !limit_no_args(r->args, &r->err))
		return NULL;
	p = q->params;
	if (!args_params(r->args, q, &p, &r->err))
		return NULL;
	rc = queue_set(q, &p, sets_pacing(r->args));
	if (rc == 0)
		return describe_queue(q);
	ctl_fail(&r->err, "failed", "cannot set queue %u: %s", q->index,
		 strerror(-rc));
	return NULL;
}

static json_t *run_start(struct request *r)
{
	struct queue *q = find_rev_queue(r);
	u64 max_items = 0, duration_ns = 0;

	if (!q ||
	    !args_u64(r->args, "max_items", 1, INT64_MAX, &max_items, &r->err) ||
	    !args_u64(r->args, "duration_ns", 1000000, ARGS_DURATION_MAX_NS,
		      &duration_ns, &r->err))
		return NULL;
	switch (queue_start(q, max_items, duration_ns)) {
	case 0:
		return json_object();
	case -ENOTCONN:
		ctl_fail(&r->err, "not-ready", "queue %u: %s", q->index,
			 q->attached ? "its ring was given up" :
			 "no driver has set it up");
		return NULL;
	case -EBUSY:
		ctl_fail(&r->err, "busy", "queue %u is producing already: stop it first",
			 q->index);
		return NULL;
	default:
		ctl_fail(&r->err, "failed", "queue %u: no thread could be started",
			 q->index);
		return NULL;
	}
}

static json_t *run_stop(struct request *r)
{
	struct queue *q = find_rev_queue(r);

	if (!q)
		return NULL;
	queue_stop(q);
	return json_object();
}

static json_t *run_reset(struct request *r)
{
	struct queue *q = find_queue(r);

	if (!q)
		return NULL;
	queue_reset(q);
	return json_object();
}

static json_t *run_stats(struct request *r)
{
	struct port *port = net_control_port(r->devices->net, r->args);
	struct queue *q;

	if (port)
		return net_control_stats(port, r->args, &r->err);
	q = find_queue(r);
	return q ? json_pack("{s:o}", "stats", describe_stats(q)) : NULL;
}

static json_t *run_backlog(struct request *r)
{
	return net_control_backlog(r->devices->net, r->args, &r->err);
}

static json_t *run_move(struct request *r)
{
	return net_control_move(r->devices->net, r->args, &r->err);
}

static json_t *run_macs(struct request *r)
{
	return net_control_macs(r->devices->net, r->args, &r->err);
}

static json_t *run_flush(struct request *r)
{
	return net_control_flush(r->devices->net, r->args, &r->err);
}

static json_t *run_rss(struct request *r)
{
	return rss_control(r->devices->net, r->args, &r->err);
}

static json_t *run_weight(struct request *r)
{
	return net_egress_control(r->devices->net, r->args, &r->err);
}

static json_t *run_capture(struct request *r)
{
	return capture_begin(r->devices->net, r->args, r->peer, &r->err);
}

static json_t *run_trace(struct request *r)
{
	struct queue *q = find_queue(r);
	u64 max = RP_TRACE_EVENTS;

	if (!q || !args_u64(r->args, "max", 1, RP_TRACE_EVENTS, &max, &r->err))
		return NULL;
	r->events = describe_events(q, (u32)max);
	if (r->events)
		return describe_trace(q);
	ctl_fail(&r->err, "failed", "no memory for the trace");
	return NULL;
}

static json_t *run_reload(struct request *r)
{
	struct reload *reload = r->devices->reload;

	if (!reload) {
		ctl_fail(&r->err, "not-ready", "there is no file to read again: it was started "
			 "without --config");
		return NULL;
	}
	if (reload_run(reload) == 0)
		return json_pack("{s:i, s:i, s:i}", "added", (int)reload->added, "removed",
				 (int)reload->removed, "changed", (int)reload->changed);
	if (reload->errors > 1)
		ctl_fail(&r->err, "failed", "%s (and %u more in the log)", reload->why,
			 reload->errors - 1);
	else
		ctl_fail(&r->err, "failed", "%s", reload->why);
	return NULL;
}

#define KEYS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_KEYS ((const char *const[]){ NULL })

static const struct command commands[] = {
	{ "hello", NO_KEYS, run_hello },
	{ "list", NO_KEYS, run_list },
	{ "set", KEYS("device", "queue", "strategy", "w_ns", "w_dist", "y_ns", "k",
		      "dmax_ns", "cpu_cap_percent",
		      "queue_len", "burst", "item_bytes", "cpu", "trace",
		      "trace_items", "rate_pps", "rate_bps", "burst_packets",
		      "burst_bytes"), run_set },
	{ "start", KEYS("device", "queue", "max_items", "duration_ns"), run_start },
	{ "stop", KEYS("device", "queue"), run_stop },
	{ "reset", KEYS("device", "queue"), run_reset },
	{ "stats", KEYS("device", "queue"), run_stats },
	{ "backlog", KEYS("devices", "groups"), run_backlog },
	{ "trace", KEYS("device", "queue", "max"), run_trace },
	{ "move", KEYS("device", "pair", "egress", "pacer"), run_move },
	{ "weight", KEYS("device", "weight", "link_bps"), run_weight },
	{ "macs", KEYS("switch"), run_macs },
	{ "flush", KEYS("switch", "device", "vlan"), run_flush },
	{ "reload", NO_KEYS, run_reload },
	{ "rss", KEYS("device", "enabled", "entries", "table", "entry", "entry_mask", "key",
		      "types", "unclassified", "brief"), run_rss },
	{ "capture", KEYS("device", "queue", "snaplen_bytes"), run_capture },
};

static bool keys_ok(struct request *r, const struct command *c)
{
	static const char *const envelope[] = { "v", "id", "cmd", NULL };
	const char *key;
	json_t *value;

	json_object_foreach(r->args, key, value) {
		if (args_known(key, envelope) || args_known(key, c->keys))
			continue;
		ctl_fail(&r->err, "unknown-key", "%s: it has no argument \"%s\"",
			 c->name, key);
		return false;
	}
	return true;
}

static json_t *run(struct request *r)
{
	const json_t *v = json_object_get(r->args, "v");
	const char *name;
	size_t i;

	if (!json_is_integer(v) || json_integer_value(v) != PROTOCOL_VERSION) {
		ctl_fail(&r->err, "bad-version", "v: only version 1 is spoken");
		return NULL;
	}
	name = args_string(r->args, "cmd", &r->err);
	if (!name)
		return NULL;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name))
			continue;
		return keys_ok(r, &commands[i]) ? commands[i].run(r) : NULL;
	}
	ctl_fail(&r->err, "unknown-command", "cmd: there is no \"%s\"", name);
	return NULL;
}

/*
 * Consumes @text; with @events as one more member of the result: both objects end where
 * the text does.
 */
static char *add_events(char *text, const char *events)
{
	static const char key[] = ",\"events\":";
	size_t n = strlen(text);
	char *line = realloc(text, n + strlen(key) + strlen(events) + 1);

	if (!line)
		free(text);
	else
		sprintf(line + n - strlen("}}"), "%s%s}}", key, events);
	return line;
}

/* Consumes @result. */
static char *reply(json_t *id, json_t *result, const struct request *r)
{
	json_t *o = json_pack("{s:i, s:O?}", "v", PROTOCOL_VERSION, "id", id);
	const struct ctl_error *err = &r->err;
	char *text;

	json_object_set_new(o, "ok", json_boolean(result != NULL));
	if (result)
		json_object_set_new(o, "result", result);
	else
		json_object_set_new(o, "error",
			json_pack("{s:s, s:s}", "code",
				  err->code ? err->code : "failed", "message",
				  err->code ? err->message : "out of memory"));
	text = json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(o);
	return text && result && r->events ? add_events(text, r->events) : text;
}

char *control_answer(void *devices, struct lines_peer *peer, const char *line, size_t bytes)
{
	struct request r = { .devices = devices, .peer = peer };
	json_error_t where;
	json_t *result;
	char *text;

	r.args = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, &where);
	if (!json_is_object(r.args)) {
		if (r.args)
			ctl_fail(&r.err, "bad-json", "the line is not an object");
		else
			ctl_fail(&r.err, "bad-json", "%s, at column %d",
				 where.text, where.column);
		json_decref(r.args);
		return reply(NULL, NULL, &r);
	}
	result = run(&r);
	text = reply(json_object_get(r.args, "id"), result, &r);
	free(r.events);
	json_decref(r.args);
	return text;
}

static char *refuse(enum lines_limit limit)
{
	struct request r = { 0 };

	if (limit == LINES_TOO_LONG)
		ctl_fail(&r.err, "bad-json", "the line is longer than %u bytes", LINES_BYTES_MAX);
	else
		ctl_fail(&r.err, "busy", "there are %u clients, which is the most",
			 CONTROL_CLIENTS_MAX);
	return reply(NULL, NULL, &r);
}

const struct lines_owner control_owner = {
	.clients_max = CONTROL_CLIENTS_MAX, .answer = control_answer, .refuse = refuse,
	.gone = capture_end,
};
