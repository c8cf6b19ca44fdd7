// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transmit queues of an interface by net-shaper (Documentation/netlink/specs/net_shaper.yaml
 * of Linux, since 6.13): a queue may have a shaper, whose weight divides the line.
 *
 * What the interface takes is asked first: a weight; or else a guarantee, bw-min, as of
 * tx_share (nic_devlink.c), which iavf has. A queue without a shaper is one with neither: a
 * shaper is made by setting it, and one of which nothing else is left is removed. A queue
 * that somebody has put in a group stays in it, and shares with those in it.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>

#include "nic.h"
#include "nic_uapi.h"

#define UNIT_BITS_PER_S	1000000u		/* 1 Mbit/s */

/* ---- Messages ---- */

bool shaper_parse_caps(const struct nlmsghdr *nlh, int ifindex, struct shaper_caps *c)
{
	const struct nlattr *of[NET_SHAPER_A_CAPS_SUPPORT_WEIGHT + 1];

	if (!nl_attributes(nlh, of, NET_SHAPER_A_CAPS_SUPPORT_WEIGHT + 1) ||
	    nl_number(of[NET_SHAPER_A_CAPS_IFINDEX], 0) != (u64)ifindex ||
	    nl_number(of[NET_SHAPER_A_CAPS_SCOPE], 0) != NET_SHAPER_SCOPE_QUEUE)
		return false;
	c->weight = of[NET_SHAPER_A_CAPS_SUPPORT_WEIGHT];
	c->min = of[NET_SHAPER_A_CAPS_SUPPORT_BW_MIN] && of[NET_SHAPER_A_CAPS_SUPPORT_METRIC_BPS];
	return true;
}

bool shaper_parse(const struct nlmsghdr *nlh, int ifindex, struct shaper *s)
{
	const struct nlattr *of[NET_SHAPER_A_PARENT + 1], *handle[NET_SHAPER_A_HANDLE_ID + 1],
		*parent[NET_SHAPER_A_HANDLE_ID + 1];

	if (!nl_attributes(nlh, of, NET_SHAPER_A_PARENT + 1) ||
	    nl_number(of[NET_SHAPER_A_IFINDEX], 0) != (u64)ifindex)
		return false;
	nl_inner(of[NET_SHAPER_A_HANDLE], handle, NET_SHAPER_A_HANDLE_ID + 1);
	nl_inner(of[NET_SHAPER_A_PARENT], parent, NET_SHAPER_A_HANDLE_ID + 1);
	if (nl_number(handle[NET_SHAPER_A_HANDLE_SCOPE], 0) != NET_SHAPER_SCOPE_QUEUE ||
	    nl_number(handle[NET_SHAPER_A_HANDLE_ID], UINT64_MAX) > UINT32_MAX)
		return false;
	*s = (struct shaper){
		.queue = (u32)nl_number(handle[NET_SHAPER_A_HANDLE_ID], 0),
		.grouped = nl_number(parent[NET_SHAPER_A_HANDLE_SCOPE], 0) == NET_SHAPER_SCOPE_NODE,
		.more = of[NET_SHAPER_A_BW_MAX] || of[NET_SHAPER_A_BURST] ||
			of[NET_SHAPER_A_PRIORITY],
		.packets = nl_number(of[NET_SHAPER_A_METRIC], 0) == NET_SHAPER_METRIC_PPS,
		.min_bits_per_s = nl_number(of[NET_SHAPER_A_BW_MIN], 0),
		.weight = (u32)nl_number(of[NET_SHAPER_A_WEIGHT], 0),
	};
	return true;
}

static struct nlmsghdr *order(void *buf, u16 family, u8 cmd, int ifindex, u32 queue)
{
	struct nlmsghdr *nlh = nl_generic(buf, family, cmd, NET_SHAPER_FAMILY_VERSION, NLM_F_ACK);
	struct nlattr *handle;

	mnl_attr_put_u32(nlh, NET_SHAPER_A_IFINDEX, (u32)ifindex);
	handle = mnl_attr_nest_start(nlh, NET_SHAPER_A_HANDLE);
	mnl_attr_put_u32(nlh, NET_SHAPER_A_HANDLE_SCOPE, NET_SHAPER_SCOPE_QUEUE);
	mnl_attr_put_u32(nlh, NET_SHAPER_A_HANDLE_ID, queue);
	mnl_attr_nest_end(nlh, handle);
	return nlh;
}

