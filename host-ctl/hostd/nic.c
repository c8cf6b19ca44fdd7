// SPDX-License-Identifier: GPL-2.0-or-later
/* Shares of a NIC into weights of its queues, and what has become of them. */
#include "nic.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "log/log.h"
#include "now.h"

/* ---- Weights ---- */

static u32 flows_of(const struct nic_queue *q)
{
	/* One that is idle now shall not wait for the next round when it begins. */
	return q->flows == NIC_FLOWS_UNKNOWN || !q->flows ? 1 : q->flows;
}

/*
 * The tenant's share over its queues in proportion to their flows, none below 1. What
 * rounding leaves goes to the next one, so that all of it is exactly the share.
 */
static void split(struct nic *n, u32 tenant)
{
	u64 whole = (u64)n->of[tenant]->nic_share * NIC_SHARE_WEIGHT, flows = 0, before = 0;
	u32 i, queues = 0;

	for (i = 0; i < n->queues; i++) {
		if (n->queue[i].tenant != tenant)
			continue;
		flows += flows_of(&n->queue[i]);
		queues++;
	}
	whole -= queues;
	for (i = 0; i < n->queues; i++) {
		struct nic_queue *q = &n->queue[i];
		u64 behind = before + flows_of(q);

		if (q->tenant != tenant)
			continue;
		q->weight = 1 + (u32)(whole * behind / flows - whole * before / flows);
		before = behind;
	}
}

static u32 common_divisor(u32 a, u32 b)
{
	u32 rest;

	for (; b; b = rest) {
		rest = a % b;
		a = b;
	}
	return a;
}

/*
 * In the unit of the device. Where that has a greatest, small numbers in the same
 * proportion are asked for, which is exact if there are any.
 */
static u32 in_unit(const struct nic *n, u32 weight, u32 least, u32 most, u32 common)
{
	u64 scaled;

	if (n->least)
		return (u32)((u64)weight * n->least / least);
	if (!n->most)
		return weight;
	if (most / common <= n->most)
		return weight / common;
	scaled = ((u64)weight * n->most + most / 2) / most;
	return scaled ? (u32)scaled : 1;
}

void nic_weigh(struct nic *n)
{
	u32 i, least = UINT32_MAX, most = 0, common = 0;

	for (i = 0; i < n->tenants; i++)
		split(n, i);
	for (i = 0; i < n->queues; i++) {
		u32 weight = n->queue[i].weight;

		least = weight < least ? weight : least;
		most = weight > most ? weight : most;
		common = common_divisor(weight, common);
	}
	for (i = 0; i < n->queues; i++)
		n->queue[i].asked = in_unit(n, n->queue[i].weight, least, most, common);
}

/* ---- What has become of them ---- */

void nic_say(struct nic *n, enum hc_enforced state, const char *fmt, ...)
{
	char why[NIC_WHY];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (strcmp(why, n->why) && *why)
		log_warn("NIC %s: %s", n->name, why);
	strcpy(n->why, why);
	n->state = state;
}

static bool differs(const struct nic_queue *q)
{
	return q->there && q->has != q->asked;
}

void nic_queue_name(u32 id, char text[16])
{
	if (conf_is_class(id))
		snprintf(text, 16, "%x:%x", id >> 16, id & 0xffff);
	else
		snprintf(text, 16, "%u", id);
}

static void judge(struct nic *n)
{
	u32 i, other = 0;
	char id[16];

	for (i = 0; i < n->queues; i++) {
		other += differs(&n->queue[i]);
		if (n->queue[i].there)
			continue;
		nic_queue_name(n->queue[i].id, id);
		nic_say(n, HC_FAILED, "it has no queue %s with a weight: see nic-queues of %s", id,
			n->of[n->queue[i].tenant]->name);
		return;
	}
	if (!n->acting)
		nic_say(n, HC_DRY_RUN, "%s", "");
	else if (other && n->setting)
		nic_say(n, HC_FAILED, "%u of its weights were not taken", other);
	else
		nic_say(n, other ? HC_PENDING : HC_ENFORCED, "%s", "");
}

static void take_ops(struct nic *n, const struct nic_ops *by)
{
	if (!by || n->ops == by)
		return;
	log_info("NIC %s: weighed by %s", n->name, by->name);
	n->ops = by;
	n->setting = false;	/* what was asked for was in another unit */
}

