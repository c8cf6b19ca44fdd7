// SPDX-License-Identifier: GPL-2.0-or-later
/* ringpaced's control protocol: every command, every error code, and noise. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../vhost/daemon/control.h"
#include "../../vhost/daemon/worker.h"

#define SLOTS		16u
#define GPA		0x100000u

static struct device device;
static struct devices devices = { .count = 1, .dev = { &device } };

/* A guest that never does anything: its memory, with an empty ring. */
static struct {
	struct vring_desc desc[SLOTS] __attribute__((aligned(16)));
	u16 avail[3 + SLOTS];
	u8 used[6 + 8 * SLOTS] __attribute__((aligned(4)));
} guest;

static const struct rp_mem guest_mem = {
	.count = 1,
	.region = { { GPA, sizeof(guest), (u8 *)&guest } },
};

static int set_up(void **state)
{
	const struct device_options opt = {
		.name = "pc0", .socket = "/nowhere", .pairs = 2, .item_bytes = 64,
	};

	worker_setup();
	queue_tsc_hz = 2000000000;
	return device_init(&device, &opt);
}

static int tear_down(void **state)
{
	device_fini(&device);
	return 0;
}

static json_t *ask(const char *line)
{
	char *text = control_answer(&devices, NULL, line, strlen(line));
	json_t *o;

	assert_non_null(text);
	assert_null(strchr(text, '\n'));
	o = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(o);
	assert_int_equal(json_integer_value(json_object_get(o, "v")), 1);
	assert_non_null(json_object_get(o, "id"));
	return o;
}

static json_t *expect_ok(const char *line)
{
	json_t *o = ask(line), *result = json_object_get(o, "result");

	assert_true(json_is_true(json_object_get(o, "ok")));
	assert_true(json_is_object(result));
	json_incref(result);
	json_decref(o);
	return result;
}

static void do_ok(const char *line)
{
	json_decref(expect_ok(line));
}

/* @word: what the message must name. */
static void expect_error(const char *line, const char *code, const char *word)
{
	json_t *o = ask(line), *e = json_object_get(o, "error");
	const char *message = json_string_value(json_object_get(e, "message"));

	assert_true(json_is_false(json_object_get(o, "ok")));
	assert_string_equal(json_string_value(json_object_get(e, "code")), code);
	assert_non_null(message);
	if (!strstr(message, word))
		fail_msg("\"%s\" does not name \"%s\"", message, word);
	json_decref(o);
}

static json_int_t int_of(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	assert_true(json_is_integer(v));
	return json_integer_value(v);
}

static void attach(u32 index)
{
	const struct queue_ring ring = {
		.vring = { SLOTS, guest.desc, (void *)guest.avail, (void *)guest.used },
		.mem = &guest_mem, .event_idx = true,
		.kick_fd = -1, .call_fd = -1, .err_fd = -1,
	};

	queue_park(&device.queues[index]);
	assert_int_equal(queue_attach(&device.queues[index], &ring), 0);
	assert_int_equal(queue_resume(&device.queues[index]), 0);
}

static void detach(u32 index)
{
	queue_end_thread(&device.queues[index]);
	queue_detach(&device.queues[index]);
}

static void test_envelope(void **state)
{
	json_t *o = ask("{\"v\":1,\"id\":{\"a\":[1,null]},\"cmd\":\"hello\"}");
	char *id = json_dumps(json_object_get(o, "id"), JSON_COMPACT);

	assert_string_equal(id, "{\"a\":[1,null]}");
	free(id);
	json_decref(o);
	o = ask("{\"v\":1,\"cmd\":\"hello\"}");
	assert_true(json_is_null(json_object_get(o, "id")));
	json_decref(o);
}

