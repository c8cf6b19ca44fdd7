// SPDX-License-Identifier: GPL-2.0-or-later
/* Weights from shares and flows, and messages of rtnetlink about classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include "nic.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shares), cmocka_unit_test(test_most),
		cmocka_unit_test(test_flows), cmocka_unit_test(test_any),
		cmocka_unit_test(test_classes), cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
