// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How rp-dataplane steers by a ringpaced: by the page of its port's table, or by orders where
 * there is no page, where it has ended, where the daemon has gone, and where a turn of one of
 * its threads does not end.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/envelope.h"
#include "sock/sock.h"
#include "steer_ctl.h"

#define ENTRIES		16u
#define QUEUES		4u

/* A daemon with one port, whose connections come one after the other. */
static struct {
	char dir[32], path[64];
	int listen_fd;
	pthread_t thread;
	u32 entries;			/* of the table */
	bool passes, refuses;
	struct rss_config config;
	struct rss *rss;
	u32 orders, pages;		/* carried out, passed: relaxed */
	u32 leave;			/* relaxed: drops who is connected at the next order */
} daemon_;

static struct steer_ctl ctl;
static struct rss_sender sender = { .index = 3 };

/* ---- The daemon ---- */

static u32 value_of(char digit)
{
	return (u32)strtoul((char [2]){ digit }, NULL, 16);
}

static void put_masks(const json_t *masks)
{
	const char *key, *digit;
	json_t *mask;
	u32 at, bits;

	json_object_foreach((json_t *)masks, key, mask)
		for (digit = json_string_value(mask), at = 0; *digit; digit++, at += 4)
			for (bits = value_of(*digit); bits; bits &= bits - 1)
				rss_put(daemon_.rss, at + (u32)__builtin_ctz(bits), (u32)atoi(key));
}

static json_t *carry_out(const json_t *args, int *fd)
{
	json_t *result = json_object(), *table = json_array();
	u32 i;

	for (i = 0; i < daemon_.entries; i++)
		json_array_append_new(table, json_integer(i % QUEUES));
	put_masks(json_object_get(args, "entry_mask"));
	if (json_is_true(json_object_get(args, "page")) && daemon_.passes) {
		assert_int_equal(rss_share(daemon_.rss), 0);
		*fd = daemon_.rss->shared.fd;
		rp_add(&daemon_.pages, 1);
	}
	json_object_set_new(result, "table", table);
	return result;
}

/* false: the client is to go. */
static bool answer(int conn, const char *line)
{
	/* Before the reply, which may have the test go on. */
	bool leaves = rp_load(&daemon_.leave);
	struct ctl_error e = { 0 };
	json_t *args = json_loads(line, 0, NULL), *reply;
	struct iovec part[2] = { { 0 }, { (char *)"\n", 1 } };
	int fd = -1;

	assert_string_equal(json_string_value(json_object_get(args, "cmd")), "rss");
	assert_string_equal(json_string_value(json_object_get(args, "device")), "b");
	rp_add(&daemon_.orders, 1);
	if (daemon_.refuses)
		ctl_fail(&e, "failed", "not today");
	reply = ctl_reply(json_object_get(args, "id"),
			  daemon_.refuses ? NULL : carry_out(args, &fd), &e);
	part[0].iov_base = json_dumps(reply, JSON_COMPACT);
	part[0].iov_len = strlen(part[0].iov_base);
	assert_true(sock_send(conn, part, 2, fd) > 0);
	free(part[0].iov_base);
	json_decref(reply);
	json_decref(args);
	return !leaves;
}

static void serve(int conn)
{
	char line[8192];
	size_t have = 0;
	ssize_t n;

	while ((n = read(conn, line + have, sizeof(line) - 1 - have)) > 0) {
		have += (size_t)n;
		line[have] = 0;
		if (line[have - 1] != '\n')
			continue;
		have = 0;
		if (!answer(conn, line))
			break;
	}
	close(conn);
}

static void *run_daemon(void *arg)
{
	struct pollfd p = { .fd = daemon_.listen_fd, .events = POLLIN };
	int conn;

	/* The listener does not wait; once it is shut down there is nobody. */
	while (poll(&p, 1, -1) == 1 && (conn = accept(p.fd, NULL, NULL)) >= 0)
		serve(conn);
	return NULL;
}