struct nlmsghdr *shaper_set_weight(void *buf, u16 family, int ifindex, u32 queue, u32 weight)
{
	struct nlmsghdr *nlh = order(buf, family, NET_SHAPER_CMD_SET, ifindex, queue);

	mnl_attr_put_u32(nlh, NET_SHAPER_A_WEIGHT, weight);
	return nlh;
}

struct nlmsghdr *shaper_set_min(void *buf, u16 family, int ifindex, u32 queue, u64 bits_per_s)
{
	struct nlmsghdr *nlh = order(buf, family, NET_SHAPER_CMD_SET, ifindex, queue);

	mnl_attr_put_u32(nlh, NET_SHAPER_A_METRIC, NET_SHAPER_METRIC_BPS);
	mnl_attr_put_u64(nlh, NET_SHAPER_A_BW_MIN, bits_per_s);
	return nlh;
}

struct nlmsghdr *shaper_remove(void *buf, u16 family, int ifindex, u32 queue)
{
	return order(buf, family, NET_SHAPER_CMD_DELETE, ifindex, queue);
}

/* ---- What is asked ---- */

struct work {
	struct nic_work *nic;
	struct mnl_socket *socket;
	u16 family;
	bool weight;			/* a weight it is, not a guarantee */
	struct shaper_caps caps;
	struct shaper of[NIC_QUEUES_MAX];
	bool missing[NIC_QUEUES_MAX];	/* the interface has no such queue */
};

static int on_caps(const struct nlmsghdr *nlh, void *ctx)
{
	struct work *w = ctx;

	shaper_parse_caps(nlh, w->nic->ifindex, &w->caps);
	return MNL_CB_OK;
}

static int ask_caps(struct work *w)
{
	char buf[NL_MESSAGE_MAX];
	struct nlmsghdr *nlh = nl_generic(buf, w->family, NET_SHAPER_CMD_CAP_GET,
					  NET_SHAPER_FAMILY_VERSION, NLM_F_ACK);

	mnl_attr_put_u32(nlh, NET_SHAPER_A_CAPS_IFINDEX, (u32)w->nic->ifindex);
	mnl_attr_put_u32(nlh, NET_SHAPER_A_CAPS_SCOPE, NET_SHAPER_SCOPE_QUEUE);
	return nl_talk(w->socket, nlh, on_caps, w);
}

static int on_shaper(const struct nlmsghdr *nlh, void *ctx)
{
	struct work *w = ctx;
	struct shaper s;
	u32 i;

	if (!shaper_parse(nlh, w->nic->ifindex, &s))
		return MNL_CB_OK;
	for (i = 0; i < w->nic->queues; i++)
		if (w->nic->id[i] == s.queue)
			w->of[i] = s;
	return MNL_CB_OK;
}

static int look(struct work *w)
{
	struct nic_answer *a = &w->nic->answer;
	char buf[NL_MESSAGE_MAX];
	struct nlmsghdr *nlh = nl_generic(buf, w->family, NET_SHAPER_CMD_GET,
					  NET_SHAPER_FAMILY_VERSION, NLM_F_DUMP);
	u32 i;
	int rc;

	memset(w->of, 0, sizeof(w->of));
	mnl_attr_put_u32(nlh, NET_SHAPER_A_IFINDEX, (u32)w->nic->ifindex);
	rc = nl_talk(w->socket, nlh, on_shaper, w);
	for (i = 0; i < w->nic->queues && !rc; i++) {
		const struct shaper *s = &w->of[i];

		/* A guarantee in bits would make bits of somebody's limit in packets. */
		a->queue[i].there = (w->weight || !s->packets) && !w->missing[i];
		if (w->missing[i])
			snprintf(a->why, NIC_WHY, "it has no transmit queue %u: see nic-queues",
				 w->nic->id[i]);
		a->queue[i].has = w->weight ? s->weight :
				  (u32)(s->min_bits_per_s / UNIT_BITS_PER_S);
		a->queue[i].packets = a->queue[i].bytes = NIC_COUNT_UNKNOWN;
	}
	return rc;
}

