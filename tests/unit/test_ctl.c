// SPDX-License-Identifier: GPL-2.0-or-later
/* The envelope of requests and replies, from one side to the other. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "ctl/args.h"
#include "ctl/command.h"

static json_t *run_echo(struct ctl_request *r)
{
	u64 n = 3;

	assert_string_equal(r->ctx, "ctx");
	return args_u64(r->args, "n", 1, 9, &n, &r->err) ? json_pack("{s:I}", "n", (json_int_t)n) :
							    NULL;
}

static json_t *run_long(struct ctl_request *r)
{
	r->last_key = "list";
	r->last = strdup("[1,2]");
	return json_pack("{s:b}", "more", 1);
}

static json_t *run_nothing(struct ctl_request *r)
{
	return NULL;
}

static const struct ctl_command commands[] = {
	{ "echo", CTL_KEYS("n"), run_echo },
	{ "long", CTL_KEYS(), run_long },
	{ "nothing", CTL_KEYS(), run_nothing },
	{ 0 }
};

static json_t *ask(const char *line)
{
	char *text = ctl_answer(commands, "ctx", NULL, line, strlen(line));
	json_t *v = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_null(strchr(text, '\n'));
	assert_int_equal(json_integer_value(json_object_get(v, "v")), CTL_VERSION);
	assert_int_equal(json_object_size(v), 4);
	free(text);
	return v;
}

static void test_good(void **state)
{
	char *line = ctl_request(7, "echo", json_pack("{s:i}", "n", 5));
	const char *why = NULL;
	json_t *v;

	assert_int_equal(line[strlen(line) - 1], '\n');
	v = ask(line);
	assert_int_equal(json_integer_value(json_object_get(v, "id")), 7);
	assert_int_equal(json_integer_value(json_object_get(ctl_result(v, &why), "n")), 5);
	assert_null(why);
	json_decref(v);
	free(line);
	line = ctl_request(4000000000u, "echo", NULL);
	v = ask(line);
	assert_true(json_integer_value(json_object_get(v, "id")) == 4000000000);
	assert_int_equal(json_integer_value(json_object_get(ctl_result(v, &why), "n")), 3);
	json_decref(v);
	free(line);
	v = ask("{\"v\":1,\"id\":[{}],\"cmd\":\"long\"}");
	assert_true(json_is_array(json_object_get(v, "id")));
	assert_int_equal(json_object_size(ctl_result(v, &why)), 2);
	assert_int_equal(json_array_size(json_object_get(ctl_result(v, &why), "list")), 2);
	json_decref(v);
}

static void refused(json_t *v, const char *code, const char *message)
{
	const char *why;

	assert_null(ctl_result(v, &why));
	assert_string_equal(why, message);
	assert_string_equal(json_string_value(json_object_get(json_object_get(v, "error"), "code")),
			    code);
	assert_false(json_object_get(v, "result"));
	json_decref(v);
}

static void test_refused(void **state)
{
	refused(ask("[]"), "bad-json", "the line is not an object");
	refused(ask("{\"v\":1"), "bad-json", "'}' expected near end of file, at column 6");
	refused(ask("{\"v\":1,\"v\":1}"), "bad-json", "duplicate object key near '\"v\"', at column 10");
	refused(ask("{\"cmd\":\"echo\"}"), "bad-version", "v: only version 1 is spoken");
	refused(ask("{\"v\":1.0,\"cmd\":\"echo\"}"), "bad-version", "v: only version 1 is spoken");
	refused(ask("{\"v\":1}"), "bad-value", "cmd: missing");
	refused(ask("{\"v\":1,\"cmd\":[]}"), "bad-value", "cmd: not a string");
	refused(ask("{\"v\":1,\"cmd\":\"ech\"}"), "unknown-command",
		"cmd: one of echo, long, nothing is needed; there is no \"ech\"");
	refused(ask("{\"v\":1,\"cmd\":\"long\",\"n\":1}"), "unknown-key",
		"long: it has no argument \"n\"");
	refused(ask("{\"v\":1,\"cmd\":\"echo\",\"n\":10}"), "bad-value",
		"n: not an integer in 1..9");
	refused(ask("{\"v\":1,\"cmd\":\"nothing\"}"), "failed", "out of memory");
}

/* Of a name that is too long for the message the rest is left out, at a character's end. */
static void test_long_name(void **state)
{
	char line[2000] = "{\"v\":1,\"cmd\":\"";
	size_t n, i;

	for (n = 0; n < 3; n++) {
		size_t at = (size_t)sprintf(line, "{\"v\":1,\"cmd\":\"%.*s", (int)n, "xxx");
		const char *why;
		json_t *v;

		for (i = 0; i < 400; i++)
			at += (size_t)sprintf(line + at, "\u20ac");
		strcpy(line + at, "\"}");
		v = ask(line);
		assert_null(ctl_result(v, &why));
		assert_true(strlen(why) > 590 && strlen(why) < 600);
		json_decref(v);
	}
}

static void test_limits(void **state)
{
	char *text = ctl_refuse(LINES_TOO_LONG);

	refused(json_loads(text, 0, NULL), "bad-json", "the line is longer than 65536 bytes");
	free(text);
	text = ctl_refuse(LINES_TOO_MANY);
	refused(json_loads(text, 0, NULL), "busy",
		"there are as many clients as there can be: try again later");
	free(text);
}

/* What is no reply as it should be, whoever sent it. */
static void test_odd(void **state)
{
	static const char *const odd[][2] = {
		{ "{}", "no reason given" }, { "[]", "no reason given" },
		{ "{\"ok\":true}", "the answer has no result" },
		{ "{\"ok\":1,\"result\":{}}", "no reason given" },
		{ "{\"ok\":false,\"result\":{},\"error\":7}", "no reason given" },
		{ "{\"ok\":false,\"error\":{\"message\":[]}}", "no reason given" },
		{ "{\"ok\":false,\"error\":{\"message\":\"m\"}}", "m" },
	};
	const char *why;
	u32 i;

	for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		json_t *v = json_loads(odd[i][0], 0, NULL);

		assert_null(ctl_result(v, &why));
		assert_string_equal(why, odd[i][1]);
		json_decref(v);
	}
	assert_null(ctl_result(NULL, &why));
	assert_string_equal(why, "no answer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
