// SPDX-License-Identifier: GPL-2.0-or-later
/* `ringpace top`: rates between two samples, cells that fit, the order of rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Before cmocka.h, which makes a macro of fail(). */
#include "top/top.h"

#include <cmocka.h>

static const struct top_counts first = {
	.duration_ns = 1e9, .cpu_ns = 4e8, .items = 1000, .received = 10, .sent = 20,
	.sleeps = 30, .late = 5, .timed = 1000,
};

static struct top_row row(void)
{
	struct top_row r = {
		.device = "pc0", .dmax_ns = 1000, .p98_ns = UNKNOWN, .y_ns = UNKNOWN,
		.k = UNKNOWN, .window = UNKNOWN, .predicted_t_ns = UNKNOWN,
		.burst = UNKNOWN, .occupancy = UNKNOWN,
		.counts = {
			.duration_ns = 3e9, .cpu_ns = 1e9, .items = 5000, .received = 110,
			.sent = 40, .sleeps = 110, .late = 25, .timed = 5000,
		},
	};

	return r;
}

static void test_rates(void **state)
{
	struct top_row r = row();

	top_rates(&r, &first);
	assert_float_equal(r.items_per_s, 2000, 1e-9);
	assert_float_equal(r.t_ns, 500000, 1e-6);
	assert_float_equal(r.kicks_per_s, 50, 1e-9);
	assert_float_equal(r.calls_per_s, 10, 1e-9);
	assert_float_equal(r.sleeps_per_s, 40, 1e-9);
	assert_float_equal(r.batch, 20, 1e-9);
	assert_float_equal(r.cpu_host, 0.3, 1e-9);
	assert_float_equal(r.late, 0.005, 1e-9);
}

static void test_rates_unknown(void **state)
{
	struct top_row r = row();

	top_rates(&r, NULL);
	assert_false(is_known(r.items_per_s) || is_known(r.t_ns) || is_known(r.cpu_host));
	/* Nothing moved: a rate of 0, and no time per item. */
	r = row();
	r.counts = first;
	r.counts.duration_ns = 2e9;
	top_rates(&r, &first);
	assert_float_equal(r.items_per_s, 0, 0);
	assert_false(is_known(r.t_ns) || is_known(r.batch) || is_known(r.late));
}

static void test_rates_after_reset(void **state)
{
	struct top_row r = row();

	r.counts = first;
	r.counts.duration_ns = 5e8;
	r.counts.items = 4000;
	top_rates(&r, &first);
	assert_float_equal(r.items_per_s, 8000, 1e-9);
	assert_float_equal(r.kicks_per_s, 20, 1e-9);
}

static const char *cell(const struct top_row *r, const char *column)
{
	static char text[64];
	int i = top_column_by_key(column);

	assert_true(i >= 0);
	top_cell(r, (u32)i, text, sizeof(text));
	assert_true((int)strlen(text) <= abs(top_columns[i].width));
	return text;
}

static void test_cells(void **state)
{
	static const double wild[] = { 0, 0.004, 1, 9.996, 99.96, 999.6, 9996, 99960, 999600, 1e7,
		1e9, 1e11, UNKNOWN };
	struct top_row r = row();
	u32 i;

	top_rates(&r, NULL);
	strcpy(r.device, "a-device-of-a-long-name");
	r.queue = 127;
	assert_string_equal(cell(&r, "queue"), "a-:127>");
	assert_string_equal(cell(&r, "t_ns"), "-");
	r.t_ns = 533;
	assert_string_equal(cell(&r, "t_ns"), "533n");
	r.t_ns = 20273;
	assert_string_equal(cell(&r, "t_ns"), "20.3u");
	r.window = 512;
	assert_string_equal(cell(&r, "window"), "512");
	r.k = 1;
	assert_string_equal(cell(&r, "wait"), "1");
	r.y_ns = 50000;
	assert_string_equal(cell(&r, "wait"), "50.0u");
	r.cpu_host = 0.996;
	assert_string_equal(cell(&r, "cpu"), "100/-");
	for (i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		r.items_per_s = r.kicks_per_s = r.batch = r.window = wild[i];
		r.y_ns = r.t_ns = wild[i];
		cell(&r, "items_per_s");
		cell(&r, "kicks_per_s");
		cell(&r, "batch");
		cell(&r, "window");
		cell(&r, "wait");
		cell(&r, "t_ns");
	}
	r.late = 1;
	assert_string_equal(cell(&r, "late"), "100.0");
}

static void test_fits_80(void **state)
{
	int width = -1;
	u32 i;

	for (i = 0; i < top_columns_count; i++)
		if (top_columns[i].from_width <= 80)
			width += abs(top_columns[i].width) + 1;
	assert_true(width <= 80);
}

static void test_late(void **state)
{
	struct top_row r = row();

	r.late = UNKNOWN;
	assert_false(top_is_late(&r));
	r.p98_ns = 1001;
	assert_true(top_is_late(&r));
	r.late = 0.02;
	assert_false(top_is_late(&r));
	r.dmax_ns = r.late = UNKNOWN;
	assert_false(top_is_late(&r));
}

static void test_order(void **state)
{
	struct top_row rows[3] = { row(), row(), row() };
	struct top t = { .rows = rows, .n = 3 };
	u32 items = (u32)top_column_by_key("items_per_s");

	rows[0].items_per_s = UNKNOWN;
	rows[1].items_per_s = 5;
	rows[2].items_per_s = 7;
	rows[0].queue = 2;
	rows[2].queue = 1;
	top_sort(&t, items, false);
	assert_true(rows[0].items_per_s == 7 && rows[1].items_per_s == 5);
	top_sort(&t, items, true);
	assert_true(rows[0].items_per_s == 5 && !is_known(rows[2].items_per_s));
	top_sort(&t, (u32)top_column_by_key("queue"), false);
	assert_true(rows[0].queue == 0 && rows[1].queue == 1 && rows[2].queue == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_rates_unknown),
		cmocka_unit_test(test_rates_after_reset),
		cmocka_unit_test(test_cells),
		cmocka_unit_test(test_fits_80),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
