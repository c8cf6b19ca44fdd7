// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtual functions of a device by devlink-rate (Documentation/networking/devlink/
 * devlink-port.rst of Linux): each has a rate object, whose tx_share is what it has for
 * certain when the line is full.
 *
 * A share is a guarantee in proportion: 100 Mbit/s for a share of 1, as if the line were
 * divided by them all. Devices divide what is left as they like; those that make weights of
 * it (mlx5) look at the proportions alone. tx_weight would be a weight itself; it is of
 * Linux 6.2 and later, and few devices have it.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/devlink.h>
#include <linux/genetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include "nic.h"

#define UNIT_BYTES_PER_S	125000u		/* 1 Mbit/s */

/* ---- Messages ---- */

static bool take_text(const struct nlattr *a, char *to, size_t room)
{
	if (!a || mnl_attr_validate(a, MNL_TYPE_NUL_STRING) < 0 ||
	    mnl_attr_get_payload_len(a) > room)
		return false;
	strcpy(to, mnl_attr_get_str(a));
	return true;
}

static u64 number(const struct nlattr *a, u64 none)
{
	if (!a)
		return none;
	switch (mnl_attr_get_payload_len(a)) {
	case sizeof(u16):
		return mnl_attr_get_u16(a);
	case sizeof(u32):
		return mnl_attr_get_u32(a);
	case sizeof(u64):
		return mnl_attr_get_u64(a);
	default:
		return none;
	}
}

bool devlink_parse(const struct nlmsghdr *nlh, struct devlink_port *p)
{
	const struct nlattr *a, *of[DEVLINK_ATTR_MAX + 1] = { NULL };

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return false;
	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(a) <= DEVLINK_ATTR_MAX)
			of[mnl_attr_get_type(a)] = a;
	*p = (struct devlink_port){
		.index = (u32)number(of[DEVLINK_ATTR_PORT_INDEX], 0),
		.ifindex = (u32)number(of[DEVLINK_ATTR_PORT_NETDEV_IFINDEX], 0),
		.vf = (s32)number(of[DEVLINK_ATTR_PORT_PCI_VF_NUMBER], (u64)-1),
		.leaf = number(of[DEVLINK_ATTR_RATE_TYPE], ~0ULL) == DEVLINK_RATE_TYPE_LEAF,
		.share_bytes_per_s = number(of[DEVLINK_ATTR_RATE_TX_SHARE], 0),
	};
	return of[DEVLINK_ATTR_PORT_INDEX] &&
	       take_text(of[DEVLINK_ATTR_BUS_NAME], p->bus, sizeof(p->bus)) &&
	       take_text(of[DEVLINK_ATTR_DEV_NAME], p->dev, sizeof(p->dev));
}

static struct nlmsghdr *message(void *buf, u16 family, u8 cmd, u16 flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	g->cmd = cmd;
	g->version = DEVLINK_GENL_VERSION;
	return nlh;
}

struct nlmsghdr *devlink_change(void *buf, u16 family, const struct devlink_port *p,
				u64 share_bytes_per_s)
{
	struct nlmsghdr *nlh = message(buf, family, DEVLINK_CMD_RATE_SET, NLM_F_ACK);

	mnl_attr_put_strz(nlh, DEVLINK_ATTR_BUS_NAME, p->bus);
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_DEV_NAME, p->dev);
	mnl_attr_put_u32(nlh, DEVLINK_ATTR_PORT_INDEX, p->index);
	mnl_attr_put_u64(nlh, DEVLINK_ATTR_RATE_TX_SHARE, share_bytes_per_s);
	return nlh;
}

/* ---- What is asked ---- */

struct work {
	struct nic_work *nic;
	struct mnl_socket *socket;
	u16 family;
	struct devlink_port device;	/* the interface's port; .bus "": not found */
	struct devlink_port of[NIC_QUEUES_MAX];	/* ports of the functions; .bus "": none */
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
	struct nic_answer *a = &w->nic->answer;
	struct devlink_port p;
	u32 i;

	if (!devlink_parse(nlh, &p) || !p.leaf || !same_device(&p, &w->device))
		return MNL_CB_OK;
	for (i = 0; i < w->nic->queues; i++) {
		if (!*w->of[i].bus || w->of[i].index != p.index)
			continue;
		a->queue[i].there = true;
		a->queue[i].has = (u32)(p.share_bytes_per_s / UNIT_BYTES_PER_S);
	}
	return MNL_CB_OK;
}