static void test_errors(void **state)
{
	expect_error("", "bad-json", "");
	expect_error("{", "bad-json", "");
	expect_error("[1]", "bad-json", "object");
	expect_error("{\"v\":1,\"v\":1}", "bad-json", "duplicate");
	expect_error("{\"cmd\":\"hello\"}", "bad-version", "v:");
	expect_error("{\"v\":2,\"cmd\":\"hello\"}", "bad-version", "v:");
	expect_error("{\"v\":\"1\",\"cmd\":\"hello\"}", "bad-version", "v:");
	expect_error("{\"v\":1}", "bad-value", "cmd");
	expect_error("{\"v\":1,\"cmd\":7}", "bad-value", "cmd");
	expect_error("{\"v\":1,\"cmd\":\"dance\"}", "unknown-command", "dance");
	expect_error("{\"v\":1,\"cmd\":\"hello\",\"x\":1}", "unknown-key", "\"x\"");
	expect_error("{\"v\":1,\"cmd\":\"stats\"}", "bad-value", "device");
	expect_error("{\"v\":1,\"cmd\":\"stats\",\"device\":\"no\",\"queue\":0}",
		     "no-device", "\"no\"");
	expect_error("{\"v\":1,\"cmd\":\"stats\",\"device\":\"pc0\"}", "bad-value", "queue");
	expect_error("{\"v\":1,\"cmd\":\"stats\",\"device\":\"pc0\",\"queue\":4}",
		     "no-queue", "0..3");
	expect_error("{\"v\":1,\"cmd\":\"stats\",\"device\":\"pc0\",\"queue\":-1}",
		     "bad-value", "queue");
	expect_error("{\"v\":1,\"cmd\":\"start\",\"device\":\"pc0\",\"queue\":0}",
		     "no-queue", "fwd");
	expect_error("{\"v\":1,\"cmd\":\"start\",\"device\":\"pc0\",\"queue\":1}",
		     "not-ready", "queue 1");
}

/* A bad value changes nothing, the good ones beside it neither. */
static void test_set_errors(void **state)
{
	static const struct { const char *args, *word; } bad[] = {
		{ "\"strategy\":\"nap\"", "nap" },
		{ "\"strategy\":2", "strategy" },
		{ "\"w_ns\":-1", "w_ns" },
		{ "\"w_ns\":1000000001", "w_ns" },
		{ "\"w_ns\":1.5", "w_ns" },
		{ "\"w_dist\":\"normal\"", "w_dist" },
		{ "\"w_dist\":1", "w_dist" },
		{ "\"y_ns\":1000000001", "y_ns" },
		{ "\"y_ns\":true", "y_ns" },
		{ "\"k\":32769", "k:" },
		{ "\"k\":9,\"queue_len\":8", "k: 9 is more than queue_len 8" },
		{ "\"queue_len\":32769", "queue_len" },
		{ "\"burst\":0", "burst" },
		{ "\"item_bytes\":31", "item_bytes" },
		{ "\"item_bytes\":65537", "item_bytes" },
		{ "\"cpu\":-2", "cpu" },
		{ "\"cpu\":100000", "cpu" },
		{ "\"trace\":1", "trace" },
		{ "\"trace_items\":\"yes\"", "trace_items" },
	};
	char line[256];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line),
			 "{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":2,"
			 "\"strategy\":\"busy\",%s}", bad[i].args);
		if (strstr(bad[i].args, "strategy"))
			snprintf(line, sizeof(line),
				 "{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\","
				 "\"queue\":2,\"burst\":5,%s}", bad[i].args);
		expect_error(line, "bad-value", bad[i].word);
		assert_int_equal(device.queues[2].params.strategy, RP_NOTIFY);
		assert_int_equal(device.queues[2].params.burst, 1);
	}
	expect_error("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":2,\"yns\":1}",
		     "unknown-key", "yns");
}

static void test_set(void **state)
{
	json_t *q = expect_ok("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":2,"
			      "\"strategy\":\"sleep\",\"w_ns\":300,\"y_ns\":50000,"
			      "\"k\":3,\"queue_len\":128,\"burst\":4,\"item_bytes\":128,"
			      "\"trace\":true,\"trace_items\":true}");

	assert_string_equal(json_string_value(json_object_get(q, "strategy")), "sleep");
	assert_string_equal(json_string_value(json_object_get(q, "dir")), "fwd");
	assert_int_equal(int_of(q, "pair"), 1);
	assert_int_equal(int_of(q, "w_ns"), 300);
	assert_int_equal(int_of(q, "y_ns"), 50000);
	assert_int_equal(int_of(q, "k"), 3);
	assert_int_equal(int_of(q, "queue_len"), 128);
	assert_int_equal(int_of(q, "burst"), 4);
	assert_int_equal(int_of(q, "item_bytes"), 128);
	assert_int_equal(int_of(q, "cpu"), -1);
	assert_true(json_is_true(json_object_get(q, "trace")));
	assert_true(json_is_true(json_object_get(q, "trace_items")));
	json_decref(q);
	/* A later set leaves alone what it does not name; 0 is the default. */
	q = expect_ok("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":2,\"k\":0}");
	assert_int_equal(int_of(q, "k"), 1);
	assert_int_equal(int_of(q, "w_ns"), 300);
	json_decref(q);
}

