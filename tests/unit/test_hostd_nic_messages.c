// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages of devlink about rates, and of net-shaper about queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "nic.h"
#include "nic_uapi.h"
#include "nl_fixture.h"
#include "rand.h"

#define IFINDEX	7

static u64 room[NL_MESSAGE_MAX / 8];

/* ---- devlink ---- */

#define FAMILY	0x15

static struct nlmsghdr *told_rate(u32 index, u16 type, u64 share_bytes_per_s)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(memset(room, 0, sizeof(room)));

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct genlmsghdr));
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_BUS_NAME, "pci");
	mnl_attr_put_strz(nlh, DEVLINK_ATTR_DEV_NAME, "0000:03:00.0");
	mnl_attr_put_u32(nlh, DEVLINK_ATTR_PORT_INDEX, index);
	mnl_attr_put_u16(nlh, DEVLINK_ATTR_RATE_TYPE, type);
	mnl_attr_put_u64(nlh, DEVLINK_ATTR_RATE_TX_SHARE, share_bytes_per_s);
	return nlh;
}

static struct nlmsghdr *told_weight(u32 index, u32 weight)
{
	struct nlmsghdr *nlh = told_rate(index, DEVLINK_RATE_TYPE_LEAF, 0);

	mnl_attr_put_u32(nlh, DEVLINK_ATTR_RATE_TX_WEIGHT, weight);
	return nlh;
}

static void test_devlink(void **state)
{
	u64 buf[NL_MESSAGE_MAX / 8];
	struct devlink_port p;
	struct nlmsghdr *nlh = told_rate(3, DEVLINK_RATE_TYPE_LEAF, 125000);

	assert_true(devlink_parse(nlh, &p));
	assert_string_equal(p.bus, "pci");
	assert_string_equal(p.dev, "0000:03:00.0");
	assert_int_equal(p.index, 3);
	assert_int_equal(p.vf, -1);
	assert_int_equal(p.ifindex, 0);
	assert_true(p.leaf);
	assert_int_equal(p.share_bytes_per_s, 125000);
	assert_false(p.has_weight);
	/* What is sent is read as it was meant. */
	nlh = devlink_set_share(buf, FAMILY, &p, 5ULL << 32);
	assert_int_equal(nlh->nlmsg_type, FAMILY);
	assert_true(devlink_parse(nlh, &p));
	assert_int_equal(p.index, 3);
	assert_int_equal(p.share_bytes_per_s, 5ULL << 32);
	assert_false(p.has_weight);
	/* A port, and a group of rates. */
	mnl_attr_put_u16(nlh, DEVLINK_ATTR_PORT_PCI_VF_NUMBER, 12);
	mnl_attr_put_u32(nlh, DEVLINK_ATTR_PORT_NETDEV_IFINDEX, 9);
	assert_true(devlink_parse(nlh, &p));
	assert_int_equal(p.vf, 12);
	assert_int_equal(p.ifindex, 9);
	assert_false(p.leaf);
	assert_true(devlink_parse(told_rate(3, DEVLINK_RATE_TYPE_NODE, 0), &p));
	assert_false(p.leaf);
}

static void test_devlink_weight(void **state)
{
	u64 buf[NL_MESSAGE_MAX / 8];
	struct devlink_port p;
	struct nlmsghdr *nlh;

	/* The kernel knows it, and none was ever set. */
	assert_true(devlink_parse(told_weight(3, 0), &p));
	assert_true(p.has_weight && !p.weight);
	assert_true(devlink_parse(told_weight(3, 77), &p));
	assert_int_equal(p.weight, 77);
	nlh = devlink_set_weight(buf, FAMILY, &p, 12);
	p.share_bytes_per_s = 1;
	assert_true(devlink_parse(nlh, &p));
	assert_int_equal(p.weight, 12);
	assert_int_equal(p.index, 3);
	/* That alone is set. */
	assert_int_equal(p.share_bytes_per_s, 0);
}

static void test_devlink_hostile(void **state)
{
	u64 copy[NL_MESSAGE_MAX / 8], seed = 12;
	struct devlink_port p;
	struct nlmsghdr *nlh;
	u32 i, taken = 0;

	for (i = 0; i < 20000; i++) {
		if (i % 4)
			told_rate(i, (u16)(i % 3), i);
		else
			told_weight(i, i);
		nlh = spoil(copy, room, i % 2, &seed);
		if (!devlink_parse(nlh, &p))
			continue;
		taken++;
		assert_true(strnlen(p.bus, sizeof(p.bus)) < sizeof(p.bus));
		assert_true(strnlen(p.dev, sizeof(p.dev)) < sizeof(p.dev));
		assert_true(devlink_set_share(room, FAMILY, &p, 1)->nlmsg_len <= sizeof(room));
		assert_true(devlink_set_weight(room, FAMILY, &p, 1)->nlmsg_len <= sizeof(room));
	}
	assert_true(taken);
}

/* ---- net-shaper ---- */

static struct nlmsghdr *told_caps(u32 scope)
{
	struct nlmsghdr *nlh = nl_generic(memset(room, 0, sizeof(room)), FAMILY,
					  NET_SHAPER_CMD_CAP_GET, 1, 0);

	mnl_attr_put_u32(nlh, NET_SHAPER_A_CAPS_IFINDEX, IFINDEX);
	mnl_attr_put_u32(nlh, NET_SHAPER_A_CAPS_SCOPE, scope);
	mnl_attr_put(nlh, NET_SHAPER_A_CAPS_SUPPORT_BW_MIN, 0, NULL);
	return nlh;
}

