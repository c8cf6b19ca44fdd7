// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Flow groups that move, turn by turn: what each thread does at which moment is
 * the test's, and so is the clock.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>

#include "dp_fixture.h"

#define STALL_NS	(5 * DP_WAIT_NS)
#define SLOTS		64u
#define BATCH		16u

static struct bed *b;

static void open_bed(u32 threads, bool fenced)
{
	b = bed_new(&(struct bed_options){
		.threads = threads, .slots = SLOTS, .batch = BATCH, .fenced = fenced,
		.stall_ns = STALL_NS,
	});
}

static void pass(u64 ns)
{
	atomic_fetch_add(&b->clock_ns, ns);
}

static void turn(u32 thread)
{
	dp_thread_turn(b->dp, thread);
}

static void turns(u32 n)
{
	u32 i;

	while (n--) {
		for (i = 0; i < b->dp->cfg.threads; i++)
			turn(i);
		dp_control_turn(b->dp);
		bed_collect(b);
	}
}

static enum dp_phase phase(u32 group)
{
	return dp_phase(dp_look(&b->dp->groups[group]));
}

static void send_some(u32 group, u32 n)
{
	while (n--)
		assert_true(bed_send(b, group));
}

/* Nothing lost, nothing left, and as many moves as that ended well. */
static void close_clean(u64 done, u64 late)
{
	const struct dp_moves *m = &b->dp->moves;

	assert_int_equal(bed_flows(b, got), bed_all_sent(b));
	assert_int_equal(dp_missing(b->dp), 0);
	assert_int_equal(b->spare.count, PACKETS);
	assert_int_equal(bed_flows(b, elsewhere), 0);
	assert_int_equal(bed_count(b, late), late);
	if (!late) {
		assert_int_equal(bed_flows(b, gaps), 0);
		assert_int_equal(bed_flows(b, reordered), 0);
	}
	assert_int_equal(m->dropped, 0);
	assert_int_equal(m->ended[DP_DONE], done);
	assert_int_equal(m->total.hist.count, done);
	assert_int_equal(b->dp->following_count, 0);
	bed_free(b);
}

static u32 owner(u32 group)
{
	return dp_owner(b->dp, group);
}

/* ---- Without moves ---- */

static void test_steady(void **state)
{
	u32 i, g;

	open_bed(4, false);
	for (i = 0; i < 50; i++) {
		for (g = 0; g < GROUPS; g++)
			send_some(g, 1);
		pass(DP_TICK_NS / 3);
		turns(3);
	}
	/* Threads share nothing. */
	assert_int_equal(bed_count(b, shared), 0);
	assert_true(bed_count(b, timers) > 0);
	close_clean(0, 0);
}

static void test_bad_orders(void **state)
{
	open_bed(2, false);
	assert_non_null(dp_move(b->dp, GROUPS, 1));
	assert_non_null(dp_move(b->dp, 0, 2));
	assert_null(dp_move(b->dp, 0, 0));
	assert_int_equal(b->dp->following_count, 0);
	assert_null(dp_move(b->dp, 0, 1));
	assert_non_null(dp_move(b->dp, 0, 1));
	assert_non_null(dp_move(b->dp, 0, 0));
	turns(2);
	pass(DP_WAIT_NS);
	turns(3);
	close_clean(1, 0);
}

/* What a table of a card says is not always what it does. */
static void test_misplaced(void **state)
{
	open_bed(3, false);
	send_some(0, 5);
	/* Thread 2 has nothing to do with it. */
	b->sp->port.ops->steer(&b->sp->port, &(struct dp_steer){ 0, 2 }, 1);
	send_some(0, 7);
	turns(2);
	assert_int_equal(b->flow[0].got, 12);
	close_clean(0, 7);
}

static struct dp_group *processed_of;
static u32 processed_by;

static void note_packet(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	processed_of = g;
	processed_by = t->id;
	dp_release(t, p);
}

/* What has no hash is of no group, and the thread's that received it. */
static void test_loose(void **state)
{
	static const struct dp_app app = { .name = "note", .packet = note_packet };
	struct dp_pkt loose = { .hash = 1, .loose = true }, other = { .hash = 1 };
	struct dp_config cfg;
	const char *why;
	struct dp *dp;

	open_bed(2, false);
	cfg = b->dp->cfg;
	cfg.app = &app;
	dp = dp_new(&cfg, &why);
	assert_non_null(dp);
	/* Group 1 is thread 1's, and the table says thread 0. */
	b->sp->port.ops->steer(&b->sp->port, &(struct dp_steer){ 1, 0 }, 1);
	assert_true(soft_port_input(b->sp, &other));
	dp_thread_turn(dp, 0);
	dp_thread_turn(dp, 1);
	assert_ptr_equal(processed_of, &dp->groups[1]);
	assert_int_equal(processed_by, 1);
	assert_true(soft_port_input(b->sp, &loose));
	dp_thread_turn(dp, 0);
	assert_null(processed_of);
	assert_int_equal(processed_by, 0);
	assert_int_equal(dp_missing(dp), 0);
	dp_free(dp);
	bed_free(b);
}

