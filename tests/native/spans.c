// SPDX-License-Identifier: GPL-2.0-or-later
/* Samples and their summary; spans and start-ups from traces made by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

/* First: cmocka has a macro of the name of our fail(). */
#include "spans.h"

#include <cmocka.h>

/* ---- Summaries ---- */

static struct summary summary_of(const double *v, u32 n)
{
	struct samples s = { 0 };
	struct summary out;
	u32 i;

	for (i = 0; i < n; i++)
		samples_add(&s, v[i]);
	samples_summarise(&s, &out);
	samples_free(&s);
	return out;
}

static void test_no_samples(void **state)
{
	struct summary s = summary_of(NULL, 0);

	assert_int_equal(s.n, 0);
	assert_false(is_known(s.mean));
	assert_false(is_known(s.robust));
	assert_false(is_known(s.p98));
}

static void test_one_sample(void **state)
{
	const double v[] = { 7 };
	struct summary s = summary_of(v, 1);

	assert_int_equal(s.n, 1);
	assert_true(s.mean == 7 && s.sd == 0 && s.p50 == 7 && s.p98 == 7 && s.robust == 7);
}

static void test_moments(void **state)
{
	const double v[] = { 9, 2, 4, 4, 5, 5, 7, 4 };
	struct summary s = summary_of(v, 8);

	assert_true(s.mean == 5);
	assert_true(fabs(s.sd - sqrt(32.0 / 7)) < 1e-12);
	assert_true(s.min == 2 && s.max == 9 && s.p50 == 4 && s.p98 == 9);
	/* Quartiles 4 and 5, so that the fences are 1 and 8. */
	assert_int_equal(s.outliers, 1);
	assert_true(fabs(s.robust - 31.0 / 7) < 1e-12);
}

/* A hundred from 100 to 199, and a preemption: fences 125 - 3*50, 174 + 3*50. */
static void test_outliers(void **state)
{
	double v[102];
	struct summary s;
	u32 i;

	for (i = 0; i < 100; i++)
		v[i] = 100 + i;
	v[100] = 4e6;
	v[101] = 5e6;
	s = summary_of(v, 102);
	assert_int_equal(s.outliers, 2);
	assert_true(s.robust == 149.5);
	assert_true(s.max == 5e6 && s.mean > 80000);
}

/* More than a quarter of the samples are preemptions: the fences alone would keep them. */
static void test_busy(void **state)
{
	double v[100];
	struct summary s;
	u32 i;

	for (i = 0; i < 100; i++)
		v[i] = i < 60 ? 30000 + i : 1.1e6 + 1e5 * i;
	s = summary_of(v, 100);
	assert_int_equal(s.outliers, 40);
	assert_true(s.robust == 30029.5);
	/* But where most take that long, it is what it takes. */
	for (i = 0; i < 60; i++)
		v[i] = 2e6;
	s = summary_of(v, 100);
	assert_true(s.outliers < 40 && s.robust > 2e6);
}

/* Two kinds of notifications, cheap and dear: both count. */
static void test_two_modes(void **state)
{
	double v[100];
	struct summary s;
	u32 i;

	for (i = 0; i < 100; i++)
		v[i] = i % 10 < 6 ? 600 : 12000;
	s = summary_of(v, 100);
	assert_int_equal(s.outliers, 0);
	assert_true(fabs(s.robust - 5160) < 1e-9);
}

/* ---- Spans; 1 GHz, so that ticks are ns ---- */

static json_t *trace_of(const char *events, int offset)
{
	return json_pack("{s:i, s:i, s:o}", "tsc_hz", 1000000000, "clock_offset_tsc", offset,
			 "events", json_loads(events, 0, NULL));
}

/* What the spans of @kind between the two traces are, joined: "10 20". */
static const char *spans(const struct run_params *p, const char *of_p, const char *of_c,
			 int offset, enum span_kind kind)
{
	static char text[256];
	struct run_sides sides = { .trace_p = trace_of(of_p, offset),
				   .trace_c = trace_of(of_c, offset) };
	struct samples v = { 0 };
	size_t len = 0;
	u32 i;

	spans_collect(p, &sides, kind, &v);
	text[0] = 0;
	for (i = 0; i < v.n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.0f", i ? " " : "",
					v.v[i]);
	samples_free(&v);
	json_decref(sides.trace_p);
	json_decref(sides.trace_c);
	return text;
}

static const struct run_params fwd = { .dir = RUN_FWD }, rev = { .dir = RUN_REV };