void nic_take(struct nic *n, const struct nic_answer *a)
{
	u32 i;

	if (*a->why) {
		nic_say(n, HC_FAILED, "%s", a->why);
		return;
	}
	take_ops(n, a->by);
	n->least = a->least;
	n->most = a->most;
	n->looked_ns = now_ns();
	nic_weigh(n);
	for (i = 0; i < n->queues; i++) {
		n->queue[i].there = a->queue[i].there;
		n->queue[i].has = a->queue[i].has;
		n->queue[i].packets = a->queue[i].packets;
		n->queue[i].bytes = a->queue[i].bytes;
	}
	judge(n);
}

/* ---- Rounds ---- */

/* What is there now is noted before it is changed; false: it must not be. */
static bool note(struct nic *n, const struct nic_queue *q)
{
	char target[UNDO_TARGET_MAX], value[16];

	n->ops->target(n, q->id, target);
	snprintf(value, sizeof(value), "%u", q->has);
	return undo_note(n->undo, n->ops->kind, n->of[q->tenant]->name, target, value);
}

/* Is there anything to be set, and may it be? */
static bool prepare(struct nic *n)
{
	bool set = false;
	u32 i;

	for (i = 0; n->acting && n->looked_ns && i < n->queues; i++) {
		if (!differs(&n->queue[i]))
			continue;
		if (!note(n, &n->queue[i])) {
			nic_say(n, HC_FAILED, "its weights cannot be noted, so they are not changed");
			return false;
		}
		set = true;
	}
	return set;
}

static void tick(struct nic *n, bool acting)
{
	bool set;

	if (n->ops->poll)
		n->ops->poll(n);
	n->acting = acting;
	nic_weigh(n);
	set = prepare(n);
	if (n->ops->begin(n, set))
		n->sets += set;
}

void nics_tick(struct nics *all, bool acting, u64 now)
{
	u32 i;

	if (!all->count || now < all->due_ns)
		return;
	all->due_ns = now + all->period_ns;
	for (i = 0; i < all->count; i++)
		tick(&all->nic[i], acting);
}

/* ---- Life ---- */

/*
 * Numbers are queues of a port of ringpaced, or else virtual functions or queues of a device;
 * classes are those of a queueing discipline.
 */
static const struct nic_ops *ops_of(const struct conf *c, const struct conf_tenant *t)
{
	return *c->ringpaced && !conf_is_class(t->nic_queue[0]) ? &nic_ringpaced_ops :
	       nic_kernel_ops(t->nic_queue[0]);
}

static struct nic *nic_of(struct nics *all, const struct conf *c, const struct conf_tenant *t,
			  struct undo *undo, struct link *ringpaced)
{
	struct nic *n;
	u32 i;

	for (i = 0; i < all->count; i++)
		if (!strcmp(all->nic[i].name, t->nic))
			return &all->nic[i];
	if (all->count == NICS_MAX)
		return NULL;
	n = &all->nic[all->count++];
	*n = (struct nic){ .name = t->nic, .undo = undo, .kernel = &all->kernel,
			   .link = ringpaced, .state = HC_PENDING, .ops = ops_of(c, t) };
	if (n->ops == &nic_ringpaced_ops)
		nic_ringpaced_init(n);
	return n;
}

static const char *add(struct nics *all, const struct conf *c, const struct conf_tenant *t,
		       struct undo *undo, struct link *ringpaced)
{
	struct nic *n = nic_of(all, c, t, undo, ringpaced);
	u32 i;

	if (!n)
		return "nic: more than 8: leave one out";
	if (n->queues + t->nic_queues > NIC_QUEUES_MAX)
		return "nic-queues: more than 64 of a NIC";
	for (i = 0; i < t->nic_queues; i++)
		n->queue[n->queues++] = (struct nic_queue){ .id = t->nic_queue[i],
							    .tenant = n->tenants,
							    .flows = NIC_FLOWS_UNKNOWN };
	n->of[n->tenants++] = t;
	return NULL;
}

const char *nics_init(struct nics *all, const struct conf *c, struct undo *undo,
		      struct link *ringpaced)
{
	const char *why = NULL;
	u32 i;

	all->period_ns = c->decide_ns;
	all->kernel.nics = all;
	for (i = 0; i < c->tenants && !why; i++)
		if (c->tenant[i].nic_share)
			why = add(all, c, &c->tenant[i], undo, ringpaced);
	return why ? why : nic_kernel_start(all);
}

void nics_fini(struct nics *all)
{
	u32 i;

	nic_kernel_stop(all);
	for (i = 0; i < all->count; i++)
		free(all->nic[i].group);
}
