// SPDX-License-Identifier: GPL-2.0-or-later
/* What the host controller makes of the answers of ringpaced and of dataplanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "now.h"
#include "sensor.h"
#include "sock/sock.h"

static struct link ringpaced;
static struct backlogs all;
static struct backlog web, kv;
/* They poll: no processor time is asked for. */
static const struct conf_tenant web_conf = { .name = "web", .ports = 2, .port = { "a", "b" },
					     .polls = true };
static const struct conf_tenant kv_conf = { .name = "kv", .ports = 1, .port = { "c" },
					    .polls = true };
static struct busy web_busy = { .conf = &web_conf }, kv_busy = { .conf = &kv_conf };

static int begin(void **state)
{
	link_init(&ringpaced, "/nonexistent", 1, NULL);
	backlogs_init(&all, &ringpaced);
	backlogs_add(&all, &web, &web_conf, &web_busy);
	backlogs_add(&all, &kv, &kv_conf, &kv_busy);
	return 0;
}

static int end(void **state)
{
	backlogs_fini(&all);
	link_fini(&ringpaced);
	return 0;
}

static void take(const char *text)
{
	backlogs_take(&all, scan_of(text, strlen(text)));
}

static void test_backlog(void **state)
{
	struct hc_sample s;

	assert_int_equal(json_array_size(all.devices), 3);
	assert_true(backlog_ops.read(&web, &s) < 0);
	take("{\"ports\":[{\"rx\":[[3,10],[null,5]]},{\"rx\":[[4,100]]},{\"rx\":[[0,7]]}]}");
	assert_int_equal(backlog_ops.read(&web, &s), 0);
	assert_true(s.backlog == 7 && s.queue == 4 && s.items == 108 && s.peak == 1);
	assert_string_equal(web.why, "");
	assert_int_equal(backlog_ops.read(&kv, &s), 0);
	assert_true(s.backlog == 0 && s.items == 7);
	/* Counters never go back, whatever is told. */
	take("{\"ports\":[{\"rx\":[[3,1]]},{\"rx\":[[4,1]]},{\"rx\":[[0,9]]}]}");
	backlog_ops.read(&web, &s);
	assert_true(s.items == 108);
}

/* One port that is missing: the sample stays as old as it is. */
static void test_missing(void **state)
{
	struct hc_sample s;
	u64 taken;

	take("{\"ports\":[{\"rx\":[[1,10]]},{\"rx\":[[1,10]]},{\"rx\":[[1,7]]}]}");
	taken = web.sample.taken_ns;
	while (now_ns() == taken)
		;
	take("{\"ports\":[{\"rx\":[[1,10]]},null,{\"rx\":[[2,8]]}]}");
	backlog_ops.read(&web, &s);
	assert_int_equal(s.taken_ns, taken);
	assert_string_equal(web.why, "ringpaced has no port b");
	backlog_ops.read(&kv, &s);
	assert_true(s.backlog == 2);
	take("{\"ports\":[]}");
	take("{\"ports\":7}");
	take("{\"ports\":[{\"rx\":[[\"x\",{}],7,null,[-5,-6]]},{\"rx\":[]},{\"rx\":{}}]}");
	assert_string_equal(web.why, "");
	assert_string_equal(kv.why, "ringpaced has no port c");
}

static void groups(u32 a, u32 b, u32 c)
{
	char text[200];

	snprintf(text, sizeof(text), "{\"ports\":[{\"rx\":[[0,1]],\"group_packets\":[%u,%u]},"
		 "{\"rx\":[[0,1]],\"group_packets\":[%u]},{\"rx\":[[0,1]]}]}", a, b, c);
	all.groups = true;
	take(text);
}

/* A group is one thread's: the busiest one tells how uneven the load is at least. */
static void test_groups(void **state)
{
	struct hc_sample s;

	web.threads = 2;
	groups(500, 100, 100);
	assert_true(web.sample.peak == 1);
	/* 999 packets say nothing yet, and are not forgotten. */
	groups(1299, 200, 200);
	assert_true(web.sample.peak == 1);
	groups(1300, 300, 200);
	backlog_ops.read(&web, &s);
	assert_true(s.peak > 1.45 && s.peak < 1.46);	/* 2 * 800 / 1100 */
	groups(2300, 1300, 1200);
	assert_true(web.sample.peak == 1);
	/* Counters that begin anew, another number of groups: from there on. */
	groups(5, 5, 5);
	assert_true(web.sample.peak == 1);
	groups(2005, 5, 5);
	assert_true(web.sample.peak == 2);
	take("{\"ports\":[{\"rx\":[]},{\"rx\":[]},{\"rx\":[]}]}");
	assert_true(web.sample.peak == 1);
}

