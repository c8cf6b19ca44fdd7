// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asking the forwarder in a VM on its console: the answer is found among whatever else the
 * guest says, and what is none is not taken for one.
 */
#include <pthread.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* Before cmocka.h, which makes a macro of fail(). */
#include "chain/l2fwd.h"

#include <cmocka.h>

#define GOOD	"chain: l2fwd counters: received 7 1 sent 1 6 batches 5 sleeps 9\r\n"

struct guest {
	int master;
	const char *says;	/* once asked */
};

static void *guest_main(void *arg)
{
	struct guest *g = arg;
	size_t left = strlen(g->says);
	ssize_t n;
	char asked;

	if (read(g->master, &asked, 1) == 1 && asked == '\n')
		for (; left; left -= (size_t)n) {
			n = write(g->master, g->says + strlen(g->says) - left, left);
			if (n <= 0)
				break;
		}
	return NULL;
}

/* What comes of asking a guest that says @says. */
static bool ask(const char *says, struct l2fwd_counts *c)
{
	struct guest g = { .says = says };
	pthread_t thread;
	char name[64];
	int slave, fd;
	bool ok;

	assert_int_equal(openpty(&g.master, &slave, name, NULL, NULL), 0);
	fd = l2fwd_open(name);
	assert_true(fd >= 0);
	assert_int_equal(pthread_create(&thread, NULL, guest_main, &g), 0);
	ok = l2fwd_ask(fd, c);
	pthread_join(thread, NULL);
	close(fd);
	close(slave);
	close(g.master);
	return ok;
}

static void test_answer(void **state)
{
	struct l2fwd_counts c;

	assert_true(ask(GOOD, &c));
	assert_int_equal(c.received[0], 7);
	assert_int_equal(c.received[1], 1);
	assert_int_equal(c.sent[0], 1);
	assert_int_equal(c.sent[1], 6);
	assert_int_equal(c.batches, 5);
	assert_int_equal(c.sleeps, 9);
}

static void test_among_others(void **state)
{
	static const char *const others[] = {
		"[   12.3] a kernel says something\r\n",
		"chain: l2fwd is up, 3.00 s\r\n",
		"chain: l2fwd counters: received 1 2 sent 3 4 batches 5\r\n",
		"chain: l2fwd counters: received 1 2 sent 3 4 batches 5 sleeps\r\n",
		"chain: l2fwd counters: received 1 2 sent 3 4 batches 5 sleeps 6 and more\r\n",
		"chain: l2fwd counters: received 1 2 sent 3 4 batches 5 sleeps 6\n",
		"\r\n\r\n",
	};
	char says[1024];
	struct l2fwd_counts c;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		snprintf(says, sizeof(says), "%s" GOOD, others[i]);
		assert_true(ask(says, &c));
		assert_int_equal(c.received[0], 7);
		assert_int_equal(c.sleeps, 9);
	}
}

/* A line that no buffer holds ends some time, and the next one counts. */
static void test_endless_line(void **state)
{
	char says[2048 + 2 + sizeof(GOOD)];
	struct l2fwd_counts c;

	memset(says, 'x', 2048);
	strcpy(says + 2048, "\r\n" GOOD);
	assert_true(ask(says, &c));
	assert_int_equal(c.received[0], 7);
}

static void test_gone(void **state)
{
	struct l2fwd_counts c;
	char name[64];
	int master, slave, fd;

	assert_int_equal(openpty(&master, &slave, name, NULL, NULL), 0);
	fd = l2fwd_open(name);
	close(master);
	assert_false(l2fwd_ask(fd, &c));
	close(fd);
	close(slave);
}

static void test_json(void **state)
{
	const struct l2fwd_counts a = { { 1, 2 }, { 3, 4 }, 5, 6 };
	const struct l2fwd_counts b = { { 11, 22 }, { 33, 44 }, 55, 66 };
	json_t *v = l2fwd_json(&a, &b), *want;

	want = json_pack("{s:[i, i], s:[i, i], s:i, s:i}", "received", 10, 20, "sent", 30, 40,
			 "batches", 50, "sleeps", 60);
	assert_true(json_equal(v, want));
	json_decref(v);
	json_decref(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_among_others),
		cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
