// SPDX-License-Identifier: GPL-2.0-or-later
/* What messages of generic netlink have in common. */
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "nic.h"

struct nlmsghdr *nl_generic(void *buf, u16 family, u8 cmd, u8 version, u16 flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	g->cmd = cmd;
	g->version = version;
	return nlh;
}

static void sort(const struct nlattr *a, const struct nlattr **of, u32 count)
{
	if (mnl_attr_get_type(a) < count)
		of[mnl_attr_get_type(a)] = a;
}

bool nl_attributes(const struct nlmsghdr *nlh, const struct nlattr **of, u32 count)
{
	const struct nlattr *a;

	memset(of, 0, count * sizeof(of[0]));
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(struct genlmsghdr))
		return false;
	mnl_attr_for_each(a, nlh, sizeof(struct genlmsghdr))
		sort(a, of, count);
	return true;
}

void nl_inner(const struct nlattr *in, const struct nlattr **of, u32 count)
{
	const struct nlattr *a;

	memset(of, 0, count * sizeof(of[0]));
	if (!in)
		return;
	mnl_attr_for_each_nested(a, in)
		sort(a, of, count);
}

u64 nl_number(const struct nlattr *a, u64 none)
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
