// SPDX-License-Identifier: GPL-2.0-or-later
/* How the figures of the two sides become one result, and what stays unknown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

/* Before cmocka.h, which makes a macro of fail(). */
#include "json.h"
#include "lane.h"

#include <cmocka.h>

/* Of the table of lanes only the names are needed here. */
const char *const run_dir_names[] = { [RUN_FWD] = "fwd", [RUN_REV] = "rev" };
const char *const run_backend_names[] = { "user", "kernel" };
static const struct lane_ops some_lane = { .name = "some" };

static struct run_params params(enum run_dir_id dir)
{
	return (struct run_params) {
		.lane = &some_lane,
		.dir = dir,
		.strategy_p = RP_NOTIFY,
		.strategy_c = RP_NOTIFY,
		.queue_len = 64,
	};
}

static json_t *parse(const char *text)
{
	json_t *v = json_loads(text, 0, NULL);

	assert_non_null(v);
	return v;
}

/* The two windows differ in length: each side's rates are by its own. */
static const char stats_p[] =
	"{\"items\":2100,\"duration_ns\":2000000,\"cpu_ns\":1000000,\"sent\":20,\"spurious\":3,"
	"\"sleeps\":0,\"w_ns\":300,\"n_ns\":1100,\"y_ns\":0,\"lost\":0,\"reordered\":0}";
static const char stats_c[] =
	"{\"items\":1000,\"duration_ns\":1000000,\"cpu_ns\":250000,\"sent\":5,\"spurious\":2,"
	"\"sleeps\":25,\"w_ns\":200,\"n_ns\":900,\"y_ns\":51000,\"lost\":4,\"reordered\":1,"
	"\"lat_count\":1000,\"lat_p50_ns\":10,\"lat_p98_ns\":20,\"lat_p99_ns\":30,"
	"\"lat_max_ns\":40,\"clock_error_ns\":7}";

static void merge(enum run_dir_id dir, const char *p, const char *c, struct run_result *r)
{
	struct run_params rp = params(dir);
	struct run_sides s = { .stats_p = parse(p), .stats_c = parse(c), .lost_at_end = UNKNOWN };

	run_merge(&rp, &s, r);
	json_decref(s.stats_p);
	json_decref(s.stats_c);
}

static void test_fwd(void **state)
{
	struct run_result r;

	merge(RUN_FWD, stats_p, stats_c, &r);
	assert_float_equal(r.items, 1000, 0);
	assert_float_equal(r.items_per_s, 1e6, 1e-3);
	assert_float_equal(r.t_ns, 1000, 1e-6);
	assert_float_equal(r.cpu_p, 0.5, 1e-9);
	assert_float_equal(r.cpu_c, 0.25, 1e-9);
	assert_float_equal(r.e_ns, 750, 1e-6);
	assert_float_equal(r.kicks_per_s, 10000, 1e-6);
	assert_float_equal(r.spurious_kicks_per_s, 2000, 1e-6);
	assert_float_equal(r.calls_per_s, 5000, 1e-6);
	assert_float_equal(r.sleeps_p_per_s, 0, 0);
	assert_float_equal(r.sleeps_c_per_s, 25000, 1e-6);
	assert_float_equal(r.batch, 25, 1e-6);
	assert_float_equal(r.clock_error_ns, 7, 0);
	assert_float_equal(r.lost, 4, 0);
	assert_float_equal(r.reordered, 1, 0);
	assert_float_equal(r.np_ns, 1100, 0);
	assert_float_equal(r.yc_ns, 51000, 0);
}

/* The host produces: kicks are C's notifications, spurious ones P's to count. */
static void test_rev(void **state)
{
	struct run_result r;

	merge(RUN_REV, stats_p, stats_c, &r);
	assert_float_equal(r.kicks_per_s, 5000, 1e-6);
	assert_float_equal(r.calls_per_s, 10000, 1e-6);
	assert_float_equal(r.spurious_kicks_per_s, 1500, 1e-6);
}

