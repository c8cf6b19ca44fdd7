// SPDX-License-Identifier: GPL-2.0-or-later
/* Shares of the log. */
#include "clock.h"
#include "log/log.h"
#include "log/log_format.h"
#include "log/log_limit.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

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

static const char *format(enum log_format f, bool journal, const char *text)
{
	static char line[LOG_LINE_BYTES + 1];
	const struct log_entry e = {
		.level = LOG_LEVEL_WARN, .text = text, .bytes = (u32)strlen(text),
		.real_ns = 1700000000 * SEC + 5, .mono_ns = 42,
	};
	u32 n = log_format_line(line, &e, f, journal);

	assert_true(n <= LOG_LINE_BYTES);
	line[n] = '\0';
	return line;
}

static void test_text(void **state)
{
	assert_string_equal(format(LOG_FORMAT_TEXT, false, "pc0: gone"), "ringpaced: warn: pc0: gone\n");
	assert_string_equal(format(LOG_FORMAT_TEXT, true, "x"), "<4>ringpaced: warn: x\n");
}

static void test_json(void **state)
{
	assert_string_equal(format(LOG_FORMAT_JSON, false, "pc0: it \"is\" \\: so"),
			    "{\"time\":\"2023-11-14T22:13:20.000000005Z\",\"mono_ns\":42,"
			    "\"level\":\"warn\",\"about\":\"pc0\",\"message\":\"it \\\"is\\\" \\\\: so\"}\n");
	assert_string_equal(format(LOG_FORMAT_JSON, true, "x"),
			    "<4>{\"time\":\"2023-11-14T22:13:20.000000005Z\",\"mono_ns\":42,"
			    "\"level\":\"warn\",\"message\":\"x\"}\n");
}

/* Lines of every length, of what is longest when it is escaped. */
static void test_json_is_whole(void **state)
{
	char text[LOG_TEXT_BYTES + 1];
	const char *message;
	json_t *v;
	u32 n;

	for (n = 0; n <= LOG_TEXT_BYTES; n++) {
		memset(text, n % 2 ? '"' : '\\', n);
		text[n] = '\0';
		v = json_loads(format(LOG_FORMAT_JSON, false, text), 0, NULL);
		message = json_string_value(json_object_get(v, "message"));
		assert_non_null(message);
		assert_string_equal(message, text);
		json_decref(v);
	}
	v = json_loads(format(LOG_FORMAT_JSON, false, "a:"), 0, NULL);
	assert_string_equal(json_string_value(json_object_get(v, "message")), "");
	json_decref(v);
}

static void test_journal(void **state)
{
	struct stat st;
	char stream[64];

	assert_false(log_is_journal(NULL, STDERR_FILENO));
	assert_false(log_is_journal("", STDERR_FILENO));
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	assert_true(log_is_journal(stream, STDERR_FILENO));
	assert_false(log_is_journal(stream, -1));
	strcat(stream, "x");
	assert_false(log_is_journal(stream, STDERR_FILENO));
}

/* Reads what is in the pipe; how many lines begin with @head. */
static u32 drain(int fd, const char *head)
{
	char text[1 << 17];
	size_t got = 0;
	u32 found = 0;
	ssize_t n;
	char *at;

	while ((n = read(fd, text + got, sizeof(text) - 1 - got)) > 0)
		got += (size_t)n;
	text[got] = '\0';
	for (at = text; (at = strstr(at, head)); at++)
		found++;
	return found;
}

/* A log that nobody reads holds nobody up; how much was lost is told. */
static void test_nobody_reads(void **state)
{
	int fds[2], saved = dup(STDERR_FILENO);
	u32 i, kept, lost;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	assert_true(saved >= 0 && dup2(fds[1], STDERR_FILENO) >= 0);
	log_set_rate(0);
	for (i = 0; i < 3000; i++)
		log_warn("pc0: a line that is a hundred bytes long or so, to fill the pipe %u", i);
	kept = drain(fds[0], "pc0: a line");
	log_warn("pc0: there is room again");
	lost = drain(fds[0], "lines were lost");
	log_set_rate(LOG_PER_S);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	assert_in_range(kept, 100, 2999);
	assert_int_equal(lost, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_rate),
		cmocka_unit_test(test_one_does_not_silence_another),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_is_whole),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_nobody_reads),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