/* Other work is another load; anything else begins the strategy anew. */
static void test_set_work(void **state)
{
	struct rp_party *p = &device.queues[3].party;

	attach(3);	/* not producing: no thread to race with */
	p->strategy.priv[0] = 1;
	json_decref(expect_ok("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":3,"
			      "\"w_ns\":300,\"w_dist\":\"exp\"}"));
	assert_int_equal(p->strategy.priv[0], 1);
	assert_int_equal(p->w_tsc, rp_ns_to_tsc(&p->clock, 300));
	assert_int_equal(p->w_dist, RP_WORK_EXP);
	json_decref(expect_ok("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":3,"
			      "\"w_ns\":300,\"strategy\":\"notify\"}"));
	assert_int_equal(p->strategy.priv[0], 0);
	assert_int_equal(p->w_dist, RP_WORK_EXP);
	detach(3);
}

static void test_list_and_hello(void **state)
{
	json_t *o = expect_ok("{\"v\":1,\"cmd\":\"hello\"}"), *d;

	assert_string_equal(json_string_value(json_object_get(o, "program")), "ringpaced");
	assert_int_equal(int_of(o, "protocol"), 1);
	assert_int_equal(int_of(o, "tsc_hz"), 2000000000);
	json_decref(o);
	o = expect_ok("{\"v\":1,\"cmd\":\"list\"}");
	d = json_array_get(json_object_get(o, "devices"), 0);
	assert_string_equal(json_string_value(json_object_get(d, "device")), "pc0");
	assert_string_equal(json_string_value(json_object_get(d, "kind")), "pc");
	assert_true(json_is_false(json_object_get(d, "connected")));
	assert_true(json_is_null(json_object_get(d, "broken")));
	assert_int_equal(json_array_size(json_object_get(d, "queues")), 4);
	json_decref(o);
}

/* A rev queue with a ring: it blocks for want of buffers, and can be stopped. */
static void test_rev_run(void **state)
{
	json_t *o;

	attach(3);
	expect_error("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":3,"
		     "\"queue_len\":17}", "bad-value", "0..16");
	expect_error("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":3,"
		     "\"k\":17}", "bad-value", "k: 17 is more than queue_len 16");
	o = expect_ok("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":3,\"trace\":true}");
	assert_int_equal(int_of(o, "size"), SLOTS);
	assert_int_equal(int_of(o, "k"), 12);
	json_decref(o);
	do_ok("{\"v\":1,\"cmd\":\"start\",\"device\":\"pc0\",\"queue\":3}");
	expect_error("{\"v\":1,\"cmd\":\"start\",\"device\":\"pc0\",\"queue\":3}",
		     "busy", "queue 3");
	do_ok("{\"v\":1,\"cmd\":\"stop\",\"device\":\"pc0\",\"queue\":3}");
	do_ok("{\"v\":1,\"cmd\":\"stop\",\"device\":\"pc0\",\"queue\":3}");
	expect_error("{\"v\":1,\"cmd\":\"start\",\"device\":\"pc0\",\"queue\":3,"
		     "\"duration_ns\":0}", "bad-value", "duration_ns");
	expect_error("{\"v\":1,\"cmd\":\"start\",\"device\":\"pc0\",\"queue\":3,"
		     "\"max_items\":0}", "bad-value", "max_items");
	detach(3);
}

static void test_stats_and_reset(void **state)
{
	json_t *o, *s;

	attach(0);
	/* It runs: stats are read while its thread writes them. */
	o = expect_ok("{\"v\":1,\"cmd\":\"stats\",\"device\":\"pc0\",\"queue\":0}");
	s = json_object_get(o, "stats");
	assert_int_equal(int_of(s, "items"), 0);
	assert_int_equal(int_of(s, "lat_p98_ns"), 0);
	assert_true(json_is_null(json_object_get(s, "first_seq")));
	assert_true(json_is_null(json_object_get(s, "clock_error_ns")));
	assert_true(int_of(s, "duration_ns") > 0);
	json_decref(o);
	detach(0);
	device.queues[0].party.stats.items = 5;
	device.queues[0].seq_seen = true;
	do_ok("{\"v\":1,\"cmd\":\"reset\",\"device\":\"pc0\",\"queue\":0}");
	assert_int_equal(device.queues[0].party.stats.items, 0);
	assert_false(device.queues[0].seq_seen);
}