static bool sample(struct hc_sample *s, const char *text, u64 now)
{
	struct dataplane_clock clock = { 0 };

	return dataplane_sample(s, &clock, scan_of(text, strlen(text)), now);
}

static void test_dataplane(void **state)
{
	struct hc_sample s;

	assert_true(sample(&s, "{\"version\":1,\"now_ns\":5000,\"all\":{\"taken_ns\":4000,"
			   "\"queue\":3,\"backlog\":9,\"tau_ns\":700,\"tau_items\":7,\"batch\":64,"
			   "\"items\":1000,\"iterations\":50,\"busy_ns\":12345,"
			   "\"peak_milli\":1500}}", 100000));
	/* Its clock is another one: the sample was 1000 ns old. */
	assert_int_equal(s.taken_ns, 99000);
	assert_true(s.queue == 3 && s.backlog == 9 && s.tau_ns == 700 && s.tau_items == 7);
	assert_true(s.items == 1000 && s.iterations == 50 && s.busy_ns == 12345);
	assert_int_equal(s.batch, 64);
	assert_true(s.peak == 1.5);
	assert_true(sample(&s, "{\"version\":1,\"now_ns\":5,\"all\":{\"taken_ns\":9,"
			   "\"batch\":1}}", 100));
	assert_int_equal(s.taken_ns, 100);
	assert_true(s.peak == 1);
	assert_false(sample(&s, "{\"version\":2,\"all\":{\"batch\":1}}", 100));
	assert_false(sample(&s, "{\"version\":1,\"all\":{}}", 100));
	assert_false(sample(&s, "{\"version\":1}", 100));
	assert_false(dataplane_sample(&s, &(struct dataplane_clock){ 0 }, (struct scan){ NULL, NULL }, 100));
}

/* Answers that come late do not move samples, a clock that drifts or is another one does. */
static void test_clock(void **state)
{
	struct dataplane_clock clock = { 0 };
	struct hc_sample s;
	char text[128];
	u64 there, late, i;

	for (i = 1; i <= 2000; i++) {
		there = 5000000000ULL + i * 10000000;
		late = i % 7 == 3 ? 9000000 : 100000;
		snprintf(text, sizeof(text), "{\"version\":1,\"now_ns\":%llu,\"all\":{\"taken_ns\":%llu,"
			 "\"batch\":1}}", (unsigned long long)there, (unsigned long long)there - 1000000);
		assert_true(dataplane_sample(&s, &clock, scan_of(text, strlen(text)),
					     i * 10000000 + i * 500 + late));
		assert_in_range(s.taken_ns, i * 10000000 + i * 500 - 1000000,
				i * 10000000 + i * 500 - 1000000 + 200000);
	}
	strcpy(text, "{\"version\":1,\"now_ns\":7,\"all\":{\"taken_ns\":7,\"batch\":1}}");
	assert_true(dataplane_sample(&s, &clock, scan_of(text, strlen(text)), 90000000000ULL));
	assert_int_equal(s.taken_ns, 90000000000ULL);
}

/* In memory of its own size, so that a sanitizer notices a read beyond it. */
static bool cut(const char *text, size_t bytes, struct hc_sample *s)
{
	struct dataplane_clock clock = { 0 };
	char *copy = malloc(bytes ? bytes : 1);
	bool good;

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	good = dataplane_sample(s, &clock, scan_of(copy, bytes), 100);
	backlogs_take(&all, scan_of(copy, bytes));
	free(copy);
	return good;
}

/* An answer that ends anywhere, and what else is between. */
static void test_scan(void **state)
{
	static const char text[] =
		" { \"x\" : [ {\"all\":{\"batch\":9}}, \"]}\\\"{\", [[]], null, -1.5e3 ],\"version\":1.0,"
		"\"all\" :{\"queue\":3.5,\"backlog\":\"7\",\"batch\": 64 ,\"items\":123456789012345678,"
		"\"tau_ns\":1e400,\"busy_ns\":-4,\"y\":{\"queue\":8}}, \"ports\":[null,{\"rx\":[[1,2,3],4]}]}";
	struct hc_sample s;
	size_t i;

	assert_true(cut(text, strlen(text), &s));
	assert_true(s.queue == 3.5 && s.backlog == 0 && s.batch == 64 && s.tau_ns == 0);
	assert_true(s.busy_ns == 0 && s.items > 123456789012345000.0 && s.items < 123456789012346000.0);
	for (i = 0; i < strlen(text); i++)
		cut(text, i, &s);
	assert_false(cut("[1]", 3, &s));
	assert_false(cut("7", 1, &s));
}

