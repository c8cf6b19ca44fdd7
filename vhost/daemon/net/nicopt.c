// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of a NIC in software: weights, rate, classes. */
#include "egress.h"
#include "limitopt.h"
#include "nicopt.h"
#include "optval.h"

static const char *parse_weights(char *list, struct nic_options *o)
{
	char *one, *save;
	u32 v;

	o->weights = 0;
	for (one = strtok_r(list, "+", &save); one; one = strtok_r(NULL, "+", &save)) {
		if (o->weights == DRR_QUEUES_MAX || !opt_u32(one, 0, UINT32_MAX, &v) ||
		    !drr_weight_ok(v))
			return "weights: expected N[+N...], in 1..10000 each";
		o->weight[o->weights++] = (u16)v;
	}
	return o->weights ? NULL : "weights: no number";
}

static const char *parse_link(const char *value, struct nic_options *o)
{
	const char *why;
	struct limit_params p;

	if (!limit_parse("rate-bps", value, &p, &why) || why)
		return "link-bps: not in 0..1000000000000 bits a second";
	o->link_bps = p.bps;
	return NULL;
}

static const char *parse_bytes(const char *value, struct nic_options *o)
{
	if (!opt_u32(value, EGRESS_QUEUE_BYTES_MIN, EGRESS_QUEUE_BYTES_MAX, &o->queue_bytes) ||
	    o->queue_bytes & (o->queue_bytes - 1))
		return "queue-bytes: not a power of two in 131072..16777216";
	return NULL;
}

static const char *parse_classes(const char *value, struct nic_options *o)
{
	o->by_source = !strcmp(value, "source");
	return o->by_source || !strcmp(value, "flow") ? NULL :
		"classes: neither flow nor source";
}

static const char *parse_queue(const char *value, struct nic_options *o)
{
	o->queue_set = true;
	return opt_u32(value, 0, DRR_QUEUES_MAX - 1, &o->queue) ? NULL : "nic-queue: not in 0..63";
}

bool nic_parse(const char *key, char *value, struct nic_options *o, const char **why)
{
	if (!strcmp(key, "weights"))
		*why = parse_weights(value, o);
	else if (!strcmp(key, "link-bps"))
		*why = parse_link(value, o);
	else if (!strcmp(key, "queue-bytes"))
		*why = parse_bytes(value, o);
	else if (!strcmp(key, "classes"))
		*why = parse_classes(value, o);
	else if (!strcmp(key, "nic-queue"))
		*why = parse_queue(value, o);
	else
		return false;
	return true;
}

const char *nic_check(const struct port_options *o)
{
	const struct nic_options *n = &o->nic;

	if (o->kind == &nic_port_kind)
		return n->queue_set ? "nic-queue: is for the ports that send to a NIC" : NULL;
	if (n->weights || n->link_bps || n->queue_bytes || n->by_source)
		return "weights, link-bps, queue-bytes and classes are for a port with nic=NAME";
	return NULL;
}

/* The queue that a port says is there at every NIC of its switch that goes by it. */
static const char *check_queue(const struct net_options *o, const struct switch_options *s,
			       const struct port_options *p)
{
	bool any = false;
	u32 i;

	for (i = 0; i < s->port_count; i++) {
		const struct port_options *nic = &o->port[s->port[i]];

		if (!nic->nic.by_source)
			continue;
		any = true;
		if (p->nic.queue >= nic->pairs)
			return "nic-queue: the NIC in its switch has fewer pairs";
	}
	return any ? NULL : "nic-queue: there is no NIC with classes=source in its switch";
}

const char *nic_check_switches(const struct net_options *o, const char **who)
{
	const char *why;
	u32 i, k;

	for (i = 0; i < o->port_count; i++) {
		*who = o->port[i].name;
		if (o->port[i].nic.queue_set && !o->port[i].in_switch)
			return "nic-queue: is for a port that is in a switch";
	}
	for (i = 0; i < o->switch_count; i++)
		for (k = 0; k < o->sw[i].port_count; k++) {
			const struct port_options *p = &o->port[o->sw[i].port[k]];

			*who = p->name;
			why = p->nic.queue_set ? check_queue(o, &o->sw[i], p) : NULL;
			if (why)
				return why;
		}
	return NULL;
}
