// SPDX-License-Identifier: GPL-2.0-or-later
/* Event ring: order, wrap, and a snapshot beside a running writer. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

#include "trace/trace.h"

static struct rp_trace trace;
static struct rp_event out[RP_TRACE_EVENTS];

static int set_up(void **state)
{
	memset(&trace, 0, sizeof(trace));
	trace.on = true;
	return 0;
}

/* Event n, so that each field tells which event it is of. */
static void write_event(u64 n)
{
	rp_trace(&trace, 1 + n % (RP_EV_TYPES - 1), n * 3, n);
}

static void check(const struct rp_event *e, u64 n)
{
	assert_int_equal(e->tsc, n * 3);
	assert_int_equal(e->type, 1 + n % (RP_EV_TYPES - 1));
	assert_int_equal(e->arg, (u32)n);
}

static void test_names(void **state)
{
	u32 i;

	for (i = 0; i < RP_EV_TYPES; i++)
		assert_non_null(rp_event_names[i]);
}

static void test_off(void **state)
{
	rp_trace(NULL, RP_EV_WAKE, 1, 1);
	trace.on = false;
	write_event(0);
	assert_int_equal(rp_trace_snapshot(&trace, out, RP_TRACE_EVENTS), 0);
}

static void test_order(void **state)
{
	u64 n;

	for (n = 0; n < 100; n++)
		write_event(n);
	assert_int_equal(rp_trace_snapshot(&trace, out, RP_TRACE_EVENTS), 100);
	for (n = 0; n < 100; n++)
		check(&out[n], n);
	assert_int_equal(rp_trace_snapshot(&trace, out, 7), 7);
	check(&out[0], 93);
	check(&out[6], 99);
	assert_int_equal(rp_trace_snapshot(&trace, out, 0), 0);
}

static void test_wrap(void **state)
{
	u64 n, end = 3 * RP_TRACE_EVENTS + 5;

	for (n = 0; n < RP_TRACE_EVENTS; n++)
		write_event(n);
	assert_int_equal(rp_trace_snapshot(&trace, out, RP_TRACE_EVENTS),
			 RP_TRACE_EVENTS - 1);
	check(&out[0], 1);
	for (; n < end; n++)
		write_event(n);
	assert_int_equal(rp_trace_snapshot(&trace, out, RP_TRACE_EVENTS),
			 RP_TRACE_EVENTS - 1);
	check(&out[0], end - (RP_TRACE_EVENTS - 1));
	check(&out[RP_TRACE_EVENTS - 2], end - 1);
}

static u32 stop;

static void *writer(void *unused)
{
	u64 n;

	for (n = 0; !rp_load(&stop); n++)
		write_event(n);
	return NULL;
}

/* Whatever was overwritten meanwhile is dropped, never returned torn. */
static void test_snapshot_beside_writer(void **state)
{
	u64 seen = 0, checked = 0;
	pthread_t thread;
	u32 i, k, n;

	rp_store(&stop, 0);
	assert_int_equal(pthread_create(&thread, NULL, writer, NULL), 0);
	while (seen < 4 * RP_TRACE_EVENTS || !checked) {
		n = rp_trace_snapshot(&trace, out, RP_TRACE_EVENTS);
		for (i = 0, k = 0; i < n; i++)
			k += out[i].tsc == out[0].tsc + 3ULL * i &&
			     out[i].arg == (u32)(out[i].tsc / 3) &&
			     out[i].type == 1 + out[i].tsc / 3 % (RP_EV_TYPES - 1);
		assert_int_equal(k, n);
		checked += n;
		seen = rp_load(&trace.head);
	}
	rp_store(&stop, 1);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup(test_off, set_up),
		cmocka_unit_test_setup(test_order, set_up),
		cmocka_unit_test_setup(test_wrap, set_up),
		cmocka_unit_test_setup(test_snapshot_beside_writer, set_up),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