/* `status` that ends anywhere, or is none. */
static void test_status(void **state)
{
	static const char text[] = "{\"status\":1,\"active\":2,\"threads\":[{\"x\":[1,{}]},\"]\",7],"
				   "\"owners\":[0,1],\"moves\":{\"y\":{\"under_way\":9},\"under_way\":5}}";
	struct dataplane d = { 0 };
	size_t i;

	for (i = 0; i < strlen(text); i++) {
		char *copy = malloc(i ? i : 1);

		assert_non_null(copy);
		memcpy(copy, text, i);
		dataplane_status(&d, scan_of(copy, i));
		free(copy);
	}
	assert_true(dataplane_status(&d, scan_of(text, strlen(text))));
	assert_true(d.threads == 3 && d.active == 2 && d.under_way == 5);
	assert_false(dataplane_status(&d, scan_of("{\"status\":2}", 12)));
	assert_false(dataplane_status(&d, scan_of("[1]", 3)));
	assert_false(dataplane_status(&d, (struct scan){ NULL, NULL }));
	assert_int_equal(d.threads, 3);
}

/* ---- A dataplane that is played ---- */

#define MS	1000000ULL

static struct played {
	struct loop loop;
	struct dataplane d;
	struct conf_tenant conf;
	struct dp_page_file page;
	struct dp_telemetry t;
	char dir[32];
	int listener;
	FILE *in;
	u64 now;
} play;

static int begin_play(void **state)
{
	char why[256];

	play = (struct played){ .conf = { .name = "web" }, .now = now_ns(), .listener = -1 };
	strcpy(play.dir, "/tmp/ringpace-playXXXXXX");
	assert_non_null(mkdtemp(play.dir));
	snprintf(play.conf.dataplane, sizeof(play.conf.dataplane), "%s/s", play.dir);
	play.listener = sock_listen(play.conf.dataplane, (gid_t)-1, why, sizeof(why));
	assert_true(play.listener >= 0);
	assert_int_equal(loop_init(&play.loop), 0);
	assert_int_equal(dp_page_make(&play.page, 3, 64, 0), 0);
	/* Nothing is ever late, however far the test goes ahead. */
	dataplane_init(&play.d, &play.conf, UINT64_MAX, &play.loop);
	return 0;
}

static int end_play(void **state)
{
	dataplane_fini(&play.d);
	dp_page_unmake(&play.page);
	if (play.in)
		fclose(play.in);
	close(play.listener);
	loop_fini(&play.loop);
	unlink(play.conf.dataplane);
	rmdir(play.dir);
	return 0;
}

static void tick(u64 later_ms)
{
	play.now += later_ms * MS;
	dataplane_tick(&play.d, play.now, true);
}

/* The next order that has come, and its id; NULL: there is none. */
static const char *asked(u32 *id)
{
	static char cmd[32];
	char line[256];

	if (!play.in) {
		play.in = fdopen(sock_accept(play.listener), "r");
		assert_non_null(play.in);
		assert_int_equal(fcntl(fileno(play.in), F_SETFL, O_NONBLOCK), 0);
	}
	clearerr(play.in);
	if (!fgets(line, sizeof(line), play.in))
		return NULL;
	assert_int_equal(sscanf(line, "{\"v\":1,\"id\":%u,\"cmd\":\"%31[^\"]", id, cmd), 2);
	return cmd;
}

static void answer(u32 id, const char *result, int fd)
{
	char text[256];
	struct iovec part = { text, 0 };

	part.iov_len = (size_t)snprintf(text, sizeof(text), "{\"v\":1,\"id\":%u,\"ok\":true,\"result\":%s}\n",
					id, result);
	assert_int_equal(sock_send(fileno(play.in), &part, 1, fd), part.iov_len);
}

static void answer_status(u32 id, u32 active, u32 moves)
{
	char text[160];

	snprintf(text, sizeof(text), "{\"status\":1,\"app\":\"x\",\"active\":%u,\"threads\":[{\"groups\":[]},"
		 "{},{}],\"owners\":[0,1],\"moves\":{\"x\":[1],\"under_way\":%u}}", active, moves);
	answer(id, text, -1);
}

