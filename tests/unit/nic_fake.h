/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's end of devlink-rate and of net-shaper, in place of nic_netlink.c: what they
 * answer by net/devlink/rate.c and net/shaper/shaper.c of newer kernels than this one. The
 * interface is lo, as there is one everywhere.
 */
#ifndef TEST_NIC_FAKE_H
#define TEST_NIC_FAKE_H

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <pthread.h>
#include <sys/socket.h>

#include "nic.h"
#include "nic_uapi.h"
#include "nl_fixture.h"

#define FAKE_QUEUES	4u
#define FAKE_DEVLINK	0x15
#define FAKE_SHAPER	0x16
#define FAKE_IFINDEX	1
#define FAKE_PORT	128u		/* of function 0 */
#define FAKE_BPS_MBIT	125000u

struct fake_shaper {
	bool there, grouped;
	u32 weight, metric;
	u64 min, max;
};

static struct fake_kernel {
	/* devlink: 0 functions: the device has no rates */
	bool devlink;			/* there is the family */
	bool knows_weight;		/* as since Linux 6.2 */
	u32 least, most;		/* weights that the driver takes; most 0: none */
	u32 functions;
	u32 weight[FAKE_QUEUES];
	u64 share[FAKE_QUEUES];		/* bytes per second */
	/* net-shaper */
	bool shapers;			/* there is the family */
	bool takes_weight, takes_min;	/* neither: the device has none */
	u32 queues;
	struct fake_shaper queue[FAKE_QUEUES];

	u32 orders;			/* that changed something */
	int error;			/* all orders are refused with it */
	u64 spoil;			/* seed by which messages are spoilt; 0: they are whole */
	const char *wrong;		/* what it was asked that nobody may ask; NULL: nothing */
} fake;

/* Of all that is above: the controller asks in a thread of its own. */
static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;

/* Not by an assertion of cmocka's: that would leave the wrong thread. */
#define FAKE_EXPECT(good)	do { if (!(good)) fake.wrong = #good; } while (0)

/* ---- What it tells ---- */

struct fake_ear {
	int (*each)(const struct nlmsghdr *nlh, void *ctx);
	void *ctx;
	u64 room[NL_MESSAGE_MAX / 8];
};

static struct nlmsghdr *fake_begin(struct fake_ear *e, u16 family, u8 cmd)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(memset(e->room, 0, sizeof(e->room)));
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));

	nlh->nlmsg_type = family;
	g->cmd = cmd;
	return nlh;
}

static void fake_tell(struct fake_ear *e, const struct nlmsghdr *nlh)
{
	u64 copy[NL_MESSAGE_MAX / 8];

	if (fake.spoil && test_rand(&fake.spoil) % 2)
		nlh = spoil(copy, e->room, test_rand(&fake.spoil) % 2, &fake.spoil);
	FAKE_EXPECT(e->each(nlh, e->ctx) == MNL_CB_OK);
}

static int fake_sort(const struct nlattr *a, void *of)
{
	if (mnl_attr_get_type(a) < 256)
		((const struct nlattr **)of)[mnl_attr_get_type(a)] = a;
	return MNL_CB_OK;
}

/* ---- devlink ---- */

static struct nlmsghdr *fake_of_device(struct fake_ear *e, u8 cmd, const char *dev, u32 index)
{
	struct nlmsghdr *nlh = fake_begin(e, FAKE_DEVLINK, cmd);

	mnl_attr_put_strz(nlh, DEVLINK_ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_DEV_NAME, dev);
	mnl_attr_put_u32(nlh, DEVLINK_ATTR_PORT_INDEX, index);
	return nlh;
}

