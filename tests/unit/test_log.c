// SPDX-License-Identifier: GPL-2.0-or-later
/* Shares of the log. */
#include "clock.h"
#include "log_limit.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#define SEC	NSEC_PER_SEC

static bool take(struct log_limit *l, const char *name, u64 now_ns, u64 *kept)
{
	return log_limit_take(l, name, (u32)strlen(name), now_ns, kept);
}

/* Lines told of @n at once. */
static u32 flood(struct log_limit *l, const char *name, u32 n, u64 now_ns)
{
	u32 told = 0;
	u64 kept;

	while (n--)
		told += take(l, name, now_ns, &kept);
	return told;
}

static void test_burst_and_rate(void **state)
{
	static struct log_limit l = { .per_s = 10 };
	u64 now = 5 * SEC, kept;

	assert_int_equal(flood(&l, "a", 1000, now), LOG_BURST);
	assert_false(take(&l, "a", now, &kept));
	/* A line every 100 ms. */
	now += SEC / 10;
	assert_true(take(&l, "a", now, &kept));
	assert_int_equal(kept, 1000 - LOG_BURST + 1);
	assert_false(take(&l, "a", now, &kept));
	assert_int_equal(flood(&l, "a", 1000, now + SEC), 10);
	/* Who was silent may tell as many at once again. */
	assert_int_equal(flood(&l, "a", 1000, now + 60 * SEC), LOG_BURST);
	assert_true(take(&l, "a", now + 100 * SEC, &kept));
	assert_int_equal(kept, 1000 - LOG_BURST);
	assert_true(take(&l, "a", now + 100 * SEC, &kept));
	assert_int_equal(kept, 0);
}

static void test_one_does_not_silence_another(void **state)
{
	static struct log_limit l = { .per_s = 1 };

	flood(&l, "pc0", 100000, SEC);
	assert_int_equal(flood(&l, "pc1", LOG_BURST, SEC), LOG_BURST);
}

static void test_no_limit(void **state)
{
	static struct log_limit l;

	assert_int_equal(flood(&l, "a", 100000, SEC), 100000);
}

static void test_names(void **state)
{
	assert_int_equal(log_name_bytes("pc0: queue 1: given up", 22), 3);
	assert_int_equal(log_name_bytes("no colon", 8), 8);
	assert_int_equal(log_name_bytes("beyond the end: x", 10), 10);
	assert_int_equal(log_name_bytes("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_rate),
		cmocka_unit_test(test_one_does_not_silence_another),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
