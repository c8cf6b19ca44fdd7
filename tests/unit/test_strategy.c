// SPDX-License-Identifier: GPL-2.0-or-later
/* The static strategies: names, parameter bounds, decisions. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "pacing/pacing.h"
#include "virtio_pc.h"

static const struct rp_params good = {
	.strategy = RP_NOTIFY,
	.role = RP_CONSUMER,
	.queue_len = 256,
	.threshold = 192,
	.y_ns = 50000,
};

static void test_names(void **state)
{
	u32 id;

	for (id = 0; id < RP_STRATEGIES; id++) {
		const struct rp_strategy_ops *ops = rp_strategy_by_id(id);

		if (!ops)
			continue;

		assert_non_null(ops);
		assert_int_equal(rp_strategy_id_by_name(ops->name), id);
	}
	assert_null(rp_strategy_by_id(RP_STRATEGIES));
	assert_null(rp_strategy_by_id(UINT32_MAX));
	assert_int_equal(rp_strategy_id_by_name("Notify"), -1);
	assert_int_equal(rp_strategy_id_by_name(""), -1);
}

/* The numbers are ABI: those of the device's uapi header. */
static void test_numbers(void **state)
{
	assert_int_equal(rp_strategy_id_by_name("notify"), VIRTIO_PC_NOTIFY);
	assert_int_equal(rp_strategy_id_by_name("sleep"), VIRTIO_PC_SLEEP);
	assert_int_equal(rp_strategy_id_by_name("busy"), VIRTIO_PC_BUSY);
}

/* A refusal names the parameter. */
#define REFUSED(field, value, name) do {			\
	struct rp_params p = good;				\
	const char *why;					\
								\
	p.field = (value);					\
	why = rp_params_check(&p);				\
	assert_non_null(why);					\
	assert_int_equal(strncmp(why, name, strlen(name)), 0);	\
} while (0)

#define TAKEN(field, value) do {				\
	struct rp_params p = good;				\
								\
	p.field = (value);					\
	assert_null(rp_params_check(&p));			\
} while (0)

static void test_bounds(void **state)
{
	assert_null(rp_params_check(&good));
	REFUSED(strategy, RP_STRATEGIES, "strategy");
	REFUSED(queue_len, 0, "queue_len");
	REFUSED(queue_len, 32769, "queue_len");
	REFUSED(queue_len, 191, "threshold");
	REFUSED(threshold, 0, "threshold");
	REFUSED(threshold, 257, "threshold");
	REFUSED(y_ns, 1000000001, "y_ns");
	TAKEN(queue_len, 32768);
	TAKEN(queue_len, 192);
	TAKEN(threshold, 1);
	TAKEN(threshold, 256);
	TAKEN(y_ns, 0);
	TAKEN(y_ns, 1000000000);
}

static void test_decisions(void **state)
{
	struct rp_params p = good;
	struct rp_strategy s;
	struct rp_decision d;

	rp_strategy_init(&s, &p, NULL);
	d = s.ops->idle(&s, 1);
	assert_int_equal(d.wait, RP_WAIT_BLOCK);
	assert_int_equal(d.threshold, 192);
	p.strategy = RP_SLEEP;
	rp_strategy_init(&s, &p, NULL);
	d = s.ops->idle(&s, 1);
	assert_int_equal(d.wait, RP_WAIT_SLEEP);
	assert_int_equal(d.wait_ns, 50000);
	p.strategy = RP_BUSY;
	rp_strategy_init(&s, &p, NULL);
	d = s.ops->idle(&s, 1);
	assert_int_equal(d.wait, RP_WAIT_SPIN);
}

static void test_default_threshold(void **state)
{
	assert_int_equal(rp_default_threshold(RP_CONSUMER, 256), 1);
	assert_int_equal(rp_default_threshold(RP_PRODUCER, 256), 192);
	assert_int_equal(rp_default_threshold(RP_PRODUCER, 2), 2);
	assert_int_equal(rp_default_threshold(RP_PRODUCER, 1), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_decisions),
		cmocka_unit_test(test_default_threshold),
	};

	return cmocka_run_group_tests_name("strategy", tests, NULL, NULL);
}