/* Of a device that is another's, too. */
static void fake_ports(struct fake_ear *e)
{
	struct nlmsghdr *nlh = fake_of_device(e, DEVLINK_CMD_PORT_NEW, "0000:03:00.0", 0);
	u32 i;

	mnl_attr_put_u32(nlh, DEVLINK_ATTR_PORT_NETDEV_IFINDEX, FAKE_IFINDEX);
	fake_tell(e, nlh);
	for (i = 0; i < 2 * fake.functions; i++) {
		nlh = fake_of_device(e, DEVLINK_CMD_PORT_NEW,
				     i < fake.functions ? "0000:03:00.0" : "0000:04:00.0",
				     FAKE_PORT + i % fake.functions);
		mnl_attr_put_u16(nlh, DEVLINK_ATTR_PORT_PCI_VF_NUMBER, (u16)(i % fake.functions));
		fake_tell(e, nlh);
	}
}

static void fake_rate(struct fake_ear *e, const char *dev, u32 i, u64 share, u32 weight)
{
	struct nlmsghdr *nlh = fake_of_device(e, DEVLINK_CMD_RATE_NEW, dev, FAKE_PORT + i);

	mnl_attr_put_u16(nlh, DEVLINK_ATTR_RATE_TYPE, DEVLINK_RATE_TYPE_LEAF);
	mnl_attr_put_u64(nlh, DEVLINK_ATTR_RATE_TX_SHARE, share);
	mnl_attr_put_u64(nlh, DEVLINK_ATTR_RATE_TX_MAX, 0);
	if (fake.knows_weight)
		mnl_attr_put_u32(nlh, DEVLINK_ATTR_RATE_TX_WEIGHT, weight);
	fake_tell(e, nlh);
}

static void fake_rates(struct fake_ear *e)
{
	u32 i;

	for (i = 0; i < fake.functions; i++) {
		fake_rate(e, "0000:03:00.0", i, fake.share[i], fake.weight[i]);
		fake_rate(e, "0000:04:00.0", i, 77 * FAKE_BPS_MBIT, 77);
	}
}

static int fake_set_rate(const struct nlattr **of)
{
	const struct nlattr *share = of[DEVLINK_ATTR_RATE_TX_SHARE];
	const struct nlattr *weight = of[DEVLINK_ATTR_RATE_TX_WEIGHT];
	u32 i = mnl_attr_get_u32(of[DEVLINK_ATTR_PORT_INDEX]) - FAKE_PORT;

	if (weight && !fake.knows_weight)
		return -EINVAL;
	if (i >= fake.functions || strcmp(mnl_attr_get_str(of[DEVLINK_ATTR_BUS_NAME]), "pci") ||
	    strcmp(mnl_attr_get_str(of[DEVLINK_ATTR_DEV_NAME]), "0000:03:00.0"))
		return -ENODEV;
	if (weight && !fake.most)
		return -EOPNOTSUPP;
	if (weight && (mnl_attr_get_u32(weight) < fake.least ||
		       mnl_attr_get_u32(weight) > fake.most))
		return -EINVAL;
	if (share)
		fake.share[i] = mnl_attr_get_u64(share);
	if (weight)
		fake.weight[i] = mnl_attr_get_u32(weight);
	fake.orders++;
	return 0;
}

static int fake_devlink(u8 cmd, u16 flags, const struct nlattr **of, struct fake_ear *e)
{
	if (cmd == DEVLINK_CMD_RATE_SET)
		return fake.error ? fake.error : fake_set_rate(of);
	FAKE_EXPECT(flags & NLM_F_DUMP);
	if (cmd == DEVLINK_CMD_PORT_GET)
		fake_ports(e);
	else if (cmd == DEVLINK_CMD_RATE_GET)
		fake_rates(e);
	else
		return -EOPNOTSUPP;
	return 0;
}

/* ---- net-shaper ---- */

static void fake_handle(struct nlmsghdr *nlh, u16 type, u32 scope, u32 id)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put_u32(nlh, NET_SHAPER_A_HANDLE_SCOPE, scope);
	if (scope != NET_SHAPER_SCOPE_NETDEV)
		mnl_attr_put_u32(nlh, NET_SHAPER_A_HANDLE_ID, id);
	mnl_attr_nest_end(nlh, nest);
}

