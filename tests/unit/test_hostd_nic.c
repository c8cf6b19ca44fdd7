// SPDX-License-Identifier: GPL-2.0-or-later
/* Weights from shares and flows, and messages of rtnetlink about classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
#include <linux/genetlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "nic.h"
#include "nic_uapi.h"
#include "nl_fixture.h"
#include "rand.h"

#define IFINDEX	7

static struct conf_tenant conf[3] = {
	{ .name = "a", .nic_share = 3 }, { .name = "b", .nic_share = 1 },
	{ .name = "c", .nic_share = 100 },
};
static struct nic nic;

static void begin(u32 tenants)
{
	u32 i;

	nic = (struct nic){ .name = "up", .tenants = tenants };
	for (i = 0; i < tenants; i++)
		nic.of[i] = &conf[i];
}

static void queue(u32 tenant, u32 flows)
{
	nic.queue[nic.queues] = (struct nic_queue){ .id = nic.queues, .tenant = tenant,
						    .flows = flows };
	nic.queues++;
}

static void weights_are(const u32 *want)
{
	u32 i;

	nic_weigh(&nic);
	for (i = 0; i < nic.queues; i++)
		assert_int_equal(nic.queue[i].asked, want[i]);
}

static void test_shares(void **state)
{
	begin(2);
	queue(0, NIC_FLOWS_UNKNOWN);
	queue(1, NIC_FLOWS_UNKNOWN);
	queue(0, NIC_FLOWS_UNKNOWN);
	weights_are((u32 []){ 150, 100, 150 });
	/* As quanta: the least one has the least, in the same proportion. */
	nic.least = 1514;
	weights_are((u32 []){ 2271, 1514, 2271 });
}

static u32 divisor(u32 a, u32 b)
{
	return b ? divisor(b, a % b) : a;
}

/* Where a device takes no more than some: in proportion, exactly if that can be. */
static void proportional(u32 most)
{
	u32 i, greatest = 0, common = 0;

	nic_weigh(&nic);
	for (i = 0; i < nic.queues; i++) {
		greatest = nic.queue[i].weight > greatest ? nic.queue[i].weight : greatest;
		common = divisor(nic.queue[i].weight, common);
	}
	for (i = 0; i < nic.queues; i++) {
		u32 asked = nic.queue[i].asked, weight = nic.queue[i].weight;
		s64 off = (s64)asked * greatest - (s64)weight * most;

		assert_in_range(asked, 1, most);
		if (greatest / common <= most)
			assert_int_equal(asked * common, weight);
		else
			assert_true((off <= greatest / 2 && off >= -(s64)greatest / 2) || asked == 1);
	}
}

static void test_most(void **state)
{
	u64 seed = 6;
	u32 round, i;

	begin(2);
	nic.most = 200;
	queue(0, NIC_FLOWS_UNKNOWN);
	queue(1, NIC_FLOWS_UNKNOWN);
	weights_are((u32 []){ 3, 1 });
	for (round = 0; round < 2000; round++) {
		begin(3);
		nic.most = 200;
		for (i = 0; i < 3 + round % 62; i++)
			queue(i % 3, (u32)(test_rand(&seed) % 1024));
		proportional(200);
	}
}

/* A flow has as much in one queue as in another; a queue without any is not starved. */
static void test_flows(void **state)
{
	begin(2);
	queue(0, 6);
	queue(0, 3);
	queue(0, 0);
	queue(1, 50);
	weights_are((u32 []){ 179, 90, 31, 100 });
}

/* Whatever the flows: a tenant's weights are its share, and each is one that is taken. */
static void test_any(void **state)
{
	u64 seed = 5;
	u32 round, i, sum[3];

	for (round = 0; round < 2000; round++) {
		begin(3);
		for (i = 0; i < NIC_QUEUES_MAX; i++)
			queue(i < 3 ? i : (u32)(test_rand(&seed) % 3),
			      (u32)(test_rand(&seed) % 3 ? test_rand(&seed) % 1024 : 0));
		nic_weigh(&nic);
		memset(sum, 0, sizeof(sum));
		for (i = 0; i < nic.queues; i++) {
			assert_in_range(nic.queue[i].weight, 1, 10000);
			sum[nic.queue[i].tenant] += nic.queue[i].weight;
		}
		assert_int_equal(sum[0], 300);
		assert_int_equal(sum[1], 100);
		assert_int_equal(sum[2], 10000);
	}
}

/* ---- Messages ---- */

static u64 room[NL_MESSAGE_MAX / 8];

