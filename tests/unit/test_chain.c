// SPDX-License-Identifier: GPL-2.0-or-later
/* The pure parts of a chain: packets, schedule, what arrives, the bottleneck, --strategy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

/* Before cmocka.h, which makes a macro of fail(). */
#include "chain/arrivals.h"
#include "chain/bottleneck.h"
#include "chain/frame.h"
#include "chain/schedule.h"
#include "chain/strategies.h"

#include <cmocka.h>

/* ---- Packets ---- */

static bool is_good(const u8 *frame, u32 head_at, u32 bytes, u32 hops)
{
	struct chain_head h;

	return chain_frame_read(frame, head_at, bytes, 4, hops, &h) && h.flow == 3 && h.seq == 64 &&
	       h.due_tsc == 7 && h.sent_tsc == 9 && chain_frame_whole(frame, head_at, &h);
}

static void test_bare_frame(void **state)
{
	u8 frame[NET_FRAME_MIN_BYTES];

	chain_frame_write(frame, CHAIN_AT_BARE, sizeof(frame), 3, 64, 7);
	chain_frame_stamp(frame, CHAIN_AT_BARE, 9);
	assert_true(is_good(frame, CHAIN_AT_BARE, sizeof(frame), 0));
	assert_false(is_good(frame, CHAIN_AT_BARE, sizeof(frame) - 1, 0));
	frame[sizeof(frame) - 1] ^= 1;
	assert_false(is_good(frame, CHAIN_AT_BARE, sizeof(frame), 0));
}

/* As a router does it, by RFC 1624. */
static void route(u8 *frame)
{
	struct iphdr ip;
	u32 sum;

	memcpy(&ip, frame + CHAIN_AT_BARE, sizeof(ip));
	ip.ttl--;
	sum = ntohs(ip.check) + 0x100u;
	ip.check = htons((u16)(sum + (sum >> 16)));
	memcpy(frame + CHAIN_AT_BARE, &ip, sizeof(ip));
}

static void test_routed_frame(void **state)
{
	u8 frame[CHAIN_IP_MIN_BYTES + 20];
	u32 i;

	chain_frame_write(frame, CHAIN_AT_IP, sizeof(frame), 3, 64, 7);
	chain_frame_stamp(frame, CHAIN_AT_IP, 9);
	assert_int_equal(frame[12] << 8 | frame[13], ETH_P_IP);
	for (i = 0; i < 31; i++) {
		assert_true(is_good(frame, CHAIN_AT_IP, sizeof(frame), i));
		/* It went by another number of routers. */
		assert_false(is_good(frame, CHAIN_AT_IP, sizeof(frame), i + 1));
		route(frame);
	}
	frame[CHAIN_AT_BARE + offsetof(struct iphdr, daddr)] ^= 1;
	assert_false(is_good(frame, CHAIN_AT_IP, sizeof(frame), 31));
	assert_false(is_good(frame, CHAIN_AT_IP, CHAIN_IP_MIN_BYTES - 1, 31));
}

/* ---- Schedule ---- */

static void test_schedule_is_absolute(void **state)
{
	const struct schedule s = { .rate_pps = 1000, .duration_ns = NSEC_PER_SEC };

	assert_int_equal(schedule_total(&s), 1000);
	assert_int_equal(schedule_at_ns(&s, 0), 0);
	assert_int_equal(schedule_at_ns(&s, 7), 7000000);
	assert_int_equal(schedule_due(&s, 0), 1);
	assert_int_equal(schedule_due(&s, 999999), 1);
	assert_int_equal(schedule_due(&s, 1000000), 2);
	/* A generator that was held up has all of them to send, and no more after the end. */
	assert_int_equal(schedule_due(&s, 500000000), 501);
	assert_int_equal(schedule_due(&s, 1000000000), 1000);
	assert_int_equal(schedule_due(&s, ~0ULL), 1000);
}

/* Number i is due at its own time and not a nanosecond before, at any rate. */
static void test_schedule_agrees_with_itself(void **state)
{
	static const u64 rates[] = { 1, 3, 7, 999983, 14880952, 100000000 };
	u32 r;
	u64 i;

	for (r = 0; r < sizeof(rates) / sizeof(*rates); r++) {
		const struct schedule s = { rates[r], 3600 * NSEC_PER_SEC };
		u64 total = schedule_total(&s), step = total / 1000 + 1;

		assert_int_equal(total, rates[r] * 3600);
		for (i = 1; i < total; i += step) {
			assert_int_equal(schedule_due(&s, schedule_at_ns(&s, i)), i + 1);
			assert_int_equal(schedule_due(&s, schedule_at_ns(&s, i) - 1), i);
		}
	}
}

static void test_schedule_of_a_part(void **state)
{
	const struct schedule s = { .rate_pps = 3, .duration_ns = NSEC_PER_SEC / 2 };

	/* Due at 0 and 333333334 ns. */
	assert_int_equal(schedule_total(&s), 2);
	assert_int_equal(schedule_due(&s, s.duration_ns), 2);
}