static void test_unknown_is_null(void **state)
{
	struct run_result r;
	json_t *v;

	merge(RUN_FWD, "{\"items\":0,\"duration_ns\":1000,\"sent\":0,\"sleeps\":0,\"n_ns\":0,"
	      "\"w_ns\":0,\"y_ns\":0}", "{\"items\":7,\"duration_ns\":1000,\"sent\":0,"
	      "\"sleeps\":0,\"lat_count\":0,\"lat_p50_ns\":0,\"w_ns\":9,\"lost\":0}", &r);
	v = run_result_json(&r);
	/* Counted as 0 is 0; a mean over nothing, or what nobody told, is null. */
	assert_float_equal(json_number_at(v, "kicks_per_s"), 0, 0);
	assert_true(json_is_null(json_object_get(v, "batch")));
	assert_true(json_is_null(json_object_get(v, "cpu_p")));
	assert_true(json_is_null(json_object_get(v, "e_ns")));
	assert_true(json_is_null(json_object_get(v, "reordered")));
	assert_true(json_is_null(json_object_get(json_object_get(v, "latency_ns"), "p50")));
	assert_true(json_is_null(json_object_get(json_object_get(v, "params"), "wp_ns")));
	assert_float_equal(json_number_at(json_object_get(v, "params"), "wc_ns"), 9, 0);
	assert_true(json_is_null(json_object_get(json_object_get(v, "params"), "np_ns")));
	assert_true(json_is_null(json_object_get(json_object_get(v, "params"), "sc_ns")));
	json_decref(v);
}

static json_t *clock_in_result(const char *clock)
{
	struct run_params rp = params(RUN_FWD);
	struct run_sides s = {
		.stats_p = parse(stats_p), .stats_c = parse(stats_c),
		.clock = clock ? parse(clock) : NULL, .lost_at_end = UNKNOWN,
	};
	struct run_result r;

	run_merge(&rp, &s, &r);
	json_decref(s.stats_p);
	json_decref(s.stats_c);
	json_decref(s.clock);
	return run_result_json(&r);
}

/* KVM's record comes through to the result, to the last digit. */
static void test_clock(void **state)
{
	static const char *const clocks[] = {
		"{\"offset_tsc\":78288146315838123,\"error_ns\":7,"
		"\"kvm_offset_tsc\":-78288146315838121,\"difference_ns\":1,\"agrees\":true}",
		"{\"offset_tsc\":5,\"error_ns\":7,\"kvm_offset_tsc\":99,"
		"\"difference_ns\":45,\"agrees\":false}",
		"{\"offset_tsc\":null,\"error_ns\":7,\"kvm_offset_tsc\":null,"
		"\"difference_ns\":null,\"agrees\":null,\"why\":\"it is scaled\"}",
	};
	json_t *v, *want;
	size_t i;

	for (i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		v = clock_in_result(clocks[i]);
		want = parse(clocks[i]);
		assert_true(json_equal(json_object_get(v, "clock"), want));
		json_decref(want);
		json_decref(v);
	}
	v = clock_in_result(NULL);
	assert_true(json_is_null(json_object_get(v, "clock")));
	json_decref(v);
}

static void test_pacing(void **state)
{
	struct run_params rp = params(RUN_FWD);
	struct run_sides s = {
		.stats_p = parse("{\"pacing\":{\"regime\":\"sFC\",\"unmet\":null,\"predicted_t_ns\":300,"
				 "\"mode_ns\":{\"spin\":0,\"sleep\":0,\"block\":0}}}"),
		.stats_c = parse("{\"late\":5,\"lat_count\":1000,\"lat_p98_ns\":900,\"pacing\":"
				 "{\"regime\":\"idle\",\"unmet\":\"dmax_ns: too short\","
				 "\"predicted_t_ns\":320,"
				 "\"mode_ns\":{\"spin\":25,\"sleep\":75,\"block\":0}}}"),
		.lost_at_end = UNKNOWN,
	};
	struct run_result r;
	json_t *v, *c;

	rp.dmax_ns = 900;
	run_merge(&rp, &s, &r);
	v = run_result_json(&r);
	assert_string_equal(json_string_value(json_object_get(v, "regime")), "sFC/idle");
	assert_string_equal(json_string_value(json_object_get(v, "unmet")), "dmax_ns: too short");
	assert_float_equal(json_number_at(v, "predicted_t_ns"), 320, 0);
	assert_float_equal(json_number_at(v, "late"), 0.005, 1e-9);
	assert_true(json_is_true(json_object_get(v, "dmax_met")));
	c = json_object_get(json_object_get(v, "strategy_time"), "c");
	assert_float_equal(json_number_at(c, "spin"), 0.25, 1e-9);
	assert_float_equal(json_number_at(c, "sleep"), 0.75, 1e-9);
	assert_true(json_is_null(json_object_get(json_object_get(v, "strategy_time"), "p")));
	json_decref(v);
	rp.dmax_ns = 899;
	run_merge(&rp, &s, &r);
	v = run_result_json(&r);
	assert_true(json_is_false(json_object_get(v, "dmax_met")));
	json_decref(v);
	run_sides_free(&s);
}