static void tell(const struct rp_strategy *s, struct rp_status *st)
{
	*st = (struct rp_status) {
		.regime = "sFC", .mode = RP_WAIT_SLEEP, .wait_ns = 1500, .predicted_t_ns = 320,
		.mode_ns = { 100, s->params.y_ns, 7 }, .mode_changes = 3,
	};
}

/* What a strategy says of itself; times per mode are since the reset. */
static void test_pacing(void **state)
{
	static const char stats[] = "{\"v\":1,\"cmd\":\"stats\",\"device\":\"pc0\",\"queue\":0}";
	static const struct rp_strategy_ops telling = { .name = "telling", .status = tell };
	struct rp_strategy *s = &device.queues[0].party.strategy;
	json_t *o, *p;

	o = expect_ok(stats);
	assert_true(json_is_null(json_object_get(json_object_get(o, "stats"), "pacing")));
	json_decref(o);
	s->ops = &telling;
	s->params.y_ns = 5000;
	do_ok("{\"v\":1,\"cmd\":\"reset\",\"device\":\"pc0\",\"queue\":0}");
	s->params.y_ns = 5600;
	o = expect_ok(stats);
	p = json_object_get(json_object_get(o, "stats"), "pacing");
	assert_string_equal(json_string_value(json_object_get(p, "regime")), "sFC");
	assert_string_equal(json_string_value(json_object_get(p, "mode")), "sleep");
	assert_true(json_is_null(json_object_get(p, "unmet")));
	assert_int_equal(int_of(p, "wait_ns"), 1500);
	assert_int_equal(int_of(p, "predicted_t_ns"), 320);
	assert_true(json_is_null(json_object_get(p, "w_peer_ns")));
	assert_int_equal(int_of(p, "mode_changes"), 0);
	assert_int_equal(int_of(json_object_get(p, "mode_ns"), "spin"), 0);
	assert_int_equal(int_of(json_object_get(p, "mode_ns"), "sleep"), 600);
	assert_int_equal(int_of(json_object_get(p, "mode_ns"), "block"), 0);
	json_decref(o);
}

static void test_trace(void **state)
{
	struct queue *q = &device.queues[2];
	json_t *o, *events, *e;

	do_ok("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":2,\"trace\":true}");
	assert_non_null(q->trace);
	q->trace->on = true;
	rp_trace(q->trace, RP_EV_ARM, 100, 7);
	rp_trace(q->trace, RP_EV_WAKE, 200, 8);
	o = expect_ok("{\"v\":1,\"cmd\":\"trace\",\"device\":\"pc0\",\"queue\":2,\"max\":1}");
	events = json_object_get(o, "events");
	assert_int_equal(json_array_size(events), 1);
	e = json_array_get(events, 0);
	assert_int_equal(json_integer_value(json_array_get(e, 0)), 200);
	assert_string_equal(json_string_value(json_array_get(e, 1)), "wake");
	assert_int_equal(json_integer_value(json_array_get(e, 2)), 8);
	json_decref(o);
	expect_error("{\"v\":1,\"cmd\":\"trace\",\"device\":\"pc0\",\"queue\":2,\"max\":65537}",
		     "bad-value", "max");
	do_ok("{\"v\":1,\"cmd\":\"reset\",\"device\":\"pc0\",\"queue\":2}");
	o = expect_ok("{\"v\":1,\"cmd\":\"trace\",\"device\":\"pc0\",\"queue\":2}");
	assert_int_equal(json_array_size(json_object_get(o, "events")), 0);
	json_decref(o);
	do_ok("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":2,\"trace\":false}");
	assert_null(q->trace);
	o = expect_ok("{\"v\":1,\"cmd\":\"trace\",\"device\":\"pc0\",\"queue\":2}");
	assert_int_equal(json_array_size(json_object_get(o, "events")), 0);
	json_decref(o);
}

/* Every event at its longest: the text of the reply still is JSON. */
static void test_long_trace(void **state)
{
	struct queue *q = &device.queues[2];
	json_t *o, *events, *e;
	u32 i;

	do_ok("{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":2,\"trace\":true}");
	q->trace->on = true;
	for (i = 0; i < RP_TRACE_EVENTS + 5; i++)
		rp_trace(q->trace, RP_EV_NOTIFY_START, INT64_MAX - i, UINT32_MAX);
	o = expect_ok("{\"v\":1,\"cmd\":\"trace\",\"device\":\"pc0\",\"queue\":2}");
	events = json_object_get(o, "events");
	assert_int_equal(json_array_size(events), RP_TRACE_EVENTS - 1);
	e = json_array_get(events, RP_TRACE_EVENTS - 2);
	assert_true(json_integer_value(json_array_get(e, 0)) ==
		    INT64_MAX - (json_int_t)RP_TRACE_EVENTS - 4);
	assert_true(json_integer_value(json_array_get(e, 2)) == UINT32_MAX);
	json_decref(o);
}