static void put_handle(struct nlmsghdr *nlh, u16 type, u32 scope, u32 id)
{
	struct nlattr *handle = mnl_attr_nest_start(nlh, type);

	mnl_attr_put_u32(nlh, NET_SHAPER_A_HANDLE_SCOPE, scope);
	mnl_attr_put_u32(nlh, NET_SHAPER_A_HANDLE_ID, id);
	mnl_attr_nest_end(nlh, handle);
}

static struct nlmsghdr *told_shaper(u32 scope, u32 id, u32 parent)
{
	struct nlmsghdr *nlh = nl_generic(memset(room, 0, sizeof(room)), FAMILY,
					  NET_SHAPER_CMD_GET, 1, 0);

	mnl_attr_put_u32(nlh, NET_SHAPER_A_IFINDEX, IFINDEX);
	put_handle(nlh, NET_SHAPER_A_PARENT, parent, 0);
	put_handle(nlh, NET_SHAPER_A_HANDLE, scope, id);
	mnl_attr_put_u32(nlh, NET_SHAPER_A_METRIC, NET_SHAPER_METRIC_PPS);
	mnl_attr_put_u32(nlh, NET_SHAPER_A_BW_MIN, 1000);	/* as long as it has to be */
	mnl_attr_put_u64(nlh, NET_SHAPER_A_BW_MAX, 5ULL << 32);
	mnl_attr_put_u32(nlh, NET_SHAPER_A_WEIGHT, 9);
	return nlh;
}

static void test_shaper_caps(void **state)
{
	struct shaper_caps c;
	struct nlmsghdr *nlh = told_caps(NET_SHAPER_SCOPE_QUEUE);

	/* A guarantee in packets is none. */
	assert_true(shaper_parse_caps(nlh, IFINDEX, &c));
	assert_false(c.weight || c.min);
	mnl_attr_put(nlh, NET_SHAPER_A_CAPS_SUPPORT_METRIC_BPS, 0, NULL);
	assert_true(shaper_parse_caps(nlh, IFINDEX, &c));
	assert_true(c.min && !c.weight);
	mnl_attr_put(nlh, NET_SHAPER_A_CAPS_SUPPORT_WEIGHT, 0, NULL);
	assert_true(shaper_parse_caps(nlh, IFINDEX, &c));
	assert_true(c.weight);
	assert_false(shaper_parse_caps(nlh, IFINDEX + 1, &c));
	assert_false(shaper_parse_caps(told_caps(NET_SHAPER_SCOPE_NODE), IFINDEX, &c));
}

static void test_shaper(void **state)
{
	u64 buf[NL_MESSAGE_MAX / 8];
	struct shaper s;

	assert_true(shaper_parse(told_shaper(NET_SHAPER_SCOPE_QUEUE, 3, NET_SHAPER_SCOPE_NODE),
				 IFINDEX, &s));
	assert_int_equal(s.queue, 3);
	assert_true(s.grouped && s.more && s.packets);
	assert_int_equal(s.min_bits_per_s, 1000);
	assert_int_equal(s.weight, 9);
	assert_false(shaper_parse((void *)room, IFINDEX + 1, &s));
	assert_false(shaper_parse(told_shaper(NET_SHAPER_SCOPE_NETDEV, 3, 0), IFINDEX, &s));
	assert_false(shaper_parse(told_shaper(NET_SHAPER_SCOPE_NODE, 3, 0), IFINDEX, &s));
	/* What is sent is read as it was meant, and says nothing else. */
	assert_true(shaper_parse(shaper_set_weight(buf, FAMILY, IFINDEX, 5, 70), IFINDEX, &s));
	assert_true(s.queue == 5 && s.weight == 70 && !s.min_bits_per_s);
	assert_false(s.grouped || s.more || s.packets);
	assert_true(shaper_parse(shaper_set_min(buf, FAMILY, IFINDEX, 5, 5ULL << 32), IFINDEX, &s));
	assert_true(s.queue == 5 && s.min_bits_per_s == 5ULL << 32 && !s.weight);
	assert_false(s.grouped || s.more || s.packets);
	assert_true(shaper_parse(shaper_remove(buf, FAMILY, IFINDEX, 6), IFINDEX, &s));
	assert_true(s.queue == 6 && !s.min_bits_per_s && !s.weight && !s.more);
}

static void test_shaper_hostile(void **state)
{
	u64 copy[NL_MESSAGE_MAX / 8], seed = 13;
	struct shaper_caps c;
	struct shaper s;
	struct nlmsghdr *nlh;
	u32 i, shapers = 0, caps = 0;

	for (i = 0; i < 20000; i++) {
		if (i % 4)
			told_shaper(NET_SHAPER_SCOPE_QUEUE, i, i % 4);
		else
			told_caps(NET_SHAPER_SCOPE_QUEUE);
		nlh = spoil(copy, room, i / 4 % 2, &seed);
		/* Either reads the other's, too: it is a message like any. */
		shapers += shaper_parse(nlh, IFINDEX, &s);
		caps += shaper_parse_caps(nlh, IFINDEX, &c);
	}
	assert_true(shapers && caps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devlink), cmocka_unit_test(test_devlink_weight),
		cmocka_unit_test(test_devlink_hostile), cmocka_unit_test(test_shaper_caps),
		cmocka_unit_test(test_shaper), cmocka_unit_test(test_shaper_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
