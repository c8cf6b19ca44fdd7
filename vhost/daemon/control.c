// SPDX-License-Identifier: GPL-2.0-or-later
/* The control protocol: the requests. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "capture/capture.h"
#include "control.h"
#include "ctl/command.h"
#include "describe.h"
#include "net/limitopt.h"
#include "net/net_control.h"
#include "net/net_egress.h"
#include "net/rss_control.h"
#include "reload.h"

static struct devices *devices_of(const struct ctl_request *r)
{
	return r->ctx;
}

static struct queue *find_queue(struct ctl_request *r)
{
	const char *name = args_string(r->args, "device", &r->err);
	struct device *d;
	u64 index;

	if (!name)
		return NULL;
	d = devices_find(devices_of(r), name);
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

static struct queue *find_rev_queue(struct ctl_request *r)
{
	struct queue *q = find_queue(r);

	if (!q || queue_is_rev(q))
		return q;
	ctl_fail(&r->err, "no-queue",
		 "queue: %u is a fwd queue, where the driver produces", q->index);
	return NULL;
}

static json_t *run_hello(struct ctl_request *r)
{
	return json_pack("{s:s, s:i, s:i, s:I}", "program", "ringpaced",
			 "protocol", CTL_VERSION, "pid", (int)getpid(),
			 "tsc_hz", (json_int_t)queue_tsc_hz);
}

static json_t *run_list(struct ctl_request *r)
{
	json_t *list = json_array(), *result;
	u32 i;

	for (i = 0; i < devices_of(r)->count; i++)
		json_array_append_new(list, describe_device(devices_of(r)->dev[i]));
	result = json_pack("{s:o}", "devices", list);
	net_control_list(devices_of(r)->net, result);
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

static json_t *run_set(struct ctl_request *r)
{
	struct port *port = net_control_port(devices_of(r)->net, r->args);
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

static json_t *run_start(struct ctl_request *r)
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

static json_t *run_stop(struct ctl_request *r)
{
	struct queue *q = find_rev_queue(r);

	if (!q)
		return NULL;
	queue_stop(q);
	return json_object();
}

static json_t *run_reset(struct ctl_request *r)
{
	struct queue *q = find_queue(r);

	if (!q)
		return NULL;
	queue_reset(q);
	return json_object();
}

static json_t *run_stats(struct ctl_request *r)
{
	struct port *port = net_control_port(devices_of(r)->net, r->args);
	struct queue *q;

	if (port)
		return net_control_stats(port, r->args, &r->err);
	q = find_queue(r);
	return q ? json_pack("{s:o}", "stats", describe_stats(q)) : NULL;
}

static json_t *run_backlog(struct ctl_request *r)
{
	return net_control_backlog(devices_of(r)->net, r->args, &r->err);
}

static json_t *run_move(struct ctl_request *r)
{
	return net_control_move(devices_of(r)->net, r->args, &r->err);
}

static json_t *run_macs(struct ctl_request *r)
{
	return net_control_macs(devices_of(r)->net, r->args, &r->err);
}

static json_t *run_flush(struct ctl_request *r)
{
	return net_control_flush(devices_of(r)->net, r->args, &r->err);
}

static json_t *run_rss(struct ctl_request *r)
{
	return rss_control(devices_of(r)->net, r->args, r->peer, &r->err);
}

static json_t *run_weight(struct ctl_request *r)
{
	return net_egress_control(devices_of(r)->net, r->args, &r->err);
}

static json_t *run_capture(struct ctl_request *r)
{
	return capture_begin(devices_of(r)->net, r->args, r->peer, &r->err);
}

static json_t *run_trace(struct ctl_request *r)
{
	struct queue *q = find_queue(r);
	u64 max = RP_TRACE_EVENTS;

	if (!q || !args_u64(r->args, "max", 1, RP_TRACE_EVENTS, &max, &r->err))
		return NULL;
	r->last_key = "events";
	r->last = describe_events(q, (u32)max);
	if (r->last)
		return describe_trace(q);
	ctl_fail(&r->err, "failed", "no memory for the trace");
	return NULL;
}

static json_t *run_reload(struct ctl_request *r)
{
	struct reload *reload = devices_of(r)->reload;

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

static const struct ctl_command commands[] = {
	{ "hello", CTL_KEYS(), run_hello },
	{ "list", CTL_KEYS(), run_list },
	{ "set", CTL_KEYS("device", "queue", "strategy", "w_ns", "w_dist", "y_ns", "k",
		      "dmax_ns", "cpu_cap_percent",
		      "queue_len", "burst", "item_bytes", "cpu", "trace",
		      "trace_items", "rate_pps", "rate_bps", "burst_packets",
		      "burst_bytes"), run_set },
	{ "start", CTL_KEYS("device", "queue", "max_items", "duration_ns"), run_start },
	{ "stop", CTL_KEYS("device", "queue"), run_stop },
	{ "reset", CTL_KEYS("device", "queue"), run_reset },
	{ "stats", CTL_KEYS("device", "queue"), run_stats },
	{ "backlog", CTL_KEYS("devices", "groups"), run_backlog },
	{ "trace", CTL_KEYS("device", "queue", "max"), run_trace },
	{ "move", CTL_KEYS("device", "pair", "egress", "pacer"), run_move },
	{ "weight", CTL_KEYS("device", "weight", "link_bps"), run_weight },
	{ "macs", CTL_KEYS("switch"), run_macs },
	{ "flush", CTL_KEYS("switch", "device", "vlan"), run_flush },
	{ "reload", CTL_KEYS(), run_reload },
	{ "rss", CTL_KEYS("device", "enabled", "entries", "table", "entry", "entry_mask", "key",
		      "types", "unclassified", "brief", "page"), run_rss },
	{ "capture", CTL_KEYS("device", "queue", "snaplen_bytes"), run_capture },
	{ 0 }
};

char *control_answer(void *devices, struct lines_peer *peer, const char *line, size_t bytes)
{
	return ctl_answer(commands, devices, peer, line, bytes);
}

const struct lines_owner control_owner = {
	.clients_max = CONTROL_CLIENTS_MAX, .answer = control_answer, .refuse = ctl_refuse,
	.gone = capture_end,
};