/* xorshift: the same noise every time. */
static u32 noise(u32 *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

/*
 * Requests with bytes changed, cut and added: whatever comes, the answer is
 * one line of JSON with ok, and the next request is understood.
 */
static void test_noise(void **state)
{
	static const char *const seeds[] = {
		"{\"v\":1,\"id\":7,\"cmd\":\"stats\",\"device\":\"pc0\",\"queue\":0}",
		"{\"v\":1,\"cmd\":\"set\",\"device\":\"pc0\",\"queue\":2,\"w_ns\":300,\"k\":3}",
		"{\"v\":1,\"id\":\"\\u20ac\",\"cmd\":\"d\\u00e9j\\u00e0 vu\"}",
		"{\"v\":1,\"cmd\":\"trace\",\"device\":\"pc0\",\"queue\":1,\"max\":3}",
	};
	u32 rng = 20261125, i, n, j;
	char line[512], *text;
	json_t *o;

	for (i = 0; i < 20000; i++) {
		n = (u32)snprintf(line, sizeof(line), "%s", seeds[i % 4]);
		for (j = noise(&rng) % 6; j; j--)
			line[noise(&rng) % n] = (char)noise(&rng);
		if (noise(&rng) % 4 == 0)
			n = noise(&rng) % n;
		while (noise(&rng) % 4 == 0 && n < sizeof(line))
			line[n++] = (char)noise(&rng);
		text = control_answer(&devices, NULL, line, n);
		assert_non_null(text);
		o = json_loads(text, 0, NULL);
		assert_non_null(o);
		assert_true(json_is_boolean(json_object_get(o, "ok")));
		json_decref(o);
		assert_null(strchr(text, '\n'));
		free(text);
	}
	do_ok(seeds[0]);
}

/* A long name of multi-byte characters is cut between two of them. */
static void test_long_words(void **state)
{
	char line[1024];
	size_t n, pad;

	for (pad = 0; pad < 4; pad++) {
		n = (size_t)snprintf(line, sizeof(line), "{\"v\":1,\"cmd\":\"%.*s",
				     (int)pad, "abc");
		while (n < 900) {
			memcpy(line + n, "\xe2\x82\xac", 3);
			n += 3;
		}
		strcpy(line + n, "\"}");
		expect_error(line, "unknown-command", "\xe2\x82\xac");
	}
}

static void expect_bad_device(const char *text, const char *word)
{
	struct device_options opt;
	char arg[128];
	const char *why;

	snprintf(arg, sizeof(arg), "%s", text);
	why = device_parse(arg, &opt);
	assert_non_null(why);
	assert_non_null(strstr(why, word));
}

static void test_device_option(void **state)
{
	struct device_options opt;
	char arg[] = "a.b-1,socket=/x/y,pairs=64,item-bytes=1500";

	assert_null(device_parse(arg, &opt));
	assert_string_equal(opt.name, "a.b-1");
	assert_string_equal(opt.socket, "/x/y");
	assert_int_equal(opt.pairs, 64);
	assert_int_equal(opt.item_bytes, 1500);
	expect_bad_device("", "name");
	expect_bad_device("a/b,socket=/x", "name");
	expect_bad_device("a23456789012345678901234567890123,socket=/x", "name");
	expect_bad_device("pc0", "socket");
	expect_bad_device("pc0,socket=", "path");
	expect_bad_device("pc0,socket=/x,pairs=0", "pairs");
	expect_bad_device("pc0,socket=/x,pairs=65", "pairs");
	expect_bad_device("pc0,socket=/x,pairs=-1", "pairs");
	expect_bad_device("pc0,socket=/x,item-bytes=1k", "item-bytes");
	expect_bad_device("pc0,socket=/x,colour=red", "unknown");
	expect_bad_device("pc0,socket", "KEY=VALUE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_envelope, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_set_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_set, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_set_work, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_list_and_hello, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rev_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stats_and_reset, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pacing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_trace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_trace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_noise, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_long_words, set_up, tear_down),
		cmocka_unit_test(test_device_option),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