static int set_up(void **state)
{
	char why[320];

	memset(&daemon_, 0, sizeof(daemon_));
	strcpy(daemon_.dir, "/tmp/test-dp-steer-XXXXXX");
	if (!mkdtemp(daemon_.dir))
		return -1;
	snprintf(daemon_.path, sizeof(daemon_.path), "%s/ctl", daemon_.dir);
	rss_default(&daemon_.config, ENTRIES, QUEUES);
	daemon_.rss = rss_new(&daemon_.config);
	daemon_.entries = ENTRIES;
	daemon_.passes = true;
	sender.turns = 0;
	daemon_.listen_fd = sock_listen(daemon_.path, (gid_t)-1, why, sizeof(why));
	if (daemon_.listen_fd < 0)
		return -1;
	return pthread_create(&daemon_.thread, NULL, run_daemon, NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
	steer_ctl_close(&ctl);
	shutdown(daemon_.listen_fd, SHUT_RDWR);
	pthread_join(daemon_.thread, NULL);
	close(daemon_.listen_fd);
	rss_free(daemon_.rss);
	unlink(daemon_.path);
	rmdir(daemon_.dir);
	return 0;
}

/* ---- Who steers ---- */

static int begin(void)
{
	return steer_ctl_open(&ctl, daemon_.path, "b", ENTRIES);
}

static int move_to(u16 queue)
{
	const struct dp_steer s[2] = { { 1, queue }, { 9, queue } };

	return steer_ctl_set(&ctl, s, 2);
}

/* Where the daemon's senders find them. */
static void are_at(u32 queue)
{
	assert_int_equal(daemon_.rss->table[1], queue);
	assert_int_equal(daemon_.rss->table[9], queue);
	assert_int_equal(daemon_.rss->table[2], 2);
}

static void test_page(void **state)
{
	u32 i, orders;

	assert_int_equal(begin(), 0);
	assert_non_null(ctl.page);
	orders = rp_load(&daemon_.orders);
	for (i = 0; i < QUEUES; i++) {
		assert_int_equal(move_to((u16)i), 0);
		are_at(i);
	}
	/* Nobody was asked. */
	assert_int_equal(rp_load(&daemon_.orders), orders);
}

static void *leave_turn(void *arg)
{
	usleep(2000);
	rss_page_leave(daemon_.rss->page, &sender);
	return NULL;
}

/* A turn is waited for; one that does not end is the daemon's to end. */
static void test_turn(void **state)
{
	pthread_t thread;
	u32 orders;

	assert_int_equal(begin(), 0);
	orders = rp_load(&daemon_.orders);
	rss_page_enter(daemon_.rss->page, &sender);
	assert_int_equal(pthread_create(&thread, NULL, leave_turn, NULL), 0);
	assert_int_equal(move_to(0), 0);
	/* Even: it has ended, unless the wait was given up, and the order carried out. */
	assert_true(!(rp_load_acquire(&daemon_.rss->page->sender[3].turn) & 1) ||
		    rp_load(&daemon_.orders) > orders);
	pthread_join(thread, NULL);
	rss_sender_done(&sender);
	orders = rp_load(&daemon_.orders);
	rss_page_enter(daemon_.rss->page, &sender);
	assert_int_equal(move_to(3), 0);
	assert_int_equal(rp_load(&daemon_.orders), orders + 1);
	are_at(3);
	rss_page_leave(daemon_.rss->page, &sender);
}

/* Its table was replaced by another one: the order says it anew, and brings that one's page. */
static void test_ended(void **state)
{
	struct rss *old;
	u32 orders;

	assert_int_equal(begin(), 0);
	orders = rp_load(&daemon_.orders);
	old = daemon_.rss;
	rss_end_share(old);
	daemon_.rss = rss_new(&daemon_.config);
	assert_int_equal(move_to(2), 0);
	are_at(2);
	assert_int_equal(rp_load(&daemon_.orders), orders + 1);
	assert_int_equal(move_to(0), 0);
	are_at(0);
	assert_int_equal(rp_load(&daemon_.orders), orders + 1);
	rss_free(old);
}

/* A daemon that has gone, and is there again: its page was the dead one's. */
static void test_gone(void **state)
{
	struct pollfd end = { .events = POLLIN };
	struct rss *old;

	assert_int_equal(begin(), 0);
	/* It hangs up behind its next reply, which is to an order as this page has ended. */
	rp_store(&daemon_.leave, 1);
	rss_end_share(daemon_.rss);
	old = daemon_.rss;
	daemon_.rss = rss_new(&daemon_.config);
	assert_int_equal(move_to(1), 0);
	are_at(1);
	rss_free(old);
	old = daemon_.rss;
	daemon_.rss = rss_new(&daemon_.config);
	rp_store(&daemon_.leave, 0);
	end.fd = ctl.fd;
	/* The page says nothing: only the connection does. */
	assert_non_null(ctl.page);
	assert_false(rss_page_ended(ctl.page));
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(move_to(3), 0);
	are_at(3);
	rss_free(old);
	shutdown(ctl.fd, SHUT_RDWR);
	assert_int_equal(move_to(0), 0);
	are_at(0);
}

static void test_without(void **state)
{
	u32 orders;

	daemon_.passes = false;
	assert_int_equal(begin(), 0);
	assert_null(ctl.page);
	orders = rp_load(&daemon_.orders);
	assert_int_equal(move_to(2), 0);
	are_at(2);
	assert_int_equal(move_to(1), 0);
	are_at(1);
	assert_int_equal(rp_load(&daemon_.orders), orders + 2);
	/* It can from now on. */
	daemon_.passes = true;
	assert_int_equal(move_to(3), 0);
	assert_non_null(ctl.page);
	are_at(3);
}

static void test_refused(void **state)
{
	assert_int_equal(begin(), 0);
	daemon_.refuses = true;
	rss_end_share(daemon_.rss);
	assert_int_equal(move_to(2), -EIO);
	daemon_.refuses = false;
	assert_int_equal(move_to(0), 0);
	steer_ctl_close(&ctl);
	daemon_.entries = 2 * ENTRIES;
	assert_int_equal(begin(), -1);
	steer_ctl_close(&ctl);
	assert_int_equal(steer_ctl_open(&ctl, "/nowhere/ctl", "b", ENTRIES), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_page, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ended, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_without, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