/* ---- Moves ---- */

static void test_first_packet_ends_it(void **state)
{
	open_bed(2, false);
	send_some(0, BATCH + 3);
	assert_null(dp_move(b->dp, 0, 1));
	turn(0);
	assert_int_equal(phase(0), DP_HELD);
	/* Nobody processes it now: all that came is handed over. */
	assert_int_equal(b->flow[0].got, 0);
	dp_control_turn(b->dp);
	assert_int_equal(phase(0), DP_MOVED);
	turn(1);
	assert_int_equal(phase(0), DP_ADOPTED);
	assert_int_equal(b->flow[0].got, BATCH);
	/* B's own wait for the 3 that are still A's. */
	send_some(0, 4);
	turn(1);
	assert_int_equal(b->flow[0].got, BATCH);
	turn(0);
	turn(1);
	assert_int_equal(phase(0), DP_STEADY);
	assert_int_equal(b->flow[0].got, BATCH + 7);
	turns(2);
	assert_int_equal(b->dp->moves.packets.sum, BATCH + 7);
	assert_int_equal(b->dp->moves.timers.sum, GROUP_TIMERS);
	close_clean(1, 0);
}

static void test_time_ends_it(void **state)
{
	open_bed(2, false);
	send_some(0, 3);
	assert_null(dp_move(b->dp, 0, 1));
	turns(3);
	pass(DP_WAIT_NS - 1);
	turns(3);
	assert_int_equal(phase(0), DP_ADOPTED);
	pass(1);
	turns(2);
	assert_int_equal(phase(0), DP_STEADY);
	assert_int_equal(owner(0), 1);
	assert_true(b->dp->moves.wait.hist.max >= DP_WAIT_NS);
	close_clean(1, 0);
}

static void test_fence_ends_it(void **state)
{
	open_bed(2, true);
	send_some(0, 3);
	assert_null(dp_move(b->dp, 0, 1));
	turns(3);
	assert_int_equal(phase(0), DP_STEADY);
	assert_int_equal(b->dp->moves.wait.hist.max, 0);
	close_clean(1, 0);
}

/* A's queue, which other groups keep full, is never seen empty. */
static void test_under_load(void **state)
{
	u32 i, round = 0;

	open_bed(2, false);
	for (i = 0; i < SLOTS; i++)
		send_some(i % 3 ? 2 : 0, 1);
	assert_null(dp_move(b->dp, 0, 1));
	turn(0);
	dp_control_turn(b->dp);
	while (phase(0) != DP_STEADY && round++ < 20) {
		bed_send(b, 0);
		turn(1);
		while (bed_send(b, 2))
			;
		turn(0);
		bed_collect(b);
	}
	assert_true(round < 20);
	assert_true(round > SLOTS / BATCH);
	turns(10);
	close_clean(1, 0);
}

/* Any number at once; the original lost the timers of all but the last. */
static void test_all_at_once(void **state)
{
	u64 fired, i, g;

	open_bed(4, false);
	for (i = 0; i < 20; i++) {
		for (g = 0; g < GROUPS; g++)
			assert_null(dp_move(b->dp, (u32)g, (u32)(owner((u32)g) + 1 + g % 3) % 4));
		while (b->dp->following_count) {
			for (g = 0; g < GROUPS; g++)
				bed_send(b, (u32)g);
			pass(DP_WAIT_NS / 5);
			turns(1);
		}
		turns(8);
	}
	assert_int_equal(b->dp->moves.timers.sum, 20 * GROUPS * GROUP_TIMERS);
	for (g = 0; g < GROUPS; g++)
		assert_int_equal(b->dp->groups[g].wheel.timers, GROUP_TIMERS);
	fired = bed_flows(b, fired);
	/* Of ticks 1 to 6 the three timers of a group fire 6, 3 and 2 times. */
	for (i = 0; i < 6; i++) {
		pass(DP_TICK_NS);
		turns(1);
	}
	assert_int_equal(bed_flows(b, fired) - fired, 11 * GROUPS);
	close_clean(20 * GROUPS, 0);
}

