// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The producer's watch over its notifications: what the rings tell of a wish that
 * is due, and when a notification is sent again. Times are the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "pacing/party.h"
#include "ring_fixture.h"

#define HZ		1000000000u	/* a tick is a nanosecond */
#define DMAX_NS		400000u
#define NUM		16u

/* ---- Wishes ---- */

static struct guest guest;
static struct rp_drv drv;
static struct rp_dev dev;

static void rings(bool event_idx)
{
	assert_true(guest_init(&guest, NUM, 64 * 1024));
	assert_int_equal(rp_drv_init(&drv, &guest.ring, event_idx, guest_delta(&guest)), 0);
	assert_int_equal(rp_dev_init(&dev, &guest.ring, &guest.mem, event_idx, 0), 0);
	rp_dev_need_call(&dev);
}

static void rings_free(void)
{
	rp_drv_free(&drv);
	guest_free(&guest);
}

static void post(u32 n)
{
	for (; n; n--)
		assert_true(rp_drv_add_one(&drv, guest.buffers, 64, false, guest.buffers));
	rp_drv_publish(&drv);
	rp_drv_need_kick(&drv);
}

static void complete(u32 n)
{
	struct rp_buf buf;

	for (; n; n--) {
		assert_int_equal(rp_dev_get_burst(&dev, &buf, 1), 1);
		rp_dev_put(&dev, buf.head, 0);
	}
	rp_dev_publish(&dev);
	rp_dev_need_call(&dev);
}

static void reclaim(void)
{
	u32 written;

	while (rp_drv_get_used(&drv, &written))
		;
}

/* A kick is owed from the item that was asked for until the device runs. */
static void driver_wishes(bool event_idx)
{
	u32 wish, next, i;

	rings(event_idx);
	/* Past the point where 16 bits wrap. */
	for (i = 0; i < 70000; i++) {
		assert_false(rp_drv_owes_kick(&drv, &wish));
		assert_false(rp_dev_arm(&dev, 1));
		assert_false(rp_drv_owes_kick(&drv, &wish));
		post(1);
		assert_true(rp_drv_owes_kick(&drv, &wish));
		post(1);
		assert_true(rp_drv_owes_kick(&drv, &next));
		assert_int_equal(wish, next);
		rp_dev_disarm(&dev);
		assert_false(rp_drv_owes_kick(&drv, &wish));
		complete(1);
		/* The second look finds the other one: it does not block. */
		assert_true(rp_dev_arm(&dev, 1));
		assert_true(rp_drv_owes_kick(&drv, &next));
		assert_int_not_equal(wish, next);
		rp_dev_disarm(&dev);
		complete(1);
		reclaim();
	}
	rings_free();
}

static void test_driver(void **state)
{
	driver_wishes(true);
	driver_wishes(false);
}

static void test_threshold(void **state)
{
	u32 wish;

	rings(true);
	assert_false(rp_dev_arm(&dev, 3));
	post(2);
	assert_false(rp_drv_owes_kick(&drv, &wish));
	post(1);
	assert_true(rp_drv_owes_kick(&drv, &wish));
	rings_free();
}

static void test_device(void **state)
{
	u32 wish, i;

	rings(true);
	for (i = 0; i < 70000; i++) {
		post(2);
		assert_false(rp_dev_owes_call(&dev, &wish));
		assert_false(rp_drv_arm(&drv, 2));
		complete(1);
		assert_false(rp_dev_owes_call(&dev, &wish));
		complete(1);
		assert_true(rp_dev_owes_call(&dev, &wish));
		rp_drv_disarm(&drv);
		assert_false(rp_dev_owes_call(&dev, &wish));
		reclaim();
	}
	rings_free();
	/* Without EVENT_IDX a driver that has taken all back looks the same. */
	rings(false);
	post(1);
	rp_drv_arm(&drv, 1);
	complete(1);
	assert_false(rp_dev_owes_call(&dev, &wish));
	rings_free();
}

/* ---- The watch ---- */

static struct {
	struct rp_party party;
	bool owed;
	u32 wish, notified;
} fake;

static u32 no_work(struct rp_party *p, u32 max)
{
	return 0;
}

static void fake_notify(struct rp_party *p)
{
	fake.notified++;
}

static bool fake_arm(struct rp_party *p, u32 k)
{
	return false;
}

static void fake_disarm(struct rp_party *p)
{
}

static u32 fake_ready(struct rp_party *p)
{
	return 0;
}

static bool fake_owed(struct rp_party *p, u32 *wish)
{
	*wish = fake.wish;
	return fake.owed;
}

