// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Weights of devices whose kernel is played: by devlink-rate and by net-shaper, whichever a
 * device takes. They are noted, set, set again when somebody else changes them, adopted, and
 * given back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "nic_bed.h"

static bool has_asked(void)
{
	return enforced() && has(device->asked);
}

/* A dry run looks, changes nothing, and claims no weight that may be refused. */
static void try_dry(const char *by)
{
	start();
	until(false, dry);
	assert_string_equal(nics.nic[0].ops->name, by);
	assert_int_equal(nics.nic[0].queue[0].has, device->before[0]);
	assert_int_equal(orders(), 0);
	assert_int_equal(undo.count, 0);
	stop();
}

static void try_device(void)
{
	u32 i, before;

	begin(&device->kernel);
	for (i = 0; i < 3; i++)
		put(i, device->before[i]);
	try_dry(device == &devices[1] ? nic_devlink_untried_ops.name : device->by);
	start();
	until(true, enforced);
	assert_true(has(device->asked));
	assert_string_equal(nics.nic[0].ops->name, device->by);
	put(0, 9);
	until(true, has_asked);
	stop();
	/* Killed, all stays; the next one goes on from there. */
	assert_true(has(device->asked));
	before = orders();
	start();
	until(true, enforced);
	assert_string_equal(nics.nic[0].ops->name, device->by);
	assert_int_equal(orders(), before);
	end();
	assert_true(has(device->after));
	assert_null(fake.wrong);
}

static void test_devices(void **state)
{
	u32 i;

	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		device = &devices[i];
		print_message("# %s\n", device->name);
		try_device();
	}
}

/* ---- Nothing else of theirs ---- */

/* Shares where weights are set, and the other way round; shapers that were there or not. */
static void test_others(void **state)
{
	const struct fake_shaper limited = { .there = true, .max = 5ULL << 32, .weight = 50 };

	/* None has a weight yet: that it takes one is known afterwards. */
	device = &devices[2];
	begin(&device->kernel);
	fake.share[0] = 70 * FAKE_BPS_MBIT;
	try_dry(nic_devlink_untried_ops.name);
	start();
	until(true, enforced);
	assert_string_equal(nics.nic[0].ops->name, device->by);
	assert_int_equal(fake.share[0], 70 * FAKE_BPS_MBIT);
	assert_int_equal(fake.share[1], 0);
	end();

	device = &devices[5];
	begin(&device->kernel);
	fake.queue[1] = limited;
	start();
	until(true, enforced);
	assert_true(has((u32 []){ 3, 1, 0 }));
	assert_int_equal(fake.queue[1].max, limited.max);
	assert_int_equal(fake.queue[0].min, 0);
	end();
	/* Of one that was none nothing is left. */
	assert_false(fake.queue[0].there);
	assert_memory_equal(&fake.queue[1], &limited, sizeof(limited));
	assert_null(fake.wrong);
}

/* A shaper with a limit or in a group is somebody's: only the weight is taken off. */
static void test_kept(void **state)
{
	device = &devices[5];
	begin(&device->kernel);
	fake.queue[0] = (struct fake_shaper){ .there = true, .grouped = true };
	fake.queue[1] = (struct fake_shaper){ .there = true, .max = 1000 };
	start();
	until(true, enforced);
	end();
	assert_true(has((u32 []){ 0, 0, 0 }));
	assert_true(fake.queue[0].there && fake.queue[0].grouped);
	assert_true(fake.queue[1].there && fake.queue[1].max == 1000);
	assert_null(fake.wrong);
}

/* ---- What cannot be ---- */

static void fails(const struct fake_kernel *kernel, const char *why)
{
	begin(kernel);
	start();
	until(true, failed);
	assert_string_equal(nics.nic[0].why, why);
	assert_int_equal(orders(), 0);
	clear(NULL);
}

#define NONE(devlink, shaper)	"its queues cannot be weighed: devlink-rate: " devlink \
	"; net-shaper: " shaper "; take classes of tc (nic-queues: [\"1:10\"])"

static void test_none(void **state)
{
	fails(&(struct fake_kernel){ .queues = 0 },
	      NONE("not in this kernel", "not in this kernel"));
	fails(&(struct fake_kernel){ .devlink = true, .shapers = true },
	      NONE("no such virtual function has one", "not of this device"));
	fails(&(struct fake_kernel){ .shapers = true, .queues = 3 },
	      NONE("not in this kernel", "neither weight nor bw-min of a queue"));
	assert_null(fake.wrong);
}

static void test_refused(void **state)
{
	struct fake_kernel kernel = devices[2].kernel;

	kernel.error = -EPERM;
	fails(&kernel, "its virtual functions' tx_weight cannot be set: Operation not permitted: "
	      "CAP_NET_ADMIN is needed");
	kernel = devices[0].kernel;
	kernel.error = -EBUSY;
	fails(&kernel, "its virtual functions' tx_share cannot be set: Device or resource busy");
	kernel = devices[5].kernel;
	kernel.error = -EPERM;
	fails(&kernel, "its queues' shapers cannot be set: Operation not permitted: "
	      "CAP_NET_ADMIN is needed");
	assert_null(fake.wrong);
}