/* ---- What arrives ---- */

static void note_all(struct arrivals *a, const u64 *seq, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		arrivals_note(a, 0, seq[i]);
}

#define NOTE(a, ...) do {						\
	const u64 seq_[] = { __VA_ARGS__ };				\
	note_all(a, seq_, sizeof(seq_) / sizeof(*seq_));		\
} while (0)

static void test_in_order(void **state)
{
	struct arrivals a;
	u64 i;

	arrivals_init(&a, 3);
	for (i = 0; i < 9000; i++)
		arrivals_note(&a, (u32)(i % 3), i / 3);
	assert_int_equal(a.packets, 9000);
	assert_int_equal(a.reordered, 0);
	assert_int_equal(a.duplicates, 0);
	arrivals_free(&a);
}

static void test_gaps_are_no_reordering(void **state)
{
	struct arrivals a;

	arrivals_init(&a, 1);
	NOTE(&a, 0, 5, 6, 5000, 5001, 1ULL << 60);
	assert_int_equal(a.packets, 6);
	assert_int_equal(a.reordered, 0);
	assert_int_equal(a.duplicates, 0);
	arrivals_free(&a);
}

static void test_late_and_twice(void **state)
{
	struct arrivals a;

	arrivals_init(&a, 1);
	NOTE(&a, 0, 1, 3, 2, 4, 2, 4, 0);
	assert_int_equal(a.packets, 8);
	assert_int_equal(a.reordered, 1);	/* 2 */
	assert_int_equal(a.duplicates, 3);	/* 2, 4, 0 */
	arrivals_free(&a);
}

/* A bit of the window means another number each time round. */
static void test_window_goes_round(void **state)
{
	struct arrivals a;
	u64 i;

	arrivals_init(&a, 1);
	for (i = 0; i < 3 * ARRIVALS_WINDOW; i++)
		if (i != 2 * ARRIVALS_WINDOW + 5)
			arrivals_note(&a, 0, i);
	NOTE(&a, 2 * ARRIVALS_WINDOW + 5);
	assert_int_equal(a.reordered, 1);
	assert_int_equal(a.duplicates, 0);
	/* Too old to tell: late, it says. */
	NOTE(&a, 3);
	assert_int_equal(a.reordered, 2);
	NOTE(&a, 3 * ARRIVALS_WINDOW - 1);
	assert_int_equal(a.duplicates, 1);
	arrivals_free(&a);
}

static void test_a_jump_forgets(void **state)
{
	struct arrivals a;

	arrivals_init(&a, 1);
	NOTE(&a, 0, 1, 2, 2 * ARRIVALS_WINDOW, 2 * ARRIVALS_WINDOW - 1022);
	/* The same bit as number 2, which has nothing to do with it. */
	assert_int_equal(a.duplicates, 0);
	assert_int_equal(a.reordered, 1);
	arrivals_free(&a);
}

static void test_numbers_of_a_liar(void **state)
{
	struct arrivals a;

	arrivals_init(&a, 1);
	NOTE(&a, ~0ULL, 0, ~0ULL, 1, ~0ULL - 1);
	assert_int_equal(a.packets, 5);
	arrivals_free(&a);
}

/* ---- The bottleneck ---- */

#define FIND(why, ...) ({						\
	const struct chain_server s_[] = { __VA_ARGS__ };		\
	bottleneck_find(s_, sizeof(s_) / sizeof(*s_), why);		\
})

static void test_last_full_ring(void **state)
{
	enum bottleneck_why why;

	/* Generator, pacer, VM, pacer, sink: the VM is slow, so all before it is full. */
	assert_int_equal(FIND(&why, { UNKNOWN, 0.1 }, { 0.97, 0.2 }, { 0.6, 0.8 }, { 0.1, 0.95 },
			      { 0, 0.1 }), 2);
	assert_int_equal(why, BOTTLENECK_RING_FULL);
	/* The sink. */
	assert_int_equal(FIND(&why, { UNKNOWN, 0.1 }, { 0.9, 0.2 }, { 0.5, 0.3 }, { 0.7, 0.1 },
			      { 0.5, 0.9 }), 4);
}

static void test_nothing_full(void **state)
{
	enum bottleneck_why why;

	assert_int_equal(FIND(&why, { UNKNOWN, 0.99 }, { 0.3, 0.4 }, { 0.49, 0.89 }), 0);
	assert_int_equal(why, BOTTLENECK_IS_BUSY);
	assert_int_equal(FIND(&why, { UNKNOWN, 0.3 }, { 0.3, 0.4 }, { 0.49, 0.89 }), -1);
	assert_int_equal(why, BOTTLENECK_NONE);
}

static void test_rings_that_nobody_sees(void **state)
{
	enum bottleneck_why why;

	assert_int_equal(FIND(&why, { UNKNOWN, 0.2 }, { UNKNOWN, 0.1 }, { UNKNOWN, 0.96 },
			      { UNKNOWN, 0.2 }), 2);
	assert_int_equal(why, BOTTLENECK_IS_BUSY);
	assert_int_equal(FIND(&why, { UNKNOWN, UNKNOWN }, { UNKNOWN, UNKNOWN }), -1);
}