/* Groups have their turns one after the other; in a tick each has one, however long a rest was. */
static void test_slots(void **state)
{
	u64 fired, most = 0;
	u32 i;

	open_bed(2, false);
	for (i = 0; i < 2 * GROUPS; i++) {
		fired = bed_flows(b, fired);
		pass(DP_TICK_NS / GROUPS);
		turns(1);
		fired = bed_flows(b, fired) - fired;
		most = fired > most ? fired : most;
	}
	/* Of ticks 1 and 2 the three timers of a group fire 2, 1 and no times. */
	assert_int_equal(bed_flows(b, fired), 3 * GROUPS);
	assert_int_equal(most, 2);
	pass(4 * DP_TICK_NS);
	turns(1);
	/* As in test_all_at_once(). */
	assert_int_equal(bed_flows(b, fired), 11 * GROUPS);
	close_clean(0, 0);
}

/* A wheel that stood while its group moved goes on where it was. */
static void test_late_timers(void **state)
{
	u64 fired;

	open_bed(2, false);
	assert_null(dp_move(b->dp, 0, 1));
	turn(0);
	fired = b->flow[0].fired;
	pass(4 * DP_TICK_NS);
	turn(0);
	assert_int_equal(b->flow[0].fired, fired);
	dp_control_turn(b->dp);
	turn(1);
	/* 4 ticks: 4, 2 and 1. */
	assert_int_equal(b->flow[0].fired, fired + 7);
	pass(DP_WAIT_NS);
	turns(3);
	close_clean(1, 0);
}

/*
 * A port keeps no order between send queues: B has the group only once what A has
 * sent of it has been taken, whatever A sends of others meanwhile.
 */
static void test_sent_first(void **state)
{
	u32 i;

	open_bed(2, true);
	send_some(0, 6);
	turn(0);
	assert_null(dp_move(b->dp, 0, 1));
	turn(0);
	dp_control_turn(b->dp);
	send_some(0, 4);
	for (i = 0; i < 3; i++) {
		send_some(2, 2);
		turn(0);
		turn(1);
		dp_control_turn(b->dp);
		assert_int_equal(phase(0), DP_MOVED);
		assert_int_equal(b->flow[0].got, 6);
	}
	assert_int_equal(b->flow[2].got, 6);
	/* Those that are older than the move are taken, and no more. */
	for (i = 0; i < 3; i++) {
		struct dp_pkt *p = soft_port_sent(b->sp, 0);

		assert_non_null(p);
		bed_note_sent(b, p);
		dp_list_add(&b->spare, p);
	}
	turn(0);
	turn(1);
	assert_int_equal(b->flow[0].got, 10);
	turns(3);
	assert_int_equal(b->overtaken, 0);
	assert_int_equal(b->dp->moves.overtaken, 0);
	close_clean(1, 0);
}

/* Nobody takes what A has sent: the move is not held up for ever. */
static void test_sent_and_never_taken(void **state)
{
	open_bed(2, true);
	send_some(0, 2);
	turn(0);
	assert_null(dp_move(b->dp, 0, 1));
	turn(0);
	dp_control_turn(b->dp);
	turn(1);
	dp_control_turn(b->dp);
	pass(STALL_NS + 1);
	dp_control_turn(b->dp);
	turn(0);
	turn(1);
	turn(0);
	turn(1);
	dp_control_turn(b->dp);
	assert_int_equal(owner(0), 1);
	assert_int_equal(phase(0), DP_STEADY);
	assert_int_equal(b->dp->moves.overtaken, 1);
	turns(2);
	close_clean(1, 0);
}

/* ---- Threads that stall, ports that refuse ---- */

static void test_old_owner_asleep(void **state)
{
	open_bed(2, false);
	send_some(0, 3);
	assert_null(dp_move(b->dp, 0, 1));
	pass(STALL_NS + 1);
	dp_control_turn(b->dp);
	dp_control_turn(b->dp);
	assert_int_equal(phase(0), DP_STEADY);
	assert_int_equal(owner(0), 0);
	assert_int_equal(b->dp->moves.ended[DP_REFUSED], 1);
	assert_int_equal(b->dp->moves.stalled, 1);
	turns(2);
	assert_int_equal(b->flow[0].got, 3);
	close_clean(0, 0);
}