static void fake_number(struct nlmsghdr *nlh, u16 type, u64 number)
{
	if (number > UINT32_MAX)
		mnl_attr_put_u64(nlh, type, number);
	else if (number)
		mnl_attr_put_u32(nlh, type, (u32)number);
}

static void fake_tell_shaper(struct fake_ear *e, u32 scope, u32 id, const struct fake_shaper *s)
{
	struct nlmsghdr *nlh = fake_begin(e, FAKE_SHAPER, NET_SHAPER_CMD_GET);

	mnl_attr_put_u32(nlh, NET_SHAPER_A_IFINDEX, FAKE_IFINDEX);
	if (scope == NET_SHAPER_SCOPE_QUEUE)
		fake_handle(nlh, NET_SHAPER_A_PARENT,
			    s->grouped ? NET_SHAPER_SCOPE_NODE : NET_SHAPER_SCOPE_NETDEV, 0);
	fake_handle(nlh, NET_SHAPER_A_HANDLE, scope, id);
	if (s->min || s->max)
		mnl_attr_put_u32(nlh, NET_SHAPER_A_METRIC, s->metric);
	fake_number(nlh, NET_SHAPER_A_BW_MIN, s->min);
	fake_number(nlh, NET_SHAPER_A_BW_MAX, s->max);
	fake_number(nlh, NET_SHAPER_A_WEIGHT, s->weight);
	fake_tell(e, nlh);
}

static int fake_caps(const struct nlattr **of, struct fake_ear *e)
{
	struct nlmsghdr *nlh = fake_begin(e, FAKE_SHAPER, NET_SHAPER_CMD_CAP_GET);
	u32 scope = mnl_attr_get_u32(of[NET_SHAPER_A_CAPS_SCOPE]);

	FAKE_EXPECT(mnl_attr_get_u32(of[NET_SHAPER_A_CAPS_IFINDEX]) == FAKE_IFINDEX);
	FAKE_EXPECT(scope == NET_SHAPER_SCOPE_QUEUE);
	if (!fake.queues)
		return -EOPNOTSUPP;
	mnl_attr_put_u32(nlh, NET_SHAPER_A_CAPS_IFINDEX, FAKE_IFINDEX);
	mnl_attr_put_u32(nlh, NET_SHAPER_A_CAPS_SCOPE, scope);
	mnl_attr_put(nlh, NET_SHAPER_A_CAPS_SUPPORT_METRIC_BPS, 0, NULL);
	if (fake.takes_min)
		mnl_attr_put(nlh, NET_SHAPER_A_CAPS_SUPPORT_BW_MIN, 0, NULL);
	if (fake.takes_weight)
		mnl_attr_put(nlh, NET_SHAPER_A_CAPS_SUPPORT_WEIGHT, 0, NULL);
	fake_tell(e, nlh);
	return 0;
}

static void fake_tell_shapers(struct fake_ear *e)
{
	const struct fake_shaper whole = { .weight = 55, .min = 55000000 };
	u32 i;

	/* The interface's own, and a group: neither is a queue's. */
	fake_tell_shaper(e, NET_SHAPER_SCOPE_NETDEV, 0, &whole);
	for (i = 0; i < FAKE_QUEUES; i++)
		if (fake.queue[i].there)
			fake_tell_shaper(e, NET_SHAPER_SCOPE_QUEUE, i, &fake.queue[i]);
	fake_tell_shaper(e, NET_SHAPER_SCOPE_NODE, 0, &whole);
}

