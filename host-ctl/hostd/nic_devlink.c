// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual functions of a device by devlink-rate (Documentation/networking/devlink/
 * devlink-port.rst of Linux): each has a rate object, whose tx_weight divides the line, or
 * else whose tx_share is what it has for certain when the line is full.
 *
 * A kernel that knows tx_weight (6.2) tells it of each rate, 0 at first; one that does not
 * refuses the attribute with EINVAL, so it is not asked. Whether the driver takes it is
 * not told: it does if some function has one, and else it is known when one is set. devlink
 * looks for that before it changes anything, and answers EOPNOTSUPP. ice takes it, from 1
 * to 200; mlx5 does not.
 *
 * A share is a guarantee in proportion: 100 Mbit/s for a share of 1, as if the line were
 * divided by them all. Devices divide what is left as they like; those that make weights of
 * it (mlx5) look at the proportions alone.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdio.h>

#include "nic.h"
#include "nic_uapi.h"

#define UNIT_BYTES_PER_S	125000u		/* 1 Mbit/s */
/* What ice gives a function that never had a weight, which is told as 0 and not taken back. */
#define WEIGHT_AT_FIRST		"4"
/* Newer ones are of no interest, nor are those of a kernel newer than its headers. */
#define ATTRIBUTES		(DEVLINK_ATTR_RATE_TX_WEIGHT + 1)

/* ---- Messages ---- */

static bool take_text(const struct nlattr *a, char *to, size_t room)
{
	if (!a || mnl_attr_validate(a, MNL_TYPE_NUL_STRING) < 0 ||
	    mnl_attr_get_payload_len(a) > room)
		return false;
	strcpy(to, mnl_attr_get_str(a));
	return true;
}

bool devlink_parse(const struct nlmsghdr *nlh, struct devlink_port *p)
{
	const struct nlattr *of[ATTRIBUTES];

	if (!nl_attributes(nlh, of, ATTRIBUTES))
		return false;
	*p = (struct devlink_port){
		.index = (u32)nl_number(of[DEVLINK_ATTR_PORT_INDEX], 0),
		.ifindex = (u32)nl_number(of[DEVLINK_ATTR_PORT_NETDEV_IFINDEX], 0),
		.vf = (s32)nl_number(of[DEVLINK_ATTR_PORT_PCI_VF_NUMBER], (u64)-1),
		.leaf = nl_number(of[DEVLINK_ATTR_RATE_TYPE], ~0ULL) == DEVLINK_RATE_TYPE_LEAF,
		.share_bytes_per_s = nl_number(of[DEVLINK_ATTR_RATE_TX_SHARE], 0),
		.has_weight = of[DEVLINK_ATTR_RATE_TX_WEIGHT],
		.weight = (u32)nl_number(of[DEVLINK_ATTR_RATE_TX_WEIGHT], 0),
	};
	return of[DEVLINK_ATTR_PORT_INDEX] &&
	       take_text(of[DEVLINK_ATTR_BUS_NAME], p->bus, sizeof(p->bus)) &&
	       take_text(of[DEVLINK_ATTR_DEV_NAME], p->dev, sizeof(p->dev));
}

/* An order to change the rate of @p. */
static struct nlmsghdr *begin_change(void *buf, u16 family, const struct devlink_port *p)
{
	struct nlmsghdr *nlh = nl_generic(buf, family, DEVLINK_CMD_RATE_SET, DEVLINK_GENL_VERSION,
					  NLM_F_ACK);

	mnl_attr_put_strz(nlh, DEVLINK_ATTR_BUS_NAME, p->bus);
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_DEV_NAME, p->dev);
	mnl_attr_put_u32(nlh, DEVLINK_ATTR_PORT_INDEX, p->index);
	return nlh;
}

struct nlmsghdr *devlink_set_share(void *buf, u16 family, const struct devlink_port *p,
				   u64 share_bytes_per_s)
{
	struct nlmsghdr *nlh = begin_change(buf, family, p);

	mnl_attr_put_u64(nlh, DEVLINK_ATTR_RATE_TX_SHARE, share_bytes_per_s);
	return nlh;
}

