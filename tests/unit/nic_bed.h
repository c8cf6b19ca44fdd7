/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A controller of two tenants' weights, with its notes, and the devices that it may find in
 * the kernel that is played (nic_fake.h).
 */
#ifndef TEST_NIC_BED_H
#define TEST_NIC_BED_H

#include <stdlib.h>
#include <unistd.h>

#include "nic_fake.h"
#include "now.h"

#define PATIENCE_NS	60000000000ULL

static const struct undo_kind *const kinds[] = {
	&nic_devlink_share_kind, &nic_devlink_weight_kind, &nic_shaper_weight_kind,
	&nic_shaper_min_kind, NULL
};

static struct conf conf;
static struct undo undo;
static struct nics nics;
static bool running;
static char state_path[] = "/tmp/test_hostd_nic_kernel.XXXXXX";

/* ---- The controller ---- */

/* Two tenants with a queue each, and shares of 3 and 1. */
static void start(void)
{
	const struct undo_where where = { .sysfs = "" };
	u32 i;

	conf = (struct conf){ .tenants = 2, .decide_ns = 1000000 };
	for (i = 0; i < conf.tenants; i++)
		conf.tenant[i] = (struct conf_tenant){ .name = { (char)('a' + i) }, .nic = "lo",
						       .nic_share = i ? 1 : 3, .nic_queues = 1,
						       .nic_queue = { i } };
	undo_init(&undo, state_path, kinds, &where);
	running = true;
	assert_null(undo_load(&undo));
	nics = (struct nics){ .count = 0 };
	assert_null(nics_init(&nics, &conf, &undo, NULL));
	assert_int_equal(nics.count, 1);
}

/* As by kill -9: nothing is given back. */
static void stop(void)
{
	nics_fini(&nics);
	undo_fini(&undo);
	running = false;
}

/* A clean one, which gives all back. */
static void end(void)
{
	nics_fini(&nics);
	assert_int_equal(undo_some(&undo, NULL, NULL, true), 0);
	assert_int_equal(undo.count, 0);
	stop();
}

/* After a test, also one that failed: there is one thread. */
static int clear(void **state)
{
	if (running)
		stop();
	unlink(state_path);
	return 0;
}

/* Rounds, until @done. */
static void until(bool acting, bool (*done)(void))
{
	u64 end = now_ns() + PATIENCE_NS;

	do {
		assert_true(now_ns() < end);
		nics_tick(&nics, acting, now_ns());
		usleep(200);
	} while (!done());
}

static bool is(enum hc_enforced state)
{
	return nics.nic[0].looked_ns && nics.nic[0].state == state;
}

static bool enforced(void)
{
	return is(HC_ENFORCED);
}

static bool dry(void)
{
	return is(HC_DRY_RUN);
}

static bool failed(void)
{
	return nics.nic[0].state == HC_FAILED;
}

/* ---- Devices ---- */

static u64 read_share(u32 i)
{
	return fake.share[i] / FAKE_BPS_MBIT;
}

static void write_share(u32 i, u32 value)
{
	fake.share[i] = (u64)value * FAKE_BPS_MBIT;
}

static u64 read_weight(u32 i)
{
	return fake.weight[i];
}

static void write_weight(u32 i, u32 value)
{
	fake.weight[i] = value;
}

static u64 read_shaper(u32 i)
{
	return fake.queue[i].weight;
}

static void write_shaper(u32 i, u32 value)
{
	fake.queue[i] = (struct fake_shaper){ .there = value, .weight = value };
}

static u64 read_min(u32 i)
{
	return fake.queue[i].min / 1000000;
}

static void write_min(u32 i, u32 value)
{
	fake.queue[i] = (struct fake_shaper){ .there = value, .min = value * 1000000ULL };
}

static const struct device {
	const char *name, *by;
	struct fake_kernel kernel;
	u64 (*read)(u32 i);
	void (*write)(u32 i, u32 value);
	u32 before[3], asked[3], after[3];
} devices[] = {
	{ "a kernel without tx_weight", "devlink tx_share", { .devlink = true, .functions = 3 },
	  read_share, write_share, { 0, 50, 60 }, { 300, 100, 60 }, { 0, 50, 60 } },
	{ "a driver without tx_weight", "devlink tx_share",
	  { .devlink = true, .functions = 3, .knows_weight = true },
	  read_share, write_share, { 0, 50, 60 }, { 300, 100, 60 }, { 0, 50, 60 } },
	{ "a driver with tx_weight, as ice", "devlink tx_weight",
	  { .devlink = true, .functions = 3, .knows_weight = true, .least = 1, .most = 200 },
	  read_weight, write_weight, { 0, 50, 60 }, { 3, 1, 60 }, { 4, 50, 60 } },
	{ "a driver that takes no weight back, too", "devlink tx_weight",
	  { .devlink = true, .functions = 3, .knows_weight = true, .most = 200 },
	  read_weight, write_weight, { 0, 50, 60 }, { 3, 1, 60 }, { 0, 50, 60 } },
	{ "both: functions go first", "devlink tx_weight",
	  { .devlink = true, .functions = 3, .knows_weight = true, .most = 200,
	    .shapers = true, .queues = 3, .takes_weight = true },
	  read_weight, write_weight, { 0, 50, 60 }, { 3, 1, 60 }, { 0, 50, 60 } },
	{ "shapers with a weight", "net-shaper weight",
	  { .devlink = true, .shapers = true, .queues = 3, .takes_weight = true,
	    .takes_min = true },
	  read_shaper, write_shaper, { 0, 50, 60 }, { 3, 1, 60 }, { 0, 50, 60 } },
	{ "shapers without one, as iavf", "net-shaper bw-min",
	  { .shapers = true, .queues = 3, .takes_min = true },
	  read_min, write_min, { 0, 50, 60 }, { 300, 100, 60 }, { 0, 50, 60 } },
};

static const struct device *device;

static void begin(const struct fake_kernel *kernel)
{
	pthread_mutex_lock(&fake_lock);
	fake = *kernel;
	pthread_mutex_unlock(&fake_lock);
}

static bool has(const u32 *want)
{
	bool same = true;
	u32 i;

	pthread_mutex_lock(&fake_lock);
	for (i = 0; i < 3; i++)
		same &= device->read(i) == want[i];
	pthread_mutex_unlock(&fake_lock);
	return same;
}

static void put(u32 i, u32 value)
{
	pthread_mutex_lock(&fake_lock);
	device->write(i, value);
	pthread_mutex_unlock(&fake_lock);
}

static u32 orders(void)
{
	u32 n;

	pthread_mutex_lock(&fake_lock);
	n = fake.orders;
	pthread_mutex_unlock(&fake_lock);
	return n;
}

#endif /* TEST_NIC_BED_H */