/* Without a gap, only an end that was seen says that nothing is lost. */
static void test_lost_without_an_end(void **state)
{
	struct run_params rp = params(RUN_REV);
	struct run_sides s = { .stats_c = parse("{\"lost\":0}"), .lost_at_end = UNKNOWN };
	struct run_result r;

	run_merge(&rp, &s, &r);
	assert_false(is_known(r.lost));
	s.lost_at_end = 0;
	run_merge(&rp, &s, &r);
	assert_float_equal(r.lost, 0, 0);
	json_object_set_new(s.stats_c, "lost", json_integer(3));
	s.lost_at_end = UNKNOWN;
	run_merge(&rp, &s, &r);
	assert_float_equal(r.lost, 3, 0);
	run_sides_free(&s);
}

static double sc_of(const char *trace_p, const char *trace_c)
{
	struct run_params rp = params(RUN_FWD);
	struct run_sides s = {
		.trace_p = parse(trace_p),
		.trace_c = parse(trace_c),
		.lost_at_end = UNKNOWN,
	};
	struct run_result r;

	run_merge(&rp, &s, &r);
	run_sides_free(&s);
	return r.sc_ns;
}

void run_sides_free(struct run_sides *s)
{
	json_decref(s->stats_p);
	json_decref(s->stats_c);
	json_decref(s->trace_p);
	json_decref(s->trace_c);
}

/* A counter of 1 GHz: ticks are ns. */
#define TRACE(offset, events) \
	"{\"tsc_hz\":1000000000,\"clock_offset_tsc\":" offset ",\"events\":[" events "]}"

static void test_startup(void **state)
{
	/* 100 after the notification, by the driver's clock 1000 behind ours. */
	assert_float_equal(sc_of(TRACE("1000", "[500,\"notify_start\",0],[600,\"notify_end\",0]"),
				 TRACE("null", "[1400,\"block\",0],[1700,\"wake\",0]")), 100, 1e-9);
	/* Woken inside the sender's system call. */
	assert_float_equal(sc_of(TRACE("0", "[500,\"notify_start\",0],[600,\"notify_end\",0]"),
				 TRACE("0", "[400,\"block\",0],[550,\"wake\",0]")), 0, 1e-9);
	/* Two wake-ups, two notifications: means of 50 and 150. */
	assert_float_equal(sc_of(TRACE("0", "[500,\"notify_start\",0],[600,\"notify_end\",0],"
					    "[1500,\"notify_start\",0],[1600,\"notify_end\",0]"),
				 TRACE("0", "[400,\"block\",0],[650,\"wake\",0],"
					    "[1400,\"block\",0],[1750,\"wake\",0]")), 100, 1e-9);
}

static void test_startup_unmatched(void **state)
{
	/* The notification had ended before the block: it was pending, no wake-up. */
	assert_false(is_known(sc_of(
		TRACE("0", "[500,\"notify_start\",0],[600,\"notify_end\",0]"),
		TRACE("0", "[700,\"block\",0],[710,\"wake\",0]"))));
	/* One notification wakes once. */
	assert_float_equal(sc_of(TRACE("0", "[500,\"notify_start\",0],[600,\"notify_end\",0]"),
				 TRACE("0", "[400,\"block\",0],[620,\"wake\",0],"
					    "[630,\"block\",0],[990,\"wake\",0]")), 20, 1e-9);
	/* Clocks that nobody aligned cannot be merged. */
	assert_false(is_known(sc_of(
		TRACE("null", "[500,\"notify_start\",0],[600,\"notify_end\",0]"),
		TRACE("null", "[400,\"block\",0],[700,\"wake\",0]"))));
	/* Nonsense in a trace is skipped. */
	assert_false(is_known(sc_of(TRACE("0", "5,[],[1],[\"a\",2,3]"),
				    TRACE("0", "{},null,[1,\"wake\"]"))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fwd),
		cmocka_unit_test(test_rev),
		cmocka_unit_test(test_unknown_is_null),
		cmocka_unit_test(test_lost_without_an_end),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_pacing),
		cmocka_unit_test(test_startup),
		cmocka_unit_test(test_startup_unmatched),
	};

	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