static bool first_has_asked(void)
{
	return failed() && has((u32 []){ device->asked[0], 0, 0 });
}

/* A function or a queue that there is not keeps no other from its weight. */
static void missing(const struct device *d, const char *why)
{
	struct fake_kernel kernel = d->kernel;

	kernel.queues = kernel.functions = 1;
	kernel.devlink = d->kernel.functions;
	device = d;
	begin(&kernel);
	start();
	until(true, first_has_asked);
	assert_string_equal(nics.nic[0].why, why);
	end();
	assert_false(fake.queue[0].there);
	assert_null(fake.wrong);
}

static void test_missing(void **state)
{
	missing(&devices[3], "it has no queue 1 with a weight: see nic-queues of b");
	missing(&devices[5], "it has no transmit queue 1: see nic-queues");
	missing(&devices[6], "it has no transmit queue 1: see nic-queues");
}

/* Somebody's limit in packets stays one. */
static void test_packets(void **state)
{
	device = &devices[6];
	begin(&device->kernel);
	fake.queue[1] = (struct fake_shaper){ .there = true, .metric = NET_SHAPER_METRIC_PPS,
					      .max = 1000 };
	start();
	until(true, failed);
	assert_string_equal(nics.nic[0].why, "it has no queue 1 with a weight: see nic-queues of b");
	assert_int_equal(fake.queue[1].metric, NET_SHAPER_METRIC_PPS);
	assert_int_equal(fake.queue[1].min, 0);
	assert_null(fake.wrong);
}

/* Functions that are removed do not make queues of the tenants' numbers. */
static void test_gone(void **state)
{
	device = &devices[4];
	begin(&device->kernel);
	start();
	until(true, enforced);
	pthread_mutex_lock(&fake_lock);
	fake.functions = 0;
	pthread_mutex_unlock(&fake_lock);
	until(true, failed);
	assert_string_equal(nics.nic[0].why, "it was weighed by devlink tx_weight, but no such "
			    "virtual function has one: see nic-queues");
	assert_false(fake.queue[0].there);
	/* Their weights went with them. */
	end();
	assert_null(fake.wrong);
}

/* What is weighed by something else by now is not given a number of another unit. */
static void test_other_unit(void **state)
{
	begin(&devices[1].kernel);
	assert_int_equal(nic_number_restore(&nic_devlink_weight_ops, "lo 0", "5"), UNDO_GONE);
	begin(&devices[0].kernel);
	assert_int_equal(nic_number_restore(&nic_devlink_weight_ops, "lo 0", "5"), UNDO_GONE);
	begin(&devices[6].kernel);
	assert_int_equal(nic_number_restore(&nic_shaper_weight_ops, "lo 0", "5"), UNDO_GONE);
	begin(&devices[5].kernel);
	assert_int_equal(nic_number_restore(&nic_shaper_weight_ops, "lo 3", "5"), UNDO_GONE);
	assert_int_equal(nic_number_restore(&nic_shaper_weight_ops, "lo", "5"), UNDO_GONE);
	assert_int_equal(nic_number_restore(&nic_shaper_weight_ops, "lo 0", "x"), UNDO_GONE);
	assert_int_equal(orders(), 0);
	assert_int_equal(nic_number_restore(&nic_shaper_weight_ops, "lo 0", "5"), UNDO_DONE);
	assert_int_equal(fake.queue[0].weight, 5);
	assert_null(fake.wrong);
}

/* ---- Messages that are cut or changed ---- */

/* Whatever is told: it is taken for what it is, or told why not. */
static void test_hostile(void **state)
{
	struct nic_work w;
	u32 i, round, done = 0, told = 0;

	for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		device = &devices[i];
		begin(&device->kernel);
		fake.spoil = 1 + i;
		for (round = 0; round < 1000; round++) {
			w = (struct nic_work){ .name = "lo", .by = nic_kernel_ops(0), .set = true,
					       .queues = 2, .id = { 0, 1 },
					       .asked = { round % 200, 1 + round % 7 } };
			assert_true(nic_kernel_work(&w));
			assert_non_null(memchr(w.answer.why, '\0', NIC_WHY));
			done += !*w.answer.why;
			told += !!*w.answer.why;
		}
		assert_true(orders());
	}
	assert_true(done && told);
	assert_null(fake.wrong);
}

static int make_state(void **state)
{
	int fd = mkstemp(state_path);

	if (fd < 0)
		return -1;
	close(fd);
	return unlink(state_path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_devices, clear),
		cmocka_unit_test_teardown(test_others, clear),
		cmocka_unit_test_teardown(test_kept, clear),
		cmocka_unit_test_teardown(test_none, clear),
		cmocka_unit_test_teardown(test_refused, clear),
		cmocka_unit_test_teardown(test_missing, clear),
		cmocka_unit_test_teardown(test_packets, clear),
		cmocka_unit_test_teardown(test_gone, clear),
		cmocka_unit_test(test_other_unit), cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, make_state, NULL);
}