static const struct rp_ring_ops fake_ring = {
	.work = no_work, .notify = fake_notify, .arm = fake_arm, .disarm = fake_disarm,
	.ready = fake_ready, .owed = fake_owed,
};

static void start(enum rp_strategy_id strategy, enum rp_role role, u64 hz)
{
	const struct rp_params params = {
		.strategy = strategy, .role = role, .queue_len = NUM, .threshold = 1,
		.dmax_ns = DMAX_NS,
	};

	memset(&fake, 0, sizeof(fake));
	fake.party.ring = &fake_ring;
	rp_party_init(&fake.party, &params, hz);
}

static bool look_at(u64 ns)
{
	fake.party.now_tsc = ns;
	return rp_watch_look(&fake.party);
}

/* A lone item, whose kick is lost: told again within D_MAX, however often P looks. */
static void test_lone(void **state)
{
	static const u64 every[] = { DMAX_NS / 4, DMAX_NS / 8, DMAX_NS / 100 };
	u32 i;

	for (i = 0; i < sizeof(every) / sizeof(every[0]); i++) {
		u64 lost_at = 1000000, at = lost_at - every[i] + 1;

		start(RP_ADAPTIVE, RP_PRODUCER, HZ);
		assert_false(look_at(at));
		assert_int_equal(rp_watch_left_ns(&fake.party), 0);
		fake.owed = true;
		do
			at += every[i];
		while (!look_at(at) && at < lost_at + 2 * DMAX_NS);
		assert_in_range(at, lost_at + DMAX_NS / 2, lost_at + DMAX_NS);
		assert_int_equal(fake.notified, 1);
		assert_int_equal(fake.party.stats.rekicks, 1);
	}
}

/* What comes back, another wish, or a consumer that runs: nothing was lost. */
static void test_nothing_lost(void **state)
{
	u64 at;

	start(RP_ADAPTIVE, RP_PRODUCER, HZ);
	fake.owed = true;
	for (at = 0; at < 20 * DMAX_NS; at += DMAX_NS / 3) {
		fake.wish++;
		assert_false(look_at(at));
	}
	for (; at < 40 * DMAX_NS; at += DMAX_NS / 3) {
		fake.owed = !fake.owed;
		assert_false(look_at(at));
	}
	fake.owed = false;
	for (; at < 60 * DMAX_NS; at += DMAX_NS)
		assert_false(look_at(at));
	assert_int_equal(fake.notified, 0);
}

/* Nobody answers: after a while once a second, and no timer when nothing is due. */
static void test_rarer(void **state)
{
	u64 at = 1000, left, before = 0;
	u32 i;

	start(RP_ADAPTIVE, RP_PRODUCER, HZ);
	fake.owed = true;
	assert_false(look_at(at));
	for (i = 0; i < 20; i++) {
		left = rp_watch_left_ns(&fake.party);
		assert_true(left >= before);
		before = left;
		at += left;
		assert_true(look_at(at));
		/* To send it took real time. */
		at = fake.party.now_tsc;
	}
	assert_in_range(before, 1000000000, 1000000001);
	fake.owed = false;
	look_at(at + 1);
	assert_int_equal(rp_watch_left_ns(&fake.party), 0);
}

/* A consumer has nothing out; the papers' strategies are left as they are. */
static void test_who(void **state)
{
	static const struct { enum rp_strategy_id s; enum rp_role role; } who[] = {
		{ RP_ADAPTIVE, RP_CONSUMER }, { RP_NOTIFY, RP_PRODUCER }, { RP_BUSY, RP_PRODUCER },
	};
	u32 i;

	for (i = 0; i < sizeof(who) / sizeof(who[0]); i++) {
		start(who[i].s, who[i].role, HZ);
		fake.owed = true;
		look_at(1);
		assert_false(look_at(100 * DMAX_NS));
		assert_int_equal(rp_party_rest(&fake.party), 0);
	}
}

/* A producer at rest, by the real clock: told again, in the end. */
static void test_rest(void **state)
{
	u64 ns, calls = 0;

	start(RP_ADAPTIVE, RP_PRODUCER, 2000000000);
	assert_int_equal(rp_party_rest(&fake.party), 0);
	fake.owed = true;
	while (!fake.notified) {
		ns = rp_party_rest(&fake.party);
		assert_true(ns && (fake.notified || ns <= DMAX_NS));
		calls++;
	}
	assert_true(calls > 1);
	assert_int_equal(fake.party.stats.rekicks, 1);
	fake.owed = false;
	assert_int_equal(rp_party_rest(&fake.party), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_driver),
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_lone),
		cmocka_unit_test(test_nothing_lost),
		cmocka_unit_test(test_rarer),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_rest),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