static void test_regime(void **state)
{
	assert_string_equal(bottleneck_regime(RP_NOTIFY, 0.5, 0), "nFC");
	assert_string_equal(bottleneck_regime(RP_NOTIFY, 0, 0.01), "nFP");
	assert_string_equal(bottleneck_regime(RP_NOTIFY, 0.1, 0.01), "nS*");
	assert_string_equal(bottleneck_regime(RP_SLEEP, 0.5, 0), "sFC");
	assert_string_equal(bottleneck_regime(RP_SLEEP, 0, 0.01), "sFP");
	assert_string_equal(bottleneck_regime(RP_SLEEP, 0.1, 0.01), "sLS");
	assert_string_equal(bottleneck_regime(RP_BUSY, 0, 0), "BW");
	assert_null(bottleneck_regime(RP_NOTIFY, 0, 0));
	assert_null(bottleneck_regime(RP_SLEEP, UNKNOWN, UNKNOWN));
	assert_null(bottleneck_regime(RP_NAPI, 0.5, 0.5));
}

/* ---- --strategy ---- */

static void test_strategies(void **state)
{
	struct chain_strategies s = { 0 };

	assert_null(chain_strategies_add(&s, "notify,sleep,y-ns=20000,burst=8,adaptive"));
	assert_null(chain_strategies_add(&s, "adaptive,dmax-ns=300000,cpu-cap=50"));
	assert_int_equal(s.n, 4);
	assert_int_equal(s.of[0].id, RP_NOTIFY);
	assert_string_equal(s.of[0].label, "notify");
	assert_int_equal(s.of[1].id, RP_SLEEP);
	assert_string_equal(s.of[1].label, "sleep,y-ns=20000,burst=8");
	assert_int_equal(s.of[1].y_ns, 20000);
	assert_int_equal(s.of[1].burst, 8);
	assert_int_equal(s.of[2].dmax_ns, 100000);
	assert_int_equal(s.of[3].dmax_ns, 300000);
	assert_int_equal(s.of[3].cpu_cap_percent, 50);
}

static void refused(const char *list, const char *named)
{
	struct chain_strategies s = { 0 };
	const char *why = chain_strategies_add(&s, list);

	assert_non_null(why);
	assert_non_null(strstr(why, named));
}

static void test_strategies_refused(void **state)
{
	refused("hope", "hope");
	refused("", "no such strategy");
	refused("notify,", "no such strategy");
	refused("y-ns=5", "no strategy before it");
	refused("sleep,y-ns=5us", "y-ns=5us");
	refused("sleep,y-ns=1000000001", "y-ns");
	refused("adaptive,dmax-ns=0", "dmax-ns=0");
	refused("notify,burst=65", "burst=65");
	refused("adaptive,cpu-cap=101", "cpu-cap=101");
	refused("notify,socket=/tmp/x", "socket");
	refused("sleep,y-ns=1,y-ns=1,y-ns=1,y-ns=1,y-ns=1,y-ns=1,y-ns=1,y-ns=1,y-ns=1,y-ns=1,y-ns=1,"
		"y-ns=1,y-ns=1,y-ns=1", "too many options");
	refused("busy,busy,busy,busy,busy,busy,busy,busy,busy,busy,busy,busy,busy,busy,busy,busy,"
		"busy", "more than 16");
}

/* Two that are told apart by nothing cannot be told apart in the result. */
static void test_strategies_named_twice(void **state)
{
	struct chain_strategies s = { 0 };

	assert_null(chain_strategies_add(&s, "sleep,y-ns=1,sleep,y-ns=2,sleep"));
	assert_null(chain_strategies_twice(&s));
	assert_null(chain_strategies_add(&s, "sleep,y-ns=2"));
	assert_string_equal(chain_strategies_twice(&s), "sleep,y-ns=2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare_frame),
		cmocka_unit_test(test_routed_frame),
		cmocka_unit_test(test_schedule_is_absolute),
		cmocka_unit_test(test_schedule_agrees_with_itself),
		cmocka_unit_test(test_schedule_of_a_part),
		cmocka_unit_test(test_in_order),
		cmocka_unit_test(test_gaps_are_no_reordering),
		cmocka_unit_test(test_late_and_twice),
		cmocka_unit_test(test_window_goes_round),
		cmocka_unit_test(test_a_jump_forgets),
		cmocka_unit_test(test_numbers_of_a_liar),
		cmocka_unit_test(test_last_full_ring),
		cmocka_unit_test(test_nothing_full),
		cmocka_unit_test(test_rings_that_nobody_sees),
		cmocka_unit_test(test_regime),
		cmocka_unit_test(test_strategies),
		cmocka_unit_test(test_strategies_refused),
		cmocka_unit_test(test_strategies_named_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