struct nlmsghdr *devlink_set_weight(void *buf, u16 family, const struct devlink_port *p,
				    u32 weight)
{
	struct nlmsghdr *nlh = begin_change(buf, family, p);

	mnl_attr_put_u32(nlh, DEVLINK_ATTR_RATE_TX_WEIGHT, weight);
	return nlh;
}

/* ---- What is asked ---- */

struct work {
	struct nic_work *nic;
	struct mnl_socket *socket;
	u16 family;
	bool weight;			/* tx_weight it is, not tx_share */
	bool taken;			/* and some function has one */
	struct devlink_port device;	/* the interface's port; .bus "": not found */
	struct devlink_port of[NIC_QUEUES_MAX];	/* ports of the functions; .bus "": none */
	struct devlink_port rate[NIC_QUEUES_MAX];	/* theirs; .bus "": none */
};

static bool same_device(const struct devlink_port *a, const struct devlink_port *b)
{
	return !strcmp(a->bus, b->bus) && !strcmp(a->dev, b->dev);
}

static int on_interface(const struct nlmsghdr *nlh, void *ctx)
{
	struct work *w = ctx;
	struct devlink_port p;

	if (devlink_parse(nlh, &p) && p.ifindex == (u32)w->nic->ifindex)
		w->device = p;
	return MNL_CB_OK;
}

static int on_function(const struct nlmsghdr *nlh, void *ctx)
{
	struct work *w = ctx;
	struct devlink_port p;
	u32 i;

	if (!devlink_parse(nlh, &p) || p.vf < 0 || !same_device(&p, &w->device))
		return MNL_CB_OK;
	for (i = 0; i < w->nic->queues; i++)
		if (w->nic->id[i] == (u32)p.vf)
			w->of[i] = p;
	return MNL_CB_OK;
}

static int on_rate(const struct nlmsghdr *nlh, void *ctx)
{
	struct work *w = ctx;
	struct devlink_port p;
	u32 i;

	if (!devlink_parse(nlh, &p) || !p.leaf || !same_device(&p, &w->device))
		return MNL_CB_OK;
	w->taken |= p.weight != 0;
	for (i = 0; i < w->nic->queues; i++)
		if (*w->of[i].bus && w->of[i].index == p.index)
			w->rate[i] = p;
	return MNL_CB_OK;
}

static int dump(struct work *w, u8 cmd, mnl_cb_t each)
{
	char buf[NL_MESSAGE_MAX];

	return nl_talk(w->socket, nl_generic(buf, w->family, cmd, DEVLINK_GENL_VERSION, NLM_F_DUMP),
		       each, w);
}

static int look(struct work *w)
{
	int rc = dump(w, DEVLINK_CMD_PORT_GET, on_interface);
	u32 i;

	for (i = 0; i < w->nic->queues; i++)
		*w->of[i].bus = *w->rate[i].bus = '\0';
	if (rc || !*w->device.bus)
		return rc;
	rc = dump(w, DEVLINK_CMD_PORT_GET, on_function);
	return rc ? rc : dump(w, DEVLINK_CMD_RATE_GET, on_rate);
}

/* Which one it is: that which it was, or a weight if the kernel knows it. */
static bool is_weight(const struct work *w)
{
	u32 i;

	if (w->nic->by == &nic_devlink_share_ops || w->nic->by == &nic_devlink_weight_ops)
		return w->nic->by == &nic_devlink_weight_ops;
	for (i = 0; i < w->nic->queues; i++)
		if (*w->rate[i].bus && !w->rate[i].has_weight)
			return false;
	return true;
}

/* What it has been weighed by, and gives back, it takes. */
static const struct nic_ops *ops_of(const struct work *w)
{
	if (!w->weight)
		return &nic_devlink_share_ops;
	return w->taken || w->nic->by == &nic_devlink_weight_ops ? &nic_devlink_weight_ops :
								   &nic_devlink_untried_ops;
}

/* What was found, into the answer. How many functions that was. */
static u32 take_rates(struct work *w)
{
	struct nic_answer *a = &w->nic->answer;
	u32 i, found = 0;

	for (i = 0; i < w->nic->queues; i++) {
		const struct devlink_port *r = &w->rate[i];

		a->queue[i].there = *r->bus && (!w->weight || r->has_weight);
		a->queue[i].has = w->weight ? r->weight :
				  (u32)(r->share_bytes_per_s / UNIT_BYTES_PER_S);
		a->queue[i].packets = a->queue[i].bytes = NIC_COUNT_UNKNOWN;
		found += a->queue[i].there;
	}
	a->by = ops_of(w);
	a->most = w->weight ? NIC_WEIGHT_MOST : 0;
	return found;
}