static int dump(struct work *w, u8 cmd, mnl_cb_t each)
{
	char buf[NL_MESSAGE_MAX];

	return nl_talk(w->socket, message(buf, w->family, cmd, NLM_F_DUMP), each, w);
}

static int look(struct work *w)
{
	struct nic_answer *a = &w->nic->answer;
	int rc = dump(w, DEVLINK_CMD_PORT_GET, on_interface);
	u32 i;

	for (i = 0; i < w->nic->queues; i++) {
		*w->of[i].bus = '\0';
		a->queue[i].there = false;
		a->queue[i].packets = a->queue[i].bytes = NIC_COUNT_UNKNOWN;
	}
	if (rc || !*w->device.bus)
		return rc;
	rc = dump(w, DEVLINK_CMD_PORT_GET, on_function);
	return rc ? rc : dump(w, DEVLINK_CMD_RATE_GET, on_rate);
}

static int change(const struct work *w)
{
	const struct nic_work *nic = w->nic;
	char buf[NL_MESSAGE_MAX];
	int rc = 0;
	u32 i;

	for (i = 0; i < nic->queues && !rc; i++)
		if (nic->answer.queue[i].there && nic->answer.queue[i].has != nic->asked[i])
			rc = nl_talk(w->socket,
				     devlink_change(buf, w->family, &w->of[i],
						    (u64)nic->asked[i] * UNIT_BYTES_PER_S),
				     NULL, NULL);
	return rc;
}

static void say_none(struct work *w)
{
	const char *devlink = !w->family ? "not in this kernel" :
			      !*w->device.bus ? "its device has none" :
			      "no such virtual function has one";

	snprintf(w->nic->answer.why, NIC_WHY, "its queues cannot be weighed: net-shaper: %s; "
		 "devlink-rate: %s; take classes of tc (nic-queues: [\"1:10\"])",
		 nl_family(w->socket, "net-shaper") ? "not driven yet" : "not in this kernel",
		 devlink);
}

static void weigh(struct work *w)
{
	struct nic_work *nic = w->nic;
	u32 i, found = 0;
	int rc;

	w->family = nl_family(w->socket, DEVLINK_GENL_NAME);
	rc = w->family ? look(w) : 0;
	if (!rc && nic->set)
		rc = change(w);
	if (!rc && nic->set)
		rc = look(w);
	for (i = 0; i < nic->queues; i++)
		found += nic->answer.queue[i].there;
	if (rc)
		snprintf(nic->answer.why, NIC_WHY, "its virtual functions' rates cannot be %s: %s%s",
			 nic->set ? "set" : "read", strerror(-rc),
			 rc == -EPERM ? ": CAP_NET_ADMIN is needed" : "");
	else if (!found)
		say_none(w);
}

void nic_devlink_work(struct nic_work *nic)
{
	struct work *w = calloc(1, sizeof(*w));

	if (w)
		w->socket = nl_open(NETLINK_GENERIC);
	if (w && w->socket) {
		w->nic = nic;
		weigh(w);
		mnl_socket_close(w->socket);
	} else {
		snprintf(nic->answer.why, NIC_WHY, "no generic netlink: %s", strerror(errno));
	}
	free(w);
}

/* ---- Back ---- */

/* "DEVICE FUNCTION", and Mbit/s */
static void target(const struct nic *n, u32 queue, char text[UNDO_TARGET_MAX])
{
	snprintf(text, UNDO_TARGET_MAX, "%s %u", n->name, queue);
}

static enum undo_done restore(const struct undo_where *where, const char *text, const char *value)
{
	char name[IF_NAMESIZE];
	u32 queue;

	if (sscanf(text, "%15s %u", name, &queue) != 2 || conf_is_class(queue))
		return UNDO_GONE;
	return nic_kernel_restore(name, queue, value);
}

const struct undo_kind nic_devlink_kind = { .name = "devlink", .restore = restore, .slow = true };

const struct nic_ops nic_devlink_ops = { .name = "devlink", .kind = &nic_devlink_kind,
					 .begin = nic_kernel_begin, .poll = nic_kernel_poll,
					 .target = target };