#define NOTICE(start, end) "[" #start ",\"notify_start\",0],[" #end ",\"notify_end\",0]"
#define BLOCK(begin, wake) "[" #begin ",\"block\",0],[" #wake ",\"wake\",0]"

static void test_own_spans(void **state)
{
	const char *p = "[" NOTICE(100, 110) "," NOTICE(200, 225) "]";
	const char *c = "[[5,\"sleep\",0],[80,\"slept\",0],[90,\"arm\",1],"
			"[91,\"double_check\",0],[95,\"arm\",1],[98,\"block\",0]]";

	assert_string_equal(spans(&fwd, p, c, 0, SPAN_NP), "10 25");
	assert_string_equal(spans(&fwd, p, c, 0, SPAN_NC), "");
	assert_string_equal(spans(&fwd, p, c, 0, SPAN_YC), "75");
	/* The arming that found work after all is not the one that led to the block. */
	assert_string_equal(spans(&fwd, p, c, 0, SPAN_WINDOW), "3");
}

/* A ring that has wrapped begins in the middle. */
static void test_cut_traces(void **state)
{
	const char *p = "[[50,\"notify_end\",0]," NOTICE(100, 110) ",[200,\"notify_start\",0]]";
	const char *c = "[[60,\"wake\",0]," BLOCK(90, 140) "]";

	assert_string_equal(spans(&fwd, p, c, 0, SPAN_NP), "10");
	assert_string_equal(spans(&fwd, p, c, 0, SPAN_SC), "30");
}

static void test_startup(void **state)
{
	/* The second wake-up comes inside the system call; the third is nobody's. */
	const char *p = "[" NOTICE(100, 110) "," NOTICE(200, 250) "]";
	const char *c = "[" BLOCK(90, 140) "," BLOCK(190, 230) "," BLOCK(300, 400) "]";

	assert_string_equal(spans(&fwd, p, c, 0, SPAN_SC), "30 0");
	assert_string_equal(spans(&fwd, p, c, 0, SPAN_SP), "");
}

/* A notification that ended before the block was for an earlier one. */
static void test_stale_notice(void **state)
{
	const char *p = "[" NOTICE(100, 110) "," NOTICE(200, 210) "]";
	const char *c = "[" BLOCK(150, 160) "," BLOCK(190, 240) "]";

	assert_string_equal(spans(&fwd, p, c, 0, SPAN_SC), "30");
}

/* Of two notifications before one wake-up, the later one counts, once. */
static void test_two_notices(void **state)
{
	const char *p = "[" NOTICE(100, 110) "," NOTICE(120, 130) "]";
	const char *c = "[" BLOCK(90, 140) "," BLOCK(141, 150) "]";

	assert_string_equal(spans(&fwd, p, c, 0, SPAN_SC), "10");
}

/* The driver's counter is 1000 behind: P's on fwd, C's on rev. */
static void test_offset(void **state)
{
	const char *no = "[" NOTICE(100, 110) "]", *no_late = "[" NOTICE(1100, 1110) "]";
	const char *wa = "[" BLOCK(90, 140) "]", *wa_late = "[" BLOCK(1090, 1140) "]";

	assert_string_equal(spans(&fwd, no, wa_late, 1000, SPAN_SC), "30");
	assert_string_equal(spans(&rev, no_late, wa, 1000, SPAN_SC), "30");
	assert_string_equal(spans(&fwd, wa, no_late, 1000, SPAN_SP), "30");
	assert_string_equal(spans(&rev, wa_late, no, 1000, SPAN_SP), "30");
}

static void test_no_trace(void **state)
{
	struct run_sides sides = { .trace_p = NULL };
	struct samples v = { 0 };

	spans_collect(&fwd, &sides, SPAN_SC, &v);
	spans_collect(&fwd, &sides, SPAN_NP, &v);
	assert_int_equal(v.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_samples),
		cmocka_unit_test(test_one_sample),
		cmocka_unit_test(test_moments),
		cmocka_unit_test(test_outliers),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_two_modes),
		cmocka_unit_test(test_own_spans),
		cmocka_unit_test(test_cut_traces),
		cmocka_unit_test(test_startup),
		cmocka_unit_test(test_stale_notice),
		cmocka_unit_test(test_two_notices),
		cmocka_unit_test(test_offset),
		cmocka_unit_test(test_no_trace),
	};

	return cmocka_run_group_tests_name("spans", tests, NULL, NULL);
}
