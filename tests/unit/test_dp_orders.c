// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orders to rp-dataplane, good and bad ones and such as nobody would write: each gets
 * one reply that is JSON, and no group is ever anywhere but with a thread.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "dp_orders_bed.h"

static void test_good(void **state)
{
	json_t *v;

	orders_bed_open();
	v = orders_bed_ask("{\"v\":1,\"id\":7,\"cmd\":\"telemetry\",\"groups\":true}");
	assert_true(json_is_true(json_object_get(v, "ok")));
	assert_int_equal(json_integer_value(json_object_get(v, "id")), 7);
	assert_int_equal(json_array_size(json_object_get(json_object_get(v, "result"),
							 "group_packets")), GROUPS);
	assert_int_equal(json_array_size(json_object_get(json_object_get(v, "result"), "threads")),
			 bed->dp->cfg.threads);
	json_decref(v);
	v = orders_bed_ask("{\"v\":1,\"cmd\":\"telemetry\",\"threads\":false}");
	assert_null(json_object_get(json_object_get(v, "result"), "threads"));
	assert_non_null(json_object_get(json_object_get(v, "result"), "all"));
	json_decref(v);
	v = orders_bed_ask("{\"v\":1,\"cmd\":\"park\",\"thread\":1}");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(v, "result"),
							    "ordered")), GROUPS / 4);
	json_decref(v);
	v = orders_bed_ask("{\"v\":1,\"cmd\":\"unpark\",\"thread\":1}");
	assert_string_equal(orders_bed_code(v), "busy");
	json_decref(v);
	orders_bed_turns();
	v = orders_bed_ask("{\"v\":1,\"cmd\":\"migrate\",\"groups\":[0],\"to\":1}");
	assert_string_equal(orders_bed_code(v), "bad-value");
	json_decref(v);
	v = orders_bed_ask("{\"v\":1,\"cmd\":\"unpark\",\"thread\":1}");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(v, "result"),
							    "ordered")), GROUPS / 4);
	json_decref(v);
	orders_bed_close();
}

/* To who can take it its page is passed, to a device nothing is. */
static void test_page(void **state)
{
	static const char order[] = "{\"v\":1,\"id\":7,\"cmd\":\"telemetry-page\"}";
	struct lines_peer peer = { .fd = -1, .passes = true };
	char *text;

	orders_bed_open();
	text = orders_answer(&orders_ws, &peer, order, strlen(order));
	assert_non_null(strstr(text, "\"page\":1"));
	assert_int_equal(peer.fd, bed->dp->page.mem.fd);
	free(text);
	peer = (struct lines_peer){ .fd = -1 };
	text = orders_answer(&orders_ws, &peer, order, strlen(order));
	assert_non_null(strstr(text, "no-descriptors"));
	assert_int_equal(peer.fd, -1);
	free(text);
	json_decref(orders_bed_ask("{\"v\":1,\"cmd\":\"status\"}"));
	orders_bed_close();
}

static void test_bad(void **state)
{
	static const char *const line[][2] = {
		{ "", "bad-json" }, { "{", "bad-json" }, { "[]", "bad-json" }, { "1", "bad-json" },
		{ "{\"v\":1,\"v\":1}", "bad-json" }, { "{}", "bad-version" },
		{ "{\"v\":2,\"cmd\":\"status\"}", "bad-version" },
		{ "{\"v\":1}", "bad-value" }, { "{\"v\":1,\"cmd\":1}", "bad-value" },
		{ "{\"v\":1,\"cmd\":\"\"}", "unknown-command" },
		{ "{\"v\":1,\"cmd\":\"status\",\"x\":1}", "unknown-key" },
		{ "{\"v\":1,\"cmd\":\"threads\"}", "bad-value" },
		{ "{\"v\":1,\"cmd\":\"threads\",\"threads\":1e99}", "bad-value" },
		{ "{\"v\":1,\"cmd\":\"threads\",\"threads\":9223372036854775807}", "bad-value" },
		{ "{\"v\":1,\"cmd\":\"park\",\"thread\":0}", "bad-value" },
		{ "{\"v\":1,\"cmd\":\"unpark\",\"thread\":64}", "bad-value" },
		{ "{\"v\":1,\"cmd\":\"migrate\",\"groups\":{},\"to\":0}", "bad-value" },
		{ "{\"v\":1,\"cmd\":\"migrate\",\"groups\":[[0]],\"to\":0}", "bad-value" },
		{ "{\"v\":1,\"cmd\":\"telemetry\",\"groups\":null}", "bad-value" },
		{ "{\"v\":1,\"cmd\":\"telemetry\",\"threads\":2}", "bad-value" },
	};
	u32 i;

	orders_bed_open();
	for (i = 0; i < sizeof(line) / sizeof(line[0]); i++) {
		json_t *v = orders_bed_ask(line[i][0]);

		if (strcmp(orders_bed_code(v), line[i][1]))
			fail_msg("%s: %s, not %s", line[i][0], orders_bed_code(v), line[i][1]);
		json_decref(v);
	}
	assert_int_equal(bed->dp->following_count, 0);
	orders_bed_close();
}

/* Good ones with any numbers, and half of them with bytes changed. */
static void test_random(void **state)
{
	u64 rng = test_seed();
	u32 i;

	orders_bed_open();
	for (i = 0; i < 5000; i++) {
		u8 script[64];
		u32 n = test_below(&rng, sizeof(script)), k;

		for (k = 0; k < n; k++)
			script[k] = (u8)test_rand(&rng);
		orders_bed_play(script, n);
	}
	printf("# %llu moves\n", (unsigned long long)bed->dp->moves.ended[DP_DONE]);
	assert_true(bed->dp->moves.ended[DP_DONE] > 0);
	orders_bed_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_page),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("dp_orders", tests, NULL, NULL);
}