static void test_new_owner_asleep(void **state)
{
	open_bed(2, false);
	send_some(0, 3);
	assert_null(dp_move(b->dp, 0, 1));
	turn(0);
	dp_control_turn(b->dp);
	dp_control_turn(b->dp);
	send_some(0, 2);
	turn(0);
	pass(STALL_NS + 1);
	dp_control_turn(b->dp);
	assert_int_equal(phase(0), DP_RETURNED);
	/* The port steers to A again; what B has got meanwhile comes late. */
	send_some(0, 4);
	turn(0);
	assert_int_equal(phase(0), DP_STEADY);
	assert_int_equal(b->flow[0].got, 7);
	turns(3);
	assert_int_equal(b->dp->moves.ended[DP_TURNED_BACK], 1);
	close_clean(0, 2);
}

static void test_old_owner_stalls_midway(void **state)
{
	open_bed(2, false);
	send_some(0, BATCH + 3);
	assert_null(dp_move(b->dp, 0, 1));
	turn(0);
	dp_control_turn(b->dp);
	send_some(0, 5);
	turn(1);
	turn(1);
	dp_control_turn(b->dp);
	pass(STALL_NS + 1);
	dp_control_turn(b->dp);
	turn(1);
	assert_int_equal(phase(0), DP_STEADY);
	assert_int_equal(b->flow[0].got, BATCH + 5);
	dp_control_turn(b->dp);
	/* It gets none while such packets are in its queue. */
	assert_non_null(dp_move(b->dp, 0, 0));
	turns(3);
	assert_null(dp_move(b->dp, 0, 0));
	turns(3);
	pass(DP_WAIT_NS);
	turns(3);
	assert_int_equal(owner(0), 0);
	assert_int_equal(b->dp->moves.forced, 1);
	close_clean(2, 3);
}

/* Its own by then, and whole: told, and done when it comes back. */
static void test_new_owner_stalls_midway(void **state)
{
	open_bed(2, true);
	assert_null(dp_move(b->dp, 0, 1));
	turn(0);
	dp_control_turn(b->dp);
	turn(1);
	turn(0);
	turn(0);
	assert_int_equal(phase(0), DP_ADOPTED);
	dp_control_turn(b->dp);
	pass(STALL_NS + 1);
	dp_control_turn(b->dp);
	pass(STALL_NS + 1);
	dp_control_turn(b->dp);
	assert_int_equal(b->dp->moves.stalled, 1);
	assert_int_equal(phase(0), DP_ADOPTED);
	turns(2);
	close_clean(1, 0);
}

static void test_port_refuses(void **state)
{
	open_bed(2, false);
	send_some(0, 3);
	send_some(2, 3);
	atomic_store(&b->sp->refuse, EIO);
	assert_null(dp_move(b->dp, 0, 1));
	assert_null(dp_move(b->dp, 2, 1));
	turn(0);
	dp_control_turn(b->dp);
	assert_int_equal(phase(0), DP_RETURNED);
	turns(2);
	assert_int_equal(owner(0), 0);
	assert_int_equal(b->dp->moves.ended[DP_TURNED_BACK], 2);
	assert_int_equal(b->dp->moves.port_errors, 1);
	atomic_store(&b->sp->refuse, 0);
	assert_null(dp_move(b->dp, 0, 1));
	turns(2);
	send_some(0, 1);
	turns(3);
	assert_int_equal(owner(0), 1);
	close_clean(1, 0);
}

/* ---- The rest ---- */

static void test_rest(void **state)
{
	open_bed(2, true);
	turns(1);
	assert_true(dp_thread_rest(b->dp, 0));
	assert_true(dp_thread_rest(b->dp, 1));
	pass(STALL_NS);
	dp_control_turn(b->dp);
	assert_int_equal(b->woken[0] + b->woken[1], 0);
	assert_null(dp_move(b->dp, 0, 1));
	assert_int_equal(b->woken[0], 1);
	turn(0);
	assert_int_equal(b->woken[1], 0);
	dp_control_turn(b->dp);
	assert_int_equal(b->woken[1], 1);
	/* With an order there it does not lie down. */
	assert_false(dp_thread_rest(b->dp, 1));
	turns(3);
	close_clean(1, 0);
}

/* A sleep that is no rest: the same, but for its telemetry (test_dp_meter). */
static void test_nap(void **state)
{
	open_bed(2, true);
	turns(1);
	assert_true(dp_thread_nap(b->dp, 0));
	assert_null(dp_move(b->dp, 0, 1));
	assert_int_equal(b->woken[0], 1);
	assert_false(dp_thread_nap(b->dp, 0));
	turns(3);
	assert_true(dp_thread_nap(b->dp, 0));
	close_clean(1, 0);
}