/* What the kernel tells of a class; @put: its options. */
static struct nlmsghdr *told(const char *kind, void (*put)(struct nlmsghdr *nlh))
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(memset(room, 0, sizeof(room)));
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));
	struct gnet_stats_basic { u64 bytes; u32 packets; } basic = { 5000, 6 };
	struct nlattr *nest;

	nlh->nlmsg_type = RTM_NEWTCLASS;
	tcm->tcm_ifindex = IFINDEX;
	tcm->tcm_handle = 0x10010;
	tcm->tcm_parent = 0x10001;
	mnl_attr_put_strz(nlh, TCA_KIND, kind);
	nest = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	put(nlh);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, TCA_STATS2);
	mnl_attr_put(nlh, TCA_STATS_BASIC, sizeof(basic), &basic);
	mnl_attr_nest_end(nlh, nest);
	return nlh;
}

static void put_htb(struct nlmsghdr *nlh)
{
	struct tc_htb_opt opt = { .rate.rate = 1000, .ceil.rate = 2000, .buffer = 3, .quantum = 4000 };

	mnl_attr_put(nlh, TCA_HTB_PARMS, sizeof(opt), &opt);
	mnl_attr_put_u64(nlh, TCA_HTB_CEIL64, 1ULL << 40);
}

static void put_inner_htb(struct nlmsghdr *nlh)
{
	struct tc_htb_opt opt = { .level = 7, .quantum = 4000 };

	mnl_attr_put(nlh, TCA_HTB_PARMS, sizeof(opt), &opt);
}

static void put_drr(struct nlmsghdr *nlh)
{
	mnl_attr_put_u32(nlh, TCA_DRR_QUANTUM, 1600);
}

static void put_ets(struct nlmsghdr *nlh)
{
	mnl_attr_put_u32(nlh, TCA_ETS_QUANTA_BAND, 1700);
}

static void put_nothing(struct nlmsghdr *nlh)
{
}

/* Changed, it is told as it was but for the quantum. */
static void goes_round(const char *kind, void (*put)(struct nlmsghdr *nlh), u32 quantum)
{
	u64 buf[NL_MESSAGE_MAX / 8];
	struct tc_class c, again;
	struct nlmsghdr *nlh;

	assert_true(tc_parse(told(kind, put), IFINDEX, &c));
	assert_int_equal(c.id, 0x10010);
	assert_int_equal(c.quantum, quantum);
	assert_int_equal(c.bytes, 5000);
	assert_int_equal(c.packets, 6);
	nlh = tc_change(buf, IFINDEX, &c, 9999);
	assert_false(nlh->nlmsg_flags & NLM_F_CREATE);
	assert_true(tc_parse(nlh, IFINDEX, &again));
	assert_int_equal(again.id, c.id);
	assert_int_equal(again.parent, c.parent);
	assert_string_equal(again.kind, kind);
	assert_int_equal(again.quantum, 9999);
	nlh = tc_change(buf, IFINDEX, &again, quantum);
	assert_true(tc_parse(nlh, IFINDEX, &again));
	assert_int_equal(again.options_bytes, c.options_bytes);
	assert_memory_equal(again.options, c.options, c.options_bytes);
}

static void test_classes(void **state)
{
	struct tc_class c;

	goes_round("htb", put_htb, 4000);
	goes_round("drr", put_drr, 1600);
	goes_round("ets", put_ets, 1700);
	/* Inner classes and strict bands share nothing by a quantum. */
	assert_true(tc_parse(told("htb", put_inner_htb), IFINDEX, &c));
	assert_int_equal(c.quantum, 0);
	assert_true(tc_parse(told("ets", put_nothing), IFINDEX, &c));
	assert_int_equal(c.quantum, 0);
	assert_false(tc_parse(told("hfsc", put_nothing), IFINDEX, &c));
	assert_false(tc_parse(told("drr", put_drr), IFINDEX + 1, &c));
}

/* Cut anywhere and changed anywhere: it is refused, or what it says is in its bounds. */
static void test_hostile(void **state)
{
	u64 copy[NL_MESSAGE_MAX / 8], seed = 11;
	struct tc_class c;
	struct nlmsghdr *nlh;
	u32 i, taken = 0;

	for (i = 0; i < 20000; i++) {
		told(i % 3 ? "htb" : "drr", i % 3 ? put_htb : put_drr);
		nlh = spoil(copy, room, i % 2, &seed);
		if (!tc_parse(nlh, IFINDEX, &c))
			continue;
		taken++;
		assert_true(c.options_bytes <= sizeof(c.options));
		nlh = tc_change(room, IFINDEX, &c, 1);
		assert_true(nlh->nlmsg_len <= sizeof(room));
	}
	assert_true(taken);
}

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
		cmocka_unit_test(test_shares), cmocka_unit_test(test_most), cmocka_unit_test(test_flows), cmocka_unit_test(test_any),
		cmocka_unit_test(test_classes), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_devlink), cmocka_unit_test(test_devlink_weight),
		cmocka_unit_test(test_devlink_hostile), cmocka_unit_test(test_shaper_caps),
		cmocka_unit_test(test_shaper), cmocka_unit_test(test_shaper_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