static int set_one(const struct work *w, u32 i)
{
	const struct nic_work *nic = w->nic;
	const struct shaper *s = &w->of[i];
	bool bare = !s->grouped && !s->more && !(w->weight ? s->min_bits_per_s : s->weight);
	char buf[NL_MESSAGE_MAX];
	u32 asked = nic->asked[i];
	struct nlmsghdr *nlh;

	if (!asked && bare)
		nlh = shaper_remove(buf, w->family, nic->ifindex, nic->id[i]);
	else if (w->weight)
		nlh = shaper_set_weight(buf, w->family, nic->ifindex, nic->id[i], asked);
	else
		nlh = shaper_set_min(buf, w->family, nic->ifindex, nic->id[i],
				     (u64)asked * UNIT_BITS_PER_S);
	return nl_talk(w->socket, nlh, NULL, NULL);
}

static int change(struct work *w)
{
	const struct nic_work *nic = w->nic;
	const struct nic_answer *a = &nic->answer;
	int rc;
	u32 i;

	for (i = 0; i < nic->queues; i++) {
		if (!a->queue[i].there || a->queue[i].has == nic->asked[i])
			continue;
		rc = set_one(w, i);
		w->missing[i] = rc == -ENOENT;
		if (rc && !w->missing[i])
			return rc;
	}
	return look(w);
}

/* Which one it is: that which it was, or the best that it takes. False: neither. */
static bool choose(struct work *w)
{
	const struct nic_ops *by = w->nic->by;

	w->weight = w->caps.weight && by != &nic_shaper_min_ops;
	return w->weight || (w->caps.min && by != &nic_shaper_weight_ops);
}

static const char *weigh(struct nic_work *nic, struct mnl_socket *socket, void *work)
{
	struct nic_answer *a = &nic->answer;
	struct work *w = work;
	bool set = false;
	int rc;

	w->nic = nic;
	w->socket = socket;
	w->family = nl_family(socket, NET_SHAPER_FAMILY_NAME);
	if (!w->family)
		return "not in this kernel";
	rc = ask_caps(w);
	if (rc == -EOPNOTSUPP || (!rc && !choose(w)))
		return rc ? "not of this device" : "neither weight nor bw-min of a queue";
	if (!rc)
		rc = look(w);
	if (!rc && nic->set) {
		set = true;
		rc = change(w);
	}
	a->by = w->weight ? &nic_shaper_weight_ops : &nic_shaper_min_ops;
	a->most = w->weight ? NIC_WEIGHT_MOST : 0;
	if (rc)
		snprintf(a->why, NIC_WHY, "its queues' shapers cannot be %s: %s%s",
			 set ? "set" : "read", strerror(-rc),
			 rc == -EPERM ? ": CAP_NET_ADMIN is needed" : "");
	return NULL;
}

const char *nic_shaper_work(struct nic_work *nic)
{
	return nic_generic_work(nic, sizeof(struct work), weigh);
}

/* ---- Back ---- */

static enum undo_done restore_weight(const struct undo_where *where, const char *target,
				     const char *value)
{
	return nic_number_restore(&nic_shaper_weight_ops, target, value);
}

static enum undo_done restore_min(const struct undo_where *where, const char *target,
				  const char *value)
{
	return nic_number_restore(&nic_shaper_min_ops, target, value);
}

const struct undo_kind nic_shaper_weight_kind = { .name = "net-shaper-weight",
						  .restore = restore_weight, .slow = true };
const struct undo_kind nic_shaper_min_kind = { .name = "net-shaper-min",
					       .restore = restore_min, .slow = true };

const struct nic_ops nic_shaper_weight_ops = {
	.name = "net-shaper weight", .kind = &nic_shaper_weight_kind, .begin = nic_kernel_begin,
	.poll = nic_kernel_poll, .target = nic_number_target, .work = nic_shaper_work
};

const struct nic_ops nic_shaper_min_ops = {
	.name = "net-shaper bw-min", .kind = &nic_shaper_min_kind, .begin = nic_kernel_begin,
	.poll = nic_kernel_poll, .target = nic_number_target, .work = nic_shaper_work
};