/* Groups that a thread is about to hold are waited for, so that one order does for all. */
static void test_gathered(void **state)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		open_bed(2, true);
		assert_null(dp_move(b->dp, 0, 1));
		turn(0);
		assert_null(dp_move(b->dp, 2, 1));
		dp_control_turn(b->dp);
		assert_int_equal(phase(0), DP_HELD);
		assert_int_equal(phase(2), DP_ORDERED);
		if (i)
			turn(0);
		else
			pass(DP_GATHER_NS);
		dp_control_turn(b->dp);
		assert_int_equal(phase(0), DP_MOVED);
		assert_int_equal(phase(2), i ? DP_MOVED : DP_ORDERED);
		turns(4);
		close_clean(2, 0);
	}
}

static u32 groups_of(u32 thread)
{
	u32 g, n = 0;

	for (g = 0; g < GROUPS; g++)
		n += owner(g) == thread;
	return n;
}

static void test_spread(void **state)
{
	open_bed(4, true);
	assert_int_equal(dp_spread(b->dp, 0, DP_NAMED), 0);
	assert_int_equal(dp_spread(b->dp, dp_first_threads(5), DP_NAMED), 0);
	assert_int_equal(dp_spread(b->dp, dp_first_threads(4), DP_NAMED), 0);
	/* Only those of the thread that goes move. */
	assert_int_equal(dp_spread(b->dp, dp_first_threads(3), DP_NAMED), GROUPS / 4);
	turns(4);
	assert_int_equal(groups_of(3), 0);
	assert_in_range(groups_of(0), GROUPS / 3, GROUPS / 3 + 1);
	assert_int_equal(dp_spread(b->dp, dp_first_threads(1), DP_NAMED), GROUPS - groups_of(0));
	turns(4);
	assert_int_equal(dp_spread(b->dp, dp_first_threads(4), DP_NAMED), 3 * GROUPS / 4);
	turns(4);
	assert_int_equal(groups_of(3), GROUPS / 4);
	close_clean(b->dp->moves.ended[DP_DONE], 0);
}

/* Ended in the midst of moves it gives all packets back. */
static void test_free_midway(void **state)
{
	u32 g;

	open_bed(2, false);
	for (g = 0; g < 8; g++) {
		send_some(g, 2);
		assert_null(dp_move(b->dp, g, !owner(g)));
	}
	turn(0);
	turn(1);
	dp_control_turn(b->dp);
	for (g = 0; g < 8; g++)
		send_some(g, 1);
	turn(0);
	/* Only what was received and not processed yet is within. */
	assert_true(dp_missing(b->dp) > 0);
	while (soft_port_input(b->sp, dp_list_pop(&b->spare)))
		;
	dp_free(b->dp);
	bed_collect(b);
	/* Each queue holds SLOTS, and one was popped for nothing. */
	assert_true(b->spare.count >= PACKETS - 2 * SLOTS - 1);
	soft_port_free(b->sp);
	free(b);
}

static void test_bad_config(void **state)
{
	struct soft_port *sp = soft_port_new(2, GROUPS, SLOTS, PACKETS, false);
	struct dp_config good = {
		.threads = 2, .groups = GROUPS, .batch = BATCH, .port = &sp->port,
		.app = &flow_app, .now_ns = bed_now,
	}, bad;
	const char *why;

	bad = good, bad.threads = 3;
	assert_null(dp_new(&bad, &why));
	assert_non_null(why);
	bad = good, bad.threads = 0;
	assert_null(dp_new(&bad, &why));
	bad = good, bad.groups = 1024;
	assert_null(dp_new(&bad, &why));
	bad = good, bad.groups = 200;
	assert_null(dp_new(&bad, &why));
	bad = good, bad.batch = 65;
	assert_null(dp_new(&bad, &why));
	soft_port_free(sp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steady),
		cmocka_unit_test(test_bad_orders),
		cmocka_unit_test(test_misplaced),
		cmocka_unit_test(test_loose),
		cmocka_unit_test(test_first_packet_ends_it),
		cmocka_unit_test(test_time_ends_it),
		cmocka_unit_test(test_fence_ends_it),
		cmocka_unit_test(test_under_load),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_late_timers),
		cmocka_unit_test(test_sent_first),
		cmocka_unit_test(test_sent_and_never_taken),
		cmocka_unit_test(test_old_owner_asleep),
		cmocka_unit_test(test_new_owner_asleep),
		cmocka_unit_test(test_old_owner_stalls_midway),
		cmocka_unit_test(test_new_owner_stalls_midway),
		cmocka_unit_test(test_port_refuses),
		cmocka_unit_test(test_rest),
		cmocka_unit_test(test_nap),
		cmocka_unit_test(test_gathered),
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_free_midway),
		cmocka_unit_test(test_bad_config),
	};

	return cmocka_run_group_tests_name("dp_moves", tests, NULL, NULL);
}