/* A sample of a thread that runs; with @runs it has done something since. */
static void sample_page(bool runs)
{
	play.t.iterations += runs;
	play.t.taken_ns = play.now;
	dp_board_write(&play.page.page->board[0], &play.t);
}

/* It has a page, one thread of three, and is known to. */
static void meet(void)
{
	u32 id;

	sample_page(true);
	tick(0);
	assert_string_equal(asked(&id), "telemetry-page");
	answer(id, "{\"page\":1}", play.page.mem.fd);
	/* Until it has come. */
	assert_string_equal(asked(&id), "telemetry");
	answer(id, "{}", -1);
	assert_string_equal(asked(&id), "status");
	answer_status(id, 1, 0);
	tick(50);
	assert_null(asked(&id));
	assert_int_equal(play.d.threads, 3);
	assert_int_equal(play.d.active, 1);
}

/* Who is seen to run by its page is asked for nothing, but once in ten seconds. */
static void test_page_runs(void **state)
{
	u32 id, i, n = 0;

	meet();
	for (i = 0; i < 420; i++) {
		sample_page(true);
		tick(50);
		if (!asked(&id))
			continue;
		answer_status(id, 1, 0);
		n++;
	}
	assert_int_equal(n, 2);
	/* One that does nothing may stand still: then once a second. */
	for (i = n = 0; i < 201; i++) {
		sample_page(false);
		tick(50);
		if (!asked(&id))
			continue;
		answer_status(id, 1, 0);
		n++;
	}
	assert_in_range(n, 9, 10);
}

/* An order goes at once; that it is done is asked for when it was accepted, and till then. */
static void test_order(void **state)
{
	u32 id;

	meet();
	dataplane_order(&play.d, 2);
	assert_string_equal(asked(&id), "threads");
	tick(10);
	assert_null(asked(&id));
	answer(id, "{\"ordered\":4}", -1);
	tick(10);
	assert_string_equal(asked(&id), "status");
	answer_status(id, 2, 3);
	tick(10);
	assert_false(dataplane_has_done(&play.d));
	assert_string_equal(asked(&id), "status");
	answer_status(id, 2, 0);
	tick(10);
	assert_true(dataplane_has_done(&play.d));
	assert_null(asked(&id));
	/* What was told of the time before an order tells nothing of it. More than it has: all. */
	dataplane_order(&play.d, 7);
	assert_string_equal(asked(&id), "threads");
	answer(id, "{\"ordered\":4}", -1);
	tick(10);
	assert_string_equal(asked(&id), "status");
	dataplane_order(&play.d, 2);
	assert_string_equal(asked(&id), "threads");
	answer(id, "{\"ordered\":4}", -1);
	link_take(&play.d.link);
	assert_false(dataplane_has_done(&play.d));
}

static void test_hang_up(void **state)
{
	struct epoll_event ev;
	struct loop_source *src;
	u32 id;

	meet();
	answer(7, "{}", -1);
	/* What comes wakes nobody. */
	assert_int_equal(epoll_wait(play.loop.epfd, &ev, 1, 0), 0);
	fclose(play.in);
	play.in = NULL;
	assert_int_equal(epoll_wait(play.loop.epfd, &ev, 1, 10000), 1);
	src = ev.data.ptr;
	src->ready(src, ev.events);
	assert_false(link_up(&play.d.link));
	assert_non_null(play.d.page.page);
	tick(10);
	assert_null(play.d.page.page);
	/* Another one is asked for all of it anew. */
	tick(1000);
	assert_string_equal(asked(&id), "telemetry-page");
	assert_string_equal(asked(&id), "telemetry");
	assert_string_equal(asked(&id), "status");
}

int main(void)
{
#define PLAY(name)	cmocka_unit_test_setup_teardown(name, begin_play, end_play)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_backlog, begin, end),
		cmocka_unit_test_setup_teardown(test_missing, begin, end),
		cmocka_unit_test_setup_teardown(test_groups, begin, end),
		cmocka_unit_test(test_dataplane), cmocka_unit_test(test_clock),
		cmocka_unit_test_setup_teardown(test_scan, begin, end),
		cmocka_unit_test(test_status), PLAY(test_page_runs), PLAY(test_order), PLAY(test_hang_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