static int set_one(const struct work *w, u32 i)
{
	u32 asked = w->nic->asked[i];
	char buf[NL_MESSAGE_MAX];

	return nl_talk(w->socket,
		       w->weight ? devlink_set_weight(buf, w->family, &w->of[i], asked) :
		       devlink_set_share(buf, w->family, &w->of[i], (u64)asked * UNIT_BYTES_PER_S),
		       NULL, NULL);
}

static int change(struct work *w)
{
	const struct nic_work *nic = w->nic;
	int rc = 0;
	u32 i;

	for (i = 0; i < nic->queues && !rc; i++)
		if (nic->answer.queue[i].there && nic->answer.queue[i].has != nic->asked[i])
			rc = set_one(w, i);
	/* The driver takes none: nothing was changed, and what was asked for is no share. */
	if (rc == -EOPNOTSUPP && w->weight) {
		w->weight = false;
		rc = 0;
	}
	return rc ? rc : look(w);
}

static const char *weigh(struct nic_work *nic, struct mnl_socket *socket, void *work)
{
	struct work *w = work;
	u32 found = 0;
	int rc;

	w->nic = nic;
	w->socket = socket;
	w->family = nl_family(socket, DEVLINK_GENL_NAME);
	if (!w->family)
		return "not in this kernel";
	rc = look(w);
	w->weight = is_weight(w);
	found = rc ? 0 : take_rates(w);
	if (!rc && found && nic->set) {
		rc = change(w);
		found = take_rates(w);
	}
	if (rc)
		snprintf(nic->answer.why, NIC_WHY, "its virtual functions' %s cannot be %s: %s%s",
			 !found ? "rates" : w->weight ? "tx_weight" : "tx_share",
			 found ? "set" : "read",
			 strerror(-rc), rc == -EPERM ? ": CAP_NET_ADMIN is needed" : "");
	else if (!found)
		return *w->device.bus ? "no such virtual function has one" :
		       "its device has none";
	return NULL;
}

const char *nic_devlink_work(struct nic_work *nic)
{
	return nic_generic_work(nic, sizeof(struct work), weigh);
}

/* ---- Back ---- */

static enum undo_done restore_share(const struct undo_where *where, const char *target,
				    const char *value)
{
	return nic_number_restore(&nic_devlink_share_ops, target, value);
}

static enum undo_done restore_weight(const struct undo_where *where, const char *target,
				     const char *value)
{
	enum undo_done done = nic_number_restore(&nic_devlink_weight_ops, target, value);

	if (done == UNDO_FAILED && !strcmp(value, "0"))
		done = nic_number_restore(&nic_devlink_weight_ops, target, WEIGHT_AT_FIRST);
	return done;
}

const struct undo_kind nic_devlink_share_kind = { .name = "devlink", .restore = restore_share,
						  .slow = true };
const struct undo_kind nic_devlink_weight_kind = { .name = "devlink-weight",
						   .restore = restore_weight, .slow = true };

const struct nic_ops nic_devlink_share_ops = {
	.name = "devlink tx_share", .kind = &nic_devlink_share_kind, .begin = nic_kernel_begin,
	.poll = nic_kernel_poll, .target = nic_number_target, .work = nic_devlink_work
};

/* No weight was ever set: so nothing is claimed. */
const struct nic_ops nic_devlink_untried_ops = {
	.name = "devlink tx_weight, or tx_share if its driver takes none",
	.kind = &nic_devlink_weight_kind, .begin = nic_kernel_begin,
	.poll = nic_kernel_poll, .target = nic_number_target, .work = nic_devlink_work
};

const struct nic_ops nic_devlink_weight_ops = {
	.name = "devlink tx_weight", .kind = &nic_devlink_weight_kind, .begin = nic_kernel_begin,
	.poll = nic_kernel_poll, .target = nic_number_target, .work = nic_devlink_work
};