static int fake_set_shaper(struct fake_shaper *s, const struct nlattr **of)
{
	if ((of[NET_SHAPER_A_WEIGHT] && !fake.takes_weight) ||
	    (of[NET_SHAPER_A_BW_MIN] && !fake.takes_min))
		return -EOPNOTSUPP;
	s->there = true;
	if (of[NET_SHAPER_A_METRIC])
		s->metric = mnl_attr_get_u32(of[NET_SHAPER_A_METRIC]);
	if (of[NET_SHAPER_A_BW_MIN])
		s->min = mnl_attr_get_u64(of[NET_SHAPER_A_BW_MIN]);
	if (of[NET_SHAPER_A_WEIGHT])
		s->weight = mnl_attr_get_u32(of[NET_SHAPER_A_WEIGHT]);
	fake.orders++;
	return 0;
}

static int fake_change_shaper(u8 cmd, const struct nlattr **of)
{
	const struct nlattr *handle[256] = { NULL };
	u32 id;

	FAKE_EXPECT(of[NET_SHAPER_A_HANDLE]->nla_type & NLA_F_NESTED);
	mnl_attr_parse_nested(of[NET_SHAPER_A_HANDLE], fake_sort, handle);
	FAKE_EXPECT(mnl_attr_get_u32(handle[NET_SHAPER_A_HANDLE_SCOPE]) == NET_SHAPER_SCOPE_QUEUE);
	id = mnl_attr_get_u32(handle[NET_SHAPER_A_HANDLE_ID]);
	if (fake.error)
		return fake.error;
	if (id >= fake.queues || (cmd == NET_SHAPER_CMD_DELETE && !fake.queue[id].there))
		return -ENOENT;
	if (cmd == NET_SHAPER_CMD_SET)
		return fake_set_shaper(&fake.queue[id], of);
	fake.queue[id] = (struct fake_shaper){ .there = false };
	fake.orders++;
	return 0;
}

static int fake_shapers(u8 cmd, u16 flags, const struct nlattr **of, struct fake_ear *e)
{
	if (cmd == NET_SHAPER_CMD_CAP_GET)
		return fake_caps(of, e);
	FAKE_EXPECT(mnl_attr_get_u32(of[NET_SHAPER_A_IFINDEX]) == FAKE_IFINDEX);
	if (cmd == NET_SHAPER_CMD_SET || cmd == NET_SHAPER_CMD_DELETE)
		return fake_change_shaper(cmd, of);
	FAKE_EXPECT(cmd == NET_SHAPER_CMD_GET);
	FAKE_EXPECT(flags & NLM_F_DUMP);
	fake_tell_shapers(e);
	return 0;
}

/* ---- In place of nic_netlink.c ---- */

struct mnl_socket *nl_open(int bus)
{
	FAKE_EXPECT(bus == NETLINK_GENERIC);
	return mnl_socket_fdopen(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

u16 nl_family(struct mnl_socket *s, const char *name)
{
	bool devlink = !strcmp(name, DEVLINK_GENL_NAME), there;

	pthread_mutex_lock(&fake_lock);
	there = devlink ? fake.devlink : fake.shapers;
	pthread_mutex_unlock(&fake_lock);
	return !there ? 0 : devlink ? FAKE_DEVLINK : FAKE_SHAPER;
}

int nl_talk(struct mnl_socket *s, struct nlmsghdr *nlh,
	    int (*each)(const struct nlmsghdr *nlh, void *ctx), void *ctx)
{
	const struct genlmsghdr *g = mnl_nlmsg_get_payload(nlh);
	struct fake_ear ear = { .each = each, .ctx = ctx };
	const struct nlattr *of[256] = { NULL };
	int rc;

	mnl_attr_parse(nlh, sizeof(*g), fake_sort, of);
	pthread_mutex_lock(&fake_lock);
	rc = nlh->nlmsg_type == FAKE_DEVLINK ? fake_devlink(g->cmd, nlh->nlmsg_flags, of, &ear) :
	     fake_shapers(g->cmd, nlh->nlmsg_flags, of, &ear);
	pthread_mutex_unlock(&fake_lock);
	return rc;
}

#endif /* TEST_NIC_FAKE_H */
