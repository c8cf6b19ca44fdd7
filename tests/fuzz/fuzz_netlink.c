// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer target: the input is a message of netlink as the host controller has them of
 * the kernel about classes, rates and shapers, in memory of its own size. What is read must
 * lie within what it is read into, and a message that repeats it must have room.
 */
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

#include "nic.h"
#include "nic_uapi.h"

#define IFINDEX	2

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes);

static void within(const char *text, size_t room)
{
	if (!memchr(text, 0, room))
		abort();
}

static void repeated(const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_len > NL_MESSAGE_MAX)
		abort();
}

static void as_class(const struct nlmsghdr *nlh, void *buf)
{
	struct tc_class c;

	if (!tc_parse(nlh, IFINDEX, &c))
		return;
	within(c.kind, sizeof(c.kind));
	if (c.options_bytes > sizeof(c.options))
		abort();
	repeated(tc_change(buf, IFINDEX, &c, 3000));
}

static void as_rate(const struct nlmsghdr *nlh, void *buf)
{
	struct devlink_port p;

	if (!devlink_parse(nlh, &p))
		return;
	within(p.bus, sizeof(p.bus));
	within(p.dev, sizeof(p.dev));
	repeated(devlink_set_share(buf, 30, &p, 1000));
	repeated(devlink_set_weight(buf, 30, &p, 7));
}

static void as_shaper(const struct nlmsghdr *nlh, void *buf)
{
	struct shaper_caps caps;
	struct shaper s;

	shaper_parse_caps(nlh, IFINDEX, &caps);
	if (shaper_parse(nlh, IFINDEX, &s))
		repeated(shaper_set_weight(buf, 31, IFINDEX, s.queue, s.weight));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t bytes)
{
	struct nlmsghdr *nlh;
	void *buf;

	/* libmnl hands on none that is shorter, nor one whose length is not what is there. */
	if (bytes < sizeof(*nlh))
		return 0;
	/* And there is padding behind it. */
	nlh = calloc(1, MNL_ALIGN(bytes));
	buf = malloc(NL_MESSAGE_MAX);
	if (!nlh || !buf)
		abort();
	memcpy(nlh, data, bytes);
	nlh->nlmsg_len = (u32)bytes;
	as_rate(nlh, buf);
	as_shaper(nlh, buf);
	nlh->nlmsg_type = RTM_NEWTCLASS;
	as_class(nlh, buf);
	free(nlh);
	free(buf);
	return 0;
}
