// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a port's egress runs, its weights and its rate, and what is told of it. */
#include <errno.h>
#include <string.h>

#include "log/log.h"
#include "net_control.h"
#include "net_egress.h"
#include "nicopt.h"

/* What the line may send at once after a rest: 1 ms of it, in bits per millisecond. */
#define BURST_PARTS	8000u
#define BURST_BYTES_MIN	(64u << 10)

int net_egress_init(struct net_egress *e, struct port *p, struct port_queue *wire)
{
	struct nic_options *o = &p->opt.nic;

	if (!o->queue_bytes)
		o->queue_bytes = NIC_QUEUE_BYTES_DEFAULT;
	p->egress = e;
	flow_init(&e->flow, &e->egress.out);
	e->flow.rx = wire;
	e->flow.owns_rx = true;
	return egress_init(&e->egress, p->opt.name, p->opt.pairs, o->queue_bytes);
}

void net_egress_fini(struct net_egress *e)
{
	egress_fini(&e->egress);
}

/* ---- The flow ---- */

static void begin_line(struct port *p)
{
	const struct nic_options *o = &p->opt.nic;
	struct limit_params rate = { .bps = o->link_bps };
	u16 weight[DRR_QUEUES_MAX];
	u32 i;

	if (rate.bps) {
		rate.burst_bytes = rate.bps / BURST_PARTS;
		if (rate.burst_bytes < BURST_BYTES_MIN)
			rate.burst_bytes = BURST_BYTES_MIN;
		if (rate.burst_bytes > LIMIT_BURST_BYTES_MAX)
			rate.burst_bytes = LIMIT_BURST_BYTES_MAX;
	}
	for (i = 0; i < p->opt.pairs; i++)
		weight[i] = (u16)net_egress_weight(p, i);
	drr_weigh(&p->egress->egress.drr, weight);
	limit_begin(&p->egress->limit, &rate, p->net->hz, rp_tsc());
}

void net_egress_settle(struct port *p)
{
	struct net_egress *e = p->egress;
	int rc;

	if (!e || e->at || !e->egress.out.attached)
		return;
	begin_line(p);
	e->flow.limit = e->limit.on ? &e->limit : NULL;
	flow_begin(&e->flow, &p->opt.pacing, &p->opt.pacing, p->net->hz);
	rc = pacer_give(&p->net->pacer[e->pacer], &e->flow);
	if (rc == 0)
		e->at = &p->net->pacer[e->pacer];
	else
		log_error("%s: nothing can be sent: %s", p->opt.name, strerror(-rc));
}

void net_egress_halt(struct port *p)
{
	struct net_egress *e = p->egress;

	if (e && e->at)
		pacer_take(e->at, &e->flow);
	if (e)
		e->at = NULL;
}

void net_egress_set(struct port *p, const struct nic_options *o)
{
	net_egress_halt(p);
	memcpy(p->opt.nic.weight, o->weight, sizeof(o->weight));
	p->opt.nic.weights = o->weights;
	p->opt.nic.link_bps = o->link_bps;
}

void net_egress_place(struct port *p, u32 pacer)
{
	net_egress_halt(p);
	if (p->egress)
		p->egress->pacer = pacer;
}

/* ---- The order ---- */

static json_t *describe_queue(const struct port *p, u32 i)
{
	const struct egress_queue *q = &p->egress->egress.queue[i];

	return json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:I}", "queue", (int)i,
			 "weight", (int)net_egress_weight(p, i),
			 "packets", (json_int_t)rp_load(&q->packets),
			 "bytes", (json_int_t)rp_load(&q->bytes),
			 "lost", (json_int_t)rp_load(&q->lost),
			 "waiting", (json_int_t)egress_waiting(q),
			 "waiting_bytes", (json_int_t)egress_waiting_bytes(q));
}

static json_t *describe(const struct port *p)
{
	const struct net_egress *e = p->egress;
	json_t *queues = json_array();
	u32 i;

	for (i = 0; i < p->opt.pairs; i++)
		json_array_append_new(queues, describe_queue(p, i));
	return json_pack("{s:s, s:s, s:i, s:I, s:I, s:i, s:o}", "device", p->opt.name,
			 "classes", p->opt.nic.by_source ? "source" : "flow",
			 "pacer", (int)e->pacer, "link_bps", (json_int_t)p->opt.nic.link_bps,
			 "waits", (json_int_t)rp_load(&e->limit.waits),
			 "queue_bytes", (int)p->opt.nic.queue_bytes, "queues", queues);
}

static bool take_weight(const char *key, const json_t *v, const struct port *p,
			struct nic_options *o, struct ctl_error *e)
{
	char *end;
	u64 i = strtoul(key, &end, 10);

	if (*key < '0' || *key > '9' || *end || i >= p->opt.pairs) {
		ctl_fail(e, "no-queue", "weight: %s has no queue \"%s\", only 0..%u", p->opt.name,
			 key, p->opt.pairs - 1);
		return false;
	}
	if (!json_is_integer(v) || json_integer_value(v) < 0 ||
	    !drr_weight_ok((u64)json_integer_value(v))) {
		ctl_fail(e, "bad-value", "weight: queue %s: not an integer in 1..%u", key,
			 DRR_WEIGHT_MAX);
		return false;
	}
	for (; o->weights <= i; o->weights++)
		o->weight[o->weights] = 1;
	o->weight[i] = (u16)json_integer_value(v);
	return true;
}

static bool take_weights(const json_t *args, const struct port *p, struct nic_options *o,
			 struct ctl_error *e)
{
	const json_t *map = json_object_get(args, "weight");
	const char *key;
	json_t *v;

	if (map && !json_is_object(map)) {
		ctl_fail(e, "bad-value", "weight: not an object of queues and weights");
		return false;
	}
	json_object_foreach((json_t *)map, key, v)
		if (!take_weight(key, v, p, o, e))
			return false;
	return true;
}

json_t *net_egress_control(struct net *n, const json_t *args, struct ctl_error *e)
{
	const char *name = args_string(args, "device", e);
	struct port *p = net_control_port(n, args);
	struct nic_options o;

	if (!name)
		return NULL;
	if (!p || !p->egress) {
		ctl_fail(e, "no-device", "device: there is no port \"%s\" with nic=NAME", name);
		return NULL;
	}
	o = p->opt.nic;
	if (!take_weights(args, p, &o, e) ||
	    !args_u64(args, "link_bps", 0, LIMIT_BPS_MAX, &o.link_bps, e))
		return NULL;
	if (json_object_get(args, "weight") || json_object_get(args, "link_bps")) {
		net_egress_set(p, &o);
		net_settle(n);
	}
	return describe(p);
}
